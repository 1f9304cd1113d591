import { Group, Paper, Text, Title } from "@mantine/core";
import { type ReactNode, useId } from "react";
import { useTranslation } from "react-i18next";

interface Props {
  title: string;
  /** How many there are, where the heading says so. */
  count?: number | undefined;
  /** A way on, beside the heading. */
  action?: ReactNode;
  children: ReactNode;
}

/** A part of the chart under its heading. */
export function Section({ title, count, action, children }: Props) {
  const heading = useId();
  return (
    <Paper component="section" withBorder p="sm" aria-labelledby={heading}>
      <Group justify="space-between" align="baseline" mb={4}>
        <Title order={2} size="h4" id={heading}>
          {title}
          {count !== undefined && count > 0 && (
            <Text component="span" size="sm" c="dimmed" inherit={false}>
              {" "}
              ({count})
            </Text>
          )}
        </Title>
        {action}
      </Group>
      {children}
    </Paper>
  );
}

/** What a role may not see is said, so that nobody takes it for nothing. */
export function Withheld() {
  const { t } = useTranslation("chart");
  return (
    <Text size="sm" fs="italic">
      {t("withheld")}
    </Text>
  );
}

/** Nothing is recorded, and what can be done about it. */
export function Nothing({ children }: { children: ReactNode }) {
  return (
    <Text size="sm" c="dimmed">
      {children}
    </Text>
  );
}
