import i18next from "i18next";
import { createBrowserRouter, useRouteError } from "react-router";
import { BrokenPage } from "./Broken";
import { Frame, Home } from "./Frame";
import { Waiting } from "./Waiting";

function Failed() {
  return <BrokenPage error={useRouteError()} />;
}

type Module = { Component: () => React.ReactNode };

/**
 * A page with its texts, and those of the parts it borrows from other pages: one that arrived later would take the page off the
 * screen for a moment, and the focus with it.
 */
function page(load: () => Promise<Module>, ...texts: string[]): () => Promise<Module> {
  return async () => {
    const [module] = await Promise.all([load(), i18next.loadNamespaces(texts)]);
    return module;
  };
}

/** Each page is its own chunk, so that signing in loads only what signing in needs. Ids in paths are random and name nobody. */
export const router = createBrowserRouter(
  [
    {
      element: <Frame />,
      HydrateFallback: Waiting,
      children: [
        {
          errorElement: <Failed />,
          children: [
            { index: true, element: <Home /> },
            { path: "patients", lazy: page(() => import("../pages/patients/find"), "patients", "chart") },
            { path: "patients/register", lazy: page(() => import("../pages/patients/register"), "patients", "chart") },
            { path: "patients/:id/edit", lazy: page(() => import("../pages/patients/edit"), "patients", "chart") },
            {
              path: "patients/:id/*",
              lazy: page(() => import("../pages/chart"), "chart", "patients", "audit", "care", "access"),
            },
            {
              path: "record/*",
              lazy: page(() => import("../pages/record"), "record", "chart", "audit", "care", "access"),
            },
            { path: "audit/*", lazy: page(() => import("../pages/audit"), "audit") },
            { path: "admin/*", lazy: page(() => import("../pages/admin"), "admin", "audit", "access") },
            { path: "emergency", lazy: page(() => import("../pages/glass"), "care", "access", "audit") },
            { path: "account/*", lazy: page(() => import("../pages/account"), "account", "entry") },
            { path: "*", lazy: () => import("../pages/missing") },
          ],
        },
      ],
    },
  ],
  { basename: "/app" },
);
