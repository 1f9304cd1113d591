import { Alert, Button, Fieldset, Group, Stack, Text } from "@mantine/core";
import { type FormEvent, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { useNavigate, useParams } from "react-router";
import type { Consent } from "../../../api/access/care";
import { focusFault } from "../../../entry/focusFault";
import { Empty } from "../../../ui/Empty";
import { ProblemAlert } from "../../../ui/ProblemAlert";
import { STORED, Unsaved } from "../../../ui/Unsaved";
import { Read } from "../../admin/Read";
import { useChart } from "../ChartContext";
import { Section } from "../Section";
import { useWriteGuard } from "../WriteGuard";
import { Rules } from "./ConsentList";
import { type Draft, draftOf, emptyRule, faultOf, isEmpty, isSimple, type Rule, sentOf } from "./draft";
import { useConsents, useStoreConsent } from "./queries";
import { RuleFields } from "./RuleFields";
import { useActors } from "./useActors";

/** Records what the patient has agreed to, or the next version of it. */
export function ConsentForm() {
  const { t } = useTranslation("care");
  const { consent: wanted } = useParams();
  const { id } = useChart();
  const consents = useConsents(id);
  return (
    <Section title={t(wanted ? "consent.change" : "consent.new")}>
      {wanted ? (
        <Read of={consents}>
          {({ items }) => {
            const consent = items.find((one) => one.id === wanted);
            if (!consent || !isSimple(consent.provision)) return <Empty title={t("consent.gone")} />;
            return <Form key={consent.id} consent={consent} />;
          }}
        </Read>
      ) : (
        <Form consent={undefined} />
      )}
    </Section>
  );
}

/** Leaves out what only tells rules apart on the screen. */
const content = ({ rule, exceptions }: Draft) =>
  JSON.stringify([rule, ...exceptions].map((one) => ({ ...one, key: "" })));

function Form({ consent }: { consent: Consent | undefined }) {
  const { t } = useTranslation("care");
  const { id, summary } = useChart();
  const [start] = useState(() => draftOf(consent?.provision));
  const [draft, setDraft] = useState(start);
  const [isTried, setTried] = useState(false);
  const navigate = useNavigate();
  const form = useRef<HTMLFormElement>(null);
  const { confirm, question } = useWriteGuard(summary.patient);
  const { error, isPending, mutateAsync } = useStoreConsent(id, consent?.id);
  const actors = useActors(consent?.provision);
  const sent = sentOf(draft, actors.named);
  const isWrong =
    [draft.rule, ...draft.exceptions].some((rule) => faultOf(rule) !== undefined) || draft.exceptions.some(isEmpty);
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setTried(true);
    if (isWrong) return focusFault(form);
    if (!(await confirm())) return;
    if (await mutateAsync({ provision: sent }).catch(() => undefined))
      navigate(`/patients/${id}/consents`, { state: STORED });
  };
  const setException = (changed: Rule) =>
    setDraft({ ...draft, exceptions: draft.exceptions.map((one) => (one.key === changed.key ? changed : one)) });
  const other = draft.rule.type === "deny" ? "permit" : "deny";
  return (
    <form ref={form} noValidate onSubmit={(event) => void submit(event)}>
      <Unsaved isDirty={content(draft) !== content(start)} />
      {question}
      <Stack maw={720}>
        <Text size="sm">{t("consent.formText")}</Text>
        <RuleFields
          rule={draft.rule}
          choices={actors.choices}
          isTried={isTried}
          onChange={(rule) => setDraft({ ...draft, rule })}
        />
        {draft.exceptions.map((rule, place) => (
          <Fieldset key={rule.key} legend={t("consent.exception", { count: place + 1 })}>
            <Stack>
              <RuleFields rule={rule} choices={actors.choices} isTried={isTried} onChange={setException} isException />
              <Group>
                <Button
                  variant="default"
                  size="compact-sm"
                  onClick={() =>
                    setDraft({ ...draft, exceptions: draft.exceptions.filter(({ key }) => key !== rule.key) })
                  }
                >
                  {t("consent.removeException", { count: place + 1 })}
                </Button>
              </Group>
            </Stack>
          </Fieldset>
        ))}
        <Group>
          <Button
            variant="default"
            onClick={() => setDraft({ ...draft, exceptions: [...draft.exceptions, emptyRule(other)] })}
          >
            {t("consent.addException")}
          </Button>
        </Group>
        <Alert variant="outline" title={t("consent.preview")} role="status">
          <Rules rule={sent} />
        </Alert>
        {error && <ProblemAlert error={error} writes />}
        <Group>
          <Button type="submit" loading={isPending}>
            {t("consent.store")}
          </Button>
          <Button variant="default" onClick={() => navigate(`/patients/${id}/consents`)}>
            {t("cancel")}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
