import { Button, Group, Stack, Text, Title } from "@mantine/core";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { useSession } from "../../app/session";
import { Ask } from "./Ask";
import { useChangeUser } from "./queries";
import type { UserItem } from "./types";

/** Somebody's second proofs, which can be taken away when they are lost. */
export function Factors({ user }: { user: UserItem }) {
  const { t } = useTranslation("admin");
  const [isAsking, setAsking] = useState(false);
  const isOwn = useSession().user?.id === user.id;
  const { isSuccess, mutateAsync } = useChangeUser(user.id);
  return (
    <Stack component="section" gap="sm" aria-label={t("factors.title")}>
      <Title order={2} size="h4">
        {t("factors.title")}
      </Title>
      <Text size="sm">{t("factors.text")}</Text>
      <Group>
        <Button color="red" variant="outline" disabled={isOwn} onClick={() => setAsking(true)}>
          {t("factors.reset")}
        </Button>
        <span role="status">{isSuccess && t("factors.done")}</span>
      </Group>
      {isAsking && (
        <Ask
          title={t("factors.resetTitle", { name: user.username })}
          text={t("factors.resetText")}
          yes={t("factors.reset")}
          isGrave
          onYes={() => mutateAsync("reset-mfa")}
          onClose={() => setAsking(false)}
        />
      )}
    </Stack>
  );
}
