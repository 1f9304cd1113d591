import { Checkbox, Group, MultiSelect, Radio, Stack, TextInput } from "@mantine/core";
import { useTranslation } from "react-i18next";
import classes from "../Chart.module.css";
import { isBackwards, isEmpty, type Rule } from "./draft";
import type { Choice } from "./useActors";
import { KIND_NAMES, type Kind, LABELS, PURPOSES } from "./words";

interface Props {
  rule: Rule;
  /** Those whom a rule can name. */
  choices: Choice[];
  isTried: boolean;
  onChange: (rule: Rule) => void;
}

/** One rule: who may or may not see what, for what, and when. What is left empty means all of it. */
export function RuleFields({ rule, choices, isTried, onChange }: Props) {
  const { t } = useTranslation("care");
  const set = (change: Partial<Rule>) => onChange({ ...rule, ...change });
  return (
    <Stack gap="sm">
      <Radio.Group
        label={t("consent.type")}
        value={rule.decision}
        onChange={(decision) => set({ decision: decision as Rule["decision"] })}
      >
        <Group mt={4} className={classes.edged ?? ""}>
          <Radio value="deny" label={t("consent.deny")} />
          <Radio value="permit" label={t("consent.permit")} />
        </Group>
      </Radio.Group>
      <MultiSelect
        label={t("consent.who")}
        description={t("consent.whoHint")}
        data={choices}
        value={rule.who}
        error={isTried && isEmpty(rule) && t("consent.needSomething")}
        onChange={(who) => set({ who })}
        searchable
      />
      <Checkbox.Group
        label={t("consent.what")}
        description={t("consent.whatHint")}
        value={rule.kinds}
        onChange={(kinds) => set({ kinds: kinds as Kind[] })}
      >
        <Group mt={4} className={classes.edged ?? ""}>
          {KIND_NAMES.map((kind) => (
            <Checkbox key={kind} value={kind} label={t(`consent.kind.${kind}`)} />
          ))}
        </Group>
      </Checkbox.Group>
      <MultiSelect
        label={t("consent.labels")}
        description={t("consent.labelsHint")}
        data={LABELS.map((label) => ({ value: label, label: t(`consent.label.${label}`) }))}
        value={rule.labels}
        onChange={(labels) => set({ labels })}
        searchable
      />
      <MultiSelect
        label={t("consent.purposes")}
        description={t("consent.purposesHint")}
        data={PURPOSES.map((purpose) => ({ value: purpose, label: t(`consent.purpose.${purpose}`) }))}
        value={rule.purposes}
        onChange={(purposes) => set({ purposes })}
        searchable
      />
      <Time span={rule} isTried={isTried} onChange={set} />
    </Stack>
  );
}

interface TimeProps {
  span: { from: string; until: string };
  isTried: boolean;
  onChange: (change: { from: string } | { until: string }) => void;
}

/** From which day and until which. */
export function Time({ span, isTried, onChange }: TimeProps) {
  const { t } = useTranslation("care");
  return (
    <Group align="start">
      <TextInput
        type="date"
        label={t("consent.from")}
        value={span.from}
        onChange={(event) => onChange({ from: event.currentTarget.value })}
      />
      <TextInput
        type="date"
        label={t("consent.until")}
        value={span.until}
        error={isTried && isBackwards(span) && t("consent.needOrder")}
        onChange={(event) => onChange({ until: event.currentTarget.value })}
      />
    </Group>
  );
}
