import { AppShell, Burger, Button, Group, Loader, NavLink, Text, VisuallyHidden } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { type MouseEvent, Suspense } from "react";
import { useTranslation } from "react-i18next";
import { Navigate, Outlet, NavLink as RouterLink, useLocation } from "react-router";
import { Page } from "../ui/Page";
import { AccountMenu } from "./AccountMenu";
import classes from "./Frame.module.css";
import { Offline } from "./Offline";
import { session, useSession } from "./session";
import { useArrival } from "./useArrival";

const CONTENT = "content";

/** What surrounds every page: who is signed in, and where one can go. */
export function Frame() {
  const { t } = useTranslation();
  const [isOpen, { toggle, close }] = useDisclosure();
  const arrived = useArrival(CONTENT);
  const skip = (event: MouseEvent) => {
    event.preventDefault();
    document.getElementById(CONTENT)?.focus();
  };
  return (
    <AppShell
      header={{ height: 56 }}
      navbar={{ width: 220, breakpoint: "sm", collapsed: { mobile: !isOpen } }}
      padding={{ base: "sm", sm: "md" }}
    >
      <a href={`#${CONTENT}`} className={classes.skip} onClick={skip}>
        {t("skip")}
      </a>
      <AppShell.Header className={classes.header}>
        <Group h="100%" px="md" justify="space-between" wrap="nowrap">
          <Group gap="sm" wrap="nowrap">
            <Burger
              opened={isOpen}
              onClick={toggle}
              hiddenFrom="sm"
              size="sm"
              aria-label={t("nav.menu")}
              aria-expanded={isOpen}
              aria-controls="navigation"
            />
            <Text fw={700} component="span">
              {t("name")}
            </Text>
          </Group>
          <AccountMenu />
        </Group>
      </AppShell.Header>
      <AppShell.Navbar
        p="xs"
        id="navigation"
        aria-label={t("nav.label")}
        className={classes.navbar}
        data-closed={!isOpen || undefined}
      >
        <Navigation onChoose={close} />
      </AppShell.Navbar>
      <AppShell.Main id={CONTENT} tabIndex={-1} className={classes.main}>
        <VisuallyHidden role="status">{arrived}</VisuallyHidden>
        <Offline />
        <Suspense fallback={<Loader aria-label={t("state.loading")} role="status" />}>
          <Outlet />
        </Suspense>
      </AppShell.Main>
    </AppShell>
  );
}

type Place = "record" | "patients" | "audit" | "emergency" | "admin";

/** Where the person signed in has something to do, the most usual first. */
function usePlaces(): Place[] {
  const { user } = useSession();
  const may = (permission: string) => user?.permissions.includes(permission) ?? false;
  const isPatient = user?.patient_id !== undefined;
  const places: [Place, boolean][] = [
    ["record", isPatient],
    ["patients", !isPatient && may("healthcare:read")],
    ["audit", may("audit:read")],
    ["emergency", may("access:review")],
    ["admin", may("system:admin") || may("access:review")],
  ];
  return places.filter(([, isOpen]) => isOpen).map(([place]) => place);
}

function Navigation({ onChoose }: { onChoose: () => void }) {
  const { t } = useTranslation();
  const { pathname } = useLocation();
  return usePlaces().map((place) => (
    <NavLink
      key={place}
      component={RouterLink}
      to={`/${place}`}
      label={t(`nav.${place}`)}
      active={pathname === `/${place}` || pathname.startsWith(`/${place}/`)}
      onClick={onChoose}
    />
  ));
}

/** The first page: where the person signed in has most to do. */
export function Home() {
  const { t } = useTranslation();
  const [first] = usePlaces();
  if (first) return <Navigate to={`/${first}`} replace />;
  return (
    <Page title={t("nav.nowhere")}>
      <Text>{t("nav.nowhereText")}</Text>
      <Button onClick={() => void session.signOut()} w="fit-content">
        {t("account.signOut")}
      </Button>
    </Page>
  );
}
