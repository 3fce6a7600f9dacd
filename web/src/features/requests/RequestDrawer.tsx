import type { ReactNode } from "react";

import type { Request } from "../../api/report";
import { dateOf } from "../../api/time";
import { formatDuration } from "../../format/duration";
import { formatMoney, perMillionTokens } from "../../format/money";
import { formatCount } from "../../format/number";
import { formatTime, formatUTC, viewerZone } from "../../format/time";
import { Badge } from "../../ui/Badge";
import { CopyButton } from "../../ui/CopyButton";
import { Drawer } from "../../ui/Overlay";
import { outcomeShape } from "./outcome";

interface RequestDrawerProps {
  /** From the URL; undefined: closed. */
  id: string | undefined;
  /** Undefined where the id is not among the loaded requests. */
  request: Request | undefined;
  onClose: () => void;
}

/** RequestDrawer shows everything that was recorded of one request. */
export function RequestDrawer({ id, request, onClose }: RequestDrawerProps) {
  return (
    <Drawer title="Request" open={id !== undefined} onClose={onClose}>
      {request ? (
        <Details request={request} />
      ) : (
        <p className="muted">This request is not among those loaded. Close this and load more to find older ones.</p>
      )}
    </Drawer>
  );
}

function Details({ request: r }: { request: Request }) {
  const outcome = outcomeShape(r.outcome);
  const started = dateOf(r.startedAt);
  return (
    <>
      <div className="drawer-id">
        <code>{r.requestId}</code>
        <CopyButton text={r.requestId} what="request id" />
      </div>
      <Facts title="Outcome">
        <Fact name="Outcome">
          <Badge tone={outcome.tone}>{outcome.label}</Badge>
        </Fact>
        <Fact name="HTTP status">{r.status}</Fact>
        {r.errorCode && <Fact name="Error code">{<code>{r.errorCode}</code>}</Fact>}
        <Fact name="Route">{r.route || "(no route)"}</Fact>
        <Fact name="Served by">{r.model ? `${r.model} at ${r.provider}` : "no upstream"}</Fact>
        <Fact name="Attempts">{r.attempts}</Fact>
      </Facts>
      <Facts title="Time">
        <Fact name={viewerZone()}>{started && formatTime(started, viewerZone(), "millisecond")}</Fact>
        <Fact name="UTC">{started && formatUTC(started)}</Fact>
        <Fact name="Latency">{formatDuration(r.durationUs)}</Fact>
        <Fact name="First token">
          {r.timeToFirstTokenUs === undefined ? "–" : formatDuration(r.timeToFirstTokenUs)}
        </Fact>
        <Fact name="Answer">{r.streamed ? "streamed" : "in one piece"}</Fact>
      </Facts>
      <Cost request={r} />
      <Facts title="Decided under">
        <Fact name="Policy version">{formatCount(r.policyVersion)}</Fact>
        <Fact name="Key">
          <code>{r.keyId || "–"}</code>
        </Fact>
        <Fact name="Project">
          <code>{r.projectId || "–"}</code>
        </Fact>
        <Fact name="Gateway">
          <code>{r.gatewayId || "–"}</code>
        </Fact>
      </Facts>
    </>
  );
}

function Cost({ request: r }: { request: Request }) {
  const tokens = r.inputTokens + r.outputTokens;
  const average = r.costNanoUsd === undefined ? undefined : perMillionTokens(r.costNanoUsd, tokens);
  return (
    <Facts title="Tokens and cost">
      <Fact name="Input tokens">{formatCount(r.inputTokens)}</Fact>
      <Fact name="Output tokens">{formatCount(r.outputTokens)}</Fact>
      <Fact name="Tokens" sum>
        {formatCount(tokens)}
      </Fact>
      {r.costNanoUsd === undefined ? (
        <Fact name="Cost">unpriced: no price was known</Fact>
      ) : (
        <>
          <Fact name="Cost, exact">{`${formatCount(r.costNanoUsd)} nano-dollars`}</Fact>
          <Fact name="÷ 1,000,000,000" sum>
            <strong>{formatMoney(r.costNanoUsd)}</strong>
          </Fact>
        </>
      )}
      {average !== undefined && <Fact name="Average per 1M tokens">{formatMoney(average)}</Fact>}
      <Fact name="Price book">{r.priceBookVersion ? <code>{r.priceBookVersion}</code> : "–"}</Fact>
    </Facts>
  );
}

function Facts({ title, children }: { title: string; children: ReactNode }) {
  return (
    <section className="facts">
      <h3>{title}</h3>
      <dl>{children}</dl>
    </section>
  );
}

function Fact({ name, sum = false, children }: { name: string; sum?: boolean; children: ReactNode }) {
  return (
    <div className={sum ? "fact fact-sum" : "fact"}>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}
