import { MantineProvider } from "@mantine/core";
import { QueryClientProvider } from "@tanstack/react-query";
import { render } from "@testing-library/react";
import type { ReactElement } from "react";
import { createMemoryRouter, RouterProvider } from "react-router";
import { LAYERS } from "../app/layers";
import { queries } from "../app/queries";
import { session } from "../app/session";
import { theme } from "../app/theme";
import { startLanguage } from "../i18n";
import { on } from "./server";

/** An account, for tests. */
export const NURSE = {
  id: "u-1",
  username: "nora",
  roles: ["nurse"],
  permissions: ["healthcare:read", "healthcare:write"],
};

/** What the server answers to a sign-in or an exchange. */
export const tokens = (user: object = NURSE) => ({
  access_token: "t-1",
  expires_in: 3600,
  user,
  session: { id: "s-1", idle_seconds: 900, expires_at: new Date(Date.now() + 12 * 3_600_000).toISOString() },
});

/** Signs somebody in. */
export async function signIn(user: object = NURSE): Promise<void> {
  on("POST /api/v1/auth/login", () => tokens(user));
  await session.signIn("nora", "secret");
}

let isStarted = false;

/** Draws one page at its path, in English, with other paths as empty pages that say where one is. */
export async function show(page: ReactElement, path: string, at = path) {
  if (!isStarted) await startLanguage();
  isStarted = true;
  queries.clear();
  const routes = [
    { path, element: page },
    { path: "*", element: <p>elsewhere</p> },
  ];
  const router = createMemoryRouter(routes, { initialEntries: [at] });
  const drawn = render(
    <MantineProvider theme={theme} env="test">
      <QueryClientProvider client={queries}>
        <RouterProvider router={router} />
        <div id={LAYERS} />
      </QueryClientProvider>
    </MantineProvider>,
  );
  return { ...drawn, router };
}
