/** What is known of the session's end. All times in milliseconds. */
export interface Idle {
  /** When somebody last touched a page, in any tab. */
  touchedAt: number;
  /** When the server last exchanged the session's token: its own clock for idleness starts there. */
  refreshedAt: number;
  /** How long the server lets a session be idle. */
  idleMs: number;
  /** When it ends whatever happens. */
  endsAt: number;
}

/** How long before the end people are warned (WCAG 2.2, 2.2.1 asks for 20 seconds or more). */
const WARNING_MS = 60_000;
/** Longest time between a touch and the exchange that tells the server of it. */
const TELLING_MS_MAX = 180_000;

/** When the session will be over, unless a page is touched, and whether a touch can put that off. */
export function end(idle: Idle): { at: number; isFinal: boolean } {
  const idleEnd = Math.min(idle.touchedAt, idle.refreshedAt) + idle.idleMs;
  return idle.endsAt <= idleEnd ? { at: idle.endsAt, isFinal: true } : { at: idleEnd, isFinal: false };
}

/** From when on people are warned: never for more than a third of the time that they have. */
export function warningMs(idleMs: number): number {
  return Math.min(WARNING_MS, idleMs / 3);
}

/** Whether the server is to be told that somebody is working: there was a touch since it last heard of us, a while ago. */
export function isToBeTold(idle: Idle, now: number): boolean {
  const wait = Math.min(TELLING_MS_MAX, idle.idleMs / 5);
  return idle.touchedAt > idle.refreshedAt && now - idle.refreshedAt >= wait;
}
