import { Alert, Anchor, List } from "@mantine/core";
import { useTranslation } from "react-i18next";
import { type Faults, NAMES, type Name } from "./draft";

/** Every fault in one place, each leading to its field. */
export function Summary({ faults, onGo }: { faults: Faults; onGo: (name: Name) => void }) {
  const { t } = useTranslation("patients");
  const names = NAMES.filter((name) => faults[name] !== undefined);
  return (
    <div role="alert">
      {names.length > 0 && (
        <Alert color="red" variant="light" title={t("form.faults", { count: names.length })} role="group">
          <List size="sm">
            {names.map((name) => (
              <List.Item key={name}>
                <Anchor component="button" type="button" inherit onClick={() => onGo(name)}>
                  {t(`field.${name}`)}
                </Anchor>
                {": "}
                {faults[name]}
              </List.Item>
            ))}
          </List>
        </Alert>
      )}
    </div>
  );
}
