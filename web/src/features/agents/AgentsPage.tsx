import { getRouteApi, Link } from "@tanstack/react-router";
import { useState } from "react";

import type { Agent, Gateway } from "../../api/gateway";
import { mayCreateGateway, mayGetGateway, mayListAgents, mayRevokeAgent, useAgents, useGateways } from "../../api/gateway";
import { mayListProviders, useProviderNames } from "../../api/provider";
import { LoadMore } from "../../ui/LoadMore";
import { Page, Panel } from "../../ui/Page";
import { Async, Empty } from "../../ui/State";
import { useNow } from "../../ui/useNow";
import { useMay } from "../session/permission";
import { StartLink } from "../start/StartLink";
import { AgentDrawer } from "./AgentDrawer";
import { AgentTable } from "./AgentTable";
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
  const now = useNow(1_000);
  const fleet = agents.data?.pages.flatMap((page) => page.agents) ?? [];
  return (
    <Page title="Gateways and agents" about="As the agents last reported.">
      <Async result={gateways} what="gateways" isEmpty={(d) => d.pages[0]?.gateways.length === 0} empty={<NoGateways />}>
        {(data) =>
          data.pages
            .flatMap((page) => page.gateways)
            .map((gateway) => (
              <Panel key={gateway.id} title={gateway.name} aside={<Aside gateway={gateway} mayOpen={may(mayGetGateway)} />}>
                <UnservedRoutes gateway={gateway} />
                <Async
                  result={agents}
                  what={`agents of ${gateway.name}`}
                  isEmpty={() => !fleet.some((agent) => agent.gatewayId === gateway.id)}
                  empty={<NoAgents />}
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
      {revoking && <RevokeAgentDialog subject={revoking} onClose={() => setRevoking(undefined)} />}
    </Page>
  );
}

function Aside({ gateway, mayOpen }: { gateway: Gateway; mayOpen: boolean }) {
  return (
    <span className="panel-aside">
      <span className="muted">Region {gateway.region}</span>
      {mayOpen && (
        <Link to="/agents/$gatewayId" params={{ gatewayId: gateway.id }}>
          Rollout of {gateway.name}
        </Link>
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
