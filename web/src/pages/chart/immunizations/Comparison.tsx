import { Alert, Button, Group, Table, Text } from "@mantine/core";
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
        <div className={classes.wide}>
          <Table mt="xs">
            <Table.Thead>
              <Table.Tr>
                <Table.Th scope="col">{t("conflict.field")}</Table.Th>
                <Table.Th scope="col">{t("conflict.before")}</Table.Th>
                <Table.Th scope="col">{t("conflict.theirs")}</Table.Th>
                <Table.Th scope="col">{t("conflict.mine")}</Table.Th>
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {fields.map((field) => (
                <Table.Tr key={field}>
                  <Table.Th scope="row">{t(`dose.field.${field}`)}</Table.Th>
                  <Table.Td>{text(before, field)}</Table.Td>
                  <Table.Td fw={others.includes(field) ? 700 : undefined}>{text(stored, field)}</Table.Td>
                  <Table.Td fw={ours.includes(field) ? 700 : undefined}>
                    {ours.includes(field) ? text(mine, field) : t("conflict.untouched")}
                  </Table.Td>
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
        </div>
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
