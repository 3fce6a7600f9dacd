import type { Alert } from "../../api/alert";
import { mayListDeliveries, useAlert, useDeliveries } from "../../api/alert";
import type { Names } from "../../api/names";
import { dateOf } from "../../api/time";
import { CopyButton } from "../../ui/CopyButton";
import { LoadMore } from "../../ui/LoadMore";
import { Drawer } from "../../ui/Overlay";
import { Async } from "../../ui/State";
import { Time } from "../../ui/Value";
import { useMay } from "../session/permission";
import { AlertWords } from "./AlertWords";
import { DeliveryList } from "./DeliveryList";
import { kindName } from "./words";

interface AlertDrawerProps {
  id: string;
  projects: Names;
  channels: Names;
  onClose: () => void;
}

/** AlertDrawer shows one alert, and what came of telling it. */
export function AlertDrawer({ id, projects, channels, onClose }: AlertDrawerProps) {
  const result = useAlert(id);
  const mayDeliveries = useMay()(mayListDeliveries);
  return (
    <Drawer title="Alert" open onClose={onClose}>
      <Async result={result} what="alert" isEmpty={(alert) => alert === null} empty={<p className="muted">There is no such alert any more: they are kept for 90 days.</p>}>
        {(alert) => alert && <Details alert={alert} projects={projects} />}
      </Async>
      {mayDeliveries && <Told alertId={id} channels={channels} />}
    </Drawer>
  );
}

function Details({ alert, projects }: { alert: Alert; projects: Names }) {
  return (
    <>
      <div className="drawer-id">
        <div>
          <b>{kindName(alert.kind)}</b>
          <div>
            raised <Time at={dateOf(alert.raisedAt)} />
          </div>
        </div>
        <CopyButton text={alert.id} what="id of the alert" label="Copy id" />
      </div>
      <div className="anywhere">
        <AlertWords alert={alert} projects={projects} />
      </div>
    </>
  );
}

function Told({ alertId, channels }: { alertId: string; channels: Names }) {
  const result = useDeliveries(`alert_id = "${alertId}"`);
  const deliveries = result.data?.pages.flatMap((page) => page.deliveries) ?? [];
  return (
    <section className="facts" aria-label="Who was told">
      <h3>Who was told</h3>
      <Async
        result={result}
        what="deliveries"
        isEmpty={() => deliveries.length === 0}
        empty={<p className="muted">Nobody, or longer than 30 days ago. Channels say what they are told of; budgets name theirs.</p>}
      >
        {() => <DeliveryList deliveries={deliveries} channels={channels} />}
      </Async>
      <LoadMore query={result} />
    </section>
  );
}
