import "@mantine/core/styles.layer.css";
import "@mantine/notifications/styles.layer.css";

import { Notifications } from "@mantine/notifications";
import { QueryClientProvider } from "@tanstack/react-query";
import { useEffect, useRef } from "react";
import { RouterProvider } from "react-router";
import { IdleGuard } from "./IdleGuard";
import { queries } from "./queries";
import { router } from "./routes";
import { StepUpDialog } from "./StepUpDialog";
import { session, useSession } from "./session";

/** All that one sees when signed in. */
export default function Pages() {
  const { status, must } = useSession();
  const isIn = status === "in";
  useFresh(isIn);
  useEffect(
    () =>
      session.onForget(() => {
        queries.clear();
        // Once the pages are gone: one with unsaved input would hold the router back, and the next person would begin there.
        setTimeout(() => void router.navigate("/", { replace: true }));
      }),
    [],
  );
  return (
    <QueryClientProvider client={queries}>
      <Notifications position="bottom-center" />
      <RouterProvider router={router} />
      {/* Before what must be done first there is one of its own: these pages are hidden then, and all that is drawn in them. */}
      {must.length === 0 && <StepUpDialog />}
      {isIn && <IdleGuard />}
    </QueryClientProvider>
  );
}

/** Reads again, after the pages were locked, what they show. */
function useFresh(isIn: boolean) {
  const wasIn = useRef(isIn);
  useEffect(() => {
    if (isIn && !wasIn.current) void queries.invalidateQueries();
    wasIn.current = isIn;
  }, [isIn]);
}
