import { Button, TextInput } from "@mantine/core";
import { type RefObject, useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import { keptOrganization } from "./organizations";

/** The organization of an address that names one, `/app/?organization=north` in links that a clinic hands out; else the last one. */
const named = () => new URLSearchParams(location.search).get("organization") ?? keptOrganization();

/** At which organization somebody is. Most installations have one, so nobody is asked who does not want to say. */
export function Organization({ field }: { field: RefObject<HTMLInputElement | null> }) {
  const { t } = useTranslation();
  const [isAsked, setAsked] = useState(named() !== "");
  const [isPressed, setPressed] = useState(false);
  useEffect(() => {
    if (isPressed) field.current?.focus();
  }, [isPressed, field]);
  if (isAsked) {
    return (
      <TextInput
        ref={field}
        name="tenant"
        label={t("signIn.organization")}
        defaultValue={named()}
        autoCapitalize="none"
        spellCheck={false}
        autoComplete="organization"
      />
    );
  }
  const open = () => {
    setAsked(true);
    setPressed(true);
  };
  return (
    <Button variant="subtle" size="compact-sm" onClick={open}>
      {t("signIn.otherOrganization")}
    </Button>
  );
}
