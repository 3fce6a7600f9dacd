import { Link } from "@tanstack/react-router";

import type { Event, RevertTarget } from "../../api/history";
import { actorText, mayDiff, useEvent } from "../../api/history";
import { dateOf } from "../../api/time";
import { viewerZone } from "../../format/time";
import { CopyButton } from "../../ui/CopyButton";
import { Fact, Facts } from "../../ui/Facts";
import { Drawer } from "../../ui/Overlay";
import { Said } from "../../ui/Said";
import { Async } from "../../ui/State";
import { Time } from "../../ui/Value";
import { useMay } from "../session/permission";
import { Fields } from "./Fields";
import { ResourceLink } from "./ResourceLink";
import type { LogNames } from "./words";
import { actorName, isConfiguration, isCreation, isEnd, kindName, resourceName, whatHappened } from "./words";

interface EventDrawerProps {
  version: bigint;
  names: LogNames;
  /** Absent where the role may not. */
  onRevert: ((target: RevertTarget) => void) | undefined;
  onClose: () => void;
}

/** EventDrawer shows one change with all that is known of it, and what one can do about it. */
export function EventDrawer({ version, names, onRevert, onClose }: EventDrawerProps) {
  const result = useEvent(version);
  return (
    <Drawer title={`Change, version ${version}`} open onClose={onClose}>
      <Async result={result} what="change" isEmpty={(d) => !d.event} empty={null}>
        {({ event }) => event && <Details event={event} names={names} onRevert={onRevert} />}
      </Async>
    </Drawer>
  );
}

type DetailsProps = { event: Event } & Pick<EventDrawerProps, "names" | "onRevert">;

function Details({ event, names, onRevert }: DetailsProps) {
  const { resource } = event;
  return (
    <>
      <p className="happened-what">
        <span>
          {kindName(resource?.kind ?? "")} {resource && <ResourceLink resource={resource} names={names} />} {whatHappened(event)}
        </span>
      </p>
      <Origin event={event} names={names} />
      {event.fields.length > 0 && (
        <section className="facts">
          <h3>{isCreation(event) ? "What was made" : isEnd(event) ? "What it was" : "Before and after"}</h3>
          <Fields fields={event.fields} names={names} />
        </section>
      )}
      <Then event={event} />
      {onRevert && <Back event={event} names={names} onRevert={onRevert} />}
      {event.body && (
        <details>
          <summary>What was recorded, {event.kind}</summary>
          <pre className="recorded" tabIndex={0}>
            {JSON.stringify(event.body, null, 2)}
          </pre>
        </details>
      )}
    </>
  );
}

function Origin({ event, names }: { event: Event; names: LogNames }) {
  const { requestId, resource } = event;
  return (
    <Facts title={`Who, when, from where; times in ${viewerZone()}`}>
      <Fact name="Who">
        <Link to="/history" search={{ actor: actorText(event) }} aria-label={`${actorName(event.actor, names)}, all their changes`}>
          <Said text={actorName(event.actor, names)} />
        </Link>
      </Fact>
      <Fact name="When">
        <Time at={dateOf(event.recordedAt)} precision="millisecond" />
      </Fact>
      <Fact name="Address">{event.address || <span className="muted">not known</span>}</Fact>
      <Fact name="Client">{event.userAgent ? <Said text={event.userAgent} /> : <span className="muted">said nothing</span>}</Fact>
      {requestId && (
        <Fact name="Request">
          <Link to="/history" search={{ request: requestId }} aria-label={`${requestId}, all changes of this request`}>
            <Said text={requestId} />
          </Link>
        </Fact>
      )}
      {resource && (
        <Fact name={kindName(resource.kind)}>
          <code>{resource.id}</code>
          <div className="fact-tools">
            <Link to="/history" search={{ resource: resource.id }}>
              History of this
            </Link>
            <CopyButton text={resource.id} what={`id of the ${resource.kind.replaceAll("_", " ")}`} label="Copy id" />
          </div>
        </Fact>
      )}
    </Facts>
  );
}

function Then({ event }: { event: Event }) {
  const version = Number(event.version);
  const kind = isConfiguration(event.resource?.kind ?? "") && event.resource?.kind !== "organization" ? event.resource?.kind : undefined;
  const may = useMay();
  return (
    <section className="facts">
      <h3>The configuration then</h3>
      <ul className="event-links">
        {version > 1 && (
          <li>
            <Link to="/history/past" search={{ version: version - 1, kind }}>
              Right before this change
            </Link>
          </li>
        )}
        <li>
          <Link to="/history/past" search={{ version, kind }}>
            Right after it
          </Link>
        </li>
        {may(mayDiff) && (
          <li>
            <Link to="/history/compare" search={{ from: version }}>
              What differs from it today
            </Link>
          </li>
        )}
      </ul>
    </section>
  );
}

interface BackProps {
  event: Event;
  names: LogNames;
  onRevert: (target: RevertTarget) => void;
}

function Back({ event, names, onRevert }: BackProps) {
  const { resource, version } = event;
  const alone = resource && isConfiguration(resource.kind);
  const thing = resource && `${kindName(resource.kind).toLowerCase()} ${resourceName(resource, names)}`;
  return (
    <section className="facts">
      <h3>Go back</h3>
      <p className="muted">You see first what it would change; nothing happens before you confirm.</p>
      <div className="event-tools">
        {alone && !isCreation(event) && version > 1n && (
          <button type="button" className="button" onClick={() => onRevert({ version: version - 1n, resource })}>
            Put {thing} back to before this…
          </button>
        )}
        {alone && !isEnd(event) && (
          <button type="button" className="button" onClick={() => onRevert({ version, resource })}>
            Put {thing} back to right after this…
          </button>
        )}
        <button type="button" className="button" onClick={() => onRevert({ version })}>
          Put all configuration back to version {String(version)}…
        </button>
      </div>
    </section>
  );
}
