import "uplot/dist/uPlot.min.css";

import { Text } from "@mantine/core";
import { type KeyboardEvent, useEffect, useId, useRef, useState } from "react";
import uPlot from "uplot";
import classes from "./TrendChart.module.css";
import {
  drawBand,
  drawLimits,
  drawPoints,
  type Frame,
  type Ink,
  type TrendPoint,
  timeMarks,
  timeSpan,
  valueSpan,
} from "./trend";

interface Props {
  /** Oldest first. */
  points: readonly TrendPoint[];
  frame: Frame;
  locale: string;
  /** What the chart shows, for those who do not see it. */
  label: string;
  /** How to move along it with the keyboard. */
  hint: string;
}

const INKS = ["line", "text", "grid", "band", "out", "paper"] as const;
const HEIGHT = 260;
/** Points that a page key passes over. */
const PAGE = 10;

/**
 * Values over time. It is one stop for the keyboard: arrow keys go from value to value, and the one that is reached is written out
 * below, where screen readers hear it too. A table of the same values stands beside it; this component does not bring it.
 */
export function TrendChart({ points, frame, locale, label, hint }: Props) {
  const [at, setAt] = useState(points.length - 1);
  const { place, probe, chart } = usePlot(points, frame, locale, setAt);
  const hintId = useId();

  function go(event: KeyboardEvent) {
    const steps: Record<string, number> = {
      ArrowLeft: at - 1,
      ArrowDown: at - 1,
      ArrowRight: at + 1,
      ArrowUp: at + 1,
      PageDown: at - PAGE,
      PageUp: at + PAGE,
      Home: 0,
      End: points.length - 1,
    };
    const next = steps[event.key];
    if (next === undefined) return;
    event.preventDefault();
    const index = Math.max(0, Math.min(points.length - 1, next));
    setAt(index);
    const [made, point] = [chart.current, points[index]];
    if (made && point)
      made.setCursor({ left: made.valToPos(point.at / 1000, "x"), top: made.valToPos(point.value, "y") }, false);
  }

  const shown = points[at];
  return (
    <div className={classes.chart}>
      {/* Time runs from left to right in every language that we write, as in the chart's own figures. */}
      <div
        ref={place}
        dir="ltr"
        className={classes.plot}
        role="slider"
        tabIndex={0}
        aria-label={label}
        aria-describedby={hintId}
        aria-valuemin={1}
        aria-valuemax={points.length}
        aria-valuenow={at + 1}
        aria-valuetext={shown?.text ?? ""}
        onKeyDown={go}
      />
      <Text size="sm" className={classes.readout} aria-hidden="true">
        {shown?.text}
      </Text>
      <Text size="xs" c="dimmed" id={hintId}>
        {hint}
      </Text>
      <span ref={probe} className={classes.probe} aria-hidden="true">
        {INKS.map((ink) => (
          <span key={ink} data-ink={ink} />
        ))}
      </span>
    </div>
  );
}

/** Draws the chart into its place, and again whenever its values or the page's colours change. */
function usePlot(points: readonly TrendPoint[], frame: Frame, locale: string, setAt: (index: number) => void) {
  const place = useRef<HTMLDivElement>(null);
  const probe = useRef<HTMLSpanElement>(null);
  const chart = useRef<uPlot>(undefined);
  const palette = usePaletteChanges();

  // biome-ignore lint/correctness/useExhaustiveDependencies: the palette is read from the page whenever it has changed
  useEffect(() => {
    const [element, colours] = [place.current, probe.current];
    if (!element || !colours) return;
    const made = new uPlot(
      options(points, frame, inkOf(colours), locale, element.clientWidth, setAt),
      [points.map((point) => point.at / 1000), points.map((point) => point.value)],
      element,
    );
    chart.current = made;
    const sizes = new ResizeObserver(() => made.setSize({ width: element.clientWidth, height: HEIGHT }));
    sizes.observe(element);
    return () => {
      sizes.disconnect();
      made.destroy();
      chart.current = undefined;
    };
  }, [points, frame, locale, setAt, palette]);
  return { place, probe, chart };
}

/** The colours that the page has now: a canvas knows no style sheet. */
function inkOf(probe: HTMLElement): Ink {
  const read = (name: string) => {
    const element = probe.querySelector(`[data-ink="${name}"]`);
    return element ? getComputedStyle(element).color : "black";
  };
  return Object.fromEntries(INKS.map((name) => [name, read(name)])) as unknown as Ink;
}

function options(
  points: readonly TrendPoint[],
  frame: Frame,
  ink: Ink,
  locale: string,
  width: number,
  setAt: (index: number) => void,
): uPlot.Options {
  const ratio = window.devicePixelRatio || 1;
  const axis = { stroke: ink.text, grid: { stroke: ink.grid, width: 1 }, ticks: { stroke: ink.grid, width: 1 } };
  const figures = new Intl.NumberFormat(locale, { maximumFractionDigits: 3, useGrouping: false });
  return {
    width,
    height: HEIGHT,
    legend: { show: false },
    scales: {
      x: { range: () => timeSpan(points) },
      y: {
        range: () =>
          valueSpan(
            points.map((point) => point.value),
            frame.low,
            frame.high,
          ),
      },
    },
    axes: [
      { ...axis, space: 80, values: (_, marks, __, ___, step) => timeMarks(marks, step, locale) },
      { ...axis, size: 56, values: (_, marks) => marks.map((mark) => figures.format(mark)) },
    ],
    series: [{}, { stroke: ink.line, width: 2, points: { show: false } }],
    cursor: {
      y: false,
      drag: { x: false, y: false },
      points: { size: 12, stroke: ink.text, fill: "transparent", width: 2 },
    },
    hooks: {
      drawClear: [(made) => drawBand(made, frame, ink)],
      draw: [(made) => drawLimits(made, frame, ink, ratio), (made) => drawPoints(made, points, ink, ratio)],
      setCursor: [
        (made) => {
          if (typeof made.cursor.idx === "number") setAt(made.cursor.idx);
        },
      ],
    },
  };
}

/** Counts how often the page's colours have changed: dark or light, forced or its own. */
function usePaletteChanges(): number {
  const [count, setCount] = useState(0);
  useEffect(() => {
    const changed = () => setCount((before) => before + 1);
    const watch = new MutationObserver(changed);
    watch.observe(document.documentElement, { attributeFilter: ["data-mantine-color-scheme"] });
    const media = ["(forced-colors: active)", "(prefers-color-scheme: dark)"].map((query) => matchMedia(query));
    for (const query of media) query.addEventListener("change", changed);
    return () => {
      watch.disconnect();
      for (const query of media) query.removeEventListener("change", changed);
    };
  }, []);
  return count;
}
