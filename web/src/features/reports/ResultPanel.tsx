import type { Result, Statement } from "../../api/statement";
import { csvAddress, mostRows, useReadOn } from "../../api/statement";
import { formatDuration } from "../../format/duration";
import { formatBytes, formatCount } from "../../format/number";
import { FormError } from "../../ui/Form";
import { Segmented } from "../../ui/Segmented";
import { Empty, Loading } from "../../ui/State";
import { offsetOf } from "./position";
import { ResultChart } from "./ResultChart";
import { ResultGrid } from "./ResultGrid";
import type { ChartChoice } from "./statement";
import { StatementError } from "./StatementError";

interface ResultPanelProps {
  /** What ran; undefined: nothing can. */
  statement: Statement | undefined;
  result: { data: Result | undefined; error: unknown; isFetching: boolean; refetch: () => unknown };
  /** Whether a parameter has no value yet. */
  missing: boolean;
  sql: string;
  /** Of the report that ran as it is saved. */
  reportId: string | undefined;
  zone: string;
  view: "chart" | "rows";
  choice: ChartChoice | undefined;
  onView: (view: "chart" | "rows") => void;
  onChoose: (choice: ChartChoice) => void;
  onGoTo: (offset: number) => void;
}

/** ResultPanel is what a statement found, or why there is nothing. */
export function ResultPanel({ statement, result, missing, sql, onGoTo, ...shown }: ResultPanelProps) {
  const { data, error, isFetching, refetch } = result;
  if (!statement) return <Panel>{missing ? <NeedsValues /> : <NothingRan />}</Panel>;
  if (error && !isFetching) return <StatementError error={error} sql={sql} onRetry={refetch} onGoTo={(position) => onGoTo(offsetOf(sql, position))} />;
  if (isFetching && !data) return <Panel><Loading what="result" shape="table" /></Panel>;
  if (!data) return <Panel><Cancelled /></Panel>;
  return (
    <Panel>
      <Found statement={statement} data={data} {...shown} />
    </Panel>
  );
}

function Panel({ children }: { children: React.ReactNode }) {
  return (
    <section className="panel" aria-label="Result">
      {children}
    </section>
  );
}

type FoundProps = Pick<ResultPanelProps, "reportId" | "zone" | "view" | "choice" | "onView" | "onChoose"> & { statement: Statement; data: Result };

const looks = [
  { value: "rows", label: "Rows" },
  { value: "chart", label: "Chart" },
] as const;

function Found({ statement, data, reportId, zone, view, choice, onView, onChoose }: FoundProps) {
  const { reading, start, cancel } = useReadOn(statement);
  const rows = reading.state === "read" ? reading.rows : data.rows;
  const csv = csvAddress(statement, reportId);
  const took = reading.state === "read" ? reading.whole : data;
  return (
    <>
      <div className="result-head">
        <p role="status">
          <b>{formatCount(rows.length)}</b> {rows.length === 1 ? "row" : "rows"}
          {took && ` in ${formatDuration(took.elapsedUs)}`}
          <span className="muted">
            {took && ` · ${formatBytes(took.bytes)}`} · times in {zone}
          </span>
        </p>
        <div className="result-tools">
          <Segmented label="Show the result as" options={looks} value={view} onChange={onView} />
          {csv === undefined ? (
            <span className="muted">Too long for a download link: save it as a report first.</span>
          ) : (
            <a className="button button-small" href={csv} download>
              Download CSV
            </a>
          )}
        </div>
      </div>
      {data.cutBy && <CutOff by={data.cutBy} rows={data.rows.length} reading={reading} onStart={() => void start()} onCancel={cancel} />}
      {rows.length === 0 ? (
        <NoRows />
      ) : view === "chart" ? (
        <ResultChart columns={data.columns} rows={rows} zone={zone} choice={choice} onChoose={onChoose} />
      ) : (
        <ResultGrid columns={data.columns} rows={rows} zone={zone} />
      )}
    </>
  );
}

interface CutOffProps {
  by: "rows" | "bytes";
  rows: number;
  reading: ReturnType<typeof useReadOn>["reading"];
  onStart: () => void;
  onCancel: () => void;
}

function CutOff({ by, rows, reading, onStart, onCancel }: CutOffProps) {
  if (reading.state === "reading") {
    return (
      <div className="notice notice-warn" role="status">
        <span>Reading on: {formatCount(reading.rows)} rows so far…</span>
        <button type="button" className="button button-small" onClick={onCancel}>
          Stop
        </button>
      </div>
    );
  }
  if (reading.state === "read") {
    return reading.whole ? null : (
      <p className="notice notice-warn">There are more than the {formatCount(reading.rows.length)} rows that are shown here. The CSV file has all, up to 10 million.</p>
    );
  }
  return (
    <>
      <div className="notice notice-warn">
        <span>
          There are more: {by === "rows" ? `these are the first ${formatCount(rows)} rows.` : `these ${formatCount(rows)} rows are as much as fits into one answer, 8 MiB.`} Narrow the
          statement, read on, or download all of it.
        </span>
        <button type="button" className="button button-small" onClick={onStart}>
          Read up to {formatCount(mostRows)} rows
        </button>
      </div>
      {reading.state === "failed" && <FormError error={reading.error} />}
    </>
  );
}

function NoRows() {
  return (
    <Empty title="No rows">
      <p>The statement ran and found nothing. Try a longer time, or fewer conditions.</p>
    </Empty>
  );
}

function Cancelled() {
  return (
    <Empty title="Cancelled">
      <p>It was stopped before it had an answer. Run it again when you like.</p>
    </Empty>
  );
}

function NeedsValues() {
  return (
    <Empty title="It needs values">
      <p>Give its parameters values, then run it.</p>
    </Empty>
  );
}

function NothingRan() {
  return (
    <Empty title="Ask something">
      <p>Write a statement and run it with Ctrl + Enter. Ctrl + Space shows what can stand at the cursor; a name of the list of columns is written down by a click.</p>
    </Empty>
  );
}
