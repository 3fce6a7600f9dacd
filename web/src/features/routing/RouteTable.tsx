import { Link } from "@tanstack/react-router";

import { mayListAgents, useTroubledTargets } from "../../api/gateway";
import type { Names } from "../../api/names";
import type { Route } from "../../api/route";
import { strategyName } from "../../api/route";
import { Scroller } from "../../ui/Scroller";
import { useMay } from "../session/permission";
import { useLastHour, useMonthSpend } from "../usage/groups";
import { MonthSpendCell } from "../usage/MonthSpendCell";
import { troubledOf } from "./health";
import { HealthWords } from "./HealthWords";
import { TargetWords } from "./RouteDrawer";
import { extrasOf } from "./words";

interface RouteTableProps {
  routes: readonly Route[];
  providers: Names;
  /** undefined: the role may not. */
  onChange: ((route: Route) => void) | undefined;
}

/** RouteTable lists routes; a name opens the details. */
export function RouteTable({ routes, providers: names, onChange }: RouteTableProps) {
  const spend = useMonthSpend("route");
  const lastHour = useLastHour("route");
  const troubled = useTroubledTargets(useMay()(mayListAgents));
  return (
    <Scroller label="Routes, table">
      <table className="table table-rows routes-table">
        <thead>
          <tr>
            <th scope="col">Route</th>
            <th scope="col" className="wide-only">
              Strategy
            </th>
            <th scope="col">Target</th>
            <th scope="col" className="wide-only">
              Health
            </th>
            {spend && (
              <th scope="col" className="num wide-only">
                Spend in {spend.month}
              </th>
            )}
            {onChange && (
              <th scope="col">
                <span className="sr-only">Actions</span>
              </th>
            )}
          </tr>
        </thead>
        <tbody>
          {routes.map((route) => (
            <tr key={route.id}>
              <th scope="row" className="anywhere">
                <Link to="." search={(s) => ({ ...s, route: route.id })} className="row-link">
                  {route.name}
                </Link>
              </th>
              <td className="wide-only">
                {strategyName(route.strategy)}
                {extrasOf(route) && <div className="muted">{extrasOf(route)}</div>}
              </td>
              <td>
                {route.targets.map((target, i) => (
                  <div key={i} className="anywhere">
                    <TargetWords target={target} providers={names} />
                  </div>
                ))}
                <div className="narrow-only stacked">
                  <HealthWords hour={lastHour?.(route.name)} troubled={troubledOf(route, troubled)} />
                </div>
              </td>
              <td className="wide-only">
                <HealthWords hour={lastHour?.(route.name)} troubled={troubledOf(route, troubled)} />
              </td>
              {spend && <MonthSpendCell wideOnly nano={spend.of(route.name)} />}
              {onChange && (
                <td>
                  <button
                    type="button"
                    className="button button-small above-row"
                    aria-label={`Change ${route.name}`}
                    onClick={() => onChange(route)}
                  >
                    Change
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
