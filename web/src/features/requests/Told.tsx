import type { Request } from "../../api/report";
import { Fact, Facts } from "../../ui/Facts";
import { Said } from "../../ui/Said";
import { kindText } from "./words";

/** Told is what the request was and what its caller said of it. */
export function Told({ request: r, kind }: { request: Request; kind: string }) {
  const labels = Object.entries(r.labels).sort(([a], [b]) => (a < b ? -1 : 1));
  return (
    <Facts title="Kind and caller">
      <Fact name="Kind">{kindText(kind)}</Fact>
      <Fact name="Surface">{r.surface ? <code>{r.surface}</code> : "–"}</Fact>
      <Fact name="End user">{r.endUser ? <Said text={r.endUser} /> : "–"}</Fact>
      <Fact name="Run">{r.runId ? <Said text={r.runId} /> : "–"}</Fact>
      {labels.length === 0 && <Fact name="Labels">–</Fact>}
      {labels.map(([name, value]) => (
        <Fact key={name} name={`Label ${name}`}>
          {value ? <Said text={value} /> : "(empty)"}
        </Fact>
      ))}
    </Facts>
  );
}
