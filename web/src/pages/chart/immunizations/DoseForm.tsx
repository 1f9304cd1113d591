import {
  Alert,
  Autocomplete,
  Button,
  Group,
  List,
  NativeSelect,
  SimpleGrid,
  Stack,
  Textarea,
  TextInput,
} from "@mantine/core";
import { type FormEvent, type ReactNode, useEffect, useRef } from "react";
import { useTranslation } from "react-i18next";
import { useSession } from "../../../app/session";
import { useChart } from "../ChartContext";
import { useLocale, When } from "../When";
import { dayHere, said } from "../when";
import { cautionsOf, codeText, type Draft } from "./draft";
import { codeOf, ROUTES, SITES } from "./places";
import { useManufacturers } from "./useManufacturers";
import { VaccinePicker } from "./VaccinePicker";

/** What is wrong, by field, in words. */
export type Faults = Partial<Record<keyof Draft, string>>;

interface Props {
  draft: Draft;
  onChange: (draft: Draft) => void;
  faults: Faults;
  /** The dose that is corrected; none for a new one. */
  dose?: string;
  submit: string;
  isBusy: boolean;
  onSubmit: () => void;
  onCancel: () => void;
  /** What stands above the fields, such as an error of the whole. */
  children?: ReactNode;
}

/** The fields of a dose. */
export function DoseForm({ draft, onChange, faults, dose, submit, isBusy, onSubmit, onCancel, children }: Props) {
  const { t } = useTranslation("chart");
  const form = useRef<HTMLFormElement>(null);
  const set = (change: Partial<Draft>) => onChange({ ...draft, ...change });
  const text = (name: "lot" | "expires" | "volume") => ({
    label: t(`dose.field.${name}`),
    value: draft[name],
    error: faults[name],
    onChange: (event: { currentTarget: { value: string } }) => set({ [name]: event.currentTarget.value }),
  });

  const manufacturer = useFilledIn(draft.manufacturer);

  useEffect(() => {
    if (Object.keys(faults).length === 0) return;
    form.current?.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus();
  }, [faults]);

  const send = (event: FormEvent) => {
    event.preventDefault();
    if (!isBusy) onSubmit();
  };
  return (
    <form ref={form} onSubmit={send} noValidate>
      <Stack>
        {children}
        <VaccinePicker
          value={draft.vaccine}
          error={faults.vaccine}
          isFirst={dose === undefined}
          onChoose={(vaccine, maker) => set({ vaccine, manufacturer: manufacturer(maker) })}
        />
        <SimpleGrid cols={{ base: 1, sm: 2, lg: 3 }}>
          <TextInput {...text("lot")} autoComplete="off" />
          <TextInput {...text("expires")} type={inputType(draft.expires)} />
          <Manufacturer
            value={draft.manufacturer}
            error={faults.manufacturer}
            onChange={(maker) => set({ manufacturer: maker })}
          />
          <Place of="site" known={SITES} value={draft.site} error={faults.site} onChange={(site) => set({ site })} />
          <Place
            of="route"
            known={ROUTES}
            value={draft.route}
            error={faults.route}
            onChange={(route) => set({ route })}
          />
          <TextInput {...text("volume")} description={t("dose.volumeHint")} inputMode="decimal" autoComplete="off" />
          <Given draft={draft} faults={faults} set={set} />
          <Provider draft={draft} error={faults.provider} set={set} />
        </SimpleGrid>
        <Notes value={draft.notes} error={faults.notes} onChange={(notes) => set({ notes })} />
        <Cautions draft={draft} dose={dose} />
        <Group>
          <Button type="submit" loading={isBusy}>
            {submit}
          </Button>
          <Button variant="default" onClick={onCancel}>
            {t("dose.cancel")}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}

/** The manufacturer after a vaccine was chosen: its own; one that another vaccine brought does not stay, one that was typed does. */
function useFilledIn(current: string) {
  const filled = useRef("");
  return (brought: string | undefined) => {
    const kept = current === filled.current ? "" : current;
    filled.current = brought ?? "";
    return brought ?? kept;
  };
}

/** A date of which only a part is known fits into no date field. */
const inputType = (value: string) => (value === "" || value.length === 10 ? "date" : "text");

function Given({ draft, faults, set }: { draft: Draft; faults: Faults; set: (change: Partial<Draft>) => void }) {
  const { t } = useTranslation("chart");
  return (
    <Group gap="xs" grow wrap="wrap" align="start">
      <TextInput
        type={inputType(draft.day)}
        label={t("dose.field.day")}
        value={draft.day}
        max={dayHere(new Date())}
        error={faults.day}
        required
        onChange={(event) => set({ day: event.currentTarget.value })}
      />
      <TextInput
        type="time"
        label={t("dose.field.time")}
        value={draft.time}
        onChange={(event) => set({ time: event.currentTarget.value })}
      />
    </Group>
  );
}

interface TextProps {
  value: string;
  error: string | undefined;
  onChange: (value: string) => void;
}

function Notes({ value, error, onChange }: TextProps) {
  const { t } = useTranslation("chart");
  return (
    <Textarea
      label={t("dose.field.notes")}
      value={value}
      error={error}
      rows={2}
      onChange={(event) => onChange(event.currentTarget.value)}
    />
  );
}

interface PlaceProps extends TextProps {
  of: "site" | "route";
  known: readonly (readonly [string, string])[];
}

/** One of the known places or routes; what a record has besides them stays what it is. */
function Place({ of, known, value, error, onChange }: PlaceProps) {
  const { t } = useTranslation("chart");
  const code = codeOf(known, value);
  const current = known.find(([, one]) => one === code)?.[0] ?? value;
  const data = [
    { value: "", label: t("dose.unsaid") },
    ...known.map(([name, one]) => ({ value: name, label: t(`${of}.${one}`) })),
    ...(code === undefined && value !== "" ? [{ value, label: value }] : []),
  ];
  return (
    <NativeSelect
      label={t(`dose.field.${of}`)}
      data={data}
      value={current}
      error={error}
      onChange={(event) => onChange(event.currentTarget.value)}
    />
  );
}

function Provider({
  draft,
  error,
  set,
}: {
  draft: Draft;
  error: string | undefined;
  set: (change: Partial<Draft>) => void;
}) {
  const { t } = useTranslation("chart");
  const me = useSession().user;
  const before = useRef(draft.provider);
  const data = [
    ...(me ? [{ value: me.id, label: t("dose.byMe", { name: me.username }) }] : []),
    { value: "", label: t("dose.byOther") },
    ...(before.current && before.current !== me?.id ? [{ value: before.current, label: t("dose.byBefore") }] : []),
  ];
  return (
    <NativeSelect
      label={t("dose.field.provider")}
      data={data}
      value={draft.provider}
      error={error}
      onChange={(event) => set({ provider: event.currentTarget.value })}
    />
  );
}

function Manufacturer({ value, error, onChange }: TextProps) {
  const { t } = useTranslation("chart");
  const names = useManufacturers(value);
  return (
    <Autocomplete
      label={t("dose.field.manufacturer")}
      data={names}
      // The server has looked; its order is the best there is.
      filter={({ options }) => options}
      value={value}
      error={error}
      onChange={onChange}
      autoComplete="off"
    />
  );
}

/** What may be right but deserves a second look. */
function Cautions({ draft, dose }: { draft: Draft; dose: string | undefined }) {
  const { t } = useTranslation("chart");
  const locale = useLocale();
  const { summary } = useChart();
  const given = (summary.immunizations ?? [])
    .filter((one) => one.id !== dose && one.status === "completed")
    .map((one) => ({ id: one.id, code: codeText(one.vaccine_code), at: one.administered_at }));
  const cautions = cautionsOf(draft, given);
  return (
    <div role="status">
      {cautions.length > 0 && (
        <Alert color="orange" variant="outline" title={t("dose.caution.title")}>
          <List size="sm">
            {cautions.map((caution) => (
              <List.Item key={caution.kind}>
                {caution.kind === "expired" ? (
                  t("dose.caution.expired", { date: said(draft.expires, locale) })
                ) : (
                  <>
                    {t("dose.caution.again")} <When at={caution.at} />
                  </>
                )}
              </List.Item>
            ))}
          </List>
        </Alert>
      )}
    </div>
  );
}
