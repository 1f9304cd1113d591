import { Button, Group, Radio, Stack, Text, Textarea, Title } from "@mantine/core";
import { type FormEvent, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { Problem } from "../../../api/problem";
import { focusFault } from "../../../entry/focusFault";
import { ProblemAlert } from "../../../ui/ProblemAlert";
import classes from "../Chart.module.css";
import { useBreakGlass } from "./useGlass";

const MINUTES = [15, 30, 60] as const;
/** Characters of a reason that can say something. */
const REASON_LENGTH_MIN = 10;

interface Props {
  id: string;
  /** Called when the chart is about to be opened so. */
  onBreak: () => void;
}

/**
 * Offers to open a chart in an emergency where it cannot be seen. It does not say whether there is one: that would tell who is a patient
 * here to anybody who tries ids.
 */
export function Hidden({ id, onBreak }: Props) {
  const { t } = useTranslation("care");
  const [isAsked, setAsked] = useState(false);
  return (
    <Stack component="section" aria-label={t("glass.title")} maw={640}>
      <Title order={2} size="h4">
        {t("glass.title")}
      </Title>
      <Text>{t("glass.text")}</Text>
      {isAsked ? (
        <Form id={id} onBreak={onBreak} onCancel={() => setAsked(false)} />
      ) : (
        <Group>
          <Button color="red" variant="outline" onClick={() => setAsked(true)}>
            {t("glass.offer")}
          </Button>
        </Group>
      )}
    </Stack>
  );
}

function Form({ id, onBreak, onCancel }: Props & { onCancel: () => void }) {
  const { t } = useTranslation("care");
  const [reason, setReason] = useState("");
  const [minutes, setMinutes] = useState<number>(MINUTES[1]);
  const [isTried, setTried] = useState(false);
  const form = useRef<HTMLFormElement>(null);
  const { error, isPending, mutateAsync } = useBreakGlass(id);
  const problem = error instanceof Problem ? error : undefined;
  const isShort = reason.trim().length < REASON_LENGTH_MIN;
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setTried(true);
    if (isShort) return focusFault(form);
    onBreak();
    await mutateAsync({ reason: reason.trim(), minutes }).catch(() => undefined);
  };
  return (
    <form ref={form} noValidate onSubmit={(event) => void submit(event)}>
      <Stack>
        <Textarea
          label={t("glass.why")}
          description={t("glass.whyHint")}
          value={reason}
          error={isTried && isShort ? t("glass.needWhy") : problem?.at("reason")}
          maxLength={500}
          autoFocus
          onChange={(event) => setReason(event.currentTarget.value)}
          required
        />
        <Radio.Group
          label={t("glass.howLong")}
          value={String(minutes)}
          error={problem?.at("minutes")}
          onChange={(chosen) => setMinutes(Number(chosen))}
        >
          <Group mt={4} className={classes.edged ?? ""}>
            {MINUTES.map((count) => (
              <Radio key={count} value={String(count)} label={t("glass.minutes", { count })} />
            ))}
          </Group>
        </Radio.Group>
        {error && <ProblemAlert error={error} writes />}
        <Group>
          <Button type="submit" color="red" loading={isPending}>
            {t("glass.break")}
          </Button>
          <Button variant="default" onClick={onCancel}>
            {t("cancel")}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
