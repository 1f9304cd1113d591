import { Button, Code, Stack, Text, Title } from "@mantine/core";
import { Component, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { Problem } from "../api/problem";

interface State {
  error?: unknown;
}

/** Shows what can be said when drawing fails, in place of an empty screen. */
export class Broken extends Component<{ children: ReactNode }, State> {
  override state: State = {};

  static getDerivedStateFromError(error: unknown): State {
    return { error };
  }

  override render() {
    return "error" in this.state ? <BrokenPage error={this.state.error} /> : this.props.children;
  }
}

/** A page that could not be drawn, or whose program could not be loaded. */
export function BrokenPage({ error }: { error: unknown }) {
  const { t } = useTranslation();
  return (
    <Stack role="alert" align="start" p="md" maw={640}>
      <Title order={1} size="h3">
        {t("broken.title")}
      </Title>
      <Text>{t("broken.text")}</Text>
      {error instanceof Problem && error.correlationId && (
        <Text size="sm">
          {t("problem.correlation")} <Code>{error.correlationId}</Code>
        </Text>
      )}
      <Button onClick={() => location.reload()}>{t("broken.reload")}</Button>
    </Stack>
  );
}
