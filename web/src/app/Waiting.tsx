import { Center, Loader } from "@mantine/core";
import { useTranslation } from "react-i18next";

/** A whole screen that is on its way. */
export function Waiting() {
  const { t } = useTranslation();
  return (
    <Center mih="100vh">
      <Loader aria-label={t("state.loading")} role="status" />
    </Center>
  );
}
