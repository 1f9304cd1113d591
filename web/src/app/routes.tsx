import { createBrowserRouter, useRouteError } from "react-router";
import { BrokenPage } from "./Broken";
import { Frame, Home } from "./Frame";
import { Waiting } from "./Waiting";

function Failed() {
  return <BrokenPage error={useRouteError()} />;
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
            { path: "patients", lazy: () => import("../pages/patients/find") },
            { path: "patients/register", lazy: () => import("../pages/patients/register") },
            { path: "patients/:id/edit", lazy: () => import("../pages/patients/edit") },
            { path: "patients/:id/*", lazy: () => import("../pages/chart") },
            { path: "record/*", lazy: () => import("../pages/record") },
            { path: "audit/*", lazy: () => import("../pages/audit") },
            { path: "admin/*", lazy: () => import("../pages/admin") },
            { path: "*", lazy: () => import("../pages/missing") },
          ],
        },
      ],
    },
  ],
  { basename: "/app" },
);
