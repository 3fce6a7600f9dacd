import { getRouteApi, Link } from "@tanstack/react-router";
import { useState } from "react";

import { mayDryRun } from "../../api/diagnostics";
import type { Provider } from "../../api/provider";
import { mayCreateProvider, mayGetProvider, mayListProviders, mayUpdateProvider, useProviderNames, useProviders } from "../../api/provider";
import type { Route } from "../../api/route";
import { mayCreateRoute, mayUpdateRoute, useRoutes } from "../../api/route";
import { viewerZone } from "../../format/time";
import { LoadMore } from "../../ui/LoadMore";
import { Page, Panel } from "../../ui/Page";
import { Async, Empty } from "../../ui/State";
import { useMay } from "../session/permission";
import { StartLink } from "../start/StartLink";
import { ProviderDialog } from "./ProviderDialog";
import { ProviderTable } from "./ProviderTable";
import { RouteDialog } from "./RouteDialog";
import { RouteDrawer } from "./RouteDrawer";
import { RouteTable } from "./RouteTable";

const page = getRouteApi("/routing");

/** RoutingPage shows where requests may go, and changes it; a provider's page tests it. */
export function RoutingPage() {
  const may = useMay();
  const mayProviders = may(mayListProviders);
  const providers = useProviders(mayProviders);
  return (
    <Page
      title="Routes and providers"
      about={`Where requests may go. Times in ${viewerZone()}.`}
      actions={
        may(mayDryRun) && (
          <Link to="/routing/dry-run" className="button">
            Dry run
          </Link>
        )
      }
    >
      <Routes providers={providers.data?.pages.flatMap((page) => page.providers) ?? []} />
      {mayProviders && <Providers result={providers} />}
    </Page>
  );
}

function Routes({ providers }: { providers: readonly Provider[] }) {
  const may = useMay();
  const routes = useRoutes();
  const [subject, setSubject] = useState<Route>();
  const { route: shown, create } = page.useSearch();
  const navigate = page.useNavigate();
  const creating = create === "route" && may(mayCreateRoute);
  const listed = routes.data?.pages.flatMap((part) => part.routes) ?? [];
  const listedProviders = new Map(providers.map((p) => [p.id, p.name]));
  const names = useProviderNames((subject !== undefined || creating) && may(mayListProviders));
  return (
    <Panel title="Routes" aside={may(mayCreateRoute) && <CreateButton what="route" onClick={() => void navigate({ search: (s) => ({ ...s, create: "route" }) })} />}>
      <Async result={routes} what="routes" isEmpty={(d) => d.pages[0]?.routes.length === 0} empty={<NoRoutes />}>
        {() => <RouteTable routes={listed} providers={listedProviders} onChange={may(mayUpdateRoute) ? setSubject : undefined} />}
      </Async>
      <LoadMore query={routes} />
      <RouteDrawer
        id={routes.isLoading ? undefined : shown}
        route={listed.find((one) => one.id === shown)}
        providers={listedProviders}
        onClose={() => void navigate({ search: (s) => ({ ...s, route: undefined }) })}
      />
      {subject && <RouteDialog subject={subject} providers={names} onClose={() => setSubject(undefined)} />}
      {creating && <RouteDialog providers={names} onClose={() => void navigate({ search: (s) => ({ ...s, create: undefined }) })} />}
    </Panel>
  );
}

function Providers({ result }: { result: ReturnType<typeof useProviders> }) {
  const may = useMay();
  const [subject, setSubject] = useState<Provider>();
  const { create } = page.useSearch();
  const navigate = page.useNavigate();
  return (
    <Panel
      title="Providers"
      aside={may(mayCreateProvider) && <CreateButton what="provider" onClick={() => void navigate({ search: (s) => ({ ...s, create: "provider" }) })} />}
    >
      <Async
        result={result}
        what="providers"
        isEmpty={(d) => d.pages[0]?.providers.length === 0}
        empty={<NoProviders />}
      >
        {(data) => (
          <ProviderTable
            providers={data.pages.flatMap((page) => page.providers)}
            mayOpen={may(mayGetProvider)}
            onChange={may(mayUpdateProvider) ? setSubject : undefined}
          />
        )}
      </Async>
      <LoadMore query={result} />
      {subject && <ProviderDialog subject={subject} onClose={() => setSubject(undefined)} />}
      {create === "provider" && may(mayCreateProvider) && <ProviderDialog onClose={() => void navigate({ search: (s) => ({ ...s, create: undefined }) })} />}
    </Panel>
  );
}

function CreateButton({ what, onClick }: { what: string; onClick: () => void }) {
  return (
    <button type="button" className="button button-small" onClick={onClick}>
      Create {what}
    </button>
  );
}

function NoRoutes() {
  return (
    <Empty title="No routes yet">
      <p>
        A route is the name an application writes in <code>model</code>, and where requests go that name it.
      </p>
      <p>
        <StartLink>First steps</StartLink> say what comes before and after.
      </p>
    </Empty>
  );
}

function NoProviders() {
  return (
    <Empty title="No providers yet">
      <p>A provider is an upstream account. Routes send to providers.</p>
      <p>
        <StartLink>First steps</StartLink> begin with one.
      </p>
    </Empty>
  );
}
