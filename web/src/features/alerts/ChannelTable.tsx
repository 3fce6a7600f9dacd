import { useState } from "react";

import { maySendTestAlert, useSendTestAlert } from "../../api/alert";
import type { AlertChannel } from "../../api/alertChannel";
import { Delivery, mayDeleteAlertChannel, mayTestAlertChannel, mayUpdateAlertChannel, useTestAlertChannel } from "../../api/alertChannel";
import { explain } from "../../api/error";
import { dateOf } from "../../api/time";
import { Badge } from "../../ui/Badge";
import { Scroller } from "../../ui/Scroller";
import { Time } from "../../ui/Value";
import { useMay } from "../session/permission";
import { ChannelDialog } from "./ChannelDialog";
import { DeleteChannelDialog } from "./DeleteChannelDialog";
import { SecretDialog } from "./SecretDialog";
import { attemptWords, kindName } from "./words";

type Open = { what: "change" | "secret" | "delete"; channel: AlertChannel } | undefined;

/** ChannelTable lists the webhooks that alerts go to. */
export function ChannelTable({ channels }: { channels: readonly AlertChannel[] }) {
  const [open, setOpen] = useState<Open>();
  const close = () => setOpen(undefined);
  return (
    <>
      <Scroller label="Channels, table">
        <table className="table">
          <thead>
            <tr>
              <th scope="col">Channel</th>
              <th scope="col" className="wide-only">
                Told of
              </th>
              <th scope="col" className="wide-only">
                Secret set
              </th>
              <th scope="col">
                <span className="sr-only">Actions</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {channels.map((channel) => (
              <tr key={channel.id}>
                <th scope="row" className="anywhere">
                  {channel.name}
                  <div className="stacked">{channel.url}</div>
                </th>
                <td className="wide-only">
                  {["Budgets that name it", ...channel.kinds.map(kindName)].map((name) => (
                    <div key={name}>{name}</div>
                  ))}
                </td>
                <td className="wide-only">
                  {channel.secretSetAt ? <Time at={dateOf(channel.secretSetAt)} precision="minute" /> : <Badge tone="bad">No secret</Badge>}
                </td>
                <td>
                  <Tools channel={channel} onOpen={(what) => setOpen({ what, channel })} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </Scroller>
      {open?.what === "change" && <ChannelDialog subject={open.channel} onClose={close} />}
      {open?.what === "secret" && <SecretDialog channel={open.channel} onClose={close} />}
      {open?.what === "delete" && <DeleteChannelDialog channel={open.channel} onClose={close} />}
    </>
  );
}

interface ToolsProps {
  channel: AlertChannel;
  onOpen: (what: "change" | "secret" | "delete") => void;
}

function Tools({ channel, onOpen }: ToolsProps) {
  const may = useMay();
  const test = useTestAlertChannel();
  const alert = useSendTestAlert();
  const tool = (label: string, onClick: () => void, look = "", disabled = false) => (
    <button type="button" className={`button button-small ${look}`} aria-label={`${label}: ${channel.name}`} disabled={disabled} onClick={onClick}>
      {label}
    </button>
  );
  return (
    <>
      <div className="channel-tools">
        {may(mayTestAlertChannel) && tool(test.isPending ? "Sending…" : "Send test", () => test.mutate({ id: channel.id }), "", test.isPending)}
        {may(maySendTestAlert) && tool("Raise test alert", () => alert.mutate({ alertChannelId: channel.id }), "", alert.isPending)}
        {may(mayUpdateAlertChannel) && tool("Change", () => onOpen("change"))}
        {may(mayUpdateAlertChannel) && tool("New secret", () => onOpen("secret"))}
        {may(mayDeleteAlertChannel) && tool("Delete", () => onOpen("delete"), "button-danger")}
      </div>
      <div role="status" className="channel-said">
        {test.data && (
          <Badge tone={test.data.delivery === Delivery.ACCEPTED ? "good" : "bad"}>
            {attemptWords({ result: test.data.delivery, status: test.data.status, duration: test.data.duration })}
          </Badge>
        )}
        {alert.data && <Badge tone="good">Raised: see the deliveries</Badge>}
        {[test.error, alert.error].map((error, i) => error && <Badge key={i} tone="bad">{explain(error).detail}</Badge>)}
      </div>
    </>
  );
}
