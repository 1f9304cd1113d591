import { Button, Group } from "@mantine/core";
import { useTranslation } from "react-i18next";

interface Props {
  /** What the button says that sends the form. */
  submit: string;
  isBusy: boolean;
  /** What is sent is hard to take back. */
  isGrave?: boolean;
  onCancel?: (() => void) | undefined;
}

/** The end of a form: the button that sends it, and one that leaves it where it can be left. */
export function FormEnd({ submit, isBusy, isGrave = false, onCancel }: Props) {
  const { t } = useTranslation("entry");
  return (
    <Group>
      <Button type="submit" loading={isBusy} {...(isGrave && { color: "red" })}>
        {submit}
      </Button>
      {onCancel && (
        <Button variant="default" onClick={onCancel}>
          {t("cancel")}
        </Button>
      )}
    </Group>
  );
}
