const BROWSERS = [
  [/Edg(?:e|A|iOS)?\//, "Edge"],
  [/OPR\//, "Opera"],
  [/Firefox\/|FxiOS\//, "Firefox"],
  [/Chrome\/|CriOS\/|Chromium\//, "Chrome"],
  [/Safari\//, "Safari"],
] as const;

const SYSTEMS = [
  [/Android/, "Android"],
  [/iPhone|iPad|iPod/, "iOS"],
  [/Windows/, "Windows"],
  [/Mac OS X|Macintosh/, "macOS"],
  [/CrOS/, "ChromeOS"],
  [/Linux|X11/, "Linux"],
] as const;

/** Longest part of a name that no browser is known by. */
const LENGTH_MAX = 40;

/**
 * What people call the program and the device that a `User-Agent` header names, as `Firefox, Windows`. Anybody can send any such header,
 * so it helps to know a session again and proves nothing.
 */
export function deviceOf(agent: string | undefined): string {
  if (!agent) return "";
  const named = (known: readonly (readonly [RegExp, string])[]) => known.find(([mark]) => mark.test(agent))?.[1];
  const parts = [named(BROWSERS), named(SYSTEMS)].filter(Boolean);
  return parts.length > 0 ? parts.join(", ") : agent.slice(0, LENGTH_MAX);
}
