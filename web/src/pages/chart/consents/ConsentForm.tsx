import { Alert, Button, Fieldset, Group, Radio, Stack, Text, Textarea } from "@mantine/core";
import { type FormEvent, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { useNavigate, useParams } from "react-router";
import type { Consent } from "../../../api/access/care";
import { focusFault } from "../../../entry/focusFault";
import { Empty } from "../../../ui/Empty";
import { ProblemAlert } from "../../../ui/ProblemAlert";
import { STORED, Unsaved } from "../../../ui/Unsaved";
import { Read } from "../../admin/Read";
import classes from "../Chart.module.css";
import { useChart } from "../ChartContext";
import { Section } from "../Section";
import { useWriteGuard } from "../WriteGuard";
import { Rules } from "./ConsentList";
import { type Draft, draftOf, emptyRule, isBackwards, isEmpty, isSimple, type Rule, sentOf } from "./draft";
import { useConsents, useStoreConsent } from "./queries";
import { RuleFields, Time } from "./RuleFields";
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
            if (!consent || !isSimple(consent)) return <Empty title={t("consent.gone")} />;
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
const content = (draft: Draft) =>
  JSON.stringify({ ...draft, exceptions: draft.exceptions.map((rule) => ({ ...rule, key: "" })) });

function Form({ consent }: { consent: Consent | undefined }) {
  const { t } = useTranslation("care");
  const { id, summary } = useChart();
  const [start] = useState(() => draftOf(consent));
  const [draft, setDraft] = useState(start);
  const [isTried, setTried] = useState(false);
  const navigate = useNavigate();
  const form = useRef<HTMLFormElement>(null);
  const { confirm, question } = useWriteGuard(summary.patient);
  const { error, isPending, mutateAsync } = useStoreConsent(id, consent);
  const sent = sentOf(draft);
  const isWrong = [draft, ...draft.exceptions].some(isBackwards) || draft.exceptions.some(isEmpty);
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setTried(true);
    if (isWrong) return focusFault(form);
    if (!(await confirm())) return;
    if (await mutateAsync(sent).catch(() => undefined)) navigate(`/patients/${id}/consents`, { state: STORED });
  };
  return (
    <form ref={form} noValidate onSubmit={(event) => void submit(event)}>
      <Unsaved isDirty={content(draft) !== content(start)} />
      {question}
      <Stack maw={720}>
        <General draft={draft} isTried={isTried} onChange={(change) => setDraft({ ...draft, ...change })} />
        <Exceptions draft={draft} isTried={isTried} onChange={(exceptions) => setDraft({ ...draft, exceptions })} />
        <Textarea
          label={t("consent.words")}
          description={t("consent.wordsHint")}
          value={draft.words}
          maxLength={10_000}
          rows={3}
          onChange={(event) => setDraft({ ...draft, words: event.currentTarget.value })}
        />
        <Alert variant="outline" title={t("consent.preview")}>
          <Rules {...sent} />
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

interface GeneralProps {
  draft: Draft;
  isTried: boolean;
  onChange: (change: Partial<Draft>) => void;
}

/** What holds where no exception says otherwise, and when. */
function General({ draft, isTried, onChange }: GeneralProps) {
  const { t } = useTranslation("care");
  return (
    <>
      <Radio.Group
        label={t("consent.general")}
        value={draft.decision}
        onChange={(decision) => onChange({ decision: decision as Draft["decision"] })}
      >
        <Stack mt={4} gap={6} className={classes.edged ?? ""}>
          <Radio value="deny" label={t("consent.generalDeny")} />
          <Radio value="permit" label={t("consent.generalPermit")} />
        </Stack>
      </Radio.Group>
      <Time span={draft} isTried={isTried} onChange={onChange} />
    </>
  );
}

interface ExceptionsProps {
  draft: Draft;
  isTried: boolean;
  onChange: (exceptions: Rule[]) => void;
}

function Exceptions({ draft: { decision, exceptions }, isTried, onChange }: ExceptionsProps) {
  const { t } = useTranslation("care");
  const { choices } = useActors(exceptions.flatMap(({ who }) => who));
  const other = decision === "deny" ? "permit" : "deny";
  return (
    <>
      {exceptions.length > 0 && <Text size="sm">{t("consent.formText")}</Text>}
      {exceptions.map((rule, place) => (
        <Fieldset key={rule.key} legend={t("consent.exception", { count: place + 1 })}>
          <Stack>
            <RuleFields
              rule={rule}
              choices={choices}
              isTried={isTried}
              onChange={(changed) => onChange(exceptions.map((one) => (one.key === rule.key ? changed : one)))}
            />
            <Group>
              <Button
                variant="default"
                size="compact-sm"
                onClick={() => onChange(exceptions.filter(({ key }) => key !== rule.key))}
              >
                {t("consent.removeException", { count: place + 1 })}
              </Button>
            </Group>
          </Stack>
        </Fieldset>
      ))}
      <Group>
        <Button variant="default" onClick={() => onChange([...exceptions, emptyRule(other)])}>
          {t("consent.addException")}
        </Button>
      </Group>
    </>
  );
}
