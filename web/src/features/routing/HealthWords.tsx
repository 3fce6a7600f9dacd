import type { AgentTarget } from "../../api/gateway";
import { formatCount } from "../../format/number";
import { Badge } from "../../ui/Badge";
import { counted } from "../budgets/words";
import type { Hour } from "../usage/groups";
import { healthOf } from "./health";

interface HealthWordsProps {
  hour: Hour | undefined;
  troubled: readonly AgentTarget[] | undefined;
}

/** HealthWords say how targets do, and what came to them in the last hour. */
export function HealthWords({ hour, troubled }: HealthWordsProps) {
  const health = healthOf(hour, troubled);
  if (!health) return <span className="muted">–</span>;
  return (
    <>
      <Badge tone={health.tone}>{health.label}</Badge>
      {hour !== undefined && hour.requests > 0n && (
        <div className="muted">
          {counted(hour.requests, "request")}, {formatCount(hour.errors)} failed
        </div>
      )}
    </>
  );
}
