import "./gateway.css";

import { getRouteApi, Link } from "@tanstack/react-router";
import { useState } from "react";

import type { Agent, Gateway } from "../../api/gateway";
import { mayEnrol, mayListAgents, mayRevokeAgent, useAgents, useGateway } from "../../api/gateway";
import { mayListProviders, useProviderNames } from "../../api/provider";
import type { Rollout } from "../../api/rollout";
import { mayListRollouts, useRollouts } from "../../api/rollout";
import { viewerZone } from "../../format/time";
import { LoadMore } from "../../ui/LoadMore";
import { Page, Panel } from "../../ui/Page";
import { Async, Empty } from "../../ui/State";
import { useNow } from "../../ui/useNow";
import { AgentDrawer } from "../agents/AgentDrawer";
import { AgentTable } from "../agents/AgentTable";
import { JoinDialog } from "../agents/JoinDialog";
import { NoAgents } from "../agents/NoAgents";
import { RevokeAgentDialog } from "../agents/RevokeAgentDialog";
import { UnservedRoutes } from "../agents/UnservedRoutes";
import { HistoryLink } from "../history/HistoryLink";
import { useMay } from "../session/permission";
import { RolloutHistory } from "./RolloutHistory";
import { RolloutPanel } from "./RolloutPanel";
import { SpoolPanel } from "./SpoolPanel";
import { isGoingBack } from "./state";

const route = getRouteApi("/agents/$gatewayId");

/** GatewayPage shows one gateway: how configuration comes to its agents, and the agents. */
export function GatewayPage() {
  const { gatewayId } = route.useParams();
  const { agent } = route.useSearch();
  const navigate = route.useNavigate();
  const result = useGateway(gatewayId);
  const gateway = result.data?.gateway;
  return (
    <Page
      title={gateway?.name ?? "Gateway"}
      about={gateway && `Gateway in region ${gateway.region}. Times in ${viewerZone()}.`}
      actions={
        <>
          <HistoryLink id={gatewayId} />
          <Link to="/agents">All gateways</Link>
        </>
      }
    >
      <Async result={result} what="gateway" isEmpty={(d) => !d.gateway} empty={null}>
        {(data) => data.gateway && <Panels gateway={data.gateway} />}
      </Async>
      <AgentDrawer id={agent} onClose={() => void navigate({ search: {} })} />
    </Page>
  );
}

function Panels({ gateway }: { gateway: Gateway }) {
  const may = useMay();
  const agents = useAgents(may(mayListAgents), gateway.id);
  const rollouts = useRollouts(gateway.id, may(mayListRollouts));
  const [joining, setJoining] = useState(false);
  const join = may(mayEnrol) ? () => setJoining(true) : undefined;
  const past = rollouts.data?.pages.flatMap((page) => page.rollouts) ?? [];
  const fleet = agents.data?.pages.flatMap((page) => page.agents) ?? [];
  return (
    <>
      <RolloutPanel gateway={gateway} fleet={fleet} before={versionBefore(past)} />
      <Panel title="Agents" aside={<FleetAside gateway={gateway} onJoin={join} />}>
        <UnservedRoutes gateway={gateway} />
        <Async result={agents} what="agents" isEmpty={() => fleet.length === 0} empty={<NoAgents onJoin={join} />}>
          {() => <Fleet gateway={gateway} fleet={fleet} />}
        </Async>
        <LoadMore query={agents} />
        {joining && <JoinDialog gateway={gateway} onClose={() => setJoining(false)} />}
      </Panel>
      <SpoolPanel gateway={gateway} />
      {may(mayListRollouts) && (
        <Panel title="Rollouts until now">
          <Async result={rollouts} what="rollouts" isEmpty={() => past.length === 0} empty={<NoRollouts />}>
            {() => <RolloutHistory rollouts={past} />}
          </Async>
          <LoadMore query={rollouts} />
        </Panel>
      )}
    </>
  );
}

function Fleet({ gateway, fleet }: { gateway: Gateway; fleet: readonly Agent[] }) {
  const may = useMay();
  const providers = useProviderNames(may(mayListProviders));
  const now = useNow(1_000);
  const [revoking, setRevoking] = useState<Agent>();
  return (
    <>
      <AgentTable gateway={gateway.name} agents={fleet} providers={providers} now={now} onRevoke={may(mayRevokeAgent) ? setRevoking : undefined} />
      {revoking && <RevokeAgentDialog subject={revoking} onClose={() => setRevoking(undefined)} />}
    </>
  );
}

// What a rollout began from is where one would go back to.
function versionBefore(rollouts: readonly Rollout[]): bigint {
  return rollouts.find((rollout) => !isGoingBack(rollout))?.baseVersion ?? 0n;
}

function FleetAside({ gateway, onJoin }: { gateway: Gateway; onJoin: (() => void) | undefined }) {
  return (
    <span className="panel-aside">
      {gateway.allowedRegions.length > 0 && <span className="muted">Sends to providers in {gateway.allowedRegions.join(", ")} only</span>}
      {onJoin && (
        <button type="button" className="button button-small" onClick={onJoin}>
          Add an agent
        </button>
      )}
    </span>
  );
}

function NoRollouts() {
  return (
    <Empty title="No rollouts yet">
      <p>Where changes come step by step, each of them is listed here, and so is every going back.</p>
    </Empty>
  );
}
