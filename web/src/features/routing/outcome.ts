import { ProviderTestOutcome } from "../../api/diagnostics";
import type { Tone } from "../../ui/Badge";

interface Verdict {
  label: string;
  tone: Tone;
  /** What to look at; "": nothing. */
  advice: string;
}

const verdicts: Record<ProviderTestOutcome, Verdict> = {
  [ProviderTestOutcome.UNSPECIFIED]: { label: "Not stated", tone: "plain", advice: "" },
  [ProviderTestOutcome.OK]: { label: "Works: the credential was taken", tone: "good", advice: "" },
  [ProviderTestOutcome.CREDENTIAL_UNAVAILABLE]: {
    label: "The agent has no credential",
    tone: "bad",
    advice: "Set the variable or file that the reference names where the agent runs, or seal the credential for this gateway's key.",
  },
  [ProviderTestOutcome.CREDENTIAL_REFUSED]: {
    label: "The provider refused the credential",
    tone: "bad",
    advice: "Look whether it is of this account, and whether it has ended there.",
  },
  [ProviderTestOutcome.BLOCKED]: {
    label: "The agent does not allow the provider",
    tone: "bad",
    advice: "Add the origin of the base URL, and the reference, to WEIR_ALLOW_UPSTREAMS where the agent runs.",
  },
  [ProviderTestOutcome.UNREACHABLE]: {
    label: "Can't be reached",
    tone: "bad",
    advice: "Look at the base URL, and at the name service, proxy and firewall between the agent and the provider.",
  },
  [ProviderTestOutcome.TIMEOUT]: { label: "No answer in time", tone: "bad", advice: "Try again; if it stays so, look at the network and at the provider's own status page." },
  [ProviderTestOutcome.UNEXPECTED_ANSWER]: {
    label: "Answers something else",
    tone: "warn",
    advice: "Look whether the base URL is right: it did not list models there.",
  },
};

/** verdictOf words how a test ended; an outcome this console does not know yet shows its number. */
export function verdictOf(outcome: ProviderTestOutcome): Verdict {
  const known = (verdicts as Record<number, Verdict | undefined>)[outcome];
  return known ?? { label: `Outcome ${outcome}`, tone: "plain", advice: "" };
}
