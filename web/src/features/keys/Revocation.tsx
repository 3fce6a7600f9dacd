import { mayListGateways, useGatewayNames } from "../../api/gateway";
import type { GetKeyRevocationResponse, RevocationReceipt } from "../../api/key";
import { useKeyRevocation } from "../../api/key";
import type { Names } from "../../api/names";
import { dateOf } from "../../api/time";
import { formatDuration } from "../../format/duration";
import { formatCount } from "../../format/number";
import { Badge } from "../../ui/Badge";
import { Fact, Facts } from "../../ui/Facts";
import { Named } from "../../ui/Named";
import { Async } from "../../ui/State";
import { useNow } from "../../ui/useNow";
import { Ago, Time } from "../../ui/Value";
import { useMay } from "../session/permission";

interface RevocationProps {
  keyId: string;
  /** Whether it is about the secret before the last rotation, which was ended, and not about the key. */
  previousSecret?: boolean;
}

/** Revocation shows which agents have said that they refuse a key, or its old secret, until all have. */
export function Revocation({ keyId, previousSecret = false }: RevocationProps) {
  const result = useKeyRevocation(keyId, previousSecret);
  return (
    <Async result={result} what="receipts" isEmpty={() => false} empty={null}>
      {(data) => (
        <>
          <Summary revocation={data} previousSecret={previousSecret} />
          <Receipts receipts={data.receipts} agents={data.agents} />
        </>
      )}
    </Async>
  );
}

function Summary({ revocation, previousSecret }: { revocation: GetKeyRevocationResponse; previousSecret: boolean }) {
  const revokedAt = dateOf(revocation.revokedAt);
  const last = lastReceipt(revocation.receipts);
  return (
    <Facts title={previousSecret ? "End of the old secret" : "Revocation"}>
      <Fact name="Agents">
        <span role="status">
          <Badge tone={revocation.complete ? "good" : "warn"}>{progress(revocation)}</Badge>
        </span>
      </Fact>
      <Fact name={previousSecret ? "Ended" : "Revoked"}>
        <Time at={revokedAt} precision="millisecond" />
      </Fact>
      <Fact name="Version of the log">{formatCount(revocation.version)}</Fact>
      <Fact name="Last receipt">
        <Time at={last} precision="millisecond" absent="none yet" />
      </Fact>
      {revokedAt && last && <Fact name={revocation.complete ? "Until every agent refused it" : "Until the last receipt so far"}>{span(revokedAt, last)}</Fact>}
    </Facts>
  );
}

function progress({ agents, agentsApplied, complete }: GetKeyRevocationResponse): string {
  if (agents === 0) return "No agent has joined that could serve it";
  if (complete) return agents === 1 ? "The only agent refuses it" : `All ${formatCount(agents)} agents refuse it`;
  return `${formatCount(agentsApplied)} of ${formatCount(agents)} agents are known to refuse it`;
}

function lastReceipt(receipts: readonly RevocationReceipt[]): Date | undefined {
  const times = receipts.flatMap((receipt) => dateOf(receipt.appliedAt)?.getTime() ?? []);
  return times.length > 0 ? new Date(Math.max(...times)) : undefined;
}

function span(from: Date, to: Date): string {
  return formatDuration(BigInt(Math.max(0, to.getTime() - from.getTime())) * 1_000n);
}

interface ReceiptsProps {
  receipts: readonly RevocationReceipt[];
  agents: number;
}

function Receipts({ receipts, agents }: ReceiptsProps) {
  const gateways = useGatewayNames(useMay()(mayListGateways));
  const now = useNow(1_000);
  if (receipts.length === 0) return null;
  const unlisted = agents - receipts.filter((receipt) => !receipt.agentRevokedAt).length;
  return (
    <section className="facts">
      <h3>Receipts</h3>
      <ul className="receipts" aria-label="Receipts">
        {receipts.map((receipt) => (
          <Receipt key={receipt.agentId} receipt={receipt} gateways={gateways} now={now} />
        ))}
      </ul>
      {unlisted > 0 && <p className="muted">and {formatCount(unlisted)} agents more</p>}
    </section>
  );
}

function Receipt({ receipt, gateways, now }: { receipt: RevocationReceipt; gateways: Names; now: Date }) {
  const applied = dateOf(receipt.appliedAt);
  const seen = dateOf(receipt.lastSeenAt);
  return (
    <li>
      <span title={receipt.agentId}>
        {receipt.agentName}
        <span className="muted">
          {" "}
          of <Named id={receipt.gatewayId} names={gateways} />
        </span>
      </span>
      <span className="receipt-when">
        {applied ? (
          <>
            <Badge tone="good">Refuses it</Badge>
            <div className="muted">
              since <Time at={applied} precision="millisecond" />
            </div>
          </>
        ) : receipt.agentRevokedAt ? (
          <>
            <Badge tone="bad">Revoked agent</Badge>
            <div className="muted">it is told nothing any more: stop it, or it serves on</div>
          </>
        ) : (
          <>
            <Badge tone="warn">Not confirmed yet</Badge>
            <div className="muted">{seen ? <>last seen <Ago at={seen} now={now} />; offline, it serves on</> : "never seen"}</div>
          </>
        )}
      </span>
    </li>
  );
}
