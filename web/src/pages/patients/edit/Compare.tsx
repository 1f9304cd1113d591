import { Alert, Button, Group, List, Modal, Radio, Stack, Text } from "@mantine/core";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { When } from "../../chart/When";
import { compare, type Draft, draftOf, type Name, TAKEN_AWAY } from "../form/draft";
import type { Version } from "../queries";
import { useLocale } from "../useLocale";

type Side = "theirs" | "yours";

interface Props {
  /** The version that the form began with. */
  read: Version;
  /** The version that is stored now. */
  stored: Version;
  draft: Draft;
  onMerged: (draft: Draft) => void;
  onClose: () => void;
}

/**
 * Somebody else has changed the record meanwhile: what they wrote beside what is in the form. Where both have changed a field, a
 * person chooses; nothing is chosen beforehand.
 */
export function Compare({ read, stored, draft, onMerged, onClose }: Props) {
  const { t } = useTranslation("patients");
  const locale = useLocale();
  const [chosen, choose] = useState<Partial<Record<Name, Side>>>({});
  const [isAsked, setAsked] = useState(false);
  const theirs = draftOf(stored.patient);
  const found = compare(draftOf(read.patient), theirs, draft, locale);
  // The number itself is in no draft; that it is another one can be seen all the same.
  const isSsnTheirs = read.patient.ssn !== stored.patient.ssn;
  const both: Name[] = isSsnTheirs && draft.ssn.trim() !== "" ? [...found.both, "ssn"] : found.both;
  const yours = found.yours.filter((name) => !both.includes(name));
  const open = both.filter((name) => chosen[name] === undefined);

  const typed = (name: Name) => (draft[name] === TAKEN_AWAY ? "" : draft[name]) || t("conflict.empty");

  function merge() {
    setAsked(true);
    if (open.length > 0) return;
    const merged = { ...theirs };
    for (const name of yours) merged[name] = draft[name];
    for (const name of both) if (chosen[name] === "yours") merged[name] = draft[name];
    onMerged(merged);
  }

  return (
    <Modal
      opened
      onClose={onClose}
      size="lg"
      title={t("conflict.title")}
      closeButtonProps={{ "aria-label": t("conflict.back") }}
    >
      <Stack>
        <Text size="sm">{t("conflict.text")}</Text>
        {stored.patient.updated_at && (
          <Text size="sm">
            {t("conflict.when")} <When at={stored.patient.updated_at} />
          </Text>
        )}
        {both.map((name) => (
          <Radio.Group
            key={name}
            label={t(`field.${name}`)}
            value={chosen[name] ?? ""}
            onChange={(side) => choose({ ...chosen, [name]: side as Side })}
            error={isAsked && chosen[name] === undefined ? t("conflict.choose") : undefined}
          >
            <Stack gap="xs" mt="xs">
              <Radio
                value="theirs"
                label={t("conflict.theirs", { value: shown(name, theirs, stored, t("conflict.empty")) })}
              />
              <Radio value="yours" label={t("conflict.yours", { value: typed(name) })} />
            </Stack>
          </Radio.Group>
        ))}
        <Kept title={t("conflict.onlyTheirs")} names={found.theirs} draft={theirs} />
        <Kept title={t("conflict.onlyYours")} names={yours} draft={draft} />
        {isAsked && open.length > 0 && (
          <Alert color="red" variant="light" role="alert">
            {t("conflict.open", { count: open.length })}
          </Alert>
        )}
        <Group justify="end">
          <Button variant="default" onClick={onClose}>
            {t("conflict.back")}
          </Button>
          <Button onClick={merge}>{t("conflict.save")}</Button>
        </Group>
      </Stack>
    </Modal>
  );
}

function shown(name: Name, theirs: Draft, stored: Version, empty: string): string {
  if (name === "ssn") return stored.patient.ssn ? `•••-••-${stored.patient.ssn.slice(-4)}` : empty;
  return theirs[name] || empty;
}

function Kept({ title, names, draft }: { title: string; names: Name[]; draft: Draft }) {
  const { t } = useTranslation("patients");
  if (names.length === 0) return null;
  return (
    <div>
      <Text size="sm" fw={600}>
        {title}
      </Text>
      <List size="sm">
        {names.map((name) => (
          <List.Item key={name}>
            {t(`field.${name}`)}: <bdi>{(draft[name] !== TAKEN_AWAY && draft[name]) || t("conflict.empty")}</bdi>
          </List.Item>
        ))}
      </List>
    </div>
  );
}
