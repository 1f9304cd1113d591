import { session } from "./session";

/**
 * The question for a fresh proof of who is there, which the server wants before what is dangerous. It is asked once, however many
 * requests wait for it.
 */
class StepUp {
  private waiting: { promise: Promise<boolean>; give: (isProven: boolean) => void } | undefined;
  private listeners = new Set<() => void>();

  constructor() {
    session.onForget(() => this.answer(false));
  }

  subscribe = (listener: () => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  isAsked = () => this.waiting !== undefined;

  /** Resolves to whether the proof was given. Where no page can ask, it was not. */
  ask(): Promise<boolean> {
    if (this.listeners.size === 0) return Promise.resolve(false);
    if (!this.waiting) {
      let give: (isProven: boolean) => void = () => undefined;
      const promise = new Promise<boolean>((resolve) => {
        give = resolve;
      });
      this.waiting = { promise, give };
      this.tell();
    }
    return this.waiting.promise;
  }

  answer(isProven: boolean): void {
    const { waiting } = this;
    this.waiting = undefined;
    waiting?.give(isProven);
    this.tell();
  }

  private tell() {
    for (const listener of this.listeners) listener();
  }
}

export const stepUp = new StepUp();
