import { Alert, Button, Stack, Text, TextInput, Title } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { useId, useState } from "react";
import { useTranslation } from "react-i18next";
import { ProblemAlert } from "../../ui/ProblemAlert";
import classes from "./Audit.module.css";
import { checkProof, type Result, type Step } from "./proof/check";
import { givenKey } from "./proof/key";
import { readProof } from "./queries";
import type { Entry } from "./types";

const COLOURS = { good: "green", bad: "red", open: "yellow" } as const;
const SIGNS = { good: "✓", bad: "✗", open: "–" } as const;

/** Has the server prove the entry and recomputes the proof here, step by step. */
export function ProofCheck({ entry }: { entry: Entry }) {
  const { t } = useTranslation("audit");
  const [key, setKey] = useState(givenKey.get);
  const heading = useId();
  const { data, error, isPending, mutate } = useMutation({
    mutationFn: async () => {
      givenKey.set(key);
      return checkProof(await readProof(entry.id), entry, key);
    },
  });
  const isAble = globalThis.crypto?.subtle !== undefined;
  return (
    <Stack component="section" gap="sm" aria-labelledby={heading}>
      <Title order={2} size="h3" id={heading}>
        {t("proof.title")}
      </Title>
      <Text>{t(isAble ? "proof.intro" : "proof.noCrypto")}</Text>
      {isAble && (
        <>
          <TextInput
            label={t("proof.key")}
            description={t("proof.keyHint")}
            value={key}
            autoComplete="off"
            spellCheck={false}
            maw={640}
            onChange={(event) => setKey(event.currentTarget.value)}
          />
          <div>
            <Button loading={isPending} onClick={() => mutate()}>
              {t(data ? "proof.again" : "proof.run")}
            </Button>
          </div>
        </>
      )}
      {error && <ProblemAlert error={error} onRetry={() => mutate()} />}
      <div role="status">{data && !isPending && <Verdict result={data} position={entry.id} />}</div>
      {data && !isPending && <Steps steps={data.steps} />}
    </Stack>
  );
}

function Verdict({ result: { state, checkpoint }, position }: { result: Result; position: string }) {
  const { t } = useTranslation("audit");
  return (
    <Alert color={COLOURS[state]} variant="outline" title={t(`proof.verdict.${state}`)}>
      {t(`proof.verdict.${state}Text`, { position, size: checkpoint?.size })}
    </Alert>
  );
}

function Steps({ steps }: { steps: Step[] }) {
  return (
    <ol className={classes.steps}>
      {steps.map((step) => (
        <StepItem key={step.name} step={step} />
      ))}
    </ol>
  );
}

function StepItem({ step: { name, state, why, values } }: { step: Step }) {
  const { t } = useTranslation("audit");
  return (
    <li>
      <Text fw={600} component="div">
        <span aria-hidden="true">{SIGNS[state]} </span>
        {t(`proof.step.${name}.title`)}: {t(`proof.state.${state}`)}
      </Text>
      <Text size="sm">{t(`proof.step.${name}.${why}`)}</Text>
      {Object.keys(values).length > 0 && (
        <details>
          <summary>{t("proof.values")}</summary>
          <dl className={classes.members}>
            {Object.entries(values).map(([value, text]) => (
              <div key={value} style={{ display: "contents" }}>
                <dt>{t(`proof.value.${value}`)}</dt>
                <dd className={classes.mono}>{text}</dd>
              </div>
            ))}
          </dl>
        </details>
      )}
    </li>
  );
}
