import { Link } from "@tanstack/react-router";
import { useState } from "react";

import { mayListAgents, useAgentNames } from "../../api/gateway";
import type { Quota, QuotaLease } from "../../api/quota";
import { mayWriteOffLease, QuotaKind } from "../../api/quota";
import { dateOf } from "../../api/time";
import { formatCount } from "../../format/number";
import { Badge } from "../../ui/Badge";
import { Named } from "../../ui/Named";
import { Scroller } from "../../ui/Scroller";
import { useNow } from "../../ui/useNow";
import { Ago } from "../../ui/Value";
import { useMay } from "../session/permission";
import { amountWords } from "./words";
import { WriteOffDialog } from "./WriteOffDialog";

interface LeasesProps {
  quota: Quota;
  leases: readonly QuotaLease[];
  leftOut: number;
}

/** Leases are what agents hold of a quota; those that are stranded can be written off. */
export function Leases({ quota, leases, leftOut }: LeasesProps) {
  const may = useMay();
  const agents = useAgentNames(may(mayListAgents) && leases.length > 0);
  const now = useNow(1_000);
  const [writingOff, setWritingOff] = useState<QuotaLease>();
  const mayWrite = quota.kind === QuotaKind.BUDGET && may(mayWriteOffLease) && leases.some((lease) => lease.stranded);
  if (leases.length === 0) return null;
  return (
    <section className="facts" aria-label="Held by agents">
      <h3>Held by agents</h3>
      <Scroller label="Leases, table">
        <table className="table">
          <thead>
            <tr>
              <th scope="col">Agent</th>
              <th scope="col" className="num">
                Holds
              </th>
              <th scope="col" className="num wide-only">
                Spent of it
              </th>
              <th scope="col">State</th>
              {mayWrite && (
                <th scope="col">
                  <span className="sr-only">Actions</span>
                </th>
              )}
            </tr>
          </thead>
          <tbody>
            {leases.map((lease) => (
              <tr key={`${lease.agentId} ${lease.boot} ${lease.window}`}>
                <th scope="row" className="anywhere">
                  {may(mayListAgents) ? (
                    <Link to="/agents" search={{ agent: lease.agentId }}>
                      <Named id={lease.agentId} names={agents} />
                    </Link>
                  ) : (
                    <Named id={lease.agentId} names={agents} />
                  )}
                </th>
                <td className="num">{amountWords(quota.unit, lease.held)}</td>
                <td className="num wide-only">{amountWords(quota.unit, lease.spent)}</td>
                <td>
                  <Badge tone={lease.stranded ? "warn" : "good"}>{lease.stranded ? "Stranded" : "In use"}</Badge>
                  <Heard lease={lease} now={now} />
                </td>
                {mayWrite && (
                  <td className="num">
                    {lease.stranded && (
                      <button
                        type="button"
                        className="button button-small button-danger"
                        aria-label={`Write off what ${agents?.get(lease.agentId) ?? "the agent"} holds`}
                        onClick={() => setWritingOff(lease)}
                      >
                        Write off
                      </button>
                    )}
                  </td>
                )}
              </tr>
            ))}
          </tbody>
        </table>
      </Scroller>
      {leftOut > 0 && <p className="muted">and {formatCount(leftOut)} more that hold something</p>}
      {writingOff && (
        <WriteOffDialog quota={quota} lease={writingOff} agent={agents?.get(writingOff.agentId)} onClose={() => setWritingOff(undefined)} />
      )}
    </section>
  );
}

function Heard({ lease, now }: { lease: QuotaLease; now: Date }) {
  const heard = dateOf(lease.heardAt);
  return (
    <div className="muted">
      {heard ? (
        <>
          heard <Ago at={heard} now={now} />
        </>
      ) : (
        "never heard"
      )}
    </div>
  );
}
