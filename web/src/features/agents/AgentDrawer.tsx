import "./agents.css";

import type { Agent } from "../../api/gateway";
import { mayListGateways, useAgent, useGatewayNames } from "../../api/gateway";
import type { Names } from "../../api/names";
import { mayListProviders, useProviderNames } from "../../api/provider";
import { dateOf } from "../../api/time";
import { Badge } from "../../ui/Badge";
import { CopyButton } from "../../ui/CopyButton";
import { Fact, Facts } from "../../ui/Facts";
import { Named } from "../../ui/Named";
import { Drawer } from "../../ui/Overlay";
import { Async } from "../../ui/State";
import { useNow } from "../../ui/useNow";
import { Ago, Time } from "../../ui/Value";
import { HistoryLink } from "../history/HistoryLink";
import { useMay } from "../session/permission";
import { CredentialList } from "./CredentialList";
import { healthOf } from "./health";
import { PolicyFacts, UsageFacts } from "./Reported";
import { TargetList } from "./TargetList";

interface AgentDrawerProps {
  /** From the URL; undefined: closed. */
  id: string | undefined;
  onClose: () => void;
}

/** AgentDrawer shows everything that one agent last reported. */
export function AgentDrawer({ id = "", onClose }: AgentDrawerProps) {
  const result = useAgent(id);
  return (
    <Drawer title="Agent" open={id !== ""} onClose={onClose}>
      <Async result={result} what="agent" isEmpty={(d) => !d.agent} empty={null}>
        {({ agent }) => agent && <Details agent={agent} />}
      </Async>
    </Drawer>
  );
}

function Details({ agent }: { agent: Agent }) {
  const may = useMay();
  const now = useNow(1_000);
  const gateways = useGatewayNames(may(mayListGateways));
  const providers = useProviderNames(may(mayListProviders));
  return (
    <>
      <div className="drawer-id">
        <div>
          <b>{agent.name}</b>
          <div>
            <code>{agent.id}</code>
          </div>
        </div>
        <CopyButton text={agent.id} what="id of the agent" label="Copy id" />
      </div>
      <HistoryLink id={agent.id} />
      <StateFacts agent={agent} gateways={gateways} now={now} />
      <PolicyFacts agent={agent} now={now} />
      <UsageFacts agent={agent} now={now} />
      {!agent.revokedAt && <Targets agent={agent} providers={providers} now={now} />}
      <CredentialList credentials={agent.credentials} providers={providers} now={now} />
      <Facts title="Release">
        <Fact name="Version">{agent.version || "–"}</Fact>
        <Fact name="Build">{agent.build || "–"}</Fact>
        <Fact name="Platform">{agent.platform || "–"}</Fact>
        <Fact name="Capability">{capability(agent)}</Fact>
        {agent.ignoredKinds.length > 0 && <Fact name="Kept unread">{agent.ignoredKinds.join(", ")}</Fact>}
      </Facts>
    </>
  );
}

function Targets({ agent, providers, now }: { agent: Agent; providers: Names; now: Date }) {
  return (
    <section className="facts">
      <h3>Targets</h3>
      <TargetList
        of={{ case: "agentId", value: agent.id }}
        nameOf={({ providerId, model }) => (
          <>
            <Named id={providerId} names={providers} />
            <span className="muted"> / </span>
            {model}
          </>
        )}
        none="It has told of none: no request tried one since its start."
        now={now}
      />
    </section>
  );
}

function StateFacts({ agent, gateways, now }: { agent: Agent; gateways: Names; now: Date }) {
  const health = healthOf(agent, now);
  const seen = dateOf(agent.lastSeenAt);
  const revoked = dateOf(agent.revokedAt);
  return (
    <Facts title="State">
      <Fact name="State">
        <Badge tone={health.tone}>{health.label}</Badge>
        {agent.notice && <div className="muted">{agent.notice}</div>}
      </Fact>
      {revoked && (
        <Fact name="Revoked">
          <Time at={revoked} />
        </Fact>
      )}
      <Fact name="Gateway">
        <Named id={agent.gatewayId} names={gateways} />
      </Fact>
      <Fact name="Last seen">{seen ? <Ago at={seen} now={now} /> : "never"}</Fact>
      <Fact name="Address">{agent.address || "–"}</Fact>
      <Fact name="Joined">
        <Time at={dateOf(agent.enrolledAt)} />
      </Fact>
    </Facts>
  );
}

function capability({ capability: has, neededCapability: needs }: Agent): string {
  if (has === 0) return needs > 0 ? `not stated; its policy needs ${needs}` : "not stated";
  return needs > has ? `${has}, and its newest policy needs ${needs}: upgrade it` : String(has);
}
