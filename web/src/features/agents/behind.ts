import type { Agent } from "../../api/gateway";
import { formatCount } from "../../format/number";

/** behind is how many releases an agent is behind; counting ends at 1000. */
export function behind({ releasesBehind }: Agent): string {
  return releasesBehind >= 1_000n ? "1,000 or more" : formatCount(releasesBehind);
}
