import "./reports.css";

import { Link } from "@tanstack/react-router";
import { useState } from "react";

import { dateOf } from "../../api/time";
import type { SavedReport } from "../../api/savedReport";
import { maySaveReports, useSavedReports } from "../../api/savedReport";
import { viewerZone } from "../../format/time";
import { LoadMore } from "../../ui/LoadMore";
import { Page, Panel } from "../../ui/Page";
import { Scroller } from "../../ui/Scroller";
import { Async, Empty } from "../../ui/State";
import { Time } from "../../ui/Value";
import { useMay } from "../session/permission";
import { DeleteReportDialog } from "./DeleteReportDialog";
import { examples } from "./examples";

/** ReportsPage lists what is saved, and what is worth reading. */
export function ReportsPage() {
  const reports = useSavedReports();
  const may = useMay();
  const [deleting, setDeleting] = useState<SavedReport>();
  return (
    <Page
      title="Reports"
      about={`Questions about usage, in SQL. Times in ${viewerZone()}.`}
      actions={
        <Link to="/reports/query" className="button button-primary">
          New query
        </Link>
      }
    >
      <Panel title="Saved reports">
        <Async result={reports} what="saved reports" isEmpty={(d) => d.pages[0]?.savedReports.length === 0} empty={<NoReports maySave={may(maySaveReports)} />}>
          {(data) => <ReportTable reports={data.pages.flatMap((page) => page.savedReports)} onDelete={may(maySaveReports) ? setDeleting : undefined} />}
        </Async>
        <LoadMore query={reports} />
      </Panel>
      <Panel title="Examples worth reading">
        <ul className="examples">
          {examples.map(({ id, title, about }) => (
            <li key={id}>
              <Link to="/reports/query" search={{ example: id }} className="example">
                <b>{title}</b>
                <span className="muted">{about}</span>
              </Link>
            </li>
          ))}
        </ul>
      </Panel>
      {deleting && <DeleteReportDialog subject={deleting} onClose={() => setDeleting(undefined)} onDeleted={() => undefined} />}
    </Page>
  );
}

interface ReportTableProps {
  reports: readonly SavedReport[];
  onDelete: ((report: SavedReport) => void) | undefined;
}

function ReportTable({ reports, onDelete }: ReportTableProps) {
  return (
    <Scroller label="Saved reports, table">
      <table className="table table-rows">
        <thead>
          <tr>
            <th scope="col">Name</th>
            <th scope="col" className="wide-only">
              What it answers
            </th>
            <th scope="col" className="wide-only">
              Created
            </th>
            {onDelete && (
              <th scope="col">
                <span className="sr-only">Actions</span>
              </th>
            )}
          </tr>
        </thead>
        <tbody>
          {reports.map((report) => (
            <tr key={report.id}>
              <th scope="row">
                <Link to="/reports/$reportId" params={{ reportId: report.id }} className="row-link anywhere">
                  {report.name}
                </Link>
                <span className="stacked narrow-only">
                  <br />
                  {report.description}
                </span>
              </th>
              <td className="wide-only report-about">{report.description || <span className="muted">–</span>}</td>
              <td className="wide-only">
                <Time at={dateOf(report.createdAt)} precision="minute" />
              </td>
              {onDelete && (
                <td className="num">
                  <button type="button" className="button button-small above-row" aria-label={`Delete ${report.name}`} onClick={() => onDelete(report)}>
                    Delete
                  </button>
                </td>
              )}
            </tr>
          ))}
        </tbody>
      </table>
    </Scroller>
  );
}

function NoReports({ maySave }: { maySave: boolean }) {
  return (
    <Empty title="Nothing saved yet">
      <p>{maySave ? "Open an example below, or write a query, and save it: it is here then, for everybody who may run queries." : "Your role may not save reports; the examples below are for everybody."}</p>
    </Empty>
  );
}
