import { Link } from "@tanstack/react-router";

import type { Budget } from "../../api/budget";
import type { Limit } from "../../api/limit";
import type { Quota } from "../../api/quota";
import { QuotaKind } from "../../api/quota";
import { dateOf } from "../../api/time";
import { Said } from "../../ui/Said";
import { Scroller } from "../../ui/Scroller";
import { Time } from "../../ui/Value";
import { Outlook } from "./Forecast";
import type { ScopeNames } from "./names";
import { QuotaBar } from "./QuotaBar";
import { ScopeWords } from "./ScopeWords";
import { countsApart } from "./standing";
import { limitWindowName, modeName, modeWords, windowWords } from "./words";

/** Chosen is what people chose of budgets and limits, by id; undefined until it is known, or where the role may not read it. */
export interface Chosen {
  budgets: ReadonlyMap<string, Budget> | undefined;
  limits: ReadonlyMap<string, Limit> | undefined;
}

interface QuotaTableProps {
  quotas: readonly Quota[];
  names: ScopeNames;
  chosen: Chosen;
}

/** QuotaTable lists budgets and limits; a name opens the details. */
export function QuotaTable({ quotas, names, chosen }: QuotaTableProps) {
  return (
    <Scroller label="Budgets and limits">
      <table className="table table-rows quotas">
        <thead>
          <tr>
            <th scope="col">
              Budget or limit<span className="narrow-only">, how it stands</span>
            </th>
            <th scope="col" className="wide-only quota-cell">
              Spent, held and free
            </th>
            <th scope="col" className="wide-only">
              Outlook
            </th>
            <th scope="col" className="wide-only">
              Window
            </th>
            <th scope="col" className="wide-only">
              Mode
            </th>
          </tr>
        </thead>
        <tbody>
          {quotas.map((quota) => (
            <Row key={quota.id} quota={quota} names={names} chosen={chosen} />
          ))}
        </tbody>
      </table>
    </Scroller>
  );
}

interface RowProps {
  quota: Quota;
  names: ScopeNames;
  chosen: Chosen;
}

function Row({ quota, names, chosen }: RowProps) {
  const marks = chosen.budgets?.get(quota.id)?.alertPercents ?? [];
  const bar = <Standings quota={quota} marks={marks} />;
  const most = quota.standing ?? quota.topSubjects[0]; // where it counts apart, that of the subject that spent the most
  const outlook = most && <Outlook quota={quota} standing={most} />;
  return (
    <tr>
      <th scope="row" className="anywhere">
        <Link to="." search={(s) => ({ ...s, quota: quota.id, subject: undefined })} className="row-link">
          {quota.name}
        </Link>
        <div className="stacked">
          {quota.kind === QuotaKind.LIMIT ? "Limit" : "Budget"} · <ScopeWords scope={quota.scope} names={names} />
        </div>
        <div className="narrow-only quota-narrow">
          {bar}
          {outlook}
          <div className="stacked">
            <QuotaWindow quota={quota} chosen={chosen} /> {modeName(quota.mode)}
          </div>
        </div>
      </th>
      <td className="wide-only quota-cell">{bar}</td>
      <td className="wide-only">{outlook ?? <span className="muted">–</span>}</td>
      <td className="wide-only">
        <QuotaWindow quota={quota} chosen={chosen} />
      </td>
      <td className="wide-only">
        <span title={modeWords(quota.mode)}>{modeName(quota.mode)}</span>
      </td>
    </tr>
  );
}

const shownSubjects = 2;

function Standings({ quota, marks }: { quota: Quota; marks: readonly number[] }) {
  if (quota.standing) return <QuotaBar quota={quota} standing={quota.standing} marks={marks} />;
  if (!countsApart(quota)) return <span className="muted">Off: nothing is counted</span>;
  if (quota.topSubjects.length === 0) return <span className="muted">Nobody has spent anything in this window</span>;
  return (
    <>
      {quota.topSubjects.slice(0, shownSubjects).map((standing) => (
        <div key={standing.subject} className="quota-subject">
          <span className="truncate">
            <Said text={standing.subject} />
          </span>
          <QuotaBar quota={quota} standing={standing} marks={marks} />
        </div>
      ))}
      {quota.topSubjects.length > shownSubjects && <span className="muted">and more that are counted apart</span>}
    </>
  );
}

function QuotaWindow({ quota, chosen }: { quota: Quota; chosen: Chosen }) {
  const budget = chosen.budgets?.get(quota.id);
  const limit = chosen.limits?.get(quota.id);
  const rolls = budget?.window?.window.case === "rolling";
  const ends = dateOf((quota.standing ?? quota.topSubjects[0])?.window?.endsAt ?? budget?.currentWindow?.endsAt);
  return (
    <>
      {budget && windowWords(budget.window)}
      {limit && limitWindowName(limit.window)}
      {ends && !rolls && (
        <div className="muted">
          until <Time at={ends} precision="minute" />
        </div>
      )}
    </>
  );
}
