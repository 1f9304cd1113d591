import { Button, Group, NativeSelect, Paper, TextInput } from "@mantine/core";
import { type FormEvent, useEffect, useId, useState } from "react";
import { useTranslation } from "react-i18next";
import classes from "./Audit.module.css";
import { active, EVERYTHING, type Filter } from "./filter";
import { ACTIONS } from "./proof/header";
import { optionOf } from "./words";

const OUTCOMES = ["success", "denied", "failure", "error"];
/** Hints stand below, so that the fields of a line stand level. */
const ORDER: ("label" | "input" | "description" | "error")[] = ["label", "input", "description", "error"];
/** From here on, the filters do not push the list off the screen. */
const WIDE = "(min-width: 48em) and (min-height: 40em)";

/** The group of an action, by the hundreds of its number and the first part of its name. */
const GROUPS: [string, (action: string, code: number) => boolean][] = [
  ["phi", (action) => action.startsWith("phi.") || action.startsWith("retention.")],
  ["sign", (_, code) => code < 200],
  ["consent", (_, code) => code >= 800 && code < 900],
  ["user", (_, code) => code >= 500 && code < 600],
  ["audit", (_, code) => code >= 400 && code < 500],
  ["import", (_, code) => code >= 300 && code < 400],
  ["server", (_, code) => code >= 600 && code < 800],
];

interface Props {
  filter: Filter;
  onApply: (filter: Filter) => void;
}

/** What the reader wants to see of the log. Nothing is asked of the server before it is applied: each question is itself noted. */
export function Filters({ filter, onApply }: Props) {
  const { t } = useTranslation("audit");
  const [draft, setDraft] = useState(filter);
  useEffect(() => setDraft(filter), [filter]);
  const [isOpen, setOpen] = useState(() => window.matchMedia(WIDE).matches);
  const region = useId();
  const count = active(filter);
  const isMixed = draft.from !== "" && draft.to !== "" && draft.from > draft.to;
  const apply = (event: FormEvent) => {
    event.preventDefault();
    if (!isMixed) onApply(draft);
  };
  return (
    <Paper withBorder p="sm" component="section" aria-label={t("filter.title")}>
      <Group justify="space-between">
        <Button variant="subtle" onClick={() => setOpen(!isOpen)} aria-expanded={isOpen} aria-controls={region}>
          {t(isOpen ? "filter.hide" : "filter.show")}
        </Button>
        {count > 0 && <span>{t("filter.active", { count })}</span>}
      </Group>
      <form id={region} hidden={!isOpen} onSubmit={apply} noValidate>
        <Fields draft={draft} onChange={(change) => setDraft({ ...draft, ...change })} isMixed={isMixed} />
        <Group mt="sm">
          <Button type="submit">{t("filter.apply")}</Button>
          <Button
            variant="default"
            disabled={count === 0 && active(draft) === 0}
            onClick={() => onApply({ ...EVERYTHING })}
          >
            {t("filter.reset")}
          </Button>
        </Group>
      </form>
    </Paper>
  );
}

interface FieldsProps {
  draft: Filter;
  onChange: (change: Partial<Filter>) => void;
  isMixed: boolean;
}

function Fields({ draft, onChange, isMixed }: FieldsProps) {
  const { t } = useTranslation("audit");
  const bound = (name: keyof Filter) => ({
    value: draft[name],
    onChange: (event: { currentTarget: { value: string } }) => onChange({ [name]: event.currentTarget.value }),
  });
  // Names and ids of others are nothing that a browser should keep.
  const silent = { autoComplete: "off", spellCheck: false, inputWrapperOrder: ORDER };
  return (
    <div className={classes.filters}>
      <TextInput label={t("filter.who")} description={t("filter.whoHint")} {...silent} {...bound("who")} />
      <NativeSelect label={t("filter.action")} {...bound("action")}>
        <option value="">{t("filter.anyAction")}</option>
        <Actions />
      </NativeSelect>
      <NativeSelect label={t("filter.outcome")} {...bound("outcome")}>
        <option value="">{t("filter.anyOutcome")}</option>
        {OUTCOMES.map((outcome) => (
          <option key={outcome} value={outcome}>
            {t(`outcome.${outcome}`)}
          </option>
        ))}
      </NativeSelect>
      <TextInput label={t("filter.patient")} description={t("filter.patientHint")} {...silent} {...bound("patient")} />
      <TextInput label={t("filter.record")} description={t("filter.recordHint")} {...silent} {...bound("record")} />
      <TextInput
        type="date"
        label={t("filter.from")}
        error={isMixed ? t("filter.order") : undefined}
        {...bound("from")}
      />
      <TextInput type="date" label={t("filter.to")} {...bound("to")} />
    </div>
  );
}

function Actions() {
  const { t } = useTranslation("audit");
  const actions = Object.entries(ACTIONS);
  return GROUPS.map(([group, belongs]) => (
    <optgroup key={group} label={t(`filter.group.${group}`)}>
      {actions
        .filter(([code, action]) => belongs(action, Number(code)))
        .map(([, action]) => (
          <option key={action} value={action}>
            {optionOf(action, t)}
          </option>
        ))}
    </optgroup>
  ));
}
