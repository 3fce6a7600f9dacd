import "./alerts.css";

import { getRouteApi, Link } from "@tanstack/react-router";
import { useState } from "react";

import { mayListAlerts, mayListDeliveries, useAlerts, useDeliveries } from "../../api/alert";
import { mayCreateAlertChannel, mayListAlertChannels, useAlertChannelNames, useAlertChannels } from "../../api/alertChannel";
import type { Names } from "../../api/names";
import { mayListProjects, useProjectNames } from "../../api/project";
import { viewerZone } from "../../format/time";
import { alertKinds, deliveryStates } from "../../routes/search";
import { Choice } from "../../ui/Choice";
import { LoadMore } from "../../ui/LoadMore";
import { Page, Panel } from "../../ui/Page";
import { Segmented } from "../../ui/Segmented";
import { Async, Empty } from "../../ui/State";
import { useMay } from "../session/permission";
import { AlertDrawer } from "./AlertDrawer";
import { AlertTable } from "./AlertTable";
import { ChannelDialog } from "./ChannelDialog";
import { ChannelTable } from "./ChannelTable";
import { DeliveryList } from "./DeliveryList";

const route = getRouteApi("/alerts");

const views = [
  { value: "raised", label: "Raised", permission: mayListAlerts },
  { value: "deliveries", label: "Deliveries", permission: mayListDeliveries },
  { value: "channels", label: "Channels", permission: mayListAlertChannels },
] as const;

/** AlertsPage shows what was noticed, who was told of it, and the channels. */
export function AlertsPage() {
  const may = useMay();
  const { show = "raised", alert } = route.useSearch();
  const navigate = route.useNavigate();
  const projects = useProjectNames(may(mayListProjects));
  const channels = useAlertChannelNames(may(mayListAlertChannels));
  const offered = views.filter(({ permission }) => may(permission));
  const open = (id: string | undefined) => void navigate({ search: (s) => ({ ...s, alert: id }) });
  return (
    <Page
      title="Alerts"
      about={`What somebody should know about the money. Times in ${viewerZone()}.`}
      actions={<Link to="/budgets">Budgets and limits</Link>}
    >
      <div className="page-tabs">
        <Segmented label="Show" options={offered} value={show} onChange={(next) => void navigate({ search: next === "raised" ? {} : { show: next } })} />
      </div>
      {show === "raised" && <Raised projects={projects} />}
      {show === "deliveries" && may(mayListDeliveries) && <Deliveries channels={channels} onOpen={open} />}
      {show === "channels" && may(mayListAlertChannels) && <Channels />}
      {alert && <AlertDrawer id={alert} projects={projects} channels={channels} onClose={() => open(undefined)} />}
    </Page>
  );
}

const kindLabels = { budget_threshold: "Budgets", spend_anomaly: "Unusual spend", unpriced_usage: "No price", test: "Tests" } as const;

function Raised({ projects }: { projects: Names }) {
  const { kind, budget } = route.useSearch();
  const navigate = route.useNavigate();
  const result = useAlerts([...(kind ? [`kind = ${kind}`] : []), ...(budget ? [`budget_id = "${budget}"`] : [])].join(" AND "));
  const alerts = result.data?.pages.flatMap((page) => page.alerts) ?? [];
  return (
    <Panel
      title={budget ? "Raised about one budget" : "Raised"}
      aside={
        budget ? (
          <button type="button" className="button button-small" onClick={() => void navigate({ search: (s) => ({ ...s, budget: undefined }), replace: true })}>
            Show all alerts
          </button>
        ) : (
          <Choice label="About" any="About anything" known={alertKinds} labels={kindLabels} value={kind} onChange={(kind) => void navigate({ search: (s) => ({ ...s, kind }), replace: true })} />
        )
      }
    >
      <Async result={result} what="alerts" isEmpty={() => alerts.length === 0} empty={kind || budget ? <NoneOfKind /> : <NoAlerts />}>
        {() => <AlertTable alerts={alerts} projects={projects} />}
      </Async>
      <LoadMore query={result} />
    </Panel>
  );
}

const stateLabels = { pending: "On their way", accepted: "Delivered", failed: "Given up" } as const;

function Deliveries({ channels, onOpen }: { channels: Names; onOpen: (alertId: string) => void }) {
  const { state } = route.useSearch();
  const navigate = route.useNavigate();
  const result = useDeliveries(state ? `state = ${state}` : "");
  const deliveries = result.data?.pages.flatMap((page) => page.deliveries) ?? [];
  return (
    <Panel
      title="Deliveries"
      aside={
        <Choice label="State" any="Any state" known={deliveryStates} labels={stateLabels} value={state} onChange={(state) => void navigate({ search: (s) => ({ ...s, state }), replace: true })} />
      }
    >
      <Async result={result} what="deliveries" isEmpty={() => deliveries.length === 0} empty={<NoDeliveries filtered={state !== undefined} />}>
        {() => (
          <div className="delivery-log">
            <DeliveryList deliveries={deliveries} channels={channels} onOpen={onOpen} />
          </div>
        )}
      </Async>
      <LoadMore query={result} />
    </Panel>
  );
}

function Channels() {
  const may = useMay();
  const result = useAlertChannels(true);
  const [creating, setCreating] = useState(false);
  const channels = result.data?.pages.flatMap((page) => page.alertChannels) ?? [];
  return (
    <Panel
      title="Channels"
      aside={
        may(mayCreateAlertChannel) && (
          <button type="button" className="button button-small" onClick={() => setCreating(true)}>
            Create channel
          </button>
        )
      }
    >
      <Async result={result} what="channels" isEmpty={() => channels.length === 0} empty={<NoChannels />}>
        {() => <ChannelTable channels={channels} />}
      </Async>
      <LoadMore query={result} />
      {creating && <ChannelDialog onClose={() => setCreating(false)} />}
    </Panel>
  );
}

function NoAlerts() {
  const may = useMay();
  return (
    <Empty title="Nothing was raised">
      <p>An alert is raised when a budget reaches a percent, a project spends unusually much, or a model has no price. They are kept for 90 days.</p>
      {may(mayListAlertChannels) && (
        <p>
          <Link to="/alerts" search={{ show: "channels" }}>
            Channels
          </Link>{" "}
          say who is told.
        </p>
      )}
    </Empty>
  );
}

function NoneOfKind() {
  return (
    <Empty title="Nothing of this kind was raised">
      <Link to="/alerts">Show all alerts</Link>
    </Empty>
  );
}

function NoDeliveries({ filtered }: { filtered: boolean }) {
  return (
    <Empty title={filtered ? "No deliveries in this state" : "Nothing was sent in the last 30 days"}>
      <p>Each alert that goes to a channel is listed here, with every attempt.</p>
    </Empty>
  );
}

function NoChannels() {
  return (
    <Empty title="No channels yet">
      <p>A channel is a webhook that alerts go to. Create one, then name it in a budget or say what else it is told of.</p>
    </Empty>
  );
}

