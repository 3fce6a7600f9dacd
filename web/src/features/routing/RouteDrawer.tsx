import { Link } from "@tanstack/react-router";

import { mayDryRun } from "../../api/diagnostics";
import { quoted } from "../../api/find";
import type { AgentTarget } from "../../api/gateway";
import { mayListAgents, useTroubledTargets } from "../../api/gateway";
import type { Names } from "../../api/names";
import { mayListProjects, useProjectNames } from "../../api/project";
import type { Route, Share, Target } from "../../api/route";
import { failureName, stickyByName, StickyBy, strategyName, useRoute, usualFailures } from "../../api/route";
import { Badge } from "../../ui/Badge";
import { CopyButton } from "../../ui/CopyButton";
import { Fact, Facts } from "../../ui/Facts";
import { Named } from "../../ui/Named";
import { Drawer } from "../../ui/Overlay";
import { Failure, Loading } from "../../ui/State";
import { stateOf } from "../agents/target";
import { HistoryLink } from "../history/HistoryLink";
import { useMay } from "../session/permission";
import { UsageFacts } from "../usage/UsageFacts";
import { isOf, troubledOf } from "./health";
import { explanationOf } from "./strategy";
import { hedgeWords, percentOf, spanOf, stickyWords, timeoutWords } from "./words";

interface RouteDrawerProps {
  /** From the URL; undefined: closed. */
  id: string | undefined;
  /** Undefined where the id is not among the loaded routes, which it need not be. */
  route: Route | undefined;
  providers: Names;
  onClose: () => void;
}

/** RouteDrawer shows everything that a route does. */
export function RouteDrawer({ id = "", route, providers, onClose }: RouteDrawerProps) {
  const asked = useRoute(route ? "" : id);
  const known = route ?? asked.data?.route;
  return (
    <Drawer title="Route" open={id !== ""} onClose={onClose}>
      {known && <Details route={known} providers={providers} />}
      {asked.isLoading && <Loading what="route" shape="table" />}
      {asked.error && <Failure error={asked.error} onRetry={asked.refetch} />}
    </Drawer>
  );
}

function Details({ route, providers }: { route: Route; providers: Names }) {
  const may = useMay();
  const projects = useProjectNames(may(mayListProjects) && route.allowedProjectIds.length > 0);
  const filter = `route = ${quoted(route.name)}`;
  const timeouts = timeoutWords(route.timeouts);
  const troubled = troubledOf(route, useTroubledTargets(may(mayListAgents)));
  return (
    <>
      <div className="drawer-id">
        <div>
          <b>{route.name}</b>
          <div>
            <code>{route.id}</code>
          </div>
        </div>
        <CopyButton text={route.id} what="id of the route" label="Copy id" />
      </div>
      <div className="drawer-links">
        <HistoryLink id={route.id} />
        {may(mayDryRun) && (
          <Link to="/routing/dry-run" search={{ route: route.name }}>
            Run a request dry
          </Link>
        )}
      </div>
      <UsageFacts filter={filter} search={{ filter }} />
      <Facts title="Choice of the target">
        <Fact name="Strategy">
          {strategyName(route.strategy)}
          <div className="muted">{explanationOf(route.strategy)}</div>
        </Fact>
        {route.sticky && (
          <Fact name="Alike in">
            {route.sticky.by === StickyBy.HEADER ? <code>{route.sticky.header}</code> : stickyByName(route.sticky.by)}
            <div className="muted">{stickyWords(route.sticky)}</div>
          </Fact>
        )}
        {route.targets.map((target, i) => (
          <Fact key={i} name={route.targets.length > 1 ? `Target ${i + 1}` : "Target"}>
            <TargetWords target={target} providers={providers} />
            <Troubles of={target} troubled={troubled} />
          </Fact>
        ))}
        <Fact name="Strict">{route.strict ? "yes: what translation would leave out is refused" : "no"}</Fact>
        <Fact name="Projects">
          {route.allowedProjectIds.length === 0
            ? "all"
            : route.allowedProjectIds.map((id) => (
                <div key={id}>
                  <Named id={id} names={projects} />
                </div>
              ))}
        </Fact>
      </Facts>
      <Facts title="Beside and before">
        <Fact name="Hedge">{route.hedge ? hedgeWords(route.hedge) : "none"}</Fact>
        <Fact name="Canary">
          {route.canary ? <ShareWords share={route.canary} providers={providers} /> : "none"}
          {route.canary?.target && <Troubles of={route.canary.target} troubled={troubled} />}
        </Fact>
        <Fact name="Shadow">{route.shadow ? <ShareWords share={route.shadow} providers={providers} /> : "none"}</Fact>
      </Facts>
      <Facts title="Attempts and timeouts">
        <Fact name="Attempts at most">{route.retry?.maxAttempts || "each target once, 5 in all"}</Fact>
        {route.retry?.backoff && <Fact name="First repeat after up to">{spanOf(route.retry.backoff)}</Fact>}
        <Fact name="Another one after">
          {(route.retry && route.retry.on.length > 0 ? route.retry.on : usualFailures).map(failureName).join(", ")}
        </Fact>
        {timeouts.length === 0 && <Fact name="Timeouts">the provider&apos;s, else the agent&apos;s</Fact>}
        {timeouts.map(([name, value]) => (
          <Fact key={name} name={name}>
            {value}
          </Fact>
        ))}
      </Facts>
    </>
  );
}

function Troubles({ of, troubled = [] }: { of: Target; troubled: readonly AgentTarget[] | undefined }) {
  return troubled.filter((one) => isOf(one)(of)).map((one) => {
    const { label, tone } = stateOf(one);
    return (
      <div key={one.agentId}>
        <Badge tone={tone}>{label}</Badge>{" "}
        <span className="muted">
          by {one.agentName}
          {one.reason && `: ${one.reason}`}
        </span>
      </div>
    );
  });
}

function ShareWords({ share, providers }: { share: Share; providers: Names }) {
  return (
    <>
      {percentOf(share.perMille)} to {share.target && <TargetWords target={share.target} providers={providers} />}
    </>
  );
}

/** TargetWords names a target, its weight and its condition. */
export function TargetWords({ target, providers }: { target: Target; providers: Names }) {
  return (
    <>
      <Named id={target.providerId} names={providers} />
      <span className="muted"> / </span>
      {target.model}
      {target.weight > 0 && <span className="muted"> (weight {target.weight})</span>}
      {target.when && (
        <div className="muted">
          only when <code>{target.when}</code>
        </div>
      )}
    </>
  );
}
