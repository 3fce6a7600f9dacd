import { Link } from "@tanstack/react-router";

import type { Alert } from "../../api/alert";
import type { Names } from "../../api/names";
import { dateOf } from "../../api/time";
import { Scroller } from "../../ui/Scroller";
import { Time } from "../../ui/Value";
import { AlertWords } from "./AlertWords";
import { kindName } from "./words";

interface AlertTableProps {
  alerts: readonly Alert[];
  projects: Names;
}

/** AlertTable lists what was raised; a time opens the details. */
export function AlertTable({ alerts, projects }: AlertTableProps) {
  return (
    <Scroller label="Alerts, table">
      <table className="table table-rows">
        <thead>
          <tr>
            <th scope="col">Raised</th>
            <th scope="col" className="wide-only">
              About
            </th>
            <th scope="col">What happened</th>
          </tr>
        </thead>
        <tbody>
          {alerts.map((alert) => (
            <tr key={alert.id}>
              <th scope="row">
                <Link to="." search={(s) => ({ ...s, alert: alert.id })} className="row-link">
                  <Time at={dateOf(alert.raisedAt)} precision="minute" />
                </Link>
                <div className="narrow-only stacked">{kindName(alert.kind)}</div>
              </th>
              <td className="wide-only nowrap">{kindName(alert.kind)}</td>
              <td className="anywhere">
                <AlertWords alert={alert} projects={projects} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </Scroller>
  );
}
