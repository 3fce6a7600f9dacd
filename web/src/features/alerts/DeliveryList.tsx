import type { AlertDelivery } from "../../api/alert";
import { AlertDeliveryState, mayRetryDelivery, useRetryDelivery } from "../../api/alert";
import type { Names } from "../../api/names";
import { dateOf } from "../../api/time";
import { Badge } from "../../ui/Badge";
import { FormError } from "../../ui/Form";
import { Named } from "../../ui/Named";
import { Time } from "../../ui/Value";
import { useMay } from "../session/permission";
import { attemptWords, stateOf } from "./words";

interface DeliveryListProps {
  deliveries: readonly AlertDelivery[];
  channels: Names;
  /** Opens the alert that is delivered; absent: it is open. */
  onOpen?: (alertId: string) => void;
}

/** DeliveryList shows alerts on their way, each attempt with what came of it. */
export function DeliveryList({ deliveries, channels, onOpen }: DeliveryListProps) {
  const retry = useRetryDelivery();
  const may = useMay();
  return (
    <>
      <FormError error={retry.error} />
      <ul className="deliveries">
        {deliveries.map((delivery) => (
          <li key={delivery.id}>
            <div className="delivery-head">
              <span>
                <b>
                  <Named id={delivery.alertChannelId} names={channels} />
                </b>{" "}
                <Badge tone={stateOf(delivery).tone}>{stateOf(delivery).label}</Badge>
                <div className="muted">
                  raised <Time at={dateOf(delivery.createdAt)} />
                  {delivery.nextAttemptAt && (
                    <>
                      , next attempt <Time at={dateOf(delivery.nextAttemptAt)} />
                    </>
                  )}
                </div>
              </span>
              <span className="delivery-tools">
                {onOpen && (
                  <button type="button" className="button button-small" onClick={() => onOpen(delivery.alertId)}>
                    Show alert
                  </button>
                )}
                {may(mayRetryDelivery) && (
                  <button
                    type="button"
                    className="button button-small"
                    disabled={retry.isPending}
                    aria-label={`${retryLabel(delivery)} to ${channels?.get(delivery.alertChannelId) ?? "the channel"}`}
                    onClick={() => retry.mutate({ id: delivery.id })}
                  >
                    {retryLabel(delivery)}
                  </button>
                )}
              </span>
            </div>
            <Attempts delivery={delivery} />
          </li>
        ))}
      </ul>
    </>
  );
}

function retryLabel({ state }: AlertDelivery): string {
  if (state === AlertDeliveryState.ACCEPTED) return "Send again";
  return state === AlertDeliveryState.FAILED ? "Try again" : "Try now";
}

function Attempts({ delivery: { attempts } }: { delivery: AlertDelivery }) {
  if (attempts.length === 0) return <p className="muted">Not attempted yet.</p>;
  return (
    <ol className="attempts">
      {attempts.map((attempt) => (
        <li key={attempt.number}>
          <Time at={dateOf(attempt.beganAt)} />: {attemptWords(attempt)}
        </li>
      ))}
    </ol>
  );
}
