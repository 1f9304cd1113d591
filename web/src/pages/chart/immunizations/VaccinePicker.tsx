import { Combobox, Loader, Text, TextInput, useCombobox } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { useQuery } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import { api, body } from "../../../api/client";
import { type Choice, type Option, optionsOf } from "./draft";

/** How long typing pauses before the table is asked. */
const PAUSE_MS = 200;
const VACCINES = 12;
const TEXT = "text";
const ALL = "all";

interface Props {
  value: Choice | null;
  onChoose: (choice: Choice | null, manufacturer: string | undefined) => void;
  error?: string | undefined;
  isFirst: boolean;
}

/**
 * A vaccine by typing any part of its name, its trade name, group, code or maker. Nothing is chosen until somebody chooses it:
 * what comes first in the list is only what fits best.
 */
export function VaccinePicker({ value, onChoose, error, isFirst }: Props) {
  const { t } = useTranslation("chart");
  const combobox = useCombobox({ onDropdownClose: () => combobox.resetSelectedOption() });
  const [typed, setTyped] = useState(value?.name ?? "");
  const [isAll, setAll] = useState(false);
  const [wanted] = useDebouncedValue(typed.trim(), PAUSE_MS);
  const { data, error: problem, isFetching } = useVaccines(wanted, isAll, combobox.dropdownOpened);
  // Nothing that belongs to an earlier text can be chosen, nor a text of one's own before the table has answered.
  const isSettled = typed.trim() === wanted && !isFetching;
  const options = isSettled ? optionsOf(data?.items ?? [], wanted) : [];

  // What was pointed at in the list before does not stand at the same place in the new one.
  // biome-ignore lint/correctness/useExhaustiveDependencies: the list is the reason, the box only what is told
  useEffect(() => combobox.resetSelectedOption(), [data, isSettled]);

  function submit(key: string) {
    if (key === ALL) return setAll(true);
    const option = options.find((one) => one.key === key);
    const choice = option?.choice ?? { cvx: undefined, name: typed.trim() };
    setTyped(choice.name);
    onChoose(choice, option?.manufacturer);
    combobox.closeDropdown();
  }

  function type(text: string) {
    setTyped(text);
    if (value) onChoose(null, undefined);
    combobox.openDropdown();
  }

  return (
    <Combobox store={combobox} onOptionSubmit={submit} withinPortal={false}>
      <Combobox.Target withExpandedAttribute autoComplete="off">
        <TextInput
          label={t("dose.field.vaccine")}
          description={t("dose.vaccineHint")}
          value={typed}
          error={error}
          required
          data-autofocus={isFirst || undefined}
          autoFocus={isFirst}
          autoComplete="off"
          rightSection={isFetching ? <Loader size="xs" aria-hidden="true" /> : null}
          onChange={(event) => type(event.currentTarget.value)}
          onClick={() => combobox.openDropdown()}
          onBlur={() => combobox.closeDropdown()}
          onKeyDown={(event) => {
            // Enter chooses; only where there is nothing to choose from does it send the form.
            if (event.key === "Enter" && combobox.dropdownOpened) event.preventDefault();
          }}
        />
      </Combobox.Target>
      <Combobox.Dropdown>
        <Combobox.Options mah="min(320px, 45vh)" style={{ overflowY: "auto" }} aria-label={t("dose.vaccines")}>
          {options.map((option) => (
            <Line key={option.key} option={option} />
          ))}
          {isSettled && !isAll && data && <Other value={ALL} text={t("dose.showAll")} />}
          {isSettled && typed.trim() !== "" && !value && (
            <Other value={TEXT} text={t("dose.asText", { text: typed.trim() })} />
          )}
        </Combobox.Options>
        {!isSettled && (
          <Text size="sm" p="xs" c="dimmed">
            {t("loading")}
          </Text>
        )}
        {isSettled && problem && (
          <Text size="sm" p="xs" role="alert">
            {t("dose.noTable")}
          </Text>
        )}
      </Combobox.Dropdown>
      <Text size="xs" c="dimmed" role="status">
        {combobox.dropdownOpened && data && isSettled && t("dose.found", { count: data.total })}
      </Text>
    </Combobox>
  );
}

function Other({ value, text }: { value: string; text: string }) {
  return (
    <Combobox.Option value={value}>
      <Text size="sm">{text}</Text>
    </Combobox.Option>
  );
}

function Line({ option }: { option: Option }) {
  const { t } = useTranslation("chart");
  return (
    <Combobox.Option value={option.key}>
      <Text size="sm" fw={600}>
        {option.title}
        {!option.isCurrent && ` (${t("dose.notCurrent")})`}
      </Text>
      <Text size="xs" c="dimmed">
        {option.detail}
      </Text>
    </Combobox.Option>
  );
}

function useVaccines(q: string, isAll: boolean, isWanted: boolean) {
  return useQuery({
    queryKey: ["vaccines", q, isAll],
    enabled: isWanted,
    staleTime: Number.POSITIVE_INFINITY,
    queryFn: async ({ signal }) => {
      const query = { limit: VACCINES, ...(q && { q }), ...(!isAll && { active: true }) };
      return body(await api.GET("/api/v1/iris/vaccines", { params: { query }, signal }));
    },
  });
}
