import { Link } from "@tanstack/react-router";

import type { Event, RevertTarget } from "../../api/history";
import { dateOf } from "../../api/time";
import { formatTime, viewerZone } from "../../format/time";
import { Said } from "../../ui/Said";
import { useNow } from "../../ui/useNow";
import { Clock } from "./Clock";
import { Fields } from "./Fields";
import { ResourceLink } from "./ResourceLink";
import type { LogNames, Together } from "./words";
import { actorName, dayName, gather, isCreation, isEnd, kindName, runs, whatHappened } from "./words";

interface TimelineProps {
  /** Newest first. */
  events: readonly Event[];
  names: LogNames;
  /** Absent where the role may not. */
  onRevert: ((target: RevertTarget) => void) | undefined;
}

/** Timeline lists events by day; what came of one request stands together. */
export function Timeline({ events, names, onRevert }: TimelineProps) {
  const zone = viewerZone();
  const today = formatTime(useNow(60_000), zone, "day");
  const days = runs(gather(events), ({ events: [{ recordedAt }] }) => formatTime(dateOf(recordedAt) ?? new Date(0), zone, "day"));
  return days.map(({ key: day, items }) => (
    <section key={day} className="panel" aria-label={dayName(day, today)}>
      <div className="panel-head">
        <h2>{dayName(day, today)}</h2>
      </div>
      <ol className="timeline">
        {items.map((together) => (
          <li key={String(together.events[0].version)}>
            {together.events.length === 1 ? (
              <Row event={together.events[0]} names={names} alone />
            ) : (
              <Several together={together} names={names} onRevert={onRevert} />
            )}
          </li>
        ))}
      </ol>
    </section>
  ));
}

interface RowProps {
  event: Event;
  names: LogNames;
  /** Whether it says who and when: events of one request say that once. */
  alone?: boolean;
}

// More than that is in the details.
const mostFields = 4;

function Row({ event, names, alone = false }: RowProps) {
  return (
    <article className="happened">
      <div className="happened-what">
        <span>
          {kindName(event.resource?.kind ?? "")} {event.resource && <ResourceLink resource={event.resource} names={names} />} {whatHappened(event)}
        </span>
        <Link from="/history" to="." search={(s) => ({ ...s, event: Number(event.version) })} aria-label={`Details of version ${event.version}`}>
          Details
        </Link>
      </div>
      {alone && <Who event={event} names={names} />}
      {!isCreation(event) && !isEnd(event) && event.fields.length > 0 && <Fields fields={event.fields} names={names} most={mostFields} />}
    </article>
  );
}

function Who({ event, names }: { event: Event; names: LogNames }) {
  return (
    <div className="happened-who">
      <Said text={actorName(event.actor, names)} />
      <Clock at={dateOf(event.recordedAt)} />
      {event.address && <span className="wide-only">from {event.address}</span>}
      <span className="wide-only">version {String(event.version)}</span>
    </div>
  );
}

// Of a large batch; the rest comes on demand.
const mostTogether = 5;

interface SeveralProps {
  together: Together;
  names: LogNames;
  onRevert: ((target: RevertTarget) => void) | undefined;
}

function Several({ together: { events }, names, onRevert }: SeveralProps) {
  const [newest] = events;
  const before = (events.at(-1) ?? newest).version - 1n;
  const rest = events.slice(mostTogether);
  return (
    <article className="happened">
      <div className="happened-what">
        <b>{events.length} changes together</b>
        {onRevert && before > 0n && (
          <button type="button" className="button button-small" onClick={() => onRevert({ version: before })}>
            Go back to before these…
          </button>
        )}
      </div>
      <Who event={newest} names={names} />
      <Rows events={events.slice(0, mostTogether)} names={names} />
      {rest.length > 0 && (
        <details>
          <summary>{rest.length === 1 ? "1 more" : `${rest.length} more`}</summary>
          <Rows events={rest} names={names} />
        </details>
      )}
    </article>
  );
}

function Rows({ events, names }: { events: readonly Event[]; names: LogNames }) {
  return (
    <ol className="together">
      {events.map((event) => (
        <li key={String(event.version)}>
          <Row event={event} names={names} />
        </li>
      ))}
    </ol>
  );
}
