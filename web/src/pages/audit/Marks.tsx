import { Badge } from "@mantine/core";
import { useTranslation } from "react-i18next";

/** How it ended, in a word and a colour; what went well needs no mark. */
export function OutcomeMark({ outcome }: { outcome: string }) {
  const { t } = useTranslation("audit");
  if (outcome === "success") return null;
  return (
    <Badge variant="outline" color={outcome === "denied" ? "orange" : "red"} tt="none" style={{ height: "auto" }}>
      {t(`outcome.${outcome}`, { defaultValue: outcome })}
    </Badge>
  );
}

/** Whether an entry stands under a signed checkpoint. */
export function ProofMark({ state }: { state: string | undefined }) {
  const { t } = useTranslation("audit");
  if (!state) return null;
  return (
    <Badge variant="outline" color={state === "proven" ? "green" : "gray"} tt="none">
      {t(`proofState.${state}`, { defaultValue: state })}
    </Badge>
  );
}
