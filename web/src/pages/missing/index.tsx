import { Button } from "@mantine/core";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import { Empty } from "../../ui/Empty";

/** What stands where nothing is. */
export function Component() {
  const { t } = useTranslation();
  const home = (
    <Button component={Link} to="/">
      {t("state.home")}
    </Button>
  );
  return (
    <Empty title={t("state.missing")} action={home}>
      {t("state.missingText")}
    </Empty>
  );
}
