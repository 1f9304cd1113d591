import { Alert, Button, CopyButton, Group, Stack, Text } from "@mantine/core";
import { useEffect, useRef } from "react";
import { useTranslation } from "react-i18next";
import { useSession } from "../app/session";
import { Sheet } from "../ui/Sheet";
import classes from "./RecoveryCodes.module.css";

/** The codes for the day on which the app is lost: seen here and now, and never again. */
export function RecoveryCodes({ codes, onKept }: { codes: string[]; onKept: () => void }) {
  const { t } = useTranslation("entry");
  const { user } = useSession();
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => box.current?.focus(), []);
  const list = (
    <ul className={classes.codes}>
      {codes.map((code) => (
        <li key={code}>
          <code>{code}</code>
        </li>
      ))}
    </ul>
  );
  return (
    <Stack>
      <Alert ref={box} tabIndex={-1} color="yellow" variant="outline" title={t("codes.title")}>
        <Text size="sm">{t("codes.text")}</Text>
      </Alert>
      {list}
      <Group>
        <CopyButton value={codes.join("\n")}>
          {({ copied, copy }) => (
            <Button variant="default" onClick={copy}>
              <span role="status">{t(copied ? "copied" : "codes.copy")}</span>
            </Button>
          )}
        </CopyButton>
        <Button variant="default" onClick={() => window.print()}>
          {t("codes.print")}
        </Button>
        <Button onClick={onKept}>{t("codes.kept")}</Button>
      </Group>
      <Sheet title={t("codes.sheet", { name: user?.username })}>
        <p>{t("codes.sheetText")}</p>
        {list}
      </Sheet>
    </Stack>
  );
}
