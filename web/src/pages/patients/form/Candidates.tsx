import { Alert, Badge, Button, Group, Stack, Text } from "@mantine/core";
import type { RefObject } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import { nameOf } from "../../chart/Identity";
import { Details } from "../Details";
import type { Candidate } from "../types";
import { useList } from "../useLocale";

interface Props {
  candidates: Candidate[];
  /** Where the focus goes when the warning stops a submit. */
  box: RefObject<HTMLDivElement | null>;
  /** Set once a submit was stopped: then it can be decided. */
  onAnyway?: (() => void) | undefined;
  isBusy: boolean;
}

/** Who is stored already and may be the same person. A person decides; nothing is joined or refused by itself. */
export function Candidates({ candidates, box, onAnyway, isBusy }: Props) {
  const { t } = useTranslation("patients");
  return (
    <div role="status" ref={box} tabIndex={-1}>
      {candidates.length > 0 && (
        <Alert color="yellow" variant="light" role="group" title={t("duplicate.title", { count: candidates.length })}>
          <Stack gap="sm">
            <Text size="sm">{t("duplicate.text")}</Text>
            {candidates.map((candidate) => (
              <One key={candidate.patient.id} candidate={candidate} />
            ))}
            {onAnyway && (
              <Group justify="end">
                <Button variant="default" onClick={onAnyway} loading={isBusy}>
                  {t("duplicate.anyway")}
                </Button>
              </Group>
            )}
          </Stack>
        </Alert>
      )}
    </div>
  );
}

function One({ candidate }: { candidate: Candidate }) {
  const { t, i18n } = useTranslation("patients");
  const { patient, certainty, reasons, against } = candidate;
  const list = useList();
  // A reason that a newer server gives is told by its own word rather than not at all.
  const word = (reason: string) =>
    i18n.exists(`patients:reason.${reason}`) ? t(`reason.${reason}`) : reason.replaceAll("_", " ");
  const say = (words: string[]) => list.format(words.map(word));
  return (
    <Stack gap={4}>
      <Group gap="xs">
        <Text fw={600} component="bdi">
          {nameOf(patient)}
        </Text>
        <Badge variant="outline" color={certainty === "possible" ? "gray" : "red"}>
          {t(`duplicate.${certainty}`)}
        </Badge>
      </Group>
      <Details patient={patient} />
      <Text size="sm">{t("duplicate.for", { what: say(reasons) })}</Text>
      {against.length > 0 && <Text size="sm">{t("duplicate.against", { what: say(against) })}</Text>}
      <Button component={Link} to={`/patients/${patient.id}`} variant="light" size="xs" w="fit-content">
        {t("duplicate.open", { name: nameOf(patient) })}
      </Button>
    </Stack>
  );
}
