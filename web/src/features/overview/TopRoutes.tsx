import type { RouteTotals } from "../../api/report";
import { shareOf } from "../../format/money";
import { formatCount, formatTenths } from "../../format/number";
import { Scroller } from "../../ui/Scroller";
import { pricedSpend, Spend, spendNotes } from "./spend";

interface TopRoutesProps {
  routes: readonly RouteTotals[];
  /** Spend of all routes, nano-dollars. */
  total: bigint;
}

/** TopRoutes ranks routes by spend, with their share of the whole. */
export function TopRoutes({ routes, total }: TopRoutesProps) {
  return (
    <Scroller label="Top routes, table">
      <table className="table">
        <thead>
          <tr>
            <th scope="col">Route and share</th>
            <th scope="col" className="num">
              Requests
            </th>
            <th scope="col" className="num">
              Spend
            </th>
          </tr>
        </thead>
        <tbody>
          {routes.map((r) => (
            <RouteRow key={r.route} route={r} total={total} />
          ))}
        </tbody>
      </table>
    </Scroller>
  );
}

function RouteRow({ route, total }: { route: RouteTotals; total: bigint }) {
  const spend = route.totals?.costNanoUsd ?? 0n;
  const share = shareOf(spend, total);
  const notes = route.totals ? spendNotes(route.totals) : [];
  return (
    <tr>
      <th scope="row" className="share-cell">
        <span className="truncate" title={route.route}>
          {route.route || "(no route)"}
        </span>
        <span className="share-line">
          <meter className="share" min={0} max={1000} value={share} aria-hidden="true" />
          {route.totals && pricedSpend(route.totals) === undefined ? "–" : formatTenths(share)}
        </span>
        {notes.map((note) => (
          <span key={note} className="share-note">
            {note}
          </span>
        ))}
      </th>
      <td className="num">{formatCount(route.totals?.requests ?? 0n)}</td>
      <td className="num">
        {route.totals && <Spend totals={route.totals} look="column" />}
      </td>
    </tr>
  );
}
