import { useEffect, useSyncExternalStore } from "react";

/**
 * Which charts are open in the tabs of this browser. Tabs tell each other random ids and nothing else: no name leaves a tab.
 * Writing for the wrong patient because two charts lie side by side is what this is there to prevent.
 */
interface Message {
  tab: string;
  /** `ask`: who is there? `here`: this chart is open in me. `gone`: no more. */
  kind: "ask" | "here" | "gone";
  patient?: string;
}

/** How long an answer may take; a tab that crashed gives none. */
const ANSWER_MS = 2_000;
/** How often the others are asked again. */
const ASK_MS = 30_000;

export class Charts {
  private readonly tab = crypto.randomUUID();
  private others = new Map<string, string>();
  private mine: string | undefined;
  private channel: BroadcastChannel | undefined;
  private timers: ReturnType<typeof setTimeout>[] = [];
  private listeners = new Set<() => void>();
  private isOther = false;

  subscribe = (listener: () => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  /** Whether another tab shows another patient's chart. */
  current = () => this.isOther;

  /** This tab shows a chart from now on. Gives what ends it. */
  open(patient: string): () => void {
    this.mine = patient;
    const channel = new BroadcastChannel("iris-charts");
    this.channel = channel;
    channel.onmessage = (event: MessageEvent<Message>) => this.hear(event.data);
    this.say("here");
    this.ask();
    const again = setInterval(() => this.ask(), ASK_MS);
    const leave = () => this.say("gone");
    // A page that comes back from the browser's cache is open again.
    const back = () => {
      this.say("here");
      this.ask();
    };
    addEventListener("pagehide", leave);
    addEventListener("pageshow", back);
    return () => {
      leave();
      clearInterval(again);
      for (const timer of this.timers) clearTimeout(timer);
      removeEventListener("pagehide", leave);
      removeEventListener("pageshow", back);
      channel.close();
      this.channel = undefined;
      this.mine = undefined;
      this.others.clear();
      this.tell();
    };
  }

  private say(kind: Message["kind"]) {
    const message: Message = { tab: this.tab, kind };
    if (kind === "here" && this.mine) message.patient = this.mine;
    this.channel?.postMessage(message);
  }

  /** Asks who is there and forgets those who do not answer. */
  private ask() {
    const silent = new Set(this.others.keys());
    const heard = ({ data }: MessageEvent<Message>) => silent.delete(data.tab);
    const channel = this.channel;
    channel?.addEventListener("message", heard);
    this.say("ask");
    const timer = setTimeout(() => {
      channel?.removeEventListener("message", heard);
      this.timers = this.timers.filter((other) => other !== timer);
      for (const tab of silent) this.others.delete(tab);
      this.tell();
    }, ANSWER_MS);
    this.timers.push(timer);
  }

  private hear({ tab, kind, patient }: Message) {
    if (kind === "ask") this.say("here");
    if (kind === "gone") this.others.delete(tab);
    if (kind === "here" && patient) this.others.set(tab, patient);
    this.tell();
  }

  private tell() {
    const isOther = [...this.others.values()].some((patient) => patient !== this.mine);
    if (isOther === this.isOther) return;
    this.isOther = isOther;
    for (const listener of this.listeners) listener();
  }
}

const charts = new Charts();

/** Tells the other tabs that this one shows a patient's chart, as long as the component is there. */
export function useOpenChart(patient: string) {
  useEffect(() => charts.open(patient), [patient]);
}

/** Whether another tab of this browser shows another patient's chart. */
export function useOtherChart(): boolean {
  return useSyncExternalStore(charts.subscribe, charts.current);
}
