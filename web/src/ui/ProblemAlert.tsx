import { Alert, Button, Code, CopyButton, Group, Text } from "@mantine/core";
import { useTranslation } from "react-i18next";
import { Problem } from "../api/problem";

type Kind = "unconfirmed" | "unreachable" | "ended" | "refused" | "gone" | "conflict" | "invalid" | "later" | "broken";

function kindOf(status: number): Kind {
  if (status === 0) return "unreachable";
  if (status === 401) return "ended";
  if (status === 403) return "refused";
  if (status === 404 || status === 410) return "gone";
  if (status === 409 || status === 412) return "conflict";
  if (status === 429 || status === 503) return "later";
  return status < 500 ? "invalid" : "broken";
}

/** What happened to the data. After a write whose answer is missing nobody knows, and this says so. */
function textOf(kind: Kind, writes: boolean, isRepeatable: boolean) {
  const isUnclear = writes && (kind === "broken" || kind === "unreachable");
  if (isUnclear) return isRepeatable ? "repeatText" : "unclearText";
  return `${kind}Text` as const;
}

/** Kinds of which the server says no more than we do. */
const SAID: ReadonlySet<Kind> = new Set<Kind>(["unreachable", "unconfirmed", "gone"]);

interface Props {
  error: unknown;
  /** Whether something was to be stored: after an unclear end this says so. */
  writes?: boolean;
  /** Whether what was sent carries a key by which the server stores it once, however often it comes. */
  isRepeatable?: boolean;
  onRetry?: () => void;
}

/** An error in words: what it is, what happened to the data, what to do, and an id to tell the administrator. */
export function ProblemAlert({ error, writes = false, isRepeatable = false, onRetry }: Props) {
  const { t } = useTranslation();
  const problem = error instanceof Problem ? error : new Problem(500, {});
  const kind = problem.type === "step_up_required" ? "unconfirmed" : kindOf(problem.status);
  return (
    <Alert color="red" variant="light" role="alert" title={t(`problem.${kind}`)}>
      <Text size="sm">{t(`problem.${textOf(kind, writes, isRepeatable)}`)}</Text>
      {problem.message && !SAID.has(kind) && (
        <Text size="sm" mt="xs">
          {problem.message}
        </Text>
      )}
      <Group mt="xs" gap="xs">
        {onRetry && (
          <Button size="xs" variant="default" onClick={onRetry}>
            {t("state.retry")}
          </Button>
        )}
        {problem.correlationId && <Correlation id={problem.correlationId} />}
      </Group>
    </Alert>
  );
}

function Correlation({ id }: { id: string }) {
  const { t } = useTranslation();
  return (
    <Group gap={6}>
      <Text size="xs">{t("problem.correlation")}</Text>
      <Code>{id}</Code>
      <CopyButton value={id}>
        {({ copied, copy }) => (
          <Button size="compact-xs" variant="subtle" onClick={copy}>
            {copied ? t("problem.copied") : t("problem.copy")}
          </Button>
        )}
      </CopyButton>
    </Group>
  );
}
