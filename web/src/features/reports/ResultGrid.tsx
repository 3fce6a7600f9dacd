import { useState } from "react";

import type { Column, RunQueryResponse } from "../../api/report";
import { cellsOf, queryCsv } from "../../api/report";
import { formatDuration } from "../../format/duration";
import { formatCount } from "../../format/number";
import { Scroller } from "../../ui/Scroller";
import { cellText, isNumeric } from "./cell";

const step = 200;

interface ResultTableProps {
  result: RunQueryResponse;
  /** The statement, for the file of all its rows. */
  sql: string;
}

/** ResultTable shows a result's rows as they came, some at a time. */
export function ResultTable({ result, sql }: ResultTableProps) {
  const { columns, rows, truncated, elapsedUs } = result;
  const [shown, setShown] = useState(step);
  const csv = queryCsv(sql);
  const visible = rows.slice(0, shown);
  return (
    <section className="panel" aria-label="Result">
      <p className="result-head" role="status">
        {formatCount(rows.length)} rows in {formatDuration(elapsedUs)}
        {truncated && <b> · cut off: there were more. Narrow the statement, add a LIMIT, or download them.</b>}
        {" · "}
        {csv === undefined ? (
          "The statement is too long for a link to a CSV file: ask the API for it."
        ) : (
          <a href={csv} download>
            Download CSV
          </a>
        )}
      </p>
      <Scroller label="Result rows">
        <table className="table table-result">
          <thead>
            <tr>
              {columns.map((column) => (
                <th key={column.name} scope="col" className={align(column)} title={column.type}>
                  {column.name}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {visible.map((row, i) => (
              <tr key={i}>
                {cellsOf(row).map((value, j) => (
                  <td key={j} className={align(columns[j])}>
                    {value === null ? <span className="muted">null</span> : cellText(value)}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </Scroller>
      {shown < rows.length && (
        <div className="load-more">
          <button type="button" className="button" onClick={() => setShown(shown + step)}>
            Show {Math.min(step, rows.length - shown)} more
          </button>
        </div>
      )}
    </section>
  );
}

function align(column: Column | undefined): string | undefined {
  return column && isNumeric(column.type) ? "num" : undefined;
}
