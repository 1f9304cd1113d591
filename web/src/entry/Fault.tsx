import { Text } from "@mantine/core";
import { useTranslation } from "react-i18next";
import { Problem } from "../api/problem";
import { Refused } from "../app/passkeys";
import { ProblemAlert } from "../ui/ProblemAlert";

/** What went wrong with something that was sent: how long to wait, what the person or the device said, or the problem itself. */
export function Fault({ error }: { error: unknown }) {
  const { t } = useTranslation("app");
  if (error instanceof Refused) return <Text>{t(`signIn.refused.${error.why}`)}</Text>;
  if (error instanceof Problem && error.status === 429) {
    return <Text>{t("signIn.wait", { count: error.retryAfter ?? 1 })}</Text>;
  }
  return <ProblemAlert error={error} writes />;
}
