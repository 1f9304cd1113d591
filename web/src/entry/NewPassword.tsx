import { PasswordInput, Text } from "@mantine/core";
import { useTranslation } from "react-i18next";

interface Props {
  value: string;
  onChange: (password: string) => void;
  label: string;
  error?: string | undefined;
  autoFocus?: boolean;
}

/** Characters that every password has at least; the server has the last word. */
export const PASSWORD_LENGTH_MIN = 8;

/** A password of one's own choice. It can be looked at, so it is typed once. */
export function NewPassword({ value, onChange, label, error, autoFocus = false }: Props) {
  const { t } = useTranslation(["entry", "app"]);
  return (
    <div>
      <PasswordInput
        name="new_password"
        label={label}
        description={t("password.hint", { count: PASSWORD_LENGTH_MIN })}
        autoComplete="new-password"
        visibilityToggleButtonProps={{ "aria-label": t("app:signIn.show"), tabIndex: 0 }}
        value={value}
        error={error}
        // The library marks it for the eye alone.
        aria-invalid={error !== undefined}
        autoFocus={autoFocus}
        onChange={(event) => onChange(event.currentTarget.value)}
        required
      />
      <Text size="sm" c="dimmed" mt={4} role="status">
        {value !== "" &&
          value.length < PASSWORD_LENGTH_MIN &&
          t("password.short", { count: PASSWORD_LENGTH_MIN - value.length })}
      </Text>
    </div>
  );
}

/** Why a password cannot be sent as it is, if so. */
export function passwordFault(password: string): "password.need" | "password.tooShort" | undefined {
  if (password === "") return "password.need";
  return password.length < PASSWORD_LENGTH_MIN ? "password.tooShort" : undefined;
}
