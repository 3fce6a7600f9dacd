import { createConnectTransport } from "@connectrpc/connect-web";

/** The control plane that served this page; its session cookie goes along by itself. */
export function sameOriginTransport() {
  return createConnectTransport({ baseUrl: window.location.origin });
}

/** newRequestId names one intended change, so that trying it again is safe. */
export function newRequestId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (b) => b.toString(16).padStart(2, "0")).join("");
}
