/** What the tabs of one browser tell each other about the session that they share. It names nobody but the account's id. */
export type Told = { what: "in"; user: string } | { what: "locked" } | { what: "out" };

/** Times that all tabs read: of the last touch, and of the last exchange with the server. They say nothing about anybody. */
export type Mark = "touched" | "refreshed";

const channel = new BroadcastChannel("iris-session");

export function tell(told: Told): void {
  channel.postMessage(told);
}

/** Calls `hear` with what other tabs tell. */
export function listen(hear: (told: Told) => void): () => void {
  const listener = (event: MessageEvent<Told>) => hear(event.data);
  channel.addEventListener("message", listener);
  return () => channel.removeEventListener("message", listener);
}

/**
 * Marks a time for every tab, also for those that the browser has put to sleep: they would miss a message, wake up in the belief that
 * nobody has been here, and end the session of the tab in use.
 */
export function mark(name: Mark, at: number): void {
  localStorage.setItem(`iris-${name}`, String(at));
}

/** The marked time in milliseconds since 1970; 0 if there is none. */
export function marked(name: Mark): number {
  return Number(localStorage.getItem(`iris-${name}`)) || 0;
}
