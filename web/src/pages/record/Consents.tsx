import { Stack, Text } from "@mantine/core";
import { useTranslation } from "react-i18next";
import { Empty } from "../../ui/Empty";
import { Read } from "../admin/Read";
import classes from "../chart/Chart.module.css";
import { One } from "../chart/consents/ConsentList";
import { useConsents } from "../chart/consents/queries";
import { Section } from "../chart/Section";

/** What the patient has allowed and forbidden, to be read. */
export default function Consents({ id }: { id: string }) {
  const { t } = useTranslation("record");
  return (
    <Section title={t("tabs.consents")}>
      <Stack gap="sm">
        <Text size="sm">{t("consents.text")}</Text>
        <Read of={useConsents(id)}>
          {({ items }) =>
            items.length === 0 ? (
              <Empty title={t("consents.none")} />
            ) : (
              <ul className={classes.items}>
                {items.map((consent) => (
                  <li key={consent.id}>
                    <One patient={id} consent={consent} now={Date.now()} />
                  </li>
                ))}
              </ul>
            )
          }
        </Read>
      </Stack>
    </Section>
  );
}
