import { Stack } from "@mantine/core";
import { useMemo, useState } from "react";
import { useTranslation } from "react-i18next";
import { Navigate, NavLink, Route, Routes } from "react-router";
import classes from "../../ui/Tabs.module.css";
import { Check } from "./Check";
import { Checkpoints } from "./Checkpoints";
import { EntryPage } from "./EntryPage";
import { Export } from "./Export";
import { FilterContext } from "./FilterContext";
import { EVERYTHING } from "./filter";
import { Log } from "./Log";
import { SeenPage } from "./SeenPage";

const PLACES = ["", "check", "checkpoints", "export"] as const;

/** The access log and everything that proves it. */
export function Component() {
  const { t } = useTranslation("audit");
  const [filter, set] = useState(EVERYTHING);
  const filtering = useMemo(() => ({ filter, set }), [filter]);
  return (
    <FilterContext value={filtering}>
      <Stack>
        <nav aria-label={t("tabs.label")} className={classes.lined}>
          {PLACES.map((place) => (
            <NavLink key={place} to={place ? `/audit/${place}` : "/audit"} end className={classes.tab ?? ""}>
              {t(`tabs.${place || "entries"}`)}
            </NavLink>
          ))}
        </nav>
        <Routes>
          <Route index element={<Log />} />
          <Route path="entries/:id" element={<EntryPage />} />
          <Route path="patients/:id" element={<SeenPage />} />
          <Route path="check" element={<Check />} />
          <Route path="checkpoints" element={<Checkpoints />} />
          <Route path="export" element={<Export />} />
          <Route path="*" element={<Navigate to="/audit" replace />} />
        </Routes>
      </Stack>
    </FilterContext>
  );
}
