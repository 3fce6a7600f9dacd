import { Link, useNavigate } from "@tanstack/react-router";
import { useMemo, useRef, useState } from "react";

import type { SavedReport } from "../../api/savedReport";
import { maySaveReports } from "../../api/savedReport";
import { explain } from "../../api/error";
import { useAsk, useRunStatement } from "../../api/statement";
import { viewerZone } from "../../format/time";
import { CopyButton } from "../../ui/CopyButton";
import { Page } from "../../ui/Page";
import { useMay } from "../session/permission";
import type { Vocabulary } from "./complete";
import { DeleteReportDialog } from "./DeleteReportDialog";
import { DetailsDialog } from "./DetailsDialog";
import type { EditorHandle } from "./editor/StatementEditor";
import { EditorPanel } from "./EditorPanel";
import { spanOf } from "./position";
import { ReportConflict } from "./ReportConflict";
import { ResultPanel } from "./ResultPanel";
import { SaveDialog } from "./SaveDialog";
import { Schema } from "./Schema";
import { functions, views } from "./schema";
import type { Source } from "./source";
import { changedFrom, isUnsaved, sqlOf, statementOf } from "./source";
import type { ChartChoice } from "./statement";
import { beginningsOf, chartOf, parametersOf, withChart } from "./statement";
import { useSaving } from "./useSaving";
import { useUnsaved } from "./useUnsaved";

/** Asked is what the address says: what ran, with what, and how it is looked at. */
export interface Asked {
  /** Absent: the source as it is. */
  sql: string | undefined;
  values: Readonly<Record<string, string>>;
  view: "chart" | "rows" | undefined;
}

interface WorkbenchProps {
  source: Source;
  asked: Asked;
  onAsk: (asked: Asked) => void;
}

/** Workbench is where a statement is written, run, looked at and kept. */
export function Workbench({ source: given, asked, onAsk }: WorkbenchProps) {
  const may = useMay();
  const navigate = useNavigate();
  const zone = viewerZone();
  const editor = useRef<EditorHandle>(null);
  const [saved, setSaved] = useState(given.kind === "report" ? given.report : undefined);
  const source: Source = given.kind === "report" && saved ? { kind: "report", report: saved } : given;
  const ran = asked.sql ?? sqlOf(source);
  const [draft, setDraft] = useState(ran);
  const [values, setValues] = useState(asked.values);
  const [dialog, setDialog] = useState<"save" | "details" | "delete">();
  useFollow(ran, draft, setDraft, () => setValues(asked.values));

  const statement = useMemo(() => statementOf(ran, asked.values, zone), [ran, asked.values, zone]);
  const result = useRunStatement(statement);
  const unsaved = isUnsaved(source, draft, asked.sql ?? "");
  useUnsaved(unsaved);
  const ready = statementOf(draft, values, zone) !== undefined;
  const labels = useAsk(labelsOfLately, /\blabels?\b/.test(draft)).data?.rows.flatMap(([name]) => (typeof name === "string" ? [name] : []));
  const vocabulary: Vocabulary = { views, functions, labels: labels ?? [] };
  const failure = result.error && draft === ran ? explain(result.error).detail : undefined;
  const complaint = useMemo(() => {
    const span = failure === undefined ? undefined : spanOf(failure, ran);
    return span && failure !== undefined ? { ...span, message: failure } : undefined;
  }, [failure, ran]);

  const ask = (sql: string, part: Partial<Asked> = {}) => onAsk({ ...asked, sql: sql === sqlOf(source) ? undefined : sql, values: changedFrom(sql, values), ...part });
  const run = () => {
    if (!ready) return;
    const again = draft === ran && JSON.stringify(changedFrom(draft, values)) === JSON.stringify(changedFrom(ran, asked.values));
    if (again) void result.refetch();
    else ask(draft);
  };
  const saving = useSaving();
  const onSaved = (report: SavedReport) => {
    setSaved(report);
    setDraft((now) => (now === draft ? report.sql : now));
    onAsk({ ...asked, sql: undefined, values: changedFrom(report.sql, values) });
  };
  const save = () => {
    if (saved) saving.save(saved, draft, onSaved);
    else setDialog("save");
  };
  const opened = (report: SavedReport) => {
    const kept = changedFrom(report.sql, values);
    void navigate({ to: "/reports/$reportId", params: { reportId: report.id }, search: Object.keys(kept).length > 0 ? { with: kept } : {}, ignoreBlocker: true });
  };
  // The chart is part of the text: choosing another changes both what is shown and what is kept.
  const chart = (choice: ChartChoice) => {
    setDraft(withChart(draft, choice));
    ask(withChart(ran, choice), { view: "chart" });
  };
  const view = asked.view ?? (chartOf(ran) ? "chart" : "rows");

  return (
    <Page
      title={titleOf(source)}
      about={<About source={source} unsaved={source.kind === "report" && unsaved} />}
      actions={
        <>
          <CopyButton text={window.location.href} what="link" label="Copy link" />
          {may(maySaveReports) && (
            <>
              {saved && (
                <>
                  <button type="button" className="button" onClick={() => setDialog("details")}>
                    Name and description
                  </button>
                  <button type="button" className="button" onClick={() => setDialog("delete")}>
                    Delete
                  </button>
                  <button type="button" className="button" onClick={() => setDialog("save")}>
                    Save as…
                  </button>
                </>
              )}
              <button type="button" className="button button-primary" disabled={draft.trim() === "" || saving.pending || (saved !== undefined && !unsaved)} onClick={save}>
                {saving.pending ? "Saving…" : saved ? "Save" : "Save…"}
              </button>
            </>
          )}
        </>
      }
    >
      {saving.failure && saved && (
        <ReportConflict
          failure={saving.failure}
          mine={draft}
          before={saved.sql}
          onTakeTheirs={(theirs) => {
            saving.forget();
            setSaved(theirs);
            setDraft(theirs.sql);
          }}
          onKeepMine={(theirs) => {
            setSaved(theirs);
            saving.save(theirs, draft, onSaved);
          }}
          onSaveAs={() => {
            saving.forget();
            setDialog("save");
          }}
          onClose={saving.forget}
        />
      )}
      <div className="workbench">
        <div className="workbench-main">
          <EditorPanel
            ref={editor}
            text={draft}
            vocabulary={vocabulary}
            complaint={complaint}
            parameters={parametersOf(draft)}
            values={{ ...beginningsOf(draft), ...values }}
            zone={zone}
            running={result.isFetching}
            ready={ready}
            onText={setDraft}
            onValue={(name, value) => setValues((was) => ({ ...was, [name]: value }))}
            onRun={run}
            onCancel={() => void result.cancel()}
          />
          <ResultPanel
            key={JSON.stringify([statement, result.dataUpdatedAt])}
            statement={statement}
            result={result}
            missing={ran.trim() !== "" && statement === undefined}
            sql={ran}
            reportId={source.kind === "report" && asked.sql === undefined ? source.report.id : undefined}
            zone={zone}
            view={view}
            choice={chartOf(ran)}
            onView={(next) => onAsk({ ...asked, view: next })}
            onChoose={chart}
            onGoTo={(offset) => editor.current?.goTo(offset)}
          />
        </div>
        <Schema onInsert={(name) => editor.current?.insert(name)} />
      </div>
      {dialog === "save" && <SaveDialog sql={draft} begin={nameFor(source)} onClose={() => setDialog(undefined)} onSaved={opened} />}
      {dialog === "details" && saved && <DetailsDialog subject={saved} onClose={() => setDialog(undefined)} onSaved={setSaved} />}
      {dialog === "delete" && saved && <DeleteReportDialog subject={saved} onClose={() => setDialog(undefined)} onDeleted={() => void navigate({ to: "/reports", ignoreBlocker: true })} />}
    </Page>
  );
}

const labelsOfLately = "SELECT label FROM spend_by_label WHERE day > today() - 30 GROUP BY label ORDER BY sum(records) DESC LIMIT 100";

// Where the address leads elsewhere, by the browser's back button, the text goes along; what was written since stays.
function useFollow(ran: string, draft: string, setDraft: (text: string) => void, onFollow: () => void) {
  const [followed, setFollowed] = useState(ran);
  if (followed === ran) return;
  setFollowed(ran);
  if (draft !== followed) return;
  setDraft(ran);
  onFollow();
}

function titleOf(source: Source): string {
  if (source.kind === "free") return "New query";
  return source.kind === "report" ? source.report.name : source.title;
}

function nameFor(source: Source): { name: string; description: string } {
  if (source.kind === "example") return { name: source.title.toLowerCase().replace(/[^a-z0-9]+/g, "-").replace(/^-|-$/g, ""), description: source.about };
  return source.kind === "report" ? { name: `${source.report.name.slice(0, 58)}-copy`, description: source.report.description } : { name: "", description: "" };
}

function About({ source, unsaved }: { source: Source; unsaved: boolean }) {
  const about = source.kind === "report" ? source.report.description : source.kind === "example" ? `${source.about} A shipped example: save it to keep your own.` : "One SELECT over your organization's usage.";
  return (
    <>
      <Link to="/reports">Reports</Link>
      {" / "}
      {about || "No description."}
      {unsaved && <b className="unsaved"> Not saved.</b>}
    </>
  );
}
