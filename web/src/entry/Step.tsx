import { Alert, Button, Stack, Text, Title } from "@mantine/core";
import { type ReactNode, useEffect, useRef } from "react";
import { useTranslation } from "react-i18next";
import { addressOf } from "../app/open";
import { useTitle } from "../ui/useTitle";
import { Fault } from "./Fault";

interface Props {
  title: string;
  text?: string;
  /** What went wrong; a link that is no longer good is told in its own words. */
  error?: unknown;
  children: ReactNode;
}

/** One step before the pages: what it is, what went wrong, and what there is to do. */
export function Step({ title, text, error, children }: Props) {
  useTitle(title);
  return (
    <Stack>
      <Title order={1} size="h3">
        {title}
      </Title>
      {text && <Text>{text}</Text>}
      <div role="alert">{error !== undefined && <Fault error={error} />}</div>
      {children}
    </Stack>
  );
}

/** That a step is done, with the focus on it, and the way on. */
export function Done({
  title,
  children,
  to = "signIn",
}: {
  title: string;
  children?: ReactNode;
  to?: "signIn" | "home";
}) {
  const box = useRef<HTMLDivElement>(null);
  useTitle(title);
  useEffect(() => box.current?.focus(), []);
  return (
    <Stack>
      <Title order={1} size="h3">
        {title}
      </Title>
      <Alert ref={box} tabIndex={-1} color="green" variant="outline" role="status">
        {children}
      </Alert>
      <ToSignIn to={to} />
    </Stack>
  );
}

/** The way to the sign-in, a page of its own. */
export function ToSignIn({ to = "signIn" }: { to?: "signIn" | "home" }) {
  const { t } = useTranslation("entry");
  return (
    <Button component="a" href={addressOf("")} variant={to === "home" ? "filled" : "default"}>
      {t(`to.${to}`)}
    </Button>
  );
}
