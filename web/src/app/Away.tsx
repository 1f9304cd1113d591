import { Button, Code, Group, Stack, Text, Title } from "@mantine/core";
import { useCallback, useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { Problem } from "../api/problem";
import { useTitle } from "../ui/useTitle";
import { Doorstep } from "./Doorstep";
import { session } from "./session";

/** Seconds before each further question, where the server does not say how long to wait; then always the longest. */
const WAITS = [1, 2, 5, 10];
const WAIT_MAX = 30;

/** The server could not say whether this browser has a session. It is asked again by itself, and then all goes on as if nothing had been. */
export function Away({ error }: { error: unknown }) {
  const { t } = useTranslation();
  const { isBusy, ask, wait } = useAsking(error);
  const problem = error instanceof Problem ? error : undefined;
  const kind = problem?.status === 0 ? "unreachable" : problem?.status === 429 ? "many" : "busy";
  useTitle(t("away.title"));
  return (
    <Doorstep width={480}>
      <Stack>
        <Title order={1} size="h3">
          {t("away.title")}
        </Title>
        <div role="alert">
          <Text>{kind === "many" ? t("signIn.wait", { count: wait }) : t(`away.${kind}`)}</Text>
        </div>
        <Text>{t("away.text")}</Text>
        {problem?.correlationId && (
          <Text size="sm">
            {t("problem.correlation")} <Code>{problem.correlationId}</Code>
          </Text>
        )}
        <Group>
          <Button loading={isBusy} onClick={ask}>
            {t("state.retry")}
          </Button>
          <Button variant="subtle" onClick={() => session.giveUp()}>
            {t("away.anew")}
          </Button>
        </Group>
      </Stack>
    </Doorstep>
  );
}

/** Asks now and then, when the network comes back, and when told to. Each failure is another `error`. */
function useAsking(error: unknown) {
  const [isBusy, setBusy] = useState(false);
  const tries = useRef(0);
  const [wait, setWait] = useState(() => waitOf(error, 0));
  const ask = useCallback(() => {
    setBusy(true);
    void session.start().finally(() => setBusy(false));
  }, []);
  useEffect(() => {
    const seconds = waitOf(error, tries.current);
    tries.current += 1;
    setWait(seconds);
    const timer = setTimeout(ask, seconds * 1000);
    addEventListener("online", ask);
    return () => {
      clearTimeout(timer);
      removeEventListener("online", ask);
    };
  }, [error, ask]);
  return { isBusy, ask, wait };
}

function waitOf(error: unknown, tries: number): number {
  const told = error instanceof Problem ? error.retryAfter : undefined;
  return told ?? WAITS[tries] ?? WAIT_MAX;
}
