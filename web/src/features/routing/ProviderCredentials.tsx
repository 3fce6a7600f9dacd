import type { AgentCredential } from "../../api/gateway";
import { mayListGateways, useAgentCredentials, useGatewayNames } from "../../api/gateway";
import type { Names } from "../../api/names";
import { dateOf } from "../../api/time";
import { Badge } from "../../ui/Badge";
import { Named } from "../../ui/Named";
import { Scroller } from "../../ui/Scroller";
import { Async, Empty } from "../../ui/State";
import { useNow } from "../../ui/useNow";
import { Ago } from "../../ui/Value";
import { conditionOf } from "../agents/credential";
import { useMay } from "../session/permission";

/** ProviderCredentials shows which agents can use a provider's credential, and which can't. */
export function ProviderCredentials({ providerId }: { providerId: string }) {
  const result = useAgentCredentials(providerId, true);
  const gateways = useGatewayNames(useMay()(mayListGateways));
  const now = useNow(1_000);
  return (
    <Async result={result} what="credentials" isEmpty={(d) => d.credentials.length === 0} empty={<NoCredentials />}>
      {({ credentials, leftOut }) => (
        <>
          <Scroller label="Credentials at the agents, table">
            <table className="table">
              <thead>
                <tr>
                  <th scope="col">Agent</th>
                  <th scope="col">Credential</th>
                  <th scope="col" className="wide-only">
                    Fingerprint
                  </th>
                  <th scope="col" className="wide-only">
                    Last seen
                  </th>
                </tr>
              </thead>
              <tbody>
                {credentials.map((credential) => (
                  <Row key={credential.agentId} credential={credential} gateways={gateways} now={now} />
                ))}
              </tbody>
            </table>
          </Scroller>
          <p className="muted panel-note">Equal fingerprints that were made with the same key mean equal values; made with different keys they tell nothing.</p>
          {leftOut > 0 && <p className="muted panel-note">{leftOut} agents more are not listed.</p>}
        </>
      )}
    </Async>
  );
}

function Row({ credential, gateways, now }: { credential: AgentCredential; gateways: Names; now: Date }) {
  const { label, tone } = conditionOf(credential);
  const since = dateOf(credential.since);
  const seen = dateOf(credential.lastSeenAt);
  return (
    <tr>
      <th scope="row" title={credential.agentId}>
        {credential.agentName}
        <div className="stacked">
          of <Named id={credential.gatewayId} names={gateways} />
        </div>
      </th>
      <td className="anywhere">
        <Badge tone={tone}>{label}</Badge>
        {credential.reason && <div className="muted">{credential.reason}</div>}
        {since && (
          <div className="muted">
            since <Ago at={since} now={now} />
          </div>
        )}
      </td>
      <td className="wide-only anywhere">
        {credential.fingerprint ? (
          <span title={`Made with key ${credential.fingerprintKey}: equal ones mean equal values`}>
            <code>{credential.fingerprint}</code>
            <div className="muted">
              with key <code>{credential.fingerprintKey}</code>
            </div>
          </span>
        ) : (
          <span className="muted">none</span>
        )}
      </td>
      <td className="wide-only">{seen ? <Ago at={seen} now={now} /> : <span className="muted">never</span>}</td>
    </tr>
  );
}

function NoCredentials() {
  return (
    <Empty title="No agents yet">
      <p>Once an agent runs, it says here whether it can use this provider's credential.</p>
    </Empty>
  );
}
