import { Stack } from "@mantine/core";
import { useTranslation } from "react-i18next";
import { Navigate, NavLink, Route, Routes } from "react-router";
import classes from "../../ui/Tabs.module.css";
import { CreateUser } from "./CreateUser";
import { KeysPage } from "./KeysPage";
import { System } from "./System";
import { UserPage } from "./UserPage";
import { Users } from "./Users";

const PLACES = ["", "users", "keys"] as const;

/** What the administrator looks after. */
export function Component() {
  const { t } = useTranslation("admin");
  return (
    <Stack>
      <nav aria-label={t("tabs.label")} className={classes.lined}>
        {PLACES.map((place) => (
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
        <Route index element={<System />} />
        <Route path="users" element={<Users />} />
        <Route path="users/new" element={<CreateUser />} />
        <Route path="users/:id" element={<UserPage />} />
        <Route path="keys" element={<KeysPage />} />
        <Route path="*" element={<Navigate to="/admin" replace />} />
      </Routes>
    </Stack>
  );
}
