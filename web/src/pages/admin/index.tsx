import { Stack } from "@mantine/core";
import { useTranslation } from "react-i18next";
import { Navigate, NavLink, Route, Routes } from "react-router";
import { usePermission } from "../../app/session";
import classes from "../../ui/Tabs.module.css";
import { CreateUser } from "./CreateUser";
import { KeysPage } from "./KeysPage";
import { Matrix } from "./Matrix";
import { PolicyPage } from "./PolicyPage";
import { Report } from "./Report";
import { ReviewPage } from "./ReviewPage";
import { Reviews } from "./Reviews";
import { RolePage } from "./RolePage";
import { Roles } from "./Roles";
import { System } from "./System";
import { Tenants } from "./Tenants";
import { UserPage } from "./UserPage";
import { Users } from "./Users";

const ACCOUNTS = "system:admin";
const REVIEWS = "access:review";

/** The parts, each with the permission that opens it. */
const PLACES = [
  ["", ACCOUNTS],
  ["users", ACCOUNTS],
  ["roles", ACCOUNTS],
  ["policy", ACCOUNTS],
  ["access-reviews", REVIEWS],
  ["report", REVIEWS],
  ["tenants", ACCOUNTS],
  ["keys", ACCOUNTS],
] as const;

/** What the administrator looks after, and what those look at who review access. */
export function Component() {
  const { t } = useTranslation("admin");
  const isAdmin = usePermission(ACCOUNTS);
  const isReviewer = usePermission(REVIEWS);
  const open = PLACES.filter(([, permission]) => (permission === ACCOUNTS ? isAdmin : isAdmin || isReviewer));
  return (
    <Stack>
      <nav aria-label={t("tabs.label")} className={classes.lined}>
        {open.map(([place]) => (
          <NavLink
            key={place}
            to={place ? `/admin/${place}` : "/admin"}
            end={place === ""}
            className={classes.tab ?? ""}
          >
            {t(`tabs.${place || "health"}`)}
          </NavLink>
        ))}
      </nav>
      <Routes>
        <Route index element={isAdmin ? <System /> : <Navigate to="/admin/access-reviews" replace />} />
        <Route path="users" element={<Users />} />
        <Route path="users/new" element={<CreateUser />} />
        <Route path="users/:id" element={<UserPage />} />
        <Route path="roles" element={<Roles />} />
        <Route path="roles/matrix" element={<Matrix />} />
        <Route path="roles/new" element={<RolePage />} />
        <Route path="roles/:id" element={<RolePage />} />
        <Route path="policy" element={<PolicyPage />} />
        <Route path="access-reviews" element={<Reviews />} />
        <Route path="access-reviews/:id" element={<ReviewPage />} />
        <Route path="report" element={<Report />} />
        <Route path="tenants" element={<Tenants />} />
        <Route path="keys" element={<KeysPage />} />
        <Route path="*" element={<Navigate to="/admin" replace />} />
      </Routes>
    </Stack>
  );
}
