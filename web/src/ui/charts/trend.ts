import type uPlot from "uplot";

/** One value of a trend. */
export interface TrendPoint {
  /** Milliseconds since 1970. */
  at: number;
  value: number;
  /** Outside of what is expected: drawn in another shape, so that colour is not what tells it. */
  isOut: boolean;
  /** The whole point in words. */
  text: string;
}

/** Colours of a chart, as the canvas takes them. */
export interface Ink {
  line: string;
  text: string;
  grid: string;
  band: string;
  out: string;
  paper: string;
}

/** What is drawn besides the points. */
export interface Frame {
  low: number | undefined;
  high: number | undefined;
  /** Written at the ends of the reference range. */
  lowText: string;
  highText: string;
}

const DAY_S = 86_400;

/** The marks of a time axis, only as fine as they lie apart. */
export function timeMarks(seconds: readonly number[], stepSeconds: number, locale: string): string[] {
  const parts: Intl.DateTimeFormatOptions =
    stepSeconds >= 360 * DAY_S
      ? { year: "numeric" }
      : stepSeconds >= 28 * DAY_S
        ? { month: "short", year: "numeric" }
        : stepSeconds >= DAY_S
          ? { day: "numeric", month: "short" }
          : { hour: "numeric", minute: "2-digit" };
  const format = new Intl.DateTimeFormat(locale, parts);
  return seconds.map((at) => format.format(at * 1000));
}

/** The span of the value axis: all values and both ends of the reference range, with room around them. */
export function valueSpan(
  values: readonly number[],
  low: number | undefined,
  high: number | undefined,
): [number, number] {
  const all = [...values, ...[low, high].filter((end) => end !== undefined)];
  if (all.length === 0) return [0, 1];
  const [least, most] = [Math.min(...all), Math.max(...all)];
  const room = (most - least) * 0.1 || Math.abs(most) * 0.1 || 1;
  return [least >= 0 ? Math.max(0, least - room) : least - room, most + room];
}

/** The span of the time axis; a single value stands in the middle of two days. */
export function timeSpan(points: readonly TrendPoint[]): [number, number] {
  const [first, last] = [points[0], points.at(-1)];
  if (!first || !last) return [0, 1];
  const room = ((last.at - first.at) / 1000) * 0.03 || DAY_S;
  return [first.at / 1000 - room, last.at / 1000 + room];
}

const RADIUS = 4;
const TEXT_FONT = "12px system-ui, sans-serif";

/** The reference range as a band, behind everything else. */
export function drawBand(chart: uPlot, frame: Frame, ink: Ink) {
  if (frame.low === undefined && frame.high === undefined) return;
  const { ctx, bbox } = chart;
  const top = frame.high === undefined ? bbox.top : chart.valToPos(frame.high, "y", true);
  const bottom = frame.low === undefined ? bbox.top + bbox.height : chart.valToPos(frame.low, "y", true);
  ctx.save();
  ctx.fillStyle = ink.band;
  ctx.globalAlpha = 0.15;
  ctx.fillRect(bbox.left, top, bbox.width, bottom - top);
  ctx.restore();
}

/** The ends of the reference range, dashed and named, over the line: colour is not what tells them. */
export function drawLimits(chart: uPlot, frame: Frame, ink: Ink, ratio: number) {
  const { ctx, bbox } = chart;
  ctx.save();
  ctx.font = scaled(ratio);
  ctx.textAlign = "left";
  ctx.textBaseline = "bottom";
  ctx.lineJoin = "round";
  const ends: [number | undefined, string][] = [
    [frame.high, frame.highText],
    [frame.low, frame.lowText],
  ];
  for (const [end, text] of ends) {
    if (end === undefined) continue;
    const y = Math.round(chart.valToPos(end, "y", true));
    ctx.strokeStyle = ink.text;
    ctx.lineWidth = ratio;
    ctx.setLineDash([6 * ratio, 4 * ratio]);
    ctx.beginPath();
    ctx.moveTo(bbox.left, y);
    ctx.lineTo(bbox.left + bbox.width, y);
    ctx.stroke();
    // A rim in the colour of the page keeps the words legible where a line runs through them.
    ctx.setLineDash([]);
    ctx.strokeStyle = ink.paper;
    ctx.lineWidth = 4 * ratio;
    ctx.strokeText(text, bbox.left + 4 * ratio, y - 2 * ratio);
    ctx.fillStyle = ink.text;
    ctx.fillText(text, bbox.left + 4 * ratio, y - 2 * ratio);
  }
  ctx.restore();
}

const scaled = (ratio: number) => TEXT_FONT.replace("12px", `${12 * ratio}px`);

/** The points: a dot within the range, a diamond with an outline outside of it. */
export function drawPoints(chart: uPlot, points: readonly TrendPoint[], ink: Ink, ratio: number) {
  const { ctx } = chart;
  ctx.save();
  for (const point of points) {
    const x = chart.valToPos(point.at / 1000, "x", true);
    const y = chart.valToPos(point.value, "y", true);
    const size = RADIUS * ratio * (point.isOut ? 1.6 : 1);
    ctx.beginPath();
    if (point.isOut) {
      ctx.moveTo(x, y - size);
      ctx.lineTo(x + size, y);
      ctx.lineTo(x, y + size);
      ctx.lineTo(x - size, y);
      ctx.closePath();
    } else {
      ctx.arc(x, y, size, 0, 2 * Math.PI);
    }
    ctx.fillStyle = point.isOut ? ink.out : ink.line;
    ctx.fill();
    if (point.isOut) {
      ctx.strokeStyle = ink.text;
      ctx.lineWidth = ratio;
      ctx.stroke();
    }
  }
  ctx.restore();
}
