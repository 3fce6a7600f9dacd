import { Link } from "@tanstack/react-router";

import type { Rerate } from "../../api/rerate";
import { RerateState } from "../../api/rerate";
import { dateOf } from "../../api/time";
import { formatCount } from "../../format/number";
import { Badge } from "../../ui/Badge";
import { Said } from "../../ui/Said";
import { Scroller } from "../../ui/Scroller";
import { Time } from "../../ui/Value";
import { changeOf, progressOf, stateOf } from "./words";

interface RerateTableProps {
  rerates: readonly Rerate[];
  /** Whether a reason opens the details. */
  mayOpen: boolean;
}

/** RerateTable lists re-rates, the newest first. */
export function RerateTable({ rerates, mayOpen }: RerateTableProps) {
  return (
    <Scroller label="Usage priced anew, table">
      <table className="table table-rows">
        <thead>
          <tr>
            <th scope="col">Reason</th>
            <th scope="col">State</th>
            <th scope="col" className="num wide-only">
              Corrected
            </th>
            <th scope="col" className="num">
              Change
            </th>
            <th scope="col" className="wide-only">
              Begun
            </th>
          </tr>
        </thead>
        <tbody>
          {rerates.map((rerate) => (
            <tr key={rerate.id}>
              <th scope="row" className="anywhere">
                {mayOpen ? (
                  <Link to="." search={(s) => ({ ...s, rerate: rerate.id })} className="row-link">
                    <Said text={rerate.reason} />
                  </Link>
                ) : (
                  <Said text={rerate.reason} />
                )}
              </th>
              <td>
                <Badge tone={stateOf(rerate).tone}>{stateOf(rerate).label}</Badge>
                {rerate.state === RerateState.RUNNING && <div className="muted">{progressOf(rerate)} %</div>}
              </td>
              <td className="num wide-only">{formatCount(rerate.total?.corrected ?? 0n)}</td>
              <td className="num">{rerate.total ? changeOf(rerate.total) : "–"}</td>
              <td className="wide-only">
                <Time at={dateOf(rerate.createdAt)} precision="minute" />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </Scroller>
  );
}
