import { Text } from "@mantine/core";
import { type KeyboardEvent, type RefObject, useId } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import { nameOf } from "../../chart/Identity";
import { Details } from "../Details";
import type { Found } from "../types";
import { useList } from "../useLocale";
import classes from "./Results.module.css";

/** The links of a list of results, from the top. */
export function rows(list: HTMLElement | null): HTMLElement[] {
  return [...(list?.querySelectorAll<HTMLElement>("a") ?? [])];
}

interface Props {
  found: Found[];
  /** They belong to an earlier text. */
  isOld: boolean;
  list: RefObject<HTMLUListElement | null>;
  /** The way back up to the field. */
  onLeave: () => void;
}

/** Who was found, each with name, birth date, sex, number and telephone number: never by a name alone. */
export function Results({ found, isOld, list, onLeave }: Props) {
  const { t } = useTranslation("patients");

  function key(event: KeyboardEvent) {
    const all = rows(list.current);
    const here = all.indexOf(document.activeElement as HTMLElement);
    const steps: Record<string, number> = { ArrowDown: here + 1, ArrowUp: here - 1, Home: 0, End: all.length - 1 };
    const next = steps[event.key];
    if (event.key !== "Escape" && next === undefined) return;
    event.preventDefault();
    if (next === undefined || next < 0) onLeave();
    else all[Math.min(next, all.length - 1)]?.focus();
  }

  return (
    <ul
      ref={list}
      className={`${classes.list} ${isOld ? classes.old : ""}`}
      aria-label={t("find.results")}
      aria-busy={isOld}
      inert={isOld}
      onKeyDown={key}
    >
      {found.map((patient) => (
        <Row key={patient.id} patient={patient} />
      ))}
    </ul>
  );
}

function Row({ patient }: { patient: Found }) {
  const { t } = useTranslation("patients");
  const id = useId();
  const words = (patient.matched ?? []).map((what) => t(`matched.${what}`));
  const list = useList();
  return (
    <li className={classes.row}>
      <Link to={`/patients/${patient.id}`} className={classes.name} aria-describedby={id}>
        <bdi>{nameOf(patient)}</bdi>
      </Link>
      <Details patient={patient} id={id} />
      {words.length > 0 && (
        <Text size="xs" c="dimmed">
          {t("find.foundBy", { what: list.format(words) })}
        </Text>
      )}
    </li>
  );
}
