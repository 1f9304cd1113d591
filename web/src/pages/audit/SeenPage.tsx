import { Button, Title } from "@mantine/core";
import { useTranslation } from "react-i18next";
import { Link, useParams } from "react-router";
import { Page } from "../../ui/Page";
import { SeenBy } from "./SeenBy";

/** Who has seen a record, for those who read the log without opening charts. */
export function SeenPage() {
  const { t } = useTranslation("audit");
  const { id = "" } = useParams();
  const back = (
    <Button component={Link} to="/audit" variant="default">
      {t("entry.back")}
    </Button>
  );
  return (
    <Page title={t("seen.title")} actions={back}>
      <Title order={2} size="h4">
        {t("seen.patient", { id })}
      </Title>
      <SeenBy key={id} patientId={id} />
    </Page>
  );
}
