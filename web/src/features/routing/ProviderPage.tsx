import "./routing.css";

import { getRouteApi, Link } from "@tanstack/react-router";

import { mayTestProvider } from "../../api/diagnostics";
import { quoted } from "../../api/find";
import { mayListAgents, mayListGateways } from "../../api/gateway";
import type { Provider } from "../../api/provider";
import { dialectName, useProvider } from "../../api/provider";
import { mayReadReports } from "../../api/report";
import { mayListRoutes, useRoutes } from "../../api/route";
import { dateOf } from "../../api/time";
import { viewerZone } from "../../format/time";
import { Fact, Facts } from "../../ui/Facts";
import { Page, Panel } from "../../ui/Page";
import { Async } from "../../ui/State";
import { useNow } from "../../ui/useNow";
import { Time } from "../../ui/Value";
import { TargetList } from "../agents/TargetList";
import { HistoryLink } from "../history/HistoryLink";
import { useMay } from "../session/permission";
import { UsageFacts } from "../usage/UsageFacts";
import { ProviderCredentials } from "./ProviderCredentials";
import { CredentialWords } from "./ProviderTable";
import { ProviderTest } from "./ProviderTest";
import { queueWords, saidTimeouts } from "./words";

const route = getRouteApi("/routing/providers/$providerId");

/** ProviderPage shows one provider, how agents do with its credential, and tests it. */
export function ProviderPage() {
  const { providerId } = route.useParams();
  const result = useProvider(providerId);
  const name = result.data?.provider?.name;
  return (
    <Page title={name ?? "Provider"} about={name && `Provider. Times in ${viewerZone()}.`} actions={<Elsewhere providerId={providerId} />}>
      <Async result={result} what="provider" isEmpty={(d) => !d.provider} empty={null}>
        {({ provider }) => provider && <Panels provider={provider} />}
      </Async>
    </Page>
  );
}

function Elsewhere({ providerId }: { providerId: string }) {
  return (
    <>
      <HistoryLink id={providerId} />
      <Link to="/routing">Routes and providers</Link>
    </>
  );
}

function Panels({ provider }: { provider: Provider }) {
  const may = useMay();
  const routes = useRoutes(may(mayListRoutes)).data?.pages.flatMap((page) => page.routes) ?? [];
  const sentTo = routes.flatMap(({ targets }) => targets).filter((target) => target.providerId === provider.id);
  const models = [...new Set(sentTo.map((target) => target.model))].sort();
  return (
    <>
      <Panel title="Settings">
        <Settings provider={provider} />
      </Panel>
      <Use provider={provider} />
      {may(mayTestProvider) && may(mayListGateways) && (
        <Panel title="Test">
          <ProviderTest provider={provider} models={models} />
        </Panel>
      )}
      {may(mayListAgents) && (
        <Panel title="Credential at the agents">
          <ProviderCredentials providerId={provider.id} />
        </Panel>
      )}
    </>
  );
}

function Use({ provider }: { provider: Provider }) {
  const may = useMay();
  const now = useNow(1_000);
  const filter = `provider = ${quoted(provider.name)}`;
  if (!may(mayReadReports) && !may(mayListAgents)) return null;
  return (
    <Panel title="Use">
      <div className="settings-columns">
        <UsageFacts filter={filter} search={{ filter }} />
        {may(mayListAgents) && (
          <section className="facts">
            <h3>Targets at the agents</h3>
            <TargetList
              of={{ case: "providerId", value: provider.id }}
              nameOf={({ model, agentName }) => (
                <>
                  {model}
                  <span className="muted"> at </span>
                  {agentName}
                </>
              )}
              none="No agent has told of any: no request tried one since it started."
              now={now}
            />
          </section>
        )}
      </div>
    </Panel>
  );
}

function Settings({ provider }: { provider: Provider }) {
  return (
    <div className="settings-columns">
      <Facts title="Place">
        <Fact name="Dialect">{dialectName(provider.dialect)}</Fact>
        <Fact name="Base URL">
          <code>{provider.baseUrl}</code>
        </Fact>
        <Fact name="Region">{provider.region || "not stated"}</Fact>
        <Fact name="Headers">{Object.keys(provider.headers).join(", ") || "none"}</Fact>
      </Facts>
      <Facts title="Use">
        <Fact name="Credential">
          <CredentialWords provider={provider} />
        </Fact>
        <Fact name="Prices">{provider.priceList || "unpriced"}</Fact>
        <Fact name="Models">{provider.allowedModels.join(", ") || "any"}</Fact>
        <Fact name="Timeouts">{provider.timeouts ? saidTimeouts(provider.timeouts) : "the agent's own"}</Fact>
        <Fact name="Queue">{queueWords(provider.queue)}</Fact>
        <Fact name="Created">
          <Time at={dateOf(provider.createdAt)} precision="minute" />
        </Fact>
      </Facts>
    </div>
  );
}
