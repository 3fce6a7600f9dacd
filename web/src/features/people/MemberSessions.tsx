import { useState } from "react";

import { mayRevokeMemberSessions, useMemberSessions, useRevokeMemberSessions } from "../../api/member";
import { newRequestId } from "../../api/transport";
import { ConfirmForm } from "../../ui/ConfirmForm";
import { Async } from "../../ui/State";
import { useMay } from "../session/permission";
import { SessionList } from "./SessionList";

/** MemberSessions are the logins of a person, which end at once where need be. */
export function MemberSessions({ memberId, name }: { memberId: string; name: string }) {
  const may = useMay()(mayRevokeMemberSessions);
  const result = useMemberSessions(memberId);
  // "": all of them.
  const [ending, setEnding] = useState<string>();
  return (
    <section className="facts" aria-label="Logins">
      <h3>Logins</h3>
      <Async result={result} what="logins" isEmpty={(d) => d.sessions.length === 0} empty={<p className="muted">None at the moment.</p>}>
        {({ sessions }) => (
          <>
            <SessionList sessions={sessions} label={`Logins of ${name}`}>
              {({ id, address }) =>
                may && (
                  <button type="button" className="button button-small" aria-label={`End the login from ${address || "an unknown address"}`} onClick={() => setEnding(id)}>
                    End
                  </button>
                )
              }
            </SessionList>
            {may && sessions.length > 1 && (
              <div>
                <button type="button" className="button button-small" onClick={() => setEnding("")}>
                  End all
                </button>
              </div>
            )}
          </>
        )}
      </Async>
      {ending !== undefined && <EndLogin memberId={memberId} sessionId={ending} name={name} onClose={() => setEnding(undefined)} />}
    </section>
  );
}

function EndLogin({ memberId, sessionId, name, onClose }: { memberId: string; sessionId: string; name: string; onClose: () => void }) {
  const [requestId] = useState(newRequestId);
  const end = useRevokeMemberSessions();
  return (
    <ConfirmForm
      title={sessionId ? "End this login?" : `End every login of ${name}?`}
      about={`${name} is logged out at once, and may log in again: to keep somebody out, remove them.`}
      verb="End"
      doing="Ending…"
      change={end}
      onSubmit={() => end.mutate({ memberId, sessionId, mutation: { requestId } }, { onSuccess: onClose })}
      onClose={onClose}
    />
  );
}
