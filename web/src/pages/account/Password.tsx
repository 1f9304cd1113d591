import { Alert, Text } from "@mantine/core";
import { useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { ChangePassword } from "../../entry/ChangePassword";
import { Page } from "../../ui/Page";

/** Changes one's own password. */
export function Password() {
  const { t } = useTranslation("account");
  const [times, setTimes] = useState(0);
  const done = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (times > 0) done.current?.focus();
  }, [times]);
  return (
    <Page title={t("password.title")}>
      <Text maw={640}>{t("password.text")}</Text>
      {times > 0 && (
        <Alert ref={done} tabIndex={-1} color="green" variant="outline" maw={480}>
          {t("password.done")}
        </Alert>
      )}
      <ChangePassword onDone={() => setTimes(times + 1)} />
    </Page>
  );
}
