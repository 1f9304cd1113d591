import { Alert, Button, Code, Stack, Text, Title } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { Page } from "../../ui/Page";
import { ProblemAlert } from "../../ui/ProblemAlert";
import { dayHere } from "../chart/when";
import classes from "./Audit.module.css";
import { readExport } from "./queries";

/** The whole log as a file that can be checked without this server. */
export function Export() {
  const { t } = useTranslation("audit");
  const { data, error, isPending, mutate } = useMutation({
    mutationFn: async () => {
      const file = `iris-audit-${dayHere(new Date())}.ndjson`;
      save(await readExport(), file);
      return file;
    },
  });
  return (
    <Page title={t("export.title")}>
      <Stack maw={720}>
        <Text>{t("export.intro")}</Text>
        <Text>{t("export.filtered")}</Text>
        <Alert color="yellow" variant="outline">
          {t("export.warning")}
        </Alert>
        <div>
          <Button loading={isPending} onClick={() => mutate()}>
            {t("export.run")}
          </Button>
        </div>
        {error && <ProblemAlert error={error} onRetry={() => mutate()} />}
        <div role="status">
          {isPending && t("export.running")}
          {data && !isPending && t("export.done", { file: data })}
        </div>
        <Title order={2} size="h3">
          {t("export.how")}
        </Title>
        <Text>{t("export.howText")}</Text>
        <Code
          block
          className={classes.command ?? ""}
        >{`iris audit verify --file ${data ?? "iris-audit.ndjson"} --key PUBLIC-KEY`}</Code>
        <Text>{t("export.key")}</Text>
        <Code block className={classes.command ?? ""}>
          iris audit key
        </Code>
      </Stack>
    </Page>
  );
}

/** Hands a file to the browser, which asks or knows where to put it. */
function save(content: Blob, name: string) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(content);
  link.download = name;
  link.click();
  // The browser has taken hold of it by the next turn.
  setTimeout(() => URL.revokeObjectURL(link.href), 0);
}
