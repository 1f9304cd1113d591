import { Button, Group, Modal, Text } from "@mantine/core";
import { type ReactNode, useCallback, useState } from "react";
import { useTranslation } from "react-i18next";
import { useOtherChart } from "./guard";
import { Identity } from "./Identity";
import type { Patient } from "./types";

interface Guard {
  /** Resolves to whether to write: at once where only this chart is open, else when the question was answered. */
  confirm: () => Promise<boolean>;
  /** The question; to be put into the page. */
  question: ReactNode;
}

/** Before anything is written while another chart is open: is this the patient who is meant? */
export function useWriteGuard(patient: Patient): Guard {
  const { t } = useTranslation("chart");
  const isOther = useOtherChart();
  const [answer, setAnswer] = useState<(isMeant: boolean) => void>();
  const confirm = useCallback(
    () => (isOther ? new Promise<boolean>((resolve) => setAnswer(() => resolve)) : Promise.resolve(true)),
    [isOther],
  );
  const give = (isMeant: boolean) => {
    answer?.(isMeant);
    setAnswer(undefined);
  };
  const question = (
    <Modal
      opened={answer !== undefined}
      onClose={() => give(false)}
      title={t("guard.question")}
      withCloseButton={false}
    >
      <Text>
        <Identity patient={patient} />
      </Text>
      <Text size="sm" mt="sm">
        {t("guard.why")}
      </Text>
      <Group justify="end" mt="md">
        <Button variant="default" data-autofocus onClick={() => give(false)}>
          {t("guard.no")}
        </Button>
        <Button onClick={() => give(true)}>{t("guard.yes")}</Button>
      </Group>
    </Modal>
  );
  return { confirm, question };
}
