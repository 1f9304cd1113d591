import { createContext, useContext } from "react";
import { EVERYTHING, type Filter } from "./filter";

export interface Filtering {
  filter: Filter;
  set: (filter: Filter) => void;
}

/** The filter of the log: kept while one goes to an entry and back, and never in the address. */
export const FilterContext = createContext<Filtering>({ filter: EVERYTHING, set: () => undefined });

export const useFiltering = () => useContext(FilterContext);
