import { Stack } from "@mantine/core";
import { useTranslation } from "react-i18next";
import { Navigate, NavLink, Route, Routes } from "react-router";
import classes from "../../ui/Tabs.module.css";
import { Factors } from "./Factors";
import { Password } from "./Password";
import { Profile } from "./Profile";
import { Sessions } from "./Sessions";

const PLACES = ["", "password", "factors", "sessions"] as const;

/** One's own account: who one is, how one shows it, and where one is signed in. */
export function Component() {
  const { t } = useTranslation("account");
  return (
    <Stack>
      <nav aria-label={t("tabs.label")} className={classes.lined}>
        {PLACES.map((place) => (
          <NavLink key={place} to={place ? `/account/${place}` : "/account"} end className={classes.tab ?? ""}>
            {t(`tabs.${place || "profile"}`)}
          </NavLink>
        ))}
      </nav>
      <Routes>
        <Route index element={<Profile />} />
        <Route path="password" element={<Password />} />
        <Route path="factors" element={<Factors />} />
        <Route path="sessions" element={<Sessions />} />
        <Route path="*" element={<Navigate to="/account" replace />} />
      </Routes>
    </Stack>
  );
}
