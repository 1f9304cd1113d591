import { Button, Group, Modal, Text } from "@mantine/core";
import { useEffect } from "react";
import { useTranslation } from "react-i18next";
import { useBlocker } from "react-router";

/**
 * Asks before what was typed and not stored is left. One for each page, with `isDirty` of its form.
 *
 * A page that has stored its form goes on with `navigate(to, { state: STORED })`, which is not asked about.
 */
export function Unsaved({ isDirty }: { isDirty: boolean }) {
  const { t } = useTranslation();
  const blocker = useBlocker(
    ({ currentLocation, nextLocation }) =>
      isDirty && currentLocation.pathname !== nextLocation.pathname && nextLocation.state?.stored !== true,
  );
  useEffect(() => {
    if (!isDirty) return;
    const ask = (event: BeforeUnloadEvent) => event.preventDefault();
    addEventListener("beforeunload", ask);
    return () => removeEventListener("beforeunload", ask);
  }, [isDirty]);

  return (
    <Modal
      opened={blocker.state === "blocked"}
      onClose={() => blocker.reset?.()}
      withCloseButton={false}
      title={t("unsaved.title")}
    >
      <Text>{t("unsaved.text")}</Text>
      <Group justify="end" mt="md">
        <Button variant="default" onClick={() => blocker.proceed?.()}>
          {t("unsaved.leave")}
        </Button>
        <Button data-autofocus onClick={() => blocker.reset?.()}>
          {t("unsaved.stay")}
        </Button>
      </Group>
    </Modal>
  );
}

/** The state of a navigation that follows a successful store. */
export const STORED = { stored: true } as const;
