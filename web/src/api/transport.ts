import { createConnectTransport } from "@connectrpc/connect-web";
import { useRef } from "react";

/** The control plane that served this page; its session cookie goes along by itself. */
export function sameOriginTransport() {
  return createConnectTransport({ baseUrl: window.location.origin });
}

/** newRequestId names one intended change, so that trying it again is safe. */
export function newRequestId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (b) => b.toString(16).padStart(2, "0")).join("");
}

/** useRequestId names what is said: the same said again is the same request, a changed one is another. */
export function useRequestId(): (said: unknown) => string {
  const last = useRef({ said: "", id: "" });
  return (said) => {
    const text = JSON.stringify(said);
    if (text !== last.current.said) last.current = { said: text, id: newRequestId() };
    return last.current.id;
  };
}
