import { Button, Checkbox, Group, NumberInput, Radio, Stack, Text } from "@mantine/core";
import { type FormEvent, useState } from "react";
import { useTranslation } from "react-i18next";
import { changePolicy, type Policy } from "../../api/access/admin";
import { Problem } from "../../api/problem";
import { Page } from "../../ui/Page";
import { ProblemAlert } from "../../ui/ProblemAlert";
import { Unsaved } from "../../ui/Unsaved";
import { useDo, usePolicy } from "./access";
import { Read } from "./Read";
import { ROLES } from "./types";

/** Rules that hold for everybody in this organization. */
export function PolicyPage() {
  const { t } = useTranslation("access");
  return (
    <Page title={t("policy.title")}>
      <Text maw={640}>{t("policy.text")}</Text>
      <Read of={usePolicy()}>{(policy) => <Form policy={policy} />}</Read>
    </Page>
  );
}

/** What the server takes. */
const MINUTES = { min: 5, max: 480 };
/** What of a draft is other than what counts now. */
function changeOf(policy: Policy, draft: Policy): Partial<Policy> {
  const said = (value: unknown) => JSON.stringify(Array.isArray(value) ? [...value].sort() : value);
  const names = Object.keys(draft) as (keyof Policy)[];
  return Object.fromEntries(
    names.filter((name) => said(draft[name]) !== said(policy[name])).map((name) => [name, draft[name]]),
  );
}

function Form({ policy }: { policy: Policy }) {
  const { t } = useTranslation(["access", "admin"]);
  const [draft, setDraft] = useState<Policy>();
  const shown = draft ?? policy;
  const { error, isPending, isSuccess, mutateAsync } = useDo((sent: Partial<Policy>) => changePolicy(sent));
  const problem = error instanceof Problem ? error : undefined;
  const set = (change: Partial<Policy>) => setDraft({ ...shown, ...change });
  const change = changeOf(policy, shown);
  const isDirty = Object.keys(change).length > 0;
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    if (await mutateAsync(change).catch(() => undefined)) setDraft(undefined);
  };
  return (
    <form noValidate onSubmit={(event) => void submit(event)}>
      <Unsaved isDirty={isDirty} />
      <Stack maw={640} gap="lg">
        <Choice
          name="consent"
          values={["opt_out", "opt_in"] as const}
          value={shown.consent}
          error={problem?.at("consent")}
          onChange={(consent) => set({ consent })}
        />
        <Choice
          name="care_team"
          values={["open", "required"] as const}
          value={shown.care_team}
          error={problem?.at("care_team")}
          onChange={(care_team) => set({ care_team })}
        />
        <NumberInput
          label={t("policy.break_glass_minutes")}
          description={t("policy.break_glass_minutesHint")}
          value={shown.break_glass_minutes}
          error={problem?.at("break_glass_minutes")}
          {...MINUTES}
          allowDecimal={false}
          hideControls
          onChange={(minutes) => set({ break_glass_minutes: Number(minutes) || MINUTES.min })}
        />
        <Checkbox.Group
          label={t("policy.mfa_roles")}
          description={t("policy.mfa_rolesHint")}
          value={shown.mfa_roles}
          error={problem?.at("mfa_roles")}
          onChange={(mfa_roles) => set({ mfa_roles })}
        >
          <Group mt="xs">
            {ROLES.map((role) => (
              <Checkbox key={role} value={role} label={t(`admin:role.${role}`)} />
            ))}
          </Group>
        </Checkbox.Group>
        <Checkbox
          label={t("policy.self_registration")}
          description={t("policy.self_registrationHint")}
          checked={shown.self_registration}
          error={problem?.at("self_registration")}
          onChange={(event) => set({ self_registration: event.currentTarget.checked })}
        />
        {error && <ProblemAlert error={error} writes />}
        <Group>
          <Button type="submit" loading={isPending} disabled={!isDirty}>
            {t("policy.save")}
          </Button>
          <span role="status">{isSuccess && !isDirty && t("policy.saved")}</span>
        </Group>
      </Stack>
    </form>
  );
}

interface ChoiceProps<V extends string> {
  name: "consent" | "care_team";
  values: readonly V[];
  value: V;
  error: string | undefined;
  onChange: (value: V) => void;
}

function Choice<V extends string>({ name, values, value, error, onChange }: ChoiceProps<V>) {
  const { t } = useTranslation("access");
  return (
    <Radio.Group label={t(`policy.${name}`)} value={value} error={error} onChange={(next) => onChange(next as V)}>
      <Stack gap="xs" mt="xs">
        {values.map((one) => (
          <Radio key={one} value={one} label={t(`policy.${one}`)} description={t(`policy.${one}Text`)} />
        ))}
      </Stack>
    </Radio.Group>
  );
}
