import type { AlertAttempt, AlertDelivery } from "../../api/alert";
import { AlertDeliveryState } from "../../api/alert";
import { AlertKind, Delivery } from "../../api/alertChannel";
import { microsOf } from "../../api/time";
import { formatDuration } from "../../format/duration";
import type { Tone } from "../../ui/Badge";

const kinds: Record<AlertKind, string> = {
  [AlertKind.UNSPECIFIED]: "Not stated",
  [AlertKind.BUDGET_THRESHOLD]: "Budget",
  [AlertKind.SPEND_ANOMALY]: "Unusual spend",
  [AlertKind.UNPRICED_USAGE]: "No price",
  [AlertKind.TEST]: "Test",
};

/** kindName names what an alert is about; one this console does not know yet shows its number. */
export function kindName(kind: AlertKind): string {
  return (kinds as Record<number, string | undefined>)[kind] ?? `Kind ${kind}`;
}

/** toldKinds are what a channel can be told of besides the budgets that name it. */
export const toldKinds: readonly (readonly [AlertKind, string])[] = [
  [AlertKind.SPEND_ANOMALY, "Projects that spend much more in an hour than is usual"],
  [AlertKind.UNPRICED_USAGE, "Models that are used and have no price"],
];

/** stateOf names where a delivery is. */
export function stateOf({ state }: AlertDelivery): { label: string; tone: Tone } {
  switch (state) {
    case AlertDeliveryState.ACCEPTED:
      return { label: "Delivered", tone: "good" };
    case AlertDeliveryState.FAILED:
      return { label: "Given up", tone: "bad" };
    case AlertDeliveryState.PENDING:
      return { label: "On its way", tone: "warn" };
    default:
      return { label: `State ${state}`, tone: "plain" };
  }
}

/** resultWords say what came of sending a message. */
export function resultWords(result: Delivery, status: number): string {
  switch (result) {
    case Delivery.UNSPECIFIED:
      return "under way, or nobody knows what came of it";
    case Delivery.ACCEPTED:
      return `accepted with status ${status}`;
    case Delivery.REFUSED:
      return `refused with status ${status}`;
    case Delivery.UNREACHABLE:
      return "no connection, or it broke off";
    case Delivery.TIMED_OUT:
      return "no answer in time";
    case Delivery.ADDRESS_NOT_ALLOWED:
      return "its address is in a network that this server does not send to";
    case Delivery.TLS_FAILED:
      return "TLS failed, most likely the certificate";
    case Delivery.SECRET_MISSING:
      return "not sent: the channel has no secret to sign with";
    case Delivery.CHANNEL_DELETED:
      return "not sent: the channel was deleted";
    default:
      return "something this console does not know yet";
  }
}

/** attemptWords say what came of one attempt, and how long it took. */
export function attemptWords({ result, status, duration }: Pick<AlertAttempt, "result" | "status" | "duration">): string {
  const micros = microsOf(duration);
  return micros ? `${resultWords(result, status)} after ${formatDuration(micros)}` : resultWords(result, status);
}
