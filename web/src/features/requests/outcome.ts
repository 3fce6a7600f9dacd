import type { Tone } from "../../ui/Badge";

interface OutcomeShape {
  label: string;
  tone: Tone;
}

const outcomes: Record<string, OutcomeShape> = {
  ok: { label: "OK", tone: "good" },
  upstream_error: { label: "Upstream error", tone: "bad" },
  upstream_unreachable: { label: "Unreachable", tone: "bad" },
  upstream_broke: { label: "Broke off", tone: "bad" },
  client_closed: { label: "Client left", tone: "warn" },
  refused: { label: "Refused", tone: "warn" },
  overtaken: { label: "Overtaken", tone: "plain" },
  interrupted: { label: "Interrupted", tone: "bad" },
};

/** outcomeShape words an outcome; one this console does not know yet shows as it came. */
export function outcomeShape(outcome: string): OutcomeShape {
  return outcomes[outcome] ?? { label: outcome || "Unknown", tone: "plain" };
}
