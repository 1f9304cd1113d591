import { Anchor, Text } from "@mantine/core";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import classes from "../chart/Chart.module.css";
import { allergyStatement, isCurrentMedication, isCurrentProblem, named } from "../chart/clinical";
import { ObservationValue, useObservationName } from "../chart/Flagged";
import { Nothing, Section } from "../chart/Section";
import type { Summary } from "../chart/types";
import { When } from "../chart/When";

const LATEST = 5;

interface Row {
  id: string;
  what: ReactNode;
  about?: ReactNode;
}

/** What matters, in plain words. */
export function Overview({ summary }: { summary: Summary }) {
  const { t } = useTranslation("record");
  const { medications, problems, immunizations, vital_signs: signs } = summary;
  const name = useObservationName();
  const since = (at: string | undefined) =>
    at && (
      <>
        {t("since")} <When at={at} isDay />
      </>
    );
  return (
    <div className={classes.grid}>
      <Allergies summary={summary} />
      <Part
        name="medicines"
        rows={medications?.filter(isCurrentMedication).map((one) => ({
          id: one.id,
          what: named(one.medication_name, one.code),
          about: [one.dosage, named(one.reason)].filter(Boolean).join(" · "),
        }))}
      />
      <Part
        name="conditions"
        rows={problems?.filter(isCurrentProblem).map((one) => ({
          id: one.id,
          what: named(one.condition, one.code),
          about: since(one.onset ?? one.recorded_at),
        }))}
      />
      <Part
        name="vaccinations"
        action={
          <Anchor component={Link} to="/record/vaccinations" size="sm">
            {t("vaccinations.open")}
          </Anchor>
        }
        rows={immunizations
          ?.filter((one) => (one.status ?? "completed") === "completed")
          .slice(0, LATEST)
          .map((one) => ({
            id: one.id,
            what: one.vaccine_name ?? one.vaccine_code,
            about: one.administered_at && <When at={one.administered_at} isDay />,
          }))}
      />
      <Part
        name="measurements"
        rows={signs?.map((one) => ({
          id: one.id,
          what: name(one),
          about: (
            <>
              <ObservationValue observation={one} /> {one.at && <When at={one.at} isDay />}
            </>
          ),
        }))}
      />
      <Contact summary={summary} />
    </div>
  );
}

function Allergies({ summary }: { summary: Summary }) {
  const { t } = useTranslation("record");
  const statement = allergyStatement(summary.allergies);
  if (statement.kind === "none") {
    return (
      <Section title={t("allergies.title")}>
        <Text size="sm">{t("allergies.none")}</Text>
      </Section>
    );
  }
  const told =
    statement.kind === "some" ? statement.allergies : statement.kind === "partly" ? statement.statements : [];
  const rows = told.map((one) => ({
    id: one.id,
    what: named(one.substance, one.code),
    about: named(one.reaction),
  }));
  return <Part name="allergies" rows={statement.kind === "withheld" ? undefined : rows} />;
}

/** One list under its heading; where it is empty, what that means and what to do. */
function Part({ name, rows, action }: { name: string; rows: Row[] | undefined; action?: ReactNode }) {
  const { t } = useTranslation("record");
  return (
    <Section title={t(`${name}.title`)} action={action}>
      {!rows && <Text size="sm">{t("withheld")}</Text>}
      {rows?.length === 0 && <Nothing>{t(`${name}.empty`)}</Nothing>}
      <ul className={classes.items}>
        {rows?.map((row) => (
          <li key={row.id}>
            <bdi>{row.what}</bdi>
            {row.about && (
              <Text size="sm" c="dimmed">
                {row.about}
              </Text>
            )}
          </li>
        ))}
      </ul>
    </Section>
  );
}

function Contact({ summary }: { summary: Summary }) {
  const { t } = useTranslation("record");
  const { phone, email, address, emergency_contact: contact, medical_record_number: number } = summary.patient;
  const lines = [address?.street, [address?.city, address?.state, address?.zip_code].filter(Boolean).join(" ")];
  const rows: [string, string | undefined][] = [
    ["number", number],
    ["phone", phone],
    ["email", email],
    ["address", lines.filter(Boolean).join("\n")],
    ["emergency", [contact?.name, contact?.relationship, contact?.phone].filter(Boolean).join(", ")],
  ];
  return (
    <Section title={t("contact.title")}>
      <dl className={classes.fields}>
        {rows.map(([name, value]) => (
          <div key={name} className={classes.pair}>
            <dt>{t(`contact.${name}`)}</dt>
            <dd>{value || t("contact.missing")}</dd>
          </div>
        ))}
      </dl>
    </Section>
  );
}
