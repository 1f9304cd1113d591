import { Button, Center, Loader, Stack, Text } from "@mantine/core";
import { lazy, Suspense } from "react";
import { useTranslation } from "react-i18next";
import { Navigate, Route, Routes } from "react-router";
import { session, useSession } from "../../app/session";
import { Empty } from "../../ui/Empty";
import { Page } from "../../ui/Page";
import { ProblemAlert } from "../../ui/ProblemAlert";
import classes from "../chart/Chart.module.css";
import { Born, nameOf, useAge } from "../chart/Identity";
import { useSummary } from "../chart/queries";
import { Tabs } from "../chart/Tabs";
import type { Summary } from "../chart/types";
import { Overview } from "./Overview";
import { Vaccinations } from "./Vaccinations";
import { Visits } from "./Visits";

const Results = lazy(() => import("../chart/Results"));
const Consents = lazy(() => import("./Consents"));
const Seen = lazy(() => import("../chart/Seen"));

/** The own record, for the patient. */
export function Component() {
  const { t } = useTranslation("record");
  const { user } = useSession();
  if (user?.patient_id) return <Own id={user.patient_id} />;
  const out = <Button onClick={() => void session.signOut()}>{t("none.signOut")}</Button>;
  return (
    <Page title={t("title")}>
      <Empty title={t("none.title")} action={out}>
        {t("none.text")}
      </Empty>
    </Page>
  );
}

function Own({ id }: { id: string }) {
  const { t } = useTranslation("record");
  const { data, error, refetch } = useSummary(id);
  return (
    <Page title={t("title")}>
      {!data && error && <ProblemAlert error={error} onRetry={() => void refetch()} />}
      {!data && !error && (
        <Center py="xl">
          <Loader aria-label={t("loading")} />
        </Center>
      )}
      {data && <Shown id={id} summary={data} />}
    </Page>
  );
}

const PLACES = ["", "vaccinations", "results", "visits", "consents", "seen"] as const;

function Shown({ id, summary }: { id: string; summary: Summary }) {
  const { t } = useTranslation("record");
  const { patient, withheld } = summary;
  const age = useAge(patient);
  return (
    <Stack>
      <Text>
        {t("whose")}{" "}
        <strong>
          <bdi>{nameOf(patient)}</bdi>
        </strong>
        {" · "}
        <Born patient={patient} />
        {age && ` (${age})`}
      </Text>
      <div className={classes.bar}>
        <Tabs
          label={t("parts")}
          base="/record"
          places={PLACES.map((place) => ({ place, text: t(`tabs.${place || "overview"}`) }))}
        />
      </div>
      <Suspense fallback={<Loader aria-label={t("loading")} />}>
        <Routes>
          <Route index element={<Overview summary={summary} />} />
          <Route path="vaccinations" element={<Vaccinations summary={summary} />} />
          <Route path="results" element={<Results patient={id} withheld={withheld} />} />
          <Route path="visits" element={<Visits id={id} isWithheld={withheld.includes("encounters")} />} />
          <Route path="consents" element={<Consents id={id} />} />
          <Route path="seen" element={<Seen patient={id} title={t("tabs.seen")} />} />
          <Route path="*" element={<Navigate to="/record" replace />} />
        </Routes>
      </Suspense>
      <Text size="sm" c="dimmed">
        {t("wrong")}
      </Text>
    </Stack>
  );
}
