import { Link } from "@tanstack/react-router";

import { mayGetGateway } from "../../api/gateway";
import { mayGetKey } from "../../api/key";
import type { Names } from "../../api/names";
import { mayListPrices } from "../../api/price";
import { mayGetProject } from "../../api/project";
import type { GetRequestResponse, Request } from "../../api/report";
import { useRequest } from "../../api/report";
import { dateOf } from "../../api/time";
import { formatDuration } from "../../format/duration";
import { formatMoney, perMillionTokens } from "../../format/money";
import { formatCount } from "../../format/number";
import { viewerZone } from "../../format/time";
import { CopyButton } from "../../ui/CopyButton";
import { Fact, Facts } from "../../ui/Facts";
import { Named, NamedToCopy } from "../../ui/Named";
import { Drawer } from "../../ui/Overlay";
import { Failure, Loading } from "../../ui/State";
import { Time } from "../../ui/Value";
import { useMay } from "../session/permission";
import { meaningOf } from "./errorCode";
import type { RequestNames } from "./names";
import { Outcome, RouteName, whyNoRoute } from "./Outcome";
import { Told } from "./Told";
import { Attempts, Choice } from "./Trace";

interface RequestDrawerProps {
  /** From the URL; undefined: closed. */
  id: string | undefined;
  /** Undefined where the id is not among the loaded requests, which it need not be. */
  request: Request | undefined;
  names: RequestNames;
  onClose: () => void;
}

/** RequestDrawer shows everything that was recorded of one request: what the list has of it at once, then the rest. */
export function RequestDrawer({ id, request, names, onClose }: RequestDrawerProps) {
  const full = useRequest(id ?? "");
  const known = request ?? full.data?.request;
  return (
    <Drawer title="Request" open={id !== undefined} onClose={onClose}>
      {known && <Details request={known} full={full.data} names={names} />}
      {full.isLoading && <Loading what="attempts" shape="table" />}
      {full.error && <Failure error={full.error} onRetry={full.refetch} />}
    </Drawer>
  );
}

interface DetailsProps {
  request: Request;
  /** Undefined while it is on its way. */
  full: GetRequestResponse | undefined;
  names: RequestNames;
}

function Details({ request: r, full, names }: DetailsProps) {
  return (
    <>
      <div className="drawer-id">
        <code>{r.requestId}</code>
        <CopyButton text={r.requestId} what="request id" />
      </div>
      <Ending request={r} quotas={names.quotas} />
      <Whose request={r} names={names} />
      <Facts title={`Time, ${viewerZone()}`}>
        <Fact name="Started">
          <Time at={dateOf(r.startedAt)} precision="millisecond" />
        </Fact>
        <Fact name="Latency">{formatDuration(r.durationUs)}</Fact>
        <Fact name="First token">
          {r.timeToFirstTokenUs === undefined ? "–" : formatDuration(r.timeToFirstTokenUs)}
        </Fact>
        {r.queuedUs > 0n && <Fact name="Waited for the provider's limit">{formatDuration(r.queuedUs)}</Fact>}
        <Fact name="Answer">{r.streamed ? "streamed" : "in one piece"}</Fact>
      </Facts>
      <Cost request={r} />
      <Told request={r} kind={full?.attempts[0]?.kind ?? "request"} />
      {full && (
        <>
          <Choice candidates={full.candidates} />
          <Attempts attempts={full.attempts} what="Attempt" />
          <Attempts attempts={full.shadows} what="Copy for a shadow" />
        </>
      )}
    </>
  );
}

function Whose({ request: r, names }: Omit<DetailsProps, "full">) {
  const may = useMay();
  return (
    <Facts title="Whose">
      <Fact name="Key">
        <NamedToCopy id={r.keyId} names={names.keys} what="key" link={may(mayGetKey, r.projectId) ? (key) => <Link to="/keys" search={{ key: r.keyId }}>{key}</Link> : undefined} />
      </Fact>
      <Fact name="Project">
        <NamedToCopy
          id={r.projectId}
          names={names.projects}
          what="project"
          link={may(mayGetProject, r.projectId) ? (project) => <Link to="/projects" search={{ project: r.projectId }}>{project}</Link> : undefined}
        />
      </Fact>
      <Fact name="Gateway">
        <NamedToCopy
          id={r.gatewayId}
          names={names.gateways}
          what="gateway"
          link={may(mayGetGateway) ? (gateway) => <Link to="/agents/$gatewayId" params={{ gatewayId: r.gatewayId }}>{gateway}</Link> : undefined}
        />
      </Fact>
      <Fact name="Policy version">{formatCount(r.policyVersion)}</Fact>
    </Facts>
  );
}

function Ending({ request: r, quotas }: { request: Request; quotas: Names }) {
  const meaning = meaningOf(r.errorCode);
  return (
    <Facts title="Outcome">
      <Fact name="Outcome">
        <Outcome request={r} />
      </Fact>
      {meaning && <Fact name="Meaning">{meaning}</Fact>}
      {r.refusedByQuotaId && (
        <Fact name="Refused by">
          <QuotaLink id={r.refusedByQuotaId} quotas={quotas} />
        </Fact>
      )}
      {r.beyondQuotaIds.map((id) => (
        <Fact key={id} name="Went beyond">
          <QuotaLink id={id} quotas={quotas} />
          <div className="muted">It refuses nothing. A hard one would have refused this request.</div>
        </Fact>
      ))}
      <Fact name="HTTP status">{r.status}</Fact>
      <Fact name="Route">
        <RouteName request={r} />
        {!r.route && <div className="muted">{whyNoRoute(r)}</div>}
      </Fact>
      <Fact name="Served by">{r.model ? `${r.model} at ${r.provider}` : "no provider was called"}</Fact>
      <Fact name="Attempts">{r.attempts}</Fact>
    </Facts>
  );
}

function QuotaLink({ id, quotas }: { id: string; quotas: Names }) {
  return (
    <Link to="/budgets" search={{ quota: id }}>
      <Named id={id} names={quotas} />
    </Link>
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
          <Fact name="Cost, as recorded">{`${formatCount(r.costNanoUsd)} nano-dollars`}</Fact>
          <Fact name="÷ 1,000,000,000" sum>
            <strong>{formatMoney(r.costNanoUsd)}</strong>
          </Fact>
        </>
      )}
      {average !== undefined && <Fact name="Average per 1M tokens">{formatMoney(average)}</Fact>}
      <Fact name="Price book">{r.priceBookVersion ? <PriceBook request={r} /> : "–"}</Fact>
    </Facts>
  );
}

// The prices of the book that was used, for requests of that moment.
function PriceBook({ request: r }: { request: Request }) {
  const may = useMay();
  const book = <code>{r.priceBookVersion}</code>;
  const at = dateOf(r.startedAt);
  if (!may(mayListPrices) || !at) return book;
  return (
    <Link to="/prices" search={{ at: at.toISOString(), book: r.priceBookVersion, ...(r.model && { price: r.model, by: r.provider }) }}>
      {book}
    </Link>
  );
}
