import { useTranslation } from "react-i18next";
import type { Role } from "../../api/access/admin";

/** How a role is called: one of the product's in the reader's language, one that was made here by its name. */
export function useRoleName(): (role: Pick<Role, "name" | "built_in">) => string {
  const { t } = useTranslation("admin");
  return ({ name, built_in: isOurs }) => (isOurs ? t(`role.${name}`, { defaultValue: name }) : name);
}
