import { VisuallyHidden } from "@mantine/core";
import type { ReactNode } from "react";
import classes from "./Audit.module.css";

interface Column<Row> {
  /** Its heading, which stands in front of each cell where the screen is narrow. */
  head: string;
  cell: (row: Row) => ReactNode;
}

interface Props<Row> {
  /** What the table is, for those who do not see what stands around it. */
  caption: string;
  /** The first one names the row. */
  columns: Column<Row>[];
  rows: readonly Row[];
  keyOf: (row: Row) => string | number;
}

/**
 * A table whose rows become cards on a narrow screen. Roles are given by name: a table that is not drawn as one loses its own.
 */
export function DataTable<Row>({ caption, columns, rows, keyOf }: Props<Row>) {
  return (
    // biome-ignore-start lint/a11y/noRedundantRoles: lost otherwise with `display: block`
    <table className={classes.table} role="table">
      <caption>
        <VisuallyHidden>{caption}</VisuallyHidden>
      </caption>
      <thead role="rowgroup">
        <tr role="row">
          {columns.map(({ head }) => (
            <th key={head} scope="col" role="columnheader">
              {head}
            </th>
          ))}
        </tr>
      </thead>
      <tbody role="rowgroup">
        {rows.map((row) => (
          <tr key={keyOf(row)} role="row">
            {columns.map(({ head, cell }, place) => {
              const inside = (
                <>
                  <span className={classes.label} aria-hidden="true">
                    {head}
                  </span>
                  {cell(row)}
                </>
              );
              return place === 0 ? (
                <th key={head} scope="row" role="rowheader">
                  {inside}
                </th>
              ) : (
                <td key={head} role="cell">
                  {inside}
                </td>
              );
            })}
          </tr>
        ))}
      </tbody>
    </table>
    // biome-ignore-end lint/a11y/noRedundantRoles: lost otherwise with `display: block`
  );
}
