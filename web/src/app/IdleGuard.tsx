import { Button, Group, Modal, Text } from "@mantine/core";
import { useCallback, useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { Problem } from "../api/problem";
import { end, type Idle, isToBeTold, warningMs } from "./idle";
import { session, useSession } from "./session";
import { mark, marked } from "./tabs";

const TOUCHES = ["pointerdown", "keydown", "wheel", "touchstart"] as const;
/** Touches are marked at most this often. */
const TOUCH_MS = 1000;
/** How long to wait before the server is asked again that could not be reached. */
const AGAIN_MS = 10_000;

/**
 * Ends the session when nobody has touched a page for as long as the server allows, in any tab: one that is used keeps the others
 * open. While somebody works, the server is told in time; what is announced here is when the server ends the session.
 */
export function IdleGuard() {
  const { t } = useTranslation();
  const [left, setLeft] = useState({ ms: Number.POSITIVE_INFINITY, isFinal: false, isWarning: false });
  const [isUnderstood, setUnderstood] = useState(false);
  const [isAway, setAway] = useState(false);
  const known = useKnown();
  const stay = useCallback(async () => {
    mark("touched", Date.now());
    await session.refresh().then(
      () => setAway(false),
      (error: unknown) => setAway(error instanceof Problem && !error.isRefusal),
    );
  }, []);

  useEffect(() => {
    let isWarned = false;
    let askAt = 0;
    // Of several tabs the one that was touched tells the server; each would do it otherwise.
    let touchedHere = 0;
    const touch = () => {
      // Once people are being warned, only the button counts: a sleeve on the keyboard must not keep a chart open.
      const now = Date.now();
      if (isWarned || now - touchedHere < TOUCH_MS) return;
      touchedHere = now;
      mark("touched", now);
    };
    const look = () => {
      const now = Date.now();
      const idle = known();
      if (isToBeTold({ ...idle, touchedAt: touchedHere }, now) && now >= askAt) {
        askAt = now + AGAIN_MS;
        // What cannot be told now is told later; if it never can, the time runs out, and that is what is shown.
        session.refresh().then(
          () => setAway(false),
          () => undefined,
        );
      }
      const { at, isFinal } = end(idle);
      const ms = at - now;
      isWarned = ms < warningMs(idle.idleMs);
      setLeft({ ms, isFinal, isWarning: isWarned });
      if (ms <= 0) void session.lock();
    };
    const timer = setInterval(look, 1000);
    for (const name of TOUCHES) addEventListener(name, touch, { passive: true, capture: true });
    document.addEventListener("visibilitychange", look);
    return () => {
      clearInterval(timer);
      for (const name of TOUCHES) removeEventListener(name, touch, { capture: true });
      document.removeEventListener("visibilitychange", look);
    };
  }, [known]);

  const seconds = Math.max(0, Math.ceil(left.ms / 1000));
  const close = () => (left.isFinal ? setUnderstood(true) : void stay());
  return (
    <Modal
      opened={left.isWarning && left.ms > 0 && !(left.isFinal && isUnderstood)}
      onClose={close}
      closeOnClickOutside={false}
      zIndex="var(--mantine-z-index-max)"
      withCloseButton={false}
      title={t(left.isFinal ? "session.finalWarning" : "session.warning")}
    >
      <Text role="timer">{t(left.isFinal ? "session.finalRemaining" : "session.remaining", { count: seconds })}</Text>
      {isAway && (
        <Text role="alert" mt="sm">
          {t("session.away")}
        </Text>
      )}
      <Group justify="end" mt="md">
        <Button variant="default" onClick={() => void session.signOut()}>
          {t("account.signOut")}
        </Button>
        <Button data-autofocus onClick={close}>
          {t(left.isFinal ? "session.understood" : "session.stay")}
        </Button>
      </Group>
    </Modal>
  );
}

/** What is known of the session's end at this moment. */
function useKnown(): () => Idle {
  const { idleSeconds, expiresAt } = useSession();
  const latest = useRef({ idleSeconds, expiresAt });
  useEffect(() => {
    latest.current = { idleSeconds, expiresAt };
  });
  return useCallback(
    () => ({
      touchedAt: marked("touched"),
      refreshedAt: marked("refreshed"),
      idleMs: latest.current.idleSeconds * 1000,
      endsAt: latest.current.expiresAt,
    }),
    [],
  );
}
