import { Button, Group, Modal, Stack, Text, Textarea } from "@mantine/core";
import { type FormEvent, type ReactNode, useState } from "react";
import { useTranslation } from "react-i18next";
import { ProblemAlert } from "../../ui/ProblemAlert";

interface Props {
  title: string;
  text: ReactNode;
  /** What the button says that does it. */
  yes: string;
  /** Whether a reason is to be given; it is kept in the access log. */
  withReason?: boolean;
  /** What is done is hard to take back. */
  isGrave?: boolean;
  onYes: (reason: string) => Promise<unknown>;
  onClose: () => void;
}

/** Asks before something is done, for a reason where one is to be kept, and says why it could not be done. */
export function Ask({ title, text, yes, withReason = false, isGrave = false, onYes, onClose }: Props) {
  const { t } = useTranslation("access");
  const [reason, setReason] = useState("");
  const [isTried, setTried] = useState(false);
  const [isBusy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  const isMissing = withReason && reason.trim() === "";
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    event.stopPropagation();
    setTried(true);
    if (isMissing || isBusy) return;
    setBusy(true);
    setError(undefined);
    try {
      await onYes(reason.trim());
      onClose();
    } catch (problem) {
      setError(problem);
      setBusy(false);
    }
  };
  return (
    <Modal opened onClose={onClose} title={title} withCloseButton={false}>
      <form onSubmit={(event) => void submit(event)} noValidate>
        <Stack>
          <Text>{text}</Text>
          {withReason && (
            <Textarea
              label={t("ask.reason")}
              description={t("ask.reasonHint")}
              value={reason}
              error={isTried && isMissing && t("ask.needReason")}
              onChange={(event) => setReason(event.currentTarget.value)}
              maxLength={500}
              data-autofocus
              required
            />
          )}
          {error !== undefined && <ProblemAlert error={error} writes />}
          <Group justify="end">
            <Button variant="default" onClick={onClose} data-autofocus={!withReason || undefined}>
              {t("ask.no")}
            </Button>
            <Button type="submit" {...(isGrave && { color: "red" })} loading={isBusy}>
              {yes}
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
