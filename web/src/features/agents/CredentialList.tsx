import type { AgentCredential } from "../../api/gateway";
import type { Names } from "../../api/names";
import { dateOf } from "../../api/time";
import { Badge } from "../../ui/Badge";
import { Named } from "../../ui/Named";
import { Ago } from "../../ui/Value";
import { conditionOf } from "./credential";

interface CredentialListProps {
  credentials: readonly AgentCredential[];
  providers: Names;
  now: Date;
}

/** CredentialList says how one agent does with each provider's credential. */
export function CredentialList({ credentials, providers, now }: CredentialListProps) {
  return (
    <section className="facts">
      <h3>Credentials</h3>
      {credentials.length === 0 ? (
        <p className="muted">It has told of none: its policy has no providers, or it never reported.</p>
      ) : (
        <ul className="credentials" aria-label="Credentials">
          {credentials.map((credential) => (
            <Credential key={credential.providerId} credential={credential} providers={providers} now={now} />
          ))}
        </ul>
      )}
    </section>
  );
}

interface CredentialProps {
  credential: AgentCredential;
  providers: Names;
  now: Date;
}

function Credential({ credential, providers, now }: CredentialProps) {
  const { label, tone } = conditionOf(credential);
  const since = dateOf(credential.since);
  return (
    <li>
      <div className="credential-head">
        <Named id={credential.providerId} names={providers} />
        <Badge tone={tone}>{label}</Badge>
      </div>
      {credential.reason && (
        <div className="muted">
          {credential.reason}
          {since && (
            <>
              {" "}
              (since <Ago at={since} now={now} />)
            </>
          )}
        </div>
      )}
      <Fingerprint credential={credential} />
    </li>
  );
}

/** Fingerprint compares values that nobody but the agents knows. */
export function Fingerprint({ credential }: { credential: AgentCredential }) {
  if (!credential.fingerprint) return <div className="muted">no fingerprint: the agent has no value</div>;
  return (
    <div className="muted">
      fingerprint <code>{credential.fingerprint}</code>, made with key <code>{credential.fingerprintKey}</code>
    </div>
  );
}
