import type { Names } from "../../api/names";
import type { Rerate, RerateDifference } from "../../api/rerate";
import { formatCount } from "../../format/number";
import { Fact, Facts } from "../../ui/Facts";
import { Named } from "../../ui/Named";
import { Said } from "../../ui/Said";
import { Scroller } from "../../ui/Scroller";
import { Money } from "../../ui/Value";
import { counted } from "../budgets/words";
import { changeOf, leftOutWords } from "./words";

interface DifferencesProps {
  rerate: Rerate;
  projects: Names;
}

/** Differences are what usage cost before and costs after, in all and by project and model. */
export function Differences({ rerate: { total, differences }, projects }: DifferencesProps) {
  if (!total || total.attempts === 0n) return <p className="muted">No usage of that time was found.</p>;
  return (
    <>
      <Total total={total} />
      {differences.length > 0 && (
        <Scroller label="Differences, table">
          <table className="table">
            <thead>
              <tr>
                <th scope="col">Project and model</th>
                <th scope="col" className="num">
                  Corrected
                </th>
                <th scope="col" className="num wide-only">
                  Before
                </th>
                <th scope="col" className="num wide-only">
                  After
                </th>
                <th scope="col" className="num">
                  Change
                </th>
              </tr>
            </thead>
            <tbody>
              {differences.map((d) => (
                <tr key={`${d.projectId} ${d.providerId} ${d.model}`}>
                  <th scope="row" className="anywhere">
                    <Named id={d.projectId} names={projects} />
                    <div className="stacked">
                      <Said text={d.model} /> at <Said text={d.provider} />
                    </div>
                  </th>
                  <td className="num">
                    {formatCount(d.corrected)} of {formatCount(d.attempts)}
                  </td>
                  <td className="num wide-only">
                    <Money nano={d.oldCostNanoUsd} />
                  </td>
                  <td className="num wide-only">
                    <Money nano={d.newCostNanoUsd} />
                  </td>
                  <td className="num">{changeOf(d)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </Scroller>
      )}
    </>
  );
}

function Total({ total }: { total: RerateDifference }) {
  return (
    <Facts title="In all">
      <Fact name="Attempts whose cost changes">
        {formatCount(total.corrected)} of {formatCount(total.attempts)}
      </Fact>
      <Fact name="Before">
        <Money nano={total.oldCostNanoUsd} look="column" />
      </Fact>
      <Fact name="After">
        <Money nano={total.newCostNanoUsd} look="column" />
      </Fact>
      <Fact name="Change" sum>
        <b>{changeOf(total)}</b>
      </Fact>
      {total.leftOut.map(({ reason, attempts }) => (
        <Fact key={reason} name={`${counted(attempts, "attempt")} left as before`}>
          {leftOutWords(reason)}
        </Fact>
      ))}
    </Facts>
  );
}
