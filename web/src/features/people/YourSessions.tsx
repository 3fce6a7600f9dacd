import { useState } from "react";

import type { Session } from "../../api/session";
import { useRevokeOtherSessions, useRevokeSession, useSessions } from "../../api/session";
import { ConfirmForm } from "../../ui/ConfirmForm";
import { FormError } from "../../ui/Form";
import { Panel } from "../../ui/Page";
import { Async, Empty } from "../../ui/State";
import { SessionList } from "./SessionList";

/** YourSessions are the viewer's own logins. */
export function YourSessions() {
  const result = useSessions();
  const others = result.data?.sessions.filter(({ current }) => !current) ?? [];
  const [ending, setEnding] = useState(false);
  return (
    <Panel
      title="Your logins"
      aside={
        others.length > 0 && (
          <button type="button" className="button button-small" onClick={() => setEnding(true)}>
            End all others
          </button>
        )
      }
    >
      <Async result={result} what="your logins" isEmpty={(d) => d.sessions.length === 0} empty={<NoLogins />}>
        {({ sessions }) => (
          <div className="panel-body">
            <SessionList sessions={sessions} label="Your logins">
              {(session) => !session.current && <End session={session} />}
            </SessionList>
          </div>
        )}
      </Async>
      {ending && <EndOthers count={others.length} onClose={() => setEnding(false)} />}
    </Panel>
  );
}

function NoLogins() {
  return (
    <Empty title="No logins">
      <p>Whoever comes with a token has none.</p>
    </Empty>
  );
}

function End({ session }: { session: Session }) {
  const end = useRevokeSession();
  return (
    <>
      <button
        type="button"
        className="button button-small"
        aria-label={`End the login from ${session.address || "an unknown address"}`}
        disabled={end.isPending}
        onClick={() => end.mutate({ id: session.id })}
      >
        End
      </button>
      <FormError error={end.error} />
    </>
  );
}

function EndOthers({ count, onClose }: { count: number; onClose: () => void }) {
  const end = useRevokeOtherSessions();
  return (
    <ConfirmForm
      title="End all other logins?"
      about={count === 1 ? "The other browser has to log in again." : `The ${count} other browsers have to log in again.`}
      verb="End them"
      doing="Ending…"
      change={end}
      onSubmit={() => end.submit(onClose)}
      onClose={onClose}
    />
  );
}
