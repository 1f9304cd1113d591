import { AppShell, Burger, Center, Group, Loader, NavLink, Text } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { Suspense, useEffect } from "react";
import { useTranslation } from "react-i18next";
import { Outlet, NavLink as RouterLink } from "react-router";
import { AccountMenu } from "./AccountMenu";
import { IdleGuard } from "./IdleGuard";
import { queries } from "./queries";
import classes from "./Shell.module.css";
import { SignIn } from "./SignIn";
import { session, useSession } from "./session";

/** What surrounds every page: who is signed in, where one can go, and the end of the session. */
export function Shell() {
  const { status, user } = useSession();
  useEffect(() => {
    void session.start();
    return session.onForget(() => queries.clear());
  }, []);

  if (status === "starting") {
    return (
      <Center h="100vh">
        <Loader />
      </Center>
    );
  }
  if (status === "out" || !user) return <SignIn />;
  return (
    <>
      {/* A locked page stays mounted, so that what was typed is not lost, but nothing of it can be seen or reached. */}
      <div hidden={status === "locked"} key={user.id}>
        <Frame />
      </div>
      {status === "locked" ? <SignIn locked={user} /> : <IdleGuard />}
    </>
  );
}

function Frame() {
  const { t } = useTranslation();
  const [isOpen, { toggle, close }] = useDisclosure();
  return (
    <AppShell
      header={{ height: 56 }}
      navbar={{ width: 220, breakpoint: "sm", collapsed: { mobile: !isOpen } }}
      padding={{ base: "sm", sm: "md" }}
    >
      <a href="#content" className={classes.skip}>
        {t("skip")}
      </a>
      <AppShell.Header>
        <Group h="100%" px="md" justify="space-between" wrap="nowrap">
          <Group gap="sm" wrap="nowrap">
            <Burger opened={isOpen} onClick={toggle} hiddenFrom="sm" size="sm" aria-label={t("nav.label")} />
            <Text fw={700} component="span">
              {t("name")}
            </Text>
          </Group>
          <AccountMenu />
        </Group>
      </AppShell.Header>
      <AppShell.Navbar p="xs" aria-label={t("nav.label")}>
        <Navigation onChoose={close} />
      </AppShell.Navbar>
      <AppShell.Main id="content" tabIndex={-1}>
        <Suspense fallback={<Loader aria-label={t("state.loading")} />}>
          <Outlet />
        </Suspense>
      </AppShell.Main>
    </AppShell>
  );
}

function Navigation({ onChoose }: { onChoose: () => void }) {
  const { t } = useTranslation();
  const { user } = useSession();
  const may = (permission: string) => user?.permissions.includes(permission) ?? false;
  const isPatient = user?.patient_id !== undefined;
  const places = [
    { to: "/record", text: t("nav.record"), isShown: isPatient },
    { to: "/patients", text: t("nav.patients"), isShown: !isPatient && may("healthcare:read") },
    { to: "/audit", text: t("nav.audit"), isShown: may("audit:read") },
    { to: "/admin", text: t("nav.admin"), isShown: may("system:admin") },
  ];
  return places
    .filter((place) => place.isShown)
    .map((place) => (
      <NavLink key={place.to} component={RouterLink} to={place.to} label={place.text} onClick={onChoose} />
    ));
}
