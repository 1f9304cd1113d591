import { Button, Group, Stack } from "@mantine/core";
import { type FormEvent, type ReactNode, useCallback, useRef } from "react";
import { useTranslation } from "react-i18next";
import { Problem } from "../../../api/problem";
import { usePermission } from "../../../app/session";
import { ProblemAlert } from "../../../ui/ProblemAlert";
import { dayHere } from "../../chart/when";
import { useLocale } from "../useLocale";
import { check, first } from "./check";
import { type Draft, type Faults, NAMES, type Name } from "./draft";
import { Fields } from "./Fields";
import { Summary } from "./Summary";

interface Props {
  draft: Draft;
  onChange: (draft: Draft) => void;
  faults: Faults;
  onFaults: (faults: Faults) => void;
  /** Called with a draft in which nothing is seen to be wrong. */
  onSubmit: () => void;
  /** Called when the focus leaves one field for another. */
  onLeave?: (name: Name) => void;
  /** The stored social security number, of which the last digits are shown. */
  storedSsn?: string | undefined;
  /** Whether there is no record yet. */
  isNew?: boolean;
  isBusy: boolean;
  submit: string;
  onCancel: () => void;
  /** What stands between the fields and the buttons. */
  children?: ReactNode;
}

/** Everything that can be typed about a patient, to register or to change. */
export function PatientForm({ draft, onChange, faults, onFaults, ...props }: Props) {
  const { t } = useTranslation("patients");
  const locale = useLocale();
  const form = useRef<HTMLFormElement>(null);

  function submit(event: FormEvent) {
    event.preventDefault();
    if (props.isBusy) return;
    // Not when a field is left: what a fault adds would push the button from under the pointer that is about to press it.
    const seen = Object.entries(check(draft, locale, dayHere(new Date())));
    const found = Object.fromEntries(seen.map(([name, what]) => [name, t(`fault.${what}`)]));
    onFaults(found);
    if (seen.length > 0) focusFirst(form.current, found);
    else props.onSubmit();
  }

  const type = useCallback(
    (name: Name, value: string) => {
      onChange({ ...draft, [name]: value });
      // Whoever mends a field need not read any longer that it is wrong.
      if (faults[name] !== undefined) onFaults({ ...faults, [name]: undefined });
    },
    [draft, onChange, faults, onFaults],
  );

  return (
    <form ref={form} onSubmit={submit} noValidate>
      <Stack maw={760}>
        <Summary faults={faults} onGo={(name) => focusField(form.current, name)} />
        <Fields
          draft={draft}
          faults={faults}
          onType={type}
          onLeave={props.onLeave}
          storedSsn={props.storedSsn}
          isNew={props.isNew === true}
        />
        {props.children}
        <Group justify="end">
          <Button variant="default" onClick={props.onCancel}>
            {t("form.cancel")}
          </Button>
          <Button type="submit" loading={props.isBusy}>
            {props.submit}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}

/** Says to whom it is not open that it is not, before anything is typed; the server says so too. */
export function ForWriters({ children }: { children: ReactNode }) {
  if (usePermission("healthcare:write")) return children;
  return <ProblemAlert error={new Problem(403, {})} />;
}

function focusField(form: HTMLElement | null, name: Name) {
  form?.querySelector<HTMLElement>(`[name="${name}"]`)?.focus();
}

/** Moves to the first field with a fault, where there is one. */
export function focusFirst(form: HTMLElement | null, faults: Faults): void {
  const name = first(faults, NAMES);
  if (name) focusField(form, name);
}
