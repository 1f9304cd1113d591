import { Button, Group, Modal, Text } from "@mantine/core";
import { useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import { session, useSession } from "./session";

/** How long before the end people are warned (WCAG 2.2, 2.2.1 asks for 20 seconds or more). */
const WARNING_MS = 60_000;
const TOUCHES = ["pointerdown", "keydown", "wheel", "touchstart"] as const;

/**
 * Ends the session when nobody has touched a page for as long as the server allows, in any tab: one that is used keeps the
 * others open. The server ends it by itself too; this hides the pages in time.
 */
export function IdleGuard() {
  const { t } = useTranslation();
  const { idleSeconds, expiresAt } = useSession();
  const [leftMs, setLeftMs] = useState(Number.POSITIVE_INFINITY);

  useEffect(() => {
    let touched = Date.now();
    const channel = new BroadcastChannel("iris-touched");
    channel.onmessage = () => {
      touched = Date.now();
    };
    const touch = () => {
      // Once people are being warned, only the button counts: a sleeve on the keyboard must not keep a chart open.
      const now = Date.now();
      if (touched + idleSeconds * 1000 - now < WARNING_MS || now - touched < 1000) return;
      touched = now;
      channel.postMessage(null);
    };
    const look = () => {
      const left = Math.min(touched + idleSeconds * 1000, expiresAt) - Date.now();
      setLeftMs(left);
      if (left <= 0) void session.lock();
    };
    const timer = setInterval(look, 1000);
    for (const name of TOUCHES) addEventListener(name, touch, { passive: true });
    return () => {
      clearInterval(timer);
      channel.close();
      for (const name of TOUCHES) removeEventListener(name, touch);
    };
  }, [idleSeconds, expiresAt]);

  return (
    <Modal
      opened={leftMs < WARNING_MS && leftMs > 0}
      onClose={() => void session.refresh()}
      title={t("session.warning")}
    >
      <Text role="timer">{t("session.remaining", { seconds: Math.ceil(leftMs / 1000) })}</Text>
      <Group justify="end" mt="md">
        <Button data-autofocus onClick={() => void session.refresh()}>
          {t("session.stay")}
        </Button>
      </Group>
    </Modal>
  );
}
