import { Link } from "@tanstack/react-router";

import type { Agent, AgentCredential } from "../../api/gateway";
import { CredentialState } from "../../api/gateway";
import type { Names } from "../../api/names";
import { dateOf } from "../../api/time";
import { formatBytes, formatCount } from "../../format/number";
import { Badge } from "../../ui/Badge";
import { Scroller } from "../../ui/Scroller";
import { Ago } from "../../ui/Value";
import { behind } from "./behind";
import { healthOf } from "./health";

interface AgentTableProps {
  gateway: string;
  agents: readonly Agent[];
  /** Names of providers, whose credentials agents may lack. */
  providers: Names;
  now: Date;
  /** Absent where the role may not. */
  onRevoke: ((agent: Agent) => void) | undefined;
}

export function AgentTable({ gateway, agents, providers, now, onRevoke }: AgentTableProps) {
  return (
    <Scroller label={`Agents of ${gateway}`}>
      <table className="table table-rows">
        <thead>
          <tr>
            <th scope="col">Agent</th>
            <th scope="col">State</th>
            <th scope="col" className="wide-only">
              Last seen
            </th>
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
            {onRevoke && (
              <th scope="col">
                <span className="sr-only">Actions</span>
              </th>
            )}
          </tr>
        </thead>
        <tbody>
          {agents.map((agent) => (
            <AgentRow key={agent.id} agent={agent} providers={providers} now={now} onRevoke={onRevoke} />
          ))}
        </tbody>
      </table>
    </Scroller>
  );
}

interface AgentRowProps {
  agent: Agent;
  providers: Names;
  now: Date;
  onRevoke: ((agent: Agent) => void) | undefined;
}

function AgentRow({ agent, providers, now, onRevoke }: AgentRowProps) {
  const health = healthOf(agent, now);
  const seen = dateOf(agent.lastSeenAt);
  const revoked = dateOf(agent.revokedAt);
  const behindSince = dateOf(agent.behindSince);
  const oldest = dateOf(agent.spoolOldestAt);
  return (
    <tr>
      <th scope="row" title={agent.id}>
        <Link to="." search={(s) => ({ ...s, agent: agent.id })} className="row-link">
          {agent.name}
        </Link>
        <div className="narrow-only stacked">
          {seen ? <Ago at={seen} now={now} /> : "never seen"}; {spool(agent)} in the spool
        </div>
      </th>
      <td className="anywhere">
        <Badge tone={health.tone}>{health.label}</Badge>
        {agent.notice && <div className="muted">{agent.notice}</div>}
        {revoked && (
          <div className="muted">
            <Ago at={revoked} now={now} />
          </div>
        )}
        {agent.rejectReasons.map((reason) => (
          <div key={reason} className="muted">
            {reason}
          </div>
        ))}
        {!revoked && agent.credentials.map((credential) => <Trouble key={credential.providerId} credential={credential} providers={providers} />)}
      </td>
      <td className="wide-only" title={agent.address ? `From ${agent.address}` : undefined}>
        {seen ? <Ago at={seen} now={now} /> : <span className="muted">never</span>}
      </td>
      <td className="num" title={`Epoch ${agent.policyEpoch}`}>
        {agent.policyVersion > 0n ? `v${agent.policyVersion}` : <span className="muted">none</span>}
        {agent.candidate && <div>candidate</div>}
        {behindSince && !revoked && (
          <div className="muted">
            {behind(agent)} behind since <Ago at={behindSince} now={now} />
          </div>
        )}
      </td>
      <td className="num wide-only">{`v${agent.revocationVersion}`}</td>
      <td className="num wide-only">
        {spool(agent)}
        {oldest && (
          <div className="muted">
            oldest <Ago at={oldest} now={now} />
          </div>
        )}
      </td>
      <td className="wide-only">
        {agent.version || <span className="muted">–</span>}
        <div className="muted">{[agent.build, agent.platform].filter(Boolean).join(", ")}</div>
      </td>
      {onRevoke && (
        <td className="num">
          {!revoked && (
            <button
              type="button"
              className="button button-small button-danger above-row"
              aria-label={`Revoke ${agent.name}`}
              onClick={() => onRevoke(agent)}
            >
              Revoke
            </button>
          )}
        </td>
      )}
    </tr>
  );
}

// The name is missing for those who may not list providers.
function Trouble({ credential, providers }: { credential: AgentCredential; providers: Names }) {
  const what = credential.state === CredentialState.STALE ? "is called with an old credential" : "can't be used";
  return (
    <div className="muted">
      {providers?.get(credential.providerId) ?? credential.providerId} {what}: {credential.reason}
    </div>
  );
}

function spool(agent: Agent): string {
  return `${formatCount(agent.spoolRecords)} records, ${formatBytes(agent.spoolBytes)}`;
}
