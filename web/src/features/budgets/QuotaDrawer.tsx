import { Link, useNavigate } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { useState } from "react";

import { mayListAlerts } from "../../api/alert";
import type { Budget } from "../../api/budget";
import { mayDeleteBudget, mayGetBudget, mayRaiseBudget, mayUpdateBudget, useBudget } from "../../api/budget";
import type { Limit } from "../../api/limit";
import { mayDeleteLimit, mayGetLimit, mayUpdateLimit, useLimit } from "../../api/limit";
import type { Quota, QuotaLease, QuotaStanding } from "../../api/quota";
import { mayListQuotaHistory, mayReleaseLeases, QuotaKind, QuotaMode, QuotaUnit, useQuota } from "../../api/quota";
import { mayReadReports } from "../../api/report";
import { viewerZone } from "../../format/time";
import { CopyButton } from "../../ui/CopyButton";
import { Fact, Facts } from "../../ui/Facts";
import { Drawer } from "../../ui/Overlay";
import { Said } from "../../ui/Said";
import { Async } from "../../ui/State";
import { HistoryLink } from "../history/HistoryLink";
import { useMay } from "../session/permission";
import { BudgetDialog } from "./BudgetDialog";
import { BudgetFacts, LimitFacts } from "./ChosenFacts";
import { DeleteQuotaDialog } from "./DeleteQuotaDialog";
import { Leases } from "./Leases";
import { LimitDialog } from "./LimitDialog";
import type { ScopeNames } from "./names";
import { QuotaHistory } from "./QuotaHistory";
import { Raises } from "./Raises";
import { RaiseDialog } from "./RaiseDialog";
import { ReleaseDialog } from "./ReleaseDialog";
import { ScopeWords } from "./ScopeWords";
import { countsApart, countsSpent } from "./standing";
import { StandingFacts } from "./StandingFacts";
import { Subjects } from "./Subjects";
import { counted, modeName, modeWords } from "./words";

interface QuotaDrawerProps {
  id: string;
  /** Which of the subjects that it counts apart; "": none. */
  subject: string;
  names: ScopeNames;
  onClose: () => void;
}

/** QuotaDrawer shows how it stands with one budget or limit, or one subject of it, and changes it. */
export function QuotaDrawer({ id, subject, names, onClose }: QuotaDrawerProps) {
  const result = useQuota(id, subject);
  return (
    <Drawer title={titleOf(result.data?.quota)} open wide onClose={onClose}>
      <Async result={result} what="budget or limit" isEmpty={(d) => !d.quota} empty={null}>
        {({ quota, leases, leasesLeftOut }) =>
          quota && <Details quota={quota} subject={subject} leases={leases} leftOut={leasesLeftOut} names={names} onClose={onClose} />
        }
      </Async>
    </Drawer>
  );
}

function titleOf(quota: Quota | undefined): string {
  if (!quota) return "Budget or limit";
  return quota.kind === QuotaKind.LIMIT ? "Limit" : "Budget";
}

interface DetailsProps {
  quota: Quota;
  subject: string;
  leases: readonly QuotaLease[];
  leftOut: number;
  names: ScopeNames;
  onClose: () => void;
}

function Details({ quota, subject, leases, leftOut, names, onClose }: DetailsProps) {
  const may = useMay();
  const isBudget = quota.kind === QuotaKind.BUDGET;
  const budget = useBudget(isBudget && may(mayGetBudget) ? quota.id : "").data?.budget;
  const limit = useLimit(!isBudget && may(mayGetLimit) ? quota.id : "").data?.limit;
  const { standing } = quota;
  const listsSubjects = countsApart(quota) && subject === "";
  const remembers = !listsSubjects && (!standing || countsSpent(quota.kind, standing)) && !isRate(quota, limit);
  return (
    <>
      <div className="drawer-id">
        <div>
          <b>{quota.name}</b>
          <div>
            <ScopeWords scope={quota.scope} names={names} />
          </div>
        </div>
        <CopyButton text={quota.id} what={`id of the ${isBudget ? "budget" : "limit"}`} label="Copy id" />
      </div>
      <div className="quota-links">
        <HistoryLink id={quota.id} />
        {may(mayReadReports) && quota.mode === QuotaMode.HARD && (
          <Link to="/requests" search={{ filter: `refused_by_quota_id = ${quota.id}` }}>
            Requests that it refused
          </Link>
        )}
        {isBudget && may(mayListAlerts) && (
          <Link to="/alerts" search={{ budget: quota.id }}>
            Alerts about it
          </Link>
        )}
      </div>
      {subject !== "" && <OneSubject subject={subject} />}
      <Tools quota={quota} budget={budget} limit={limit} names={names} onClose={onClose} />
      {standing && <Waiting quota={quota} standing={standing} />}
      {standing && <StandingFacts quota={quota} standing={standing} marks={budget?.alertPercents ?? []} rolls={rolls(budget)} />}
      {listsSubjects && <Subjects quota={quota} />}
      <Facts title={`As it was chosen, times in ${viewerZone()}`}>
        <Fact name="Mode">
          {modeName(quota.mode)}
          <div className="muted">{modeWords(quota.mode)}</div>
        </Fact>
        {budget && <BudgetFacts budget={budget} />}
        {limit && <LimitFacts limit={limit} />}
      </Facts>
      <Leases quota={quota} leases={leases} leftOut={leftOut} />
      {remembers && may(mayListQuotaHistory) && <QuotaHistory quota={quota} subject={subject} rolls={rolls(budget)} zone={zoneOf(budget)} />}
      {isBudget && <Raises budgetId={quota.id} />}
    </>
  );
}

function rolls(budget: Budget | undefined): boolean {
  return budget?.window?.window.case === "rolling";
}

function zoneOf(budget: Budget | undefined): string {
  const window = budget?.window?.window;
  return window?.case === "calendar" ? window.value.timeZone || "UTC" : viewerZone();
}

// Rates and slots keep no count, so there is nothing to remember.
function isRate(quota: Quota, limit: Limit | undefined): boolean {
  return quota.unit === QuotaUnit.CONCURRENT_REQUESTS || (quota.kind === QuotaKind.LIMIT && limit !== undefined && quota.standing !== undefined && !quota.standing.window);
}

function OneSubject({ subject }: { subject: string }) {
  const navigate = useNavigate();
  return (
    <div className="notice notice-plain">
      <span>
        Only <Said text={subject} /> is shown, as it is counted apart.
      </span>
      <button type="button" className="button button-small" onClick={() => void navigate({ to: ".", search: (s) => ({ ...s, subject: undefined }) })}>
        Show all
      </button>
    </div>
  );
}

type Open = "change" | "raise" | "delete" | undefined;

interface ToolsProps {
  quota: Quota;
  budget: Budget | undefined;
  limit: Limit | undefined;
  names: ScopeNames;
  onClose: () => void;
}

function Tools({ quota, budget, limit, names, onClose }: ToolsProps) {
  const may = useMay();
  const [open, setOpen] = useState<Open>();
  const close = () => setOpen(undefined);
  const [mayUpdate, mayDelete] = budget ? [mayUpdateBudget, mayDeleteBudget] : [mayUpdateLimit, mayDeleteLimit];
  if (!budget && !limit) return null;
  const tool = (what: Open, label: ReactNode, look = "") => (
    <button type="button" className={`button button-small ${look}`} onClick={() => setOpen(what)}>
      {label}
    </button>
  );
  return (
    <>
      <div className="quota-tools">
        {budget && may(mayRaiseBudget) && tool("raise", "Raise for a while")}
        {may(mayUpdate) && tool("change", "Change")}
        {may(mayDelete) && tool("delete", "Delete", "button-danger")}
      </div>
      {open === "raise" && budget && <RaiseDialog budget={budget} onClose={close} />}
      {open === "change" && budget && <BudgetDialog subject={budget} names={names} onClose={close} />}
      {open === "change" && limit && <LimitDialog subject={limit} names={names} onClose={close} />}
      {open === "delete" && <DeleteQuotaDialog quota={quota} etag={(budget ?? limit)?.etag ?? ""} onClose={close} onDeleted={onClose} />}
    </>
  );
}

function Waiting({ quota, standing: { waitingAgentIds } }: { quota: Quota; standing: QuotaStanding }) {
  const may = useMay();
  const [open, setOpen] = useState(false);
  if (waitingAgentIds.length === 0) return null;
  return (
    <div className="notice notice-bad" role="status">
      <span>
        <b>Nothing is granted.</b> The control plane was restored, and {counted(waitingAgentIds.length, "agent")} {waitingAgentIds.length === 1 ? "has" : "have"} not
        told yet what they hold.
      </span>
      {may(mayReleaseLeases) && (
        <button type="button" className="button button-small" onClick={() => setOpen(true)}>
          Wait no longer
        </button>
      )}
      {open && <ReleaseDialog quota={quota} onClose={() => setOpen(false)} />}
    </div>
  );
}
