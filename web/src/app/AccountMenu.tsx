import { Box, Button, Menu, useMantineColorScheme } from "@mantine/core";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import { choose, LANGUAGES, type Language } from "../i18n";
import { isUnsaved, LeaveQuestion } from "../ui/Unsaved";
import { session, useSession } from "./session";

const SCHEMES = ["light", "dark", "auto"] as const;
type Scheme = (typeof SCHEMES)[number];

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
  const languages = Object.entries(LANGUAGES) as [Language, string][];
  const schemes = SCHEMES.map((scheme) => [scheme, t(`account.${scheme}`)] as const);
  return (
    <>
      <Menu position="bottom-end" width={220}>
        <Menu.Target>
          <Button variant="subtle" aria-label={t("account.menu", { name: user?.username })}>
            {user?.username}
          </Button>
        </Menu.Target>
        <Menu.Dropdown>
          <Choice label={t("account.language")} value={i18n.language} values={languages} onChange={choose} isLanguage />
          <Choice<Scheme>
            label={t("account.scheme")}
            value={colorScheme}
            values={schemes}
            onChange={(scheme) => setColorScheme(scheme)}
          />
          <Menu.Divider />
          <Menu.Item component={Link} to="/account">
            {t("account.settings")}
          </Menu.Item>
          <Menu.Item onClick={leave}>{t("account.signOut")}</Menu.Item>
        </Menu.Dropdown>
      </Menu>
      <LeaveQuestion isAsked={isAsked} onStay={() => setAsked(false)} onLeave={() => void session.signOut()} />
    </>
  );
}

interface ChoiceProps<V extends string> {
  label: string;
  value: string;
  values: readonly (readonly [V, string])[];
  onChange: (value: V) => unknown;
  /** The values are languages, and each name stands in its own. */
  isLanguage?: boolean;
}

function Choice<V extends string>({ label, value, values, onChange, isLanguage = false }: ChoiceProps<V>) {
  return (
    <Box role="group" aria-label={label}>
      <Menu.Label aria-hidden>{label}</Menu.Label>
      <Menu.RadioGroup value={value} onChange={(next) => onChange(next as V)}>
        {values.map(([one, name]) => (
          <Menu.RadioItem key={one} value={one} {...(isLanguage && { lang: one })}>
            {name}
          </Menu.RadioItem>
        ))}
      </Menu.RadioGroup>
    </Box>
  );
}
