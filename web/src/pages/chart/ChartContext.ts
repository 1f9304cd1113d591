import { createContext, useContext } from "react";
import type { Summary } from "./types";

/** What has just been done, to be told on the page that follows. Kept in memory only: the browser's history is kept on disk. */
export interface Notice {
  kind: "recorded" | "corrected" | "voided";
  dose: string;
  warnings: readonly string[];
}

/** The chart that is open: whose it is and what the pages below share. */
export interface Chart {
  id: string;
  summary: Summary;
  notice: Notice | undefined;
  tell: (notice: Notice | undefined) => void;
  /** The series to begin with on the page of results. */
  series: string | undefined;
  choose: (series: string | undefined) => void;
}

export const ChartContext = createContext<Chart | undefined>(undefined);

export function useChart(): Chart {
  const chart = useContext(ChartContext);
  if (!chart) throw new Error("a part of the chart stands outside of one");
  return chart;
}
