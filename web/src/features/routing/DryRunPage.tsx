import "./routing.css";

import { getRouteApi, Link } from "@tanstack/react-router";

import type { DryRunInput } from "../../api/diagnostics";
import { mayDryRun, useDryRun } from "../../api/diagnostics";
import { mayListAgents, mayListGateways, useAgents, useGateways } from "../../api/gateway";
import { mayListKeys, useKeys } from "../../api/key";
import { mayListProjects, useProjects } from "../../api/project";
import { mayListRoutes, useRoutes } from "../../api/route";
import type { DryRunSearch } from "../../routes/search";
import { Page, Panel } from "../../ui/Page";
import { Async, Empty, Loading } from "../../ui/State";
import { useMay } from "../session/permission";
import { AskFailure } from "./AskFailure";
import type { Known } from "./DryRunForm";
import { DryRunForm } from "./DryRunForm";
import { DryRunResult } from "./DryRunResult";

const route = getRouteApi("/routing/dry-run");

/** DryRunPage asks an agent what it would do with a request. The URL holds the request. */
export function DryRunPage() {
  const allowed = useMay()(mayDryRun);
  return (
    <Page
      title="Dry run"
      about="What an agent would do with a chat completion, by the code that does it."
      actions={<Link to="/routing">Routes and providers</Link>}
    >
      <Panel title="A request that is not sent">
        {allowed ? (
          <DryRun />
        ) : (
          <Empty title="Your role may not run dry">
            <p>An owner, an admin or an operator can.</p>
          </Empty>
        )}
      </Panel>
    </Page>
  );
}

function DryRun() {
  const asked = route.useSearch();
  const navigate = route.useNavigate();
  const known = useKnown();
  const input = inputOf(asked);
  const result = useDryRun(input);
  const run = (search: DryRunSearch) => {
    if (JSON.stringify(search) === JSON.stringify(asked)) void result.refetch();
    else void navigate({ search });
  };
  if (!known) return <Loading what="what can be asked" shape="table" />;
  return (
    <div className="ask">
      <DryRunForm known={known} asked={asked} busy={result.isFetching} onRun={run} />
      <div className="ask-answer">
        {input ? (
          <Async
            result={result.isFetching ? { ...result, data: undefined, error: null } : result}
            what="the agent's answer"
            isEmpty={() => false}
            empty={null}
            failure={(error) => <AskFailure error={error} />}
          >
            {(data) => <DryRunResult result={data} />}
          </Async>
        ) : (
          <p className="muted">Describe a request; the answer appears here.</p>
        )}
      </div>
    </div>
  );
}

// The form proposes from these: it waits for what the role may list.
function useKnown(): Known | undefined {
  const may = useMay();
  const gateways = useGateways(may(mayListGateways));
  const agents = useAgents(may(mayListAgents));
  const keys = useKeys(may(mayListKeys));
  const projects = useProjects(may(mayListProjects));
  const routes = useRoutes(may(mayListRoutes));
  if ([gateways, agents, keys, projects, routes].some((list) => list.isLoading)) return undefined;
  return {
    gateways: gateways.data?.pages.flatMap((page) => page.gateways) ?? [],
    agents: agents.data?.pages.flatMap((page) => page.agents) ?? [],
    keys: keys.data?.pages.flatMap((page) => page.keys) ?? [],
    projects: projects.data?.pages.flatMap((page) => page.projects) ?? [],
    routes: routes.data?.pages.flatMap((page) => page.routes) ?? [],
  };
}

function inputOf(search: DryRunSearch): DryRunInput | undefined {
  const { gateway, agent = "", caller, route: model, input = 1_000, output = 0, stream = false, user = "", run = "" } = search;
  const [kind, id] = caller?.split(":") ?? [];
  if (!gateway || !model || !id || (kind !== "key" && kind !== "project")) return undefined;
  return {
    gatewayId: gateway,
    agentId: agent,
    caller: { case: kind === "key" ? "keyId" : "projectId", value: id },
    model,
    inputTokens: BigInt(input),
    maxOutputTokens: BigInt(output),
    metadata: pairsOf(search.metadata),
    headers: pairsOf(search.headers),
    stream,
    user,
    run,
  };
}

// pairsOf reads "name=value; name=value".
function pairsOf(text = ""): Record<string, string> {
  const pairs = text.split(";").map((pair) => {
    const [name = "", ...value] = pair.split("=");
    return [name.trim(), value.join("=").trim()] as const;
  });
  return Object.fromEntries(pairs.filter(([name]) => name !== ""));
}
