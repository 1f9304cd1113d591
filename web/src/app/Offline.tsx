import { Alert } from "@mantine/core";
import { useNetwork } from "@mantine/hooks";
import { useTranslation } from "react-i18next";

/** Says when the browser has no network at all: what is on the screen may be old, and nothing can be stored. */
export function Offline() {
  const { t } = useTranslation();
  const { online } = useNetwork();
  return (
    <div role="status">
      {!online && (
        <Alert color="yellow" variant="light" title={t("offline.title")} mb="md">
          {t("offline.text")}
        </Alert>
      )}
    </div>
  );
}
