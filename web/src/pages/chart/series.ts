import { type Flag, flagOf } from "./clinical";
import type { Point, Series } from "./types";

/** What a trend comes to, for its summary in words. */
export interface Gist {
  count: number;
  first: Point;
  last: Point;
  lowest: Point;
  highest: Point;
  flag: Flag | undefined;
  /** Points outside of what is expected. */
  out: number;
  /** Where the last value went from the one before. */
  direction: "up" | "down" | "same" | undefined;
}

/** How a point of a series lies to what is expected. */
export function flagIn(series: Series, point: Point): Flag | undefined {
  return flagOf({ value: point.value, low: series.low, high: series.high, interpretation: point.interpretation });
}

/** What a trend comes to; nothing for one without values. */
export function gistOf(series: Series): Gist | undefined {
  const { points } = series;
  const [first, last, before] = [points[0], points.at(-1), points.at(-2)];
  if (!first || !last) return undefined;
  const least = (a: Point, b: Point) => (b.value < a.value ? b : a);
  const most = (a: Point, b: Point) => (b.value > a.value ? b : a);
  const flags = points.map((point) => flagIn(series, point));
  return {
    count: points.length,
    first,
    last,
    lowest: points.reduce(least, first),
    highest: points.reduce(most, first),
    flag: flags.at(-1),
    out: flags.filter((flag) => flag !== undefined && flag !== "normal").length,
    direction: before && direction(last.value - before.value),
  };
}

function direction(difference: number): "up" | "down" | "same" {
  if (difference === 0) return "same";
  return difference > 0 ? "up" : "down";
}

/** What tells one series from another. */
export function keyOf(series: Series): string {
  return [series.system, series.code, series.name, series.unit].join("|");
}
