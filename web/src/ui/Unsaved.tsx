import { Button, Group, Modal, Text } from "@mantine/core";
import { useEffect } from "react";
import { useTranslation } from "react-i18next";
import { useBlocker } from "react-router";

/** How many forms hold what was not stored. */
let dirty = 0;

/** Whether signing out would lose what somebody has typed. */
export const isUnsaved = () => dirty > 0;

/**
 * Asks before what was typed and not stored is left. One for each page, with `isDirty` of its form.
 *
 * A page that has stored its form goes on with `navigate(to, { state: STORED })`, which is not asked about.
 */
export function Unsaved({ isDirty }: { isDirty: boolean }) {
  const blocker = useBlocker(
    ({ currentLocation, nextLocation }) =>
      isDirty && currentLocation.pathname !== nextLocation.pathname && nextLocation.state?.stored !== true,
  );
  useEffect(() => {
    if (!isDirty) return;
    dirty += 1;
    const ask = (event: BeforeUnloadEvent) => event.preventDefault();
    addEventListener("beforeunload", ask);
    return () => {
      dirty -= 1;
      removeEventListener("beforeunload", ask);
    };
  }, [isDirty]);

  return (
    <LeaveQuestion
      isAsked={blocker.state === "blocked"}
      onStay={() => blocker.reset?.()}
      onLeave={() => blocker.proceed?.()}
    />
  );
}

/** Asks whether to lose what was typed. */
export function LeaveQuestion(props: { isAsked: boolean; onStay: () => void; onLeave: () => void }) {
  const { t } = useTranslation();
  return (
    <Modal opened={props.isAsked} onClose={props.onStay} withCloseButton={false} title={t("unsaved.title")}>
      <Text>{t("unsaved.text")}</Text>
      <Group justify="end" mt="md">
        <Button variant="default" onClick={props.onLeave}>
          {t("unsaved.leave")}
        </Button>
        <Button data-autofocus onClick={props.onStay}>
          {t("unsaved.stay")}
        </Button>
      </Group>
    </Modal>
  );
}

/** The state of a navigation that follows a successful store. */
export const STORED = { stored: true } as const;
