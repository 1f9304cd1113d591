import { Button, Group, Select, Stack, Text, TextInput } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { useTranslation } from "react-i18next";
import { changeTeam, type Member, readTeam, type CareTeam as Team } from "../../api/access/care";
import { usePermission } from "../../app/session";
import { ProblemAlert } from "../../ui/ProblemAlert";
import { Unsaved } from "../../ui/Unsaved";
import { Read } from "../admin/Read";
import classes from "./Chart.module.css";
import { useChart } from "./ChartContext";
import { type Choice, useActors } from "./consents/useActors";
import { ofPatient } from "./queries";
import { Nothing, Section } from "./Section";
import { When } from "./When";
import { useWriteGuard } from "./WriteGuard";

/** Who takes care of the patient; where the rules ask for it, nobody else sees the chart. */
export default function CareTeam() {
  const { t } = useTranslation("care");
  const { id } = useChart();
  const [isStored, setStored] = useState(false);
  const team = useQuery({ queryKey: [...ofPatient(id), "care-team"], queryFn: ({ signal }) => readTeam(id, signal) });
  return (
    <Section title={t("team.title")}>
      <Stack gap="sm">
        <Text size="sm">{t("team.text")}</Text>
        <Read of={team}>
          {(read) => <Members key={read.version} team={read} isStored={isStored} onStored={() => setStored(true)} />}
        </Read>
      </Stack>
    </Section>
  );
}

const keyOf = ({ member, role }: Member) => `${member} ${role ?? ""}`;

interface MembersProps {
  team: Team;
  /** It was stored from here; told above, because a new version begins the form anew. */
  isStored: boolean;
  onStored: () => void;
}

function Members({ team, isStored, onStored }: MembersProps) {
  const { t } = useTranslation("care");
  const { id, summary } = useChart();
  const mayWrite = usePermission("healthcare:write");
  const client = useQueryClient();
  const [members, setMembers] = useState(team.members);
  const { choices, name } = useActors(members.map(({ member }) => member));
  const { confirm, question } = useWriteGuard(summary.patient);
  const { error, isPending, mutateAsync } = useMutation({
    mutationFn: () => changeTeam(id, team.version, members),
    onSuccess: onStored,
    onSettled: () => client.invalidateQueries({ queryKey: ofPatient(id) }),
  });
  const isDirty = members.map(keyOf).join("\n") !== team.members.map(keyOf).join("\n");
  const store = async () => {
    if (await confirm()) await mutateAsync().catch(() => undefined);
  };
  return (
    <>
      <Unsaved isDirty={isDirty} />
      {question}
      {members.length === 0 && <Nothing>{t("team.none")}</Nothing>}
      <ul className={classes.items}>
        {members.map((member) => (
          <li key={keyOf(member)} className={classes.line}>
            <One member={member} name={name(member.member)} />
            {mayWrite && (
              <Button
                size="compact-sm"
                variant="default"
                aria-label={t("team.removeNamed", { name: name(member.member) })}
                onClick={() => setMembers(members.filter((one) => one !== member))}
              >
                {t("team.remove")}
              </Button>
            )}
          </li>
        ))}
      </ul>
      {team.other_teams.length > 0 && <Text size="sm">{t("team.others", { count: team.other_teams.length })}</Text>}
      {mayWrite && (
        <>
          <Add
            choices={choices.filter(({ value }) => !members.some((one) => one.member === value))}
            onAdd={(one) => setMembers([...members, one])}
          />
          {error && <ProblemAlert error={error} writes />}
          <Group>
            <Button disabled={!isDirty} loading={isPending} onClick={() => void store()}>
              {t("team.store")}
            </Button>
            <span role="status">{isStored && !isDirty && t("team.stored")}</span>
          </Group>
        </>
      )}
    </>
  );
}

function One({ member: { role, period }, name }: { member: Member; name: string }) {
  const { t } = useTranslation("care");
  return (
    <span>
      <bdi>{name}</bdi>
      {role && ` · ${role}`}
      {period?.end && (
        <>
          {" · "}
          {t("team.until")} <When at={period.end} />
        </>
      )}
    </span>
  );
}

function Add({ choices, onAdd }: { choices: Choice[]; onAdd: (member: Member) => void }) {
  const { t } = useTranslation("care");
  const [who, setWho] = useState("");
  const [role, setRole] = useState("");
  const add = (event: FormEvent) => {
    event.preventDefault();
    if (!who) return;
    onAdd({ member: who, ...(role.trim() && { role: role.trim() }) });
    setWho("");
    setRole("");
  };
  return (
    <form onSubmit={add}>
      <Group align="end">
        <Select
          label={t("team.who")}
          data={choices}
          value={who || null}
          onChange={(next) => setWho(next ?? "")}
          searchable
        />
        <TextInput
          label={t("team.role")}
          value={role}
          maxLength={80}
          onChange={(event) => setRole(event.currentTarget.value)}
        />
        <Button type="submit" variant="default" disabled={!who}>
          {t("team.add")}
        </Button>
      </Group>
    </form>
  );
}
