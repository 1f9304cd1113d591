import { Alert, Button, List, Loader, Text, TextInput, VisuallyHidden } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import type { TFunction } from "i18next";
import { type KeyboardEvent, useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import { Problem } from "../../../api/problem";
import { usePermission } from "../../../app/session";
import { Empty } from "../../../ui/Empty";
import { Page } from "../../../ui/Page";
import { ProblemAlert } from "../../../ui/ProblemAlert";
import { exampleDate } from "../form/dates";
import { findPatients } from "../queries";
import { keepTyped, lastTyped } from "../typed";
import { useLocale } from "../useLocale";
import { Results, rows } from "./Results";

/** How long a pause in typing is. */
const PAUSE_MS = 275;
/** Longest text the server looks for. */
const TEXT_CHARS_MAX = 200;

/** Whether there is enough to look for somebody by; the server says so too. */
const isEnough = (text: string) => /\p{L}{2}|\d.*\d|[\p{Lo}]/u.test(text);

/** Finding a patient as one types. Nobody is ever chosen by the program. */
export function Component() {
  const { t } = useTranslation("patients");
  const [text, setText] = useState(lastTyped);
  const [paused] = useDebouncedValue(text.trim(), PAUSE_MS);
  const [asked, setAsked] = useState(text.trim());
  const field = useRef<HTMLInputElement>(null);
  const list = useRef<HTMLUListElement>(null);
  useEffect(() => setAsked(paused), [paused]);
  useEffect(() => field.current?.focus(), []);

  const { data, error, isFetching, isPlaceholderData, refetch } = useQuery({
    queryKey: ["patients", "find", asked],
    queryFn: ({ signal }) => findPatients(asked, signal),
    enabled: isEnough(asked),
    placeholderData: keepPreviousData,
  });
  const isOld = text.trim() !== asked || isPlaceholderData;
  const shown = isEnough(text) && !error ? data : undefined;
  const found = shown?.found;
  const isMore = shown?.isMore === true;

  function type(next: string) {
    setText(next);
    keepTyped(next);
  }

  function key(event: KeyboardEvent) {
    if (event.key === "Enter") setAsked(text.trim());
    if (event.key !== "ArrowDown" || isOld) return;
    event.preventDefault();
    rows(list.current)[0]?.focus();
  }

  return (
    <Page title={t("find.title")} actions={<RegisterButton />}>
      <search>
        <TextInput
          ref={field}
          type="search"
          label={t("find.label")}
          description={
            <>
              {t("find.hint")} <VisuallyHidden component="span">{t("find.keys")}</VisuallyHidden>
            </>
          }
          value={text}
          onChange={(event) => type(event.currentTarget.value)}
          onKeyDown={key}
          maxLength={TEXT_CHARS_MAX}
          autoComplete="off"
          autoCapitalize="off"
          spellCheck={false}
          rightSection={isFetching ? <Loader size="xs" aria-label={t("find.searching")} /> : undefined}
          maw={640}
        />
      </search>
      <VisuallyHidden role="status">{!isOld && found ? said(found.length, isMore, t) : ""}</VisuallyHidden>
      {error && isEnough(text) && !isOld && <Failed error={error} onRetry={() => void refetch()} />}
      {found && found.length > 0 && (
        <Results found={found} isOld={isOld} list={list} onLeave={() => field.current?.focus()} />
      )}
      {found && isMore && <Text c="dimmed">{t("find.more", { count: found.length })}</Text>}
      {found?.length === 0 && !isOld && (
        <Empty title={t("find.nobody")} action={<RegisterButton isCarrying />}>
          {t("find.nobodyText")}
        </Empty>
      )}
      {!isEnough(text) && <Hints />}
    </Page>
  );
}

function said(count: number, isMore: boolean, t: TFunction<"patients">): string {
  if (count === 0) return t("find.nobody");
  return t(isMore ? "find.countMax" : "find.count", { count });
}

function Failed({ error, onRetry }: { error: unknown; onRetry: () => void }) {
  const { t } = useTranslation("patients");
  // A text that nobody can be found by is no failure: more has to be typed, or less.
  const why = error instanceof Problem && error.status === 422 ? error.at("q") : undefined;
  if (why === undefined) return <ProblemAlert error={error} onRetry={onRetry} />;
  return <Alert title={t("find.unusable")}>{why}</Alert>;
}

function RegisterButton({ isCarrying = false }: { isCarrying?: boolean }) {
  const { t } = useTranslation("patients");
  if (!usePermission("healthcare:write")) return null;
  return (
    <Button component={Link} to="/patients/register" variant={isCarrying ? "filled" : "default"}>
      {t(isCarrying ? "find.registerThis" : "find.register")}
    </Button>
  );
}

function Hints() {
  const { t } = useTranslation("patients");
  const locale = useLocale();
  return (
    <div>
      <Text c="dimmed">{t("find.start")}</Text>
      <List c="dimmed" mt="xs">
        <List.Item>{t("find.byName")}</List.Item>
        <List.Item>{t("find.byBirth", { example: exampleDate(locale) })}</List.Item>
        <List.Item>{t("find.byNumber")}</List.Item>
        <List.Item>{t("find.together")}</List.Item>
      </List>
    </div>
  );
}
