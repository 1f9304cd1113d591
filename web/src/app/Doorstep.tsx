import { Button, Center, Group, Paper, Text } from "@mantine/core";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { choose, LANGUAGES, type Language } from "../i18n";
import classes from "./SignIn.module.css";

/** What stands before the pages: one thing to do, over whatever else is open, in the language of who is to do it. */
export function Doorstep({ children, width = 420 }: { children: ReactNode; width?: number }) {
  const { t } = useTranslation();
  return (
    <div className={classes.over}>
      <Center component="main" mih="100%" p="md">
        <Paper withBorder p="lg" w="100%" maw={width}>
          <Group gap="xs" mb="md">
            <img src="/app/iris.svg" alt="" width={24} height={24} />
            <Text fw={700}>{t("name")}</Text>
          </Group>
          {children}
          <Languages />
        </Paper>
      </Center>
    </div>
  );
}

/** Who cannot read the page cannot find the way to another language behind it. */
function Languages() {
  const { t, i18n } = useTranslation();
  return (
    <Group component="nav" justify="center" gap="xs" mt="md" aria-label={t("account.language")}>
      {(Object.entries(LANGUAGES) as [Language, string][]).map(([language, name]) => (
        <Button
          key={language}
          lang={language}
          size="compact-sm"
          variant={i18n.language === language ? "light" : "subtle"}
          aria-pressed={i18n.language === language}
          onClick={() => void choose(language)}
        >
          {name}
        </Button>
      ))}
    </Group>
  );
}
