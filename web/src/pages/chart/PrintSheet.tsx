import { type ReactNode, useEffect, useState } from "react";
import { createPortal, flushSync } from "react-dom";
import { useTranslation } from "react-i18next";
import { useSession } from "../../app/session";
import { Identity, useAge } from "./Identity";
import classes from "./PrintSheet.module.css";
import type { Patient } from "./types";
import { When } from "./When";

/**
 * What goes to the paper while this is there, and nothing else does: whose record it is, by two identifiers, who printed it and
 * when, then the content. On the screen it is not to be seen.
 */
export function PrintSheet({ patient, children }: { patient: Patient; children: ReactNode }) {
  const { t } = useTranslation("chart");
  const { user, status } = useSession();
  const age = useAge(patient);
  const [at, setAt] = useState(() => new Date());
  useEffect(() => {
    // The moment of printing, not the one at which the page was opened.
    const now = () => flushSync(() => setAt(new Date()));
    addEventListener("beforeprint", now);
    return () => removeEventListener("beforeprint", now);
  }, []);
  // It stands outside of what a lock hides, so it has to go by itself.
  if (status !== "in") return null;
  return createPortal(
    <div className={classes.sheet}>
      <div className={classes.head}>
        <p>
          <Identity patient={patient} />
          {age && ` · ${age}`}
          {patient.gender && ` · ${t(`gender.${patient.gender}`)}`}
        </p>
        <p>
          {t("print.by", { name: user?.username })} <When at={at.toISOString()} />
        </p>
      </div>
      {children}
    </div>,
    document.body,
  );
}
