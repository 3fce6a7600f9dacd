import type { Provider } from "../../api/provider";
import type { Route } from "../../api/route";
import { strategyName } from "../../api/route";
import { dateOf } from "../../api/time";
import { Named } from "../../ui/Named";
import { Scroller } from "../../ui/Scroller";
import { Time } from "../../ui/Value";

interface RouteTableProps {
  routes: readonly Route[];
  providers: readonly Provider[];
  /** undefined: the role may not. */
  onChange: ((route: Route) => void) | undefined;
}

export function RouteTable({ routes, providers, onChange }: RouteTableProps) {
  const names = new Map(providers.map((p) => [p.id, p.name]));
  return (
    <Scroller label="Routes, table">
      <table className="table">
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
              <th scope="row">{route.name}</th>
              <td className="wide-only">
                {strategyName(route.strategy)}
                {route.strict && <div className="muted">strict</div>}
              </td>
              <td>
                {route.targets.map((target, i) => (
                  <div key={i} className="anywhere">
                    <Named id={target.providerId} names={names} />
                    <span className="muted"> / </span>
                    {target.model}
                    {target.weight > 0 && <span className="muted"> (weight {target.weight})</span>}
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
                    className="button button-small"
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
