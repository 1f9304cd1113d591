import { Button, Group, Modal, PasswordInput, Stack, Text, TextInput, VisuallyHidden } from "@mantine/core";
import { type FormEvent, type KeyboardEvent, useRef, useState, useSyncExternalStore } from "react";
import { useTranslation } from "react-i18next";
import { proveByPasskey, proveByWord } from "../api/access/stepUp";
import { Problem } from "../api/problem";
import { ProblemAlert } from "../ui/ProblemAlert";
import { hasPasskeys, Refused } from "./passkeys";
import { useSession } from "./session";
import { stepUp } from "./stepUp";

type Way = "password" | "code";

/** Over the dialog that asked for what is to be done. */
const ABOVE = 300;
/** Keeps the key that closes this from a dialog below. */
const OWN = { "data-mantine-stop-propagation": "true" };

/**
 * Asks whoever is there to show once more who they are, before what they have asked for is done. `isInPlace` draws it where it stands,
 * not among the dialogs of the pages, which are hidden while something must be done first.
 */
export function StepUpDialog({ isInPlace = false }: { isInPlace?: boolean }) {
  const { t } = useTranslation();
  const isAsked = useSyncExternalStore(stepUp.subscribe, stepUp.isAsked);
  const cancel = () => stepUp.answer(false);
  return (
    <Modal
      opened={isAsked}
      onClose={cancel}
      withinPortal={!isInPlace}
      closeOnEscape={false}
      closeOnClickOutside={false}
      withCloseButton={false}
      zIndex={ABOVE}
      title={t("stepUp.title")}
    >
      {isAsked && <Question onCancel={cancel} />}
    </Modal>
  );
}

function Question({ onCancel }: { onCancel: () => void }) {
  const { t } = useTranslation();
  const { user } = useSession();
  const [way, setWay] = useState<Way>("password");
  const [error, setError] = useState<unknown>();
  const [isBusy, setBusy] = useState(false);
  const field = useRef<HTMLInputElement>(null);

  async function prove(work: () => Promise<void>) {
    if (isBusy) return;
    setBusy(true);
    setError(undefined);
    try {
      await work();
      stepUp.answer(true);
    } catch (problem) {
      setError(problem);
      setBusy(false);
      field.current?.select();
    }
  }

  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    // In the page's tree this lies inside of the form that asked for it.
    event.stopPropagation();
    const typed = String(new FormData(event.currentTarget).get("proof"));
    void prove(() => proveByWord(way, typed));
  };
  const leave = (event: KeyboardEvent) => {
    if (event.key === "Escape") onCancel();
  };
  const other = way === "password" ? "code" : "password";
  const turn = () => {
    setError(undefined);
    setWay(other);
  };
  return (
    <form onSubmit={submit} onKeyDown={leave}>
      <Stack>
        <Text size="sm">{t("stepUp.text", { name: user?.username })}</Text>
        <div role="alert">{error !== undefined && <Refusal error={error} />}</div>
        {/* So that what keeps passwords knows whose this is. */}
        <VisuallyHidden aria-hidden>
          <input autoComplete="username" value={user?.username ?? ""} readOnly tabIndex={-1} />
        </VisuallyHidden>
        <ProofField key={way} way={way} field={field} />
        <Group>
          <Button variant="subtle" size="compact-sm" onClick={turn} {...OWN}>
            {t(`stepUp.to.${other}`)}
          </Button>
          {hasPasskeys() && (
            <Button variant="subtle" size="compact-sm" onClick={() => void prove(proveByPasskey)} {...OWN}>
              {t("stepUp.to.passkey")}
            </Button>
          )}
        </Group>
        <Group justify="end">
          <Button variant="default" onClick={onCancel} {...OWN}>
            {t("stepUp.cancel")}
          </Button>
          <Button type="submit" loading={isBusy} {...OWN}>
            {t("stepUp.submit")}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}

function ProofField({ way, field }: { way: Way; field: React.RefObject<HTMLInputElement | null> }) {
  const { t } = useTranslation();
  if (way === "code") {
    return (
      <TextInput
        ref={field}
        name="proof"
        label={t("stepUp.code")}
        inputMode="numeric"
        autoComplete="one-time-code"
        data-autofocus
        autoFocus
        required
        {...OWN}
      />
    );
  }
  return (
    <PasswordInput
      ref={field}
      name="proof"
      label={t("signIn.password")}
      autoComplete="current-password"
      visibilityToggleButtonProps={{ "aria-label": t("signIn.show"), tabIndex: 0 }}
      data-autofocus
      autoFocus
      required
      {...OWN}
    />
  );
}

function Refusal({ error }: { error: unknown }) {
  const { t } = useTranslation();
  if (error instanceof Refused) return <Text>{t(`signIn.refused.${error.why}`)}</Text>;
  if (!(error instanceof Problem)) return <ProblemAlert error={error} />;
  if (error.status === 429) return <Text>{t("signIn.wait", { count: error.retryAfter ?? 1 })}</Text>;
  if ([401, 403, 422].includes(error.status)) return <Text>{t("stepUp.wrong")}</Text>;
  return <ProblemAlert error={error} />;
}
