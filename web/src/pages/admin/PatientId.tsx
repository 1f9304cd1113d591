import { TextInput } from "@mantine/core";
import { useTranslation } from "react-i18next";

interface Props {
  value: string;
  error?: string | undefined;
  onChange: (id: string) => void;
}

/** Whose record an account may see that has the role patient. */
export function PatientId({ value, error, onChange }: Props) {
  const { t } = useTranslation("admin");
  return (
    <TextInput
      label={t("create.patient")}
      description={t("create.patientHint")}
      required
      autoComplete="off"
      spellCheck={false}
      value={value}
      error={error}
      onChange={(event) => onChange(event.currentTarget.value)}
    />
  );
}
