import { Text } from "@mantine/core";
import { useTranslation } from "react-i18next";
import classes from "./Banner.module.css";
import { useOtherChart } from "./guard";

/** Says that another tab shows somebody else, before anything is written for the wrong one. */
export function OtherChart() {
  const { t } = useTranslation("chart");
  const isOther = useOtherChart();
  return (
    <div role="status" className={classes.other}>
      {isOther && (
        <Text size="sm">
          <strong>{t("guard.title")}</strong>
          {". "}
          {t("guard.text")}
        </Text>
      )}
    </div>
  );
}
