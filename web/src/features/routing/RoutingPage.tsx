import { mayListProviders, useProviders } from "../../api/provider";
import { useRoutes } from "../../api/route";
import { viewerZone } from "../../format/time";
import { LoadMore } from "../../ui/LoadMore";
import { Page, Panel } from "../../ui/Page";
import { Async, Empty } from "../../ui/State";
import { useMay } from "../session/permission";
import { ProviderTable } from "./ProviderTable";
import { RouteTable } from "./RouteTable";

/** RoutingPage shows where requests may go. It changes nothing yet. */
export function RoutingPage() {
  const mayProviders = useMay()(mayListProviders);
  const routes = useRoutes();
  const providers = useProviders(mayProviders);
  const known = providers.data?.pages.flatMap((page) => page.providers) ?? [];
  return (
    <Page title="Routes and providers" about={`Changed through the API for now. Times in ${viewerZone()}.`}>
      <Panel title="Routes">
        <Async result={routes} what="routes" isEmpty={(d) => d.pages[0]?.routes.length === 0} empty={<NoRoutes />}>
          {(data) => <RouteTable routes={data.pages.flatMap((page) => page.routes)} providers={known} />}
        </Async>
        <LoadMore query={routes} />
      </Panel>
      {mayProviders && (
        <Panel title="Providers">
          <Async
            result={providers}
            what="providers"
            isEmpty={(d) => d.pages[0]?.providers.length === 0}
            empty={<NoProviders />}
          >
            {() => <ProviderTable providers={known} />}
          </Async>
          <LoadMore query={providers} />
        </Panel>
      )}
    </Page>
  );
}

function NoRoutes() {
  return (
    <Empty title="No routes yet">
      <p>
        A route is the name an application writes in <code>model</code>. Create one with{" "}
        <code>RouteService/CreateRoute</code>.
      </p>
    </Empty>
  );
}

function NoProviders() {
  return (
    <Empty title="No providers yet">
      <p>
        A provider is an upstream account. Create one with <code>ProviderService/CreateProvider</code>.
      </p>
    </Empty>
  );
}
