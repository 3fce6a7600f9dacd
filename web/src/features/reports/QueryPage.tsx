import "./reports.css";

import { getRouteApi, useLocation } from "@tanstack/react-router";

import { useSavedReport } from "../../api/savedReport";
import { Page } from "../../ui/Page";
import { Failure, Loading } from "../../ui/State";
import type { ReportSearch } from "../../routes/search";
import { fromAddress, toAddress } from "./address";
import { exampleOf } from "./examples";
import type { Source } from "./source";
import type { Asked } from "./Workbench";
import { Workbench } from "./Workbench";

const queryRoute = getRouteApi("/reports/query");
const reportRoute = getRouteApi("/reports/$reportId");

/** QueryPage is a statement of one's own, or a shipped example. */
export function QueryPage() {
  const search = queryRoute.useSearch();
  const navigate = queryRoute.useNavigate();
  const asked = useAsked(search);
  const example = exampleOf(search.example);
  const source: Source = example ? { kind: "example", ...example } : { kind: "free" };
  const ask = (next: Asked) => {
    const { hash, ...rest } = addressOf(next);
    void navigate({ search: { ...(search.example && { example: search.example }), ...rest }, hash, ignoreBlocker: true });
  };
  return <Workbench key={search.example ?? ""} source={source} asked={asked} onAsk={ask} />;
}

/** ReportPage is a saved report. */
export function ReportPage() {
  const { reportId } = reportRoute.useParams();
  const asked = useAsked(reportRoute.useSearch());
  const navigate = reportRoute.useNavigate();
  const { data, error, refetch } = useSavedReport(reportId);
  const ask = (next: Asked) => {
    const { hash, ...search } = addressOf(next);
    void navigate({ search, hash, ignoreBlocker: true });
  };
  const report = data?.savedReport;
  if (report) return <Workbench key={report.id} source={{ kind: "report", report }} asked={asked} onAsk={ask} />;
  return <Page title="Report">{error ? <Failure error={error} onRetry={refetch} /> : <Loading what="report" shape="table" />}</Page>;
}

function useAsked(search: ReportSearch): Asked {
  const hash = useLocation({ select: (location) => location.hash });
  return { sql: fromAddress({ sql: search.sql, hash }), values: search.with ?? {}, view: search.view };
}

function addressOf({ sql, values, view }: Asked): ReportSearch & { hash: string } {
  const address = toAddress(sql);
  return {
    hash: address.hash,
    ...(address.sql !== undefined && { sql: address.sql }),
    ...(Object.keys(values).length > 0 && { with: values }),
    ...(view && { view }),
  };
}
