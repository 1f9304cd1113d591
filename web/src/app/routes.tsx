import { createBrowserRouter, Navigate } from "react-router";
import { Shell } from "./Shell";

/** Each page is its own chunk, so that signing in loads only what signing in needs. Ids in paths are random and name nobody. */
export const router = createBrowserRouter(
  [
    {
      element: <Shell />,
      children: [
        { index: true, element: <Navigate to="/patients" replace /> },
        { path: "*", lazy: () => import("../pages/missing") },
      ],
    },
  ],
  { basename: "/app" },
);
