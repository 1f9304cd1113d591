import { Group, Stack, Title } from "@mantine/core";
import type { ReactNode } from "react";
import { useTitle } from "./useTitle";

interface Props {
  /** The heading; also the title of the tab unless that is given apart. */
  title: string;
  /** The title of the tab, where the heading names a patient. */
  tabTitle?: string;
  /** What one can do with the page as a whole, at the end of the heading's line. */
  actions?: ReactNode;
  children: ReactNode;
}

/** A page: its one main heading, to which the focus goes when one arrives, its name in the tab, and its content. */
export function Page({ title, tabTitle = title, actions, children }: Props) {
  useTitle(tabTitle);
  return (
    <Stack>
      <Group justify="space-between" align="center">
        <Title order={1} size="h2" tabIndex={-1}>
          {title}
        </Title>
        {actions}
      </Group>
      {children}
    </Stack>
  );
}
