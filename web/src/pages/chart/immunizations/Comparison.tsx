import { Alert, Button, Group, Text } from "@mantine/core";
import { useEffect, useRef } from "react";
import { useTranslation } from "react-i18next";
import { Empty } from "../../../ui/Empty";
import classes from "../Chart.module.css";
import type { Dose } from "../types";
import { useLocale, When } from "../When";
import { momentOf, said } from "../when";
import { changed, type Draft, draftOf } from "./draft";
import { usePlaces } from "./List";

type Field = ReturnType<typeof changed>[number];

/** A field of a draft in words. */
export function useFieldText(): (draft: Draft, field: Field) => string {
  const { t } = useTranslation("chart");
  const locale = useLocale();
  const place = usePlaces();
  return (draft, field) => {
    const text = {
      vaccine: () =>
        [draft.vaccine?.name, draft.vaccine?.cvx && `CVX ${draft.vaccine.cvx}`].filter(Boolean).join(" · "),
      day: () => (draft.day ? said(momentOf(draft.day, draft.time), locale) : ""),
      expires: () => (draft.expires ? said(draft.expires, locale) : ""),
      site: () => place("site", draft.site) ?? "",
      route: () => place("route", draft.route) ?? "",
      // A bare number is one of millilitres.
      volume: () => (/^[\d.,]+$/.test(draft.volume) ? `${draft.volume} mL` : draft.volume),
    }[field as string];
    return (text ? text() : (draft[field] as string)) || t("dose.unsaid");
  };
}

interface Props {
  /** What stood there when the form was opened. */
  before: Draft;
  mine: Draft;
  /** What is stored now. */
  theirs: Dose;
  isBusy: boolean;
  onMine: () => void;
  onTheirs: () => void;
}

/** Somebody else has changed the dose in the meantime: what they stored beside what is about to be. Nobody's work is lost unseen. */
export function Comparison({ before, mine, theirs, isBusy, onMine, onTheirs }: Props) {
  const { t } = useTranslation("chart");
  const text = useFieldText();
  const stored = draftOf(theirs);
  const [ours, others] = [changed(before, mine), changed(before, stored)];
  const fields = [...new Set([...ours, ...others])];
  const start = useRef<HTMLDivElement>(null);
  useEffect(() => start.current?.focus(), []);
  return (
    <Alert color="orange" variant="outline" title={t("conflict.title")} mb="md" ref={start} tabIndex={-1}>
      <Text size="sm">
        {t("conflict.text")} (<When at={theirs.updated_at} />)
      </Text>
      {theirs.status === "entered-in-error" && <Text fw={700}>{t("conflict.voided")}</Text>}
      {fields.length === 0 ? (
        <Empty title={t("conflict.same")} />
      ) : (
        fields.map((field) => (
          <section key={field} aria-label={t(`dose.field.${field}`)}>
            <Text fw={700} mt="xs">
              {t(`dose.field.${field}`)}
            </Text>
            <dl className={classes.compared}>
              <Side name="before" text={text(before, field)} isNew={false} />
              <Side name="theirs" text={text(stored, field)} isNew={others.includes(field)} />
              <Side
                name="mine"
                text={ours.includes(field) ? text(mine, field) : t("conflict.untouched")}
                isNew={ours.includes(field)}
              />
            </dl>
          </section>
        ))
      )}
      <Group mt="sm">
        <Button variant="default" onClick={onTheirs}>
          {t("conflict.takeTheirs")}
        </Button>
        {theirs.status !== "entered-in-error" && (
          <Button onClick={onMine} loading={isBusy}>
            {t("conflict.keepMine")}
          </Button>
        )}
      </Group>
    </Alert>
  );
}

function Side({ name, text, isNew }: { name: "before" | "theirs" | "mine"; text: string; isNew: boolean }) {
  const { t } = useTranslation("chart");
  return (
    <div>
      <dt>{t(`conflict.${name}`)}</dt>
      <dd>{isNew ? <strong>{text}</strong> : text}</dd>
    </div>
  );
}
