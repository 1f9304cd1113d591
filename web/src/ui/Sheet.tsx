import type { ReactNode } from "react";
import { createPortal } from "react-dom";
import { useSession } from "../app/session";
import classes from "../pages/chart/PrintSheet.module.css";

/** What goes to the paper while this is there, and nothing else does. On the screen it is not to be seen. */
export function Sheet({ title, children }: { title: string; children: ReactNode }) {
  const { status } = useSession();
  // It stands outside of what a lock hides, so it has to go by itself.
  if (status !== "in") return null;
  return createPortal(
    <div className={classes.sheet}>
      <div className={classes.head}>
        <p>
          <strong>{title}</strong>
        </p>
      </div>
      {children}
    </div>,
    document.body,
  );
}
