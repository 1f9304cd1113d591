import { Button, CopyButton, VisuallyHidden } from "@mantine/core";
import { useTranslation } from "react-i18next";

/** Puts a text on the clipboard; `what` tells apart the buttons of a list. */
export function CopyText({ value, what }: { value: string; what: string }) {
  const { t } = useTranslation("audit");
  return (
    <CopyButton value={value}>
      {({ copied, copy }) => (
        <Button size="compact-sm" variant="default" onClick={copy}>
          <span role="status">{t(copied ? "checkpoints.copied" : "checkpoints.copy")}</span>
          <VisuallyHidden> {what}</VisuallyHidden>
        </Button>
      )}
    </CopyButton>
  );
}
