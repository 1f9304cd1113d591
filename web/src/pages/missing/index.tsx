import { Button, Text } from "@mantine/core";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import { Page } from "../../ui/Page";

/** What stands where nothing is. */
export function Component() {
  const { t } = useTranslation();
  return (
    <Page title={t("state.missing")}>
      <Text>{t("state.missingText")}</Text>
      <Button component={Link} to="/" w="fit-content">
        {t("state.home")}
      </Button>
    </Page>
  );
}
