import type { Agent } from "../../api/gateway";
import { dateOf } from "../../api/time";
import { formatBytes, formatCount } from "../../format/number";
import { Badge } from "../../ui/Badge";
import { Scroller } from "../../ui/Scroller";
import { Ago } from "../../ui/Value";
import { healthOf } from "./health";

interface AgentTableProps {
  gateway: string;
  agents: readonly Agent[];
  now: Date;
}

export function AgentTable({ gateway, agents, now }: AgentTableProps) {
  return (
    <Scroller label={`Agents of ${gateway}`}>
      <table className="table">
        <thead>
          <tr>
            <th scope="col">Agent</th>
            <th scope="col">State</th>
            <th scope="col">Last seen</th>
            <th scope="col" className="num">
              Policy
            </th>
            <th scope="col" className="num wide-only">
              Revocations
            </th>
            <th scope="col" className="num wide-only">
              Spool
            </th>
            <th scope="col" className="wide-only">
              Release
            </th>
          </tr>
        </thead>
        <tbody>
          {agents.map((agent) => (
            <AgentRow key={agent.id} agent={agent} now={now} />
          ))}
        </tbody>
      </table>
    </Scroller>
  );
}

function AgentRow({ agent, now }: { agent: Agent; now: Date }) {
  const health = healthOf(agent, now);
  const seen = dateOf(agent.lastSeenAt);
  return (
    <tr>
      <th scope="row" title={agent.id}>
        {agent.name}
        <div className="narrow-only stacked">{spool(agent)} in the spool</div>
      </th>
      <td>
        <Badge tone={health.tone}>{health.label}</Badge>
        {agent.rejectReasons.map((reason) => (
          <div key={reason} className="muted">
            {reason}
          </div>
        ))}
      </td>
      <td>{seen ? <Ago at={seen} now={now} /> : <span className="muted">never</span>}</td>
      <td className="num" title={`Epoch ${agent.policyEpoch}`}>
        {agent.policyVersion > 0n ? `v${agent.policyVersion}` : <span className="muted">none</span>}
      </td>
      <td className="num wide-only">{`v${agent.revocationVersion}`}</td>
      <td className="num wide-only">{spool(agent)}</td>
      <td className="wide-only">{agent.version || <span className="muted">–</span>}</td>
    </tr>
  );
}

function spool(agent: Agent): string {
  return `${formatCount(agent.spoolRecords)} records, ${formatBytes(agent.spoolBytes)}`;
}
