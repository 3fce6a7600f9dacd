// What the agent's records say in a word, in a sentence for somebody who looks after
// applications. A word this console does not know yet shows as it came.

const verdicts: Record<string, string> = {
  chosen: "the first attempt went to it",
  standby: "ready, but the strategy put another one first",
  condition: "its condition was not true",
  breaker_open: "its circuit breaker was open",
  breaker_probed: "its circuit breaker was half open, and another request was trying it",
  credential: "the agent had no credential for it, or may not use it",
  surface: "it has no such surface",
  lossy: "the route is strict, and it can't carry the request whole",
};

const causes: Record<string, string> = {
  first: "the strategy's first choice",
  retry: "it had failed in this request, and was tried again",
  fallback: "another target had failed",
  hedge: "another target had nothing to say for long",
  canary: "the request was drawn for the canary",
  shadow: "a copy for the shadow",
  unspecified: "not recorded",
};

const kinds: Record<string, string> = {
  request: "request of an application",
  shadow: "copy for a shadow",
};

export const verdictText = (verdict: string) => worded(verdicts, verdict);
export const causeText = (cause: string) => worded(causes, cause);
export const kindText = (kind: string) => worded(kinds, kind);

function worded(words: Record<string, string>, word: string): string {
  return (Object.hasOwn(words, word) ? words[word] : undefined) ?? word;
}
