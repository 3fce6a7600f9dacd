import type { ReactNode } from "react";

import type { Session } from "../../api/session";
import { dateOf } from "../../api/time";
import { Badge } from "../../ui/Badge";
import { Said } from "../../ui/Said";
import { useNow } from "../../ui/useNow";
import { Ago, Time } from "../../ui/Value";
import { browserName } from "./browser";

interface SessionListProps {
  sessions: readonly Session[];
  label: string;
  /** What can be done with one. */
  children: (session: Session) => ReactNode;
}

/** SessionList lists console logins: with what, from where, since when and until when. */
export function SessionList({ sessions, label, children }: SessionListProps) {
  const now = useNow(10_000);
  return (
    <ul className="people-list" aria-label={label}>
      {sessions.map((session) => {
        const seen = dateOf(session.lastSeenAt);
        return (
          <li key={session.id}>
            <span>
              <span title={session.userAgent}>
                <Said text={browserName(session.userAgent) || "A browser that said nothing of itself"} />
              </span>
              {session.address && <span className="muted"> from {session.address}</span>}
              {session.current && (
                <>
                  {" "}
                  <Badge tone="good">This one</Badge>
                </>
              )}
              <div className="muted">
                Since <Time at={dateOf(session.createdAt)} precision="minute" />, last used {seen ? <Ago at={seen} now={now} /> : "never"}, ends by{" "}
                <Time at={dateOf(session.expiresAt)} precision="minute" />
              </div>
            </span>
            {children(session)}
          </li>
        );
      })}
    </ul>
  );
}
