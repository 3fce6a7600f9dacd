import type { Gateway } from "../../api/gateway";
import type { ResourceChange } from "../../api/history";
import { mayDiff, useDiff } from "../../api/history";
import { LoadMore } from "../../ui/LoadMore";
import { Async } from "../../ui/State";
import { useMay } from "../session/permission";
import { Changes } from "../history/Changes";

interface DifferenceProps {
  gateway: Gateway;
  from: bigint;
  to: bigint;
}

/** Difference shows what the candidate changes for the agents of a gateway. */
export function Difference({ gateway, from, to }: DifferenceProps) {
  const allowed = useMay()(mayDiff);
  const result = useDiff(from, to, allowed);
  return (
    <section className="facts">
      <h3>What the candidate changes</h3>
      {allowed ? (
        <Async result={result} what="changes" isEmpty={(d) => staged(d.pages, gateway).length === 0} empty={<p>Nothing that agents see.</p>}>
          {(data) => <Changes changes={staged(data.pages, gateway)} label="What the candidate changes" />}
        </Async>
      ) : (
        <p className="muted">Your role may not compare versions; an owner or an admin can.</p>
      )}
      <LoadMore query={result} />
    </section>
  );
}

const stagedKinds: ReadonlySet<string> = new Set(["provider", "route", "price_override"]);

// Between two versions all kinds of things change; agents get these by a rollout.
function staged(pages: readonly { changes: ResourceChange[] }[], gateway: Gateway): ResourceChange[] {
  return pages
    .flatMap((page) => page.changes)
    .filter(({ resource }) => resource && (stagedKinds.has(resource.kind) || resource.id === gateway.id));
}
