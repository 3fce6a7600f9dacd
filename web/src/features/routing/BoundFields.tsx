import { Failure, failureName, usualFailures } from "../../api/route";
import { TextField } from "../../ui/Form";
import type { RetryDraft, TimeoutsDraft } from "./draft";
import { More } from "./More";
import type { Problems } from "./TargetFields";

interface TimeoutFieldsProps {
  timeouts: TimeoutsDraft;
  /** Whose are those that are empty. */
  empty: string;
  problems: Problems;
  onChange: (timeouts: TimeoutsDraft) => void;
}

const bounds: readonly [keyof TimeoutsDraft, string, string, string][] = [
  ["connect", "timeouts.connect", "Connect, s", "Until there is a connection, TLS included."],
  ["firstByte", "timeouts.first_byte", "First byte, s", "Until the provider's status line."],
  ["firstToken", "timeouts.first_token", "First token, s", "Until the first content of a stream, or the whole of an answer that is none."],
  ["idle", "timeouts.idle", "Silence, s", "Between two pieces of an answer."],
  ["total", "timeouts.total", "In all, s", "Until the answer's last byte."],
];

/** TimeoutFields bound requests. */
export function TimeoutFields({ timeouts, empty, problems, onChange }: TimeoutFieldsProps) {
  return (
    <More title="Timeouts" said={Object.values(timeouts).some(Boolean)} wrong={bounds.some(([, path]) => problems(path))}>
      <p className="muted">Empty: {empty}.</p>
      {bounds.map(([name, path, label, hint]) => (
        <TextField
          key={name}
          label={label}
          type="number"
          min={0.001}
          max={3_600}
          step="any"
          hint={hint}
          problem={problems(path)}
          value={timeouts[name]}
          onChange={(value) => onChange({ ...timeouts, [name]: value })}
        />
      ))}
    </More>
  );
}

interface RetryFieldsProps {
  retry: RetryDraft;
  problems: Problems;
  onChange: (retry: RetryDraft) => void;
}

const failures = [
  Failure.RATE_LIMITED,
  Failure.OVERLOADED,
  Failure.UPSTREAM_ERROR,
  Failure.TIMEOUT,
  Failure.UNREACHABLE,
  Failure.CREDENTIAL,
  Failure.CONTEXT_TOO_LONG,
  Failure.CONTENT_FILTER,
];

/** RetryFields choose when a request goes on to another attempt. */
export function RetryFields({ retry, problems, onChange }: RetryFieldsProps) {
  const change = (part: Partial<RetryDraft>) => onChange({ ...retry, ...part });
  const toggle = (failure: Failure, on: boolean) => change({ on: failures.filter((f) => (f === failure ? on : retry.on.includes(f))) });
  const wrong = ["retry.max_attempts", "retry.backoff"].some((path) => problems(path));
  return (
    <More title="Retries" said={Boolean(retry.maxAttempts || retry.backoff || retry.on.length > 0)} wrong={wrong}>
      <TextField
        label="Attempts at most (optional)"
        type="number"
        min={1}
        max={5}
        hint="Empty: each target once, 5 in all."
        problem={problems("retry.max_attempts")}
        value={retry.maxAttempts}
        onChange={(maxAttempts) => change({ maxAttempts })}
      />
      <TextField
        label="First repeat on a target waits at most, ms (optional)"
        type="number"
        min={1}
        max={10_000}
        placeholder="100"
        problem={problems("retry.backoff")}
        value={retry.backoff}
        onChange={(backoff) => change({ backoff })}
      />
      <fieldset>
        <legend>Another attempt after</legend>
        <p className="muted">None chosen: after {usualFailures.map(failureName).join(", ")}.</p>
        <div className="choices">
          {failures.map((failure) => (
            <label key={failure} className="choice">
              <input type="checkbox" checked={retry.on.includes(failure)} onChange={(event) => toggle(failure, event.target.checked)} />
              {failureName(failure)}
            </label>
          ))}
        </div>
      </fieldset>
    </More>
  );
}
