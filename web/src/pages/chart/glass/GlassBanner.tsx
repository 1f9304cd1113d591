import { Text, VisuallyHidden } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef } from "react";
import { useTranslation } from "react-i18next";
import type { Glass } from "../../../api/access/care";
import { ofPatient } from "../queries";
import classes from "./Glass.module.css";
import { clockSaid, useGlass, useLeft } from "./useGlass";

/** Says on every part of a chart that was opened in an emergency that it was, why, and for how long yet. */
export function GlassBanner({ patient, isNew }: { patient: string; isNew: boolean }) {
  const glass = useGlass(patient);
  return glass ? <Open key={glass.id} glass={glass} isNew={isNew} /> : null;
}

const MINUTE_MS = 60_000;

/** `isNew`: it was opened here and now, so that what was pressed is gone and the focus comes here. */
function Open({ glass, isNew }: { glass: Glass; isNew: boolean }) {
  const { t } = useTranslation("care");
  const client = useQueryClient();
  const box = useRef<HTMLElement>(null);
  // biome-ignore lint/correctness/useExhaustiveDependencies: once, when it appears
  useEffect(() => {
    if (isNew) box.current?.focus();
  }, []);
  const left = useLeft(glass.ends_at, () => {
    // What was seen by it must not stay on the screen.
    void client.invalidateQueries({ queryKey: ["glass", glass.patient_id] });
    void client.resetQueries({ queryKey: ofPatient(glass.patient_id) });
  });
  return (
    <section ref={box} tabIndex={-1} className={classes.banner} aria-label={t("glass.banner")}>
      <Text component="span" fw={700}>
        {t("glass.open")}
      </Text>
      <Text component="span" size="sm">
        {t("glass.reason")} <bdi>{glass.reason}</bdi>
      </Text>
      <Text component="span" size="sm">
        {t("glass.left")}{" "}
        <span role="timer" aria-live="off">
          {clockSaid(left)}
        </span>
      </Text>
      {/* Heard when there is a minute left, not every second. */}
      <VisuallyHidden role="status">{left < MINUTE_MS && t("glass.soon")}</VisuallyHidden>
    </section>
  );
}
