import { Checkbox, Stack } from "@mantine/core";
import { useTranslation } from "react-i18next";
import { useRoles } from "./access";
import { ROLES } from "./types";

interface Props {
  label: string;
  hint?: string;
  value: string[];
  error?: string | undefined;
  /** Only to be looked at. */
  isFixed?: boolean;
  onChange: (roles: string[]) => void;
}

/** Roles with what each of them allows. */
export function RolePicker({ label, hint, value, error, isFixed = false, onChange }: Props) {
  const { t } = useTranslation("admin");
  const { data } = useRoles();
  const own = data?.items.filter((role) => !role.built_in) ?? [];
  return (
    <Checkbox.Group label={label} description={hint} value={value} error={error} onChange={onChange}>
      <Stack gap="xs" mt="xs">
        {ROLES.map((role) => (
          <Checkbox
            key={role}
            value={role}
            disabled={isFixed}
            label={t(`role.${role}`)}
            description={t(`roleWhat.${role}`)}
          />
        ))}
        {own.map(({ id, name, description }) => (
          <Checkbox key={id} value={name} disabled={isFixed} label={<bdi>{name}</bdi>} description={description} />
        ))}
      </Stack>
    </Checkbox.Group>
  );
}
