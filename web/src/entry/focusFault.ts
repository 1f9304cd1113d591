import type { RefObject } from "react";

/** Moves the focus to the first field of a form that is marked as wrong, once it is. */
export function focusFault(form: RefObject<HTMLElement | null>): void {
  setTimeout(() => form.current?.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus());
}
