import { Link } from "@tanstack/react-router";

import type { Names } from "../../api/names";
import type { Route } from "../../api/route";
import { strategyName } from "../../api/route";
import { dateOf } from "../../api/time";
import { Scroller } from "../../ui/Scroller";
import { Time } from "../../ui/Value";
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
  return (
    <Scroller label="Routes, table">
      <table className="table table-rows">
        <thead>
          <tr>
            <th scope="col">Route</th>
            <th scope="col" className="wide-only">
              Strategy
            </th>
            <th scope="col">Target</th>
            <th scope="col" className="wide-only">
              Created
            </th>
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
              <th scope="row">
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
              </td>
              <td className="wide-only">
                <Time at={dateOf(route.createdAt)} precision="minute" />
              </td>
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
