import { getRouteApi, Link } from "@tanstack/react-router";
import { useState } from "react";

import type { Agent, Gateway } from "../../api/gateway";
import { mayCreateGateway, mayEnrol, mayGetGateway, mayListAgents, mayRevokeAgent, useAgents, useGateways } from "../../api/gateway";
import { mayListProviders, useProviderNames } from "../../api/provider";
import { LoadMore } from "../../ui/LoadMore";
import { Page, Panel } from "../../ui/Page";
import { Async, Empty } from "../../ui/State";
import { useNow } from "../../ui/useNow";
import { useMay } from "../session/permission";
import { StartLink } from "../start/StartLink";
import { AgentDrawer } from "./AgentDrawer";
import { AgentTable } from "./AgentTable";
import { GatewayDialog } from "./GatewayDialog";
import { JoinDialog } from "./JoinDialog";
import { NoAgents } from "./NoAgents";
import { RevokeAgentDialog } from "./RevokeAgentDialog";
import { UnservedRoutes } from "./UnservedRoutes";

const route = getRouteApi("/agents");

/** AgentsPage shows each gateway's fleet as it last reported, and ends agents. */
export function AgentsPage() {
  const { agent } = route.useSearch();
  const navigate = route.useNavigate();
  const may = useMay();
  const gateways = useGateways();
  const agents = useAgents(may(mayListAgents));
  const providers = useProviderNames(may(mayListProviders));
  const [revoking, setRevoking] = useState<Agent>();
  const [joining, setJoining] = useState<Gateway>();
  const [creating, setCreating] = useState(false);
  const now = useNow(1_000);
  const fleet = agents.data?.pages.flatMap((page) => page.agents) ?? [];
  return (
    <Page
      title="Gateways and agents"
      about="As the agents last reported."
      actions={
        may(mayCreateGateway) && (
          <button type="button" className="button" onClick={() => setCreating(true)}>
            Create gateway
          </button>
        )
      }
    >
      <Async result={gateways} what="gateways" isEmpty={(d) => d.pages[0]?.gateways.length === 0} empty={<NoGateways />}>
        {(data) =>
          data.pages
            .flatMap((page) => page.gateways)
            .map((gateway) => (
              <Panel key={gateway.id} title={gateway.name} aside={<Aside gateway={gateway} mayOpen={may(mayGetGateway)} onJoin={may(mayEnrol) ? setJoining : undefined} />}>
                <UnservedRoutes gateway={gateway} />
                <Async
                  result={agents}
                  what={`agents of ${gateway.name}`}
                  isEmpty={() => !fleet.some((agent) => agent.gatewayId === gateway.id)}
                  empty={<NoAgents onJoin={may(mayEnrol) ? () => setJoining(gateway) : undefined} />}
                >
                  {() => (
                    <AgentTable
                      gateway={gateway.name}
                      agents={fleet.filter((agent) => agent.gatewayId === gateway.id)}
                      providers={providers}
                      now={now}
                      onRevoke={may(mayRevokeAgent) ? setRevoking : undefined}
                    />
                  )}
                </Async>
              </Panel>
            ))
        }
      </Async>
      <LoadMore query={gateways} />
      <LoadMore query={agents} />
      <AgentDrawer id={agent} onClose={() => void navigate({ search: {} })} />
      {joining && <JoinDialog gateway={joining} onClose={() => setJoining(undefined)} />}
      {creating && <GatewayDialog onClose={() => setCreating(false)} />}
      {revoking && <RevokeAgentDialog subject={revoking} onClose={() => setRevoking(undefined)} />}
    </Page>
  );
}

interface AsideProps {
  gateway: Gateway;
  mayOpen: boolean;
  /** Absent where the role may not. */
  onJoin: ((gateway: Gateway) => void) | undefined;
}

function Aside({ gateway, mayOpen, onJoin }: AsideProps) {
  return (
    <span className="panel-aside">
      <span className="muted">Region {gateway.region}</span>
      {mayOpen && (
        <Link to="/agents/$gatewayId" params={{ gatewayId: gateway.id }}>
          Rollout of {gateway.name}
        </Link>
      )}
      {onJoin && (
        <button type="button" className="button button-small" aria-label={`Add an agent to ${gateway.name}`} onClick={() => onJoin(gateway)}>
          Add an agent
        </button>
      )}
    </span>
  );
}

function NoGateways() {
  const mayCreate = useMay()(mayCreateGateway);
  return (
    <Empty title="No gateways yet">
      <p>A gateway is a named fleet of agents that serve the same configuration.</p>
      <p>
        {mayCreate ? <StartLink>Create the first one</StartLink> : "Your role may not create gateways; ask an owner, admin or operator of your organization."}
      </p>
    </Empty>
  );
}
