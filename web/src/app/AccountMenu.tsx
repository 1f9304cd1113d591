import { Button, Menu, useMantineColorScheme } from "@mantine/core";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { choose, LANGUAGES, type Language } from "../i18n";
import { isUnsaved, LeaveQuestion } from "../ui/Unsaved";
import { session, useSession } from "./session";

const SCHEMES = ["light", "dark", "auto"] as const;

/** Language, colours and the way out. */
export function AccountMenu() {
  const { t, i18n } = useTranslation();
  const { user } = useSession();
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  const [isAsked, setAsked] = useState(false);
  const leave = () => {
    if (isUnsaved()) setAsked(true);
    else void session.signOut();
  };
  return (
    <>
      <Menu position="bottom-end" width={220}>
        <Menu.Target>
          <Button variant="subtle" aria-label={t("account.menu", { name: user?.username })}>
            {user?.username}
          </Button>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Label>{t("account.language")}</Menu.Label>
          {(Object.entries(LANGUAGES) as [Language, string][]).map(([language, name]) => (
            <Menu.Item
              key={language}
              lang={language}
              aria-current={i18n.language === language}
              fw={i18n.language === language ? 700 : undefined}
              onClick={() => void choose(language)}
            >
              {name}
            </Menu.Item>
          ))}
          <Menu.Label>{t("account.scheme")}</Menu.Label>
          {SCHEMES.map((scheme) => (
            <Menu.Item
              key={scheme}
              aria-current={colorScheme === scheme}
              fw={colorScheme === scheme ? 700 : undefined}
              onClick={() => setColorScheme(scheme)}
            >
              {t(`account.${scheme}`)}
            </Menu.Item>
          ))}
          <Menu.Divider />
          <Menu.Item onClick={leave}>{t("account.signOut")}</Menu.Item>
        </Menu.Dropdown>
      </Menu>
      <LeaveQuestion isAsked={isAsked} onStay={() => setAsked(false)} onLeave={() => void session.signOut()} />
    </>
  );
}
