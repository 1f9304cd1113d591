import { Badge, Group, Text } from "@mantine/core";
import { useTranslation } from "react-i18next";
import { Born, useAge } from "../chart/Identity";
import type { Patient } from "./types";

/** What tells a person apart from others of the same name. */
export function Details({ patient, id }: { patient: Patient; id?: string }) {
  const { t } = useTranslation("patients");
  const age = useAge(patient);
  const { medical_record_number: number, phone, gender, patient_status: status } = patient;
  return (
    <Group gap="xs" wrap="wrap" {...(id && { id })}>
      <Text span size="sm">
        <Born patient={patient} />
        {age && ` (${age})`}
      </Text>
      {gender && (
        <Text span size="sm">
          {t(`gender.${gender}`)}
        </Text>
      )}
      <Text span size="sm">
        {number ? (
          <>
            {t("details.mrn")} <bdi>{number}</bdi>
          </>
        ) : (
          t("details.noMrn")
        )}
      </Text>
      {phone && (
        <Text span size="sm">
          {t("details.phone")} <bdi>{phone}</bdi>
        </Text>
      )}
      {status && status !== "active" && (
        <Badge color="gray" variant="outline">
          {t(`status.${status}`)}
        </Badge>
      )}
    </Group>
  );
}
