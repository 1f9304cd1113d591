import { Alert, Button, Center, Loader, Stack, VisuallyHidden } from "@mantine/core";
import { lazy, Suspense, useEffect, useMemo, useState } from "react";
import { useTranslation } from "react-i18next";
import { Link, Navigate, Route, Routes, useLocation, useParams } from "react-router";
import { Problem } from "../../api/problem";
import { usePermission, useSession } from "../../app/session";
import { Page } from "../../ui/Page";
import { ProblemAlert } from "../../ui/ProblemAlert";
import { useTitle } from "../../ui/useTitle";
import { Banner } from "./Banner";
import classes from "./Chart.module.css";
import { type Chart, ChartContext, type Notice } from "./ChartContext";
import { Encounters } from "./Encounters";
import { GlassBanner } from "./glass/GlassBanner";
import { Hidden } from "./glass/Hidden";
import { useOpenChart } from "./guard";
import { OtherChart } from "./OtherChart";
import { Overview } from "./Overview";
import { useSummary } from "./queries";
import { Tabs } from "./Tabs";
import { Timeline } from "./Timeline";
import type { Summary } from "./types";

const Results = lazy(() => import("./Results"));
const Consents = lazy(() => import("./consents"));
const CareTeam = lazy(() => import("./CareTeam"));
const Immunizations = lazy(() => import("./immunizations"));
const PrintView = lazy(() => import("./PrintView"));
const Seen = lazy(() => import("./Seen"));

/** The chart of one patient. */
export function Component() {
  const { id = "" } = useParams();
  // Another patient is another chart: nothing of the one before stays.
  return <ChartOf key={id} id={id} />;
}

function ChartOf({ id }: { id: string }) {
  const { t } = useTranslation("chart");
  useTitle(t("title"));
  useOpenChart(id);
  const { data, error, refetch } = useSummary(id);
  const mayBreak = usePermission("healthcare:break_glass");
  const [isBroken, setBroken] = useState(false);
  if (data) return <Open id={id} summary={data} isBroken={isBroken} />;
  if (error) {
    return (
      <Page title={t("title")}>
        <ProblemAlert error={error} onRetry={() => void refetch()} />
        {mayBreak && error instanceof Problem && error.status === 404 && (
          <Hidden id={id} onBreak={() => setBroken(true)} />
        )}
      </Page>
    );
  }
  return (
    <Center py="xl">
      <Loader aria-label={t("loading")} />
    </Center>
  );
}

interface OpenProps {
  id: string;
  summary: Summary;
  /** It was opened here and now in an emergency. */
  isBroken: boolean;
}

function Open({ id, summary, isBroken }: OpenProps) {
  const { t } = useTranslation("chart");
  const [notice, tell] = useState<Notice>();
  const [series, choose] = useState<string>();
  const chart = useMemo<Chart>(() => ({ id, summary, notice, tell, series, choose }), [id, summary, notice, series]);
  const { pathname } = useLocation();
  // What has just been done is told on the list of doses, once: it is gone when one comes back to it.
  useEffect(() => {
    if (!pathname.endsWith("/immunizations")) tell(undefined);
  }, [pathname]);
  const isReader = usePermission("audit:read");
  const isOwn = useSession().user?.patient_id === id;
  const maySee = isReader || isOwn;
  const mayConsent = usePermission("healthcare:read") || isOwn;
  return (
    <ChartContext value={chart}>
      <Stack gap="md">
        <Banner summary={summary}>
          <OtherChart />
        </Banner>
        <GlassBanner patient={id} isNew={isBroken} />
        <Truncated lists={summary.truncated} />
        <Bar id={id} maySee={maySee} mayConsent={mayConsent} />
        <Suspense fallback={<Loader />}>
          <Routes>
            <Route index element={<Overview />} />
            <Route path="immunizations/*" element={<Immunizations />} />
            <Route path="results" element={<Results patient={id} withheld={summary.withheld} chosen={series} />} />
            <Route path="encounters" element={<Encounters />} />
            <Route path="timeline" element={<Timeline />} />
            {mayConsent && <Route path="consents/*" element={<Consents />} />}
            {mayConsent && <Route path="care-team" element={<CareTeam />} />}
            <Route path="print" element={<PrintView />} />
            {maySee && <Route path="seen" element={<Seen patient={id} title={t("seen.title")} />} />}
            <Route path="*" element={<Navigate to={`/patients/${id}`} replace />} />
          </Routes>
        </Suspense>
      </Stack>
    </ChartContext>
  );
}

/** What is more than fits is said, so that nobody takes a list for whole. */
function Truncated({ lists }: { lists: readonly string[] }) {
  const { t } = useTranslation("chart");
  if (lists.length === 0) return null;
  return <Alert color="yellow">{t("truncated", { lists: lists.map((list) => t(`lists.${list}`)).join(", ") })}</Alert>;
}

function Bar({ id, maySee, mayConsent }: { id: string; maySee: boolean; mayConsent: boolean }) {
  const { t } = useTranslation("chart");
  const mayWrite = usePermission("healthcare:write");
  const places = [
    ...["", "immunizations", "results", "encounters", "timeline"],
    ...(mayConsent ? ["consents", "care-team"] : []),
    ...(maySee ? ["seen"] : []),
  ];
  return (
    <div className={classes.bar}>
      <Tabs
        label={t("tabs.label")}
        base={`/patients/${id}`}
        places={places.map((place) => ({ place, text: t(`tabs.${place || "overview"}`) }))}
      />
      <div className={classes.actions}>
        {mayWrite && (
          <>
            <Button component={Link} to={`/patients/${id}/immunizations/new`} size="sm">
              {t("dose.record")}
            </Button>
            <Button component={Link} to={`/patients/${id}/edit`} size="sm" variant="default">
              {t("edit")}
            </Button>
          </>
        )}
        <Button component={Link} to={`/patients/${id}/print`} size="sm" variant="default">
          {t("print.open")}
          <VisuallyHidden> {t("print.what")}</VisuallyHidden>
        </Button>
      </div>
    </div>
  );
}
