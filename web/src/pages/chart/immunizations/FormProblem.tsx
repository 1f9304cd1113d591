import { Alert, List } from "@mantine/core";
import { useTranslation } from "react-i18next";
import { Problem } from "../../../api/problem";
import { ProblemAlert } from "../../../ui/ProblemAlert";
import { placed } from "./draft";

/** What went wrong with the whole, and the faults that belong to no field of the form. */
export function FormProblem({ problem }: { problem: unknown }) {
  const { t } = useTranslation("chart");
  if (problem === undefined) return null;
  const rest = problem instanceof Problem ? placed(problem.errors).rest : [];
  return (
    <>
      <ProblemAlert error={problem} writes />
      {rest.length > 0 && (
        <Alert color="red" variant="outline" title={t("dose.otherFaults")}>
          <List size="sm">
            {rest.map((fault) => (
              <List.Item key={fault}>{fault}</List.Item>
            ))}
          </List>
        </Alert>
      )}
    </>
  );
}
