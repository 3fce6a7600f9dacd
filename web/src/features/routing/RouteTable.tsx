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
}

export function RouteTable({ routes, providers }: RouteTableProps) {
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
          </tr>
        </thead>
        <tbody>
          {routes.map((route) => (
            <tr key={route.id}>
              <th scope="row">{route.name}</th>
              <td className="wide-only">{strategyName(route.strategy)}</td>
              <td>
                {route.targets.map((target, i) => (
                  <div key={i} className="nowrap">
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
            </tr>
          ))}
        </tbody>
      </table>
    </Scroller>
  );
}
