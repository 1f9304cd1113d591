import { Stack, Text } from "@mantine/core";
import { useTranslation } from "react-i18next";
import { removeTotp } from "../../api/access/account";
import { CodeForm } from "../../entry/CodeForm";

/** Takes the app away again, by a code that it shows. */
export function RemoveTotp({ onDone, onCancel }: { onDone: () => void; onCancel: () => void }) {
  const { t } = useTranslation(["account", "entry"]);
  const remove = async (code: string) => {
    await removeTotp(code);
    onDone();
  };
  return (
    <Stack>
      <Text size="sm">{t("totp.removeText")}</Text>
      <CodeForm
        label={t("entry:second.totp.label")}
        submit={t("totp.remove")}
        isGrave
        hasFocus
        onCode={remove}
        onCancel={onCancel}
      />
    </Stack>
  );
}
