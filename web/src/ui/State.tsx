import type { ReactNode } from "react";

import { explain, isOurTrouble } from "../api/error";

interface AsyncResult<T> {
  data: T | undefined;
  error: unknown;
  refetch: () => unknown;
}

interface AsyncProps<T> {
  result: AsyncResult<T>;
  /** What is loading, for the screen reader: "requests". */
  what: string;
  /** Shape of the data to come. */
  skeleton?: "table" | "tiles";
  isEmpty: (data: T) => boolean;
  empty: ReactNode;
  /** What to show of an error instead of Failure. */
  failure?: (error: unknown) => ReactNode;
  children: (data: T) => ReactNode;
}

/** Async shows one of four states: loading, error, empty, data (with a note where it is old). */
export function Async<T>({ result, what, skeleton = "table", isEmpty, empty, failure, children }: AsyncProps<T>) {
  const { data, error, refetch } = result;
  if (data === undefined) {
    if (!error) return <Loading what={what} shape={skeleton} />;
    return failure ? failure(error) : <Failure error={error} onRetry={refetch} />;
  }
  return (
    <>
      {Boolean(error) && <Stale error={error} onRetry={refetch} />}
      {isEmpty(data) ? empty : children(data)}
    </>
  );
}

interface LoadingProps {
  what: string;
  shape: "table" | "tiles";
}

export function Loading({ what, shape }: LoadingProps) {
  const count = shape === "tiles" ? 6 : 8;
  return (
    <div className={`skeleton skeleton-${shape}`} role="status" aria-label={`Loading ${what}`}>
      {Array.from({ length: count }, (_, i) => (
        <div key={i} className="skeleton-item" />
      ))}
    </div>
  );
}

interface FailureProps {
  error: unknown;
  onRetry?: () => unknown;
}

/** Failure says what went wrong, and offers to try again where that can help. */
export function Failure({ error, onRetry }: FailureProps) {
  const { title, detail } = explain(error);
  return (
    <div className="state state-error" role="alert">
      <StateIcon path="M12 7v6m0 3.5v.5M12 3l9.5 17h-19z" />
      <h2>{title}</h2>
      <p>{detail}</p>
      {onRetry && isOurTrouble(error) && (
        <button type="button" className="button" onClick={() => void onRetry()}>
          Try again
        </button>
      )}
    </div>
  );
}

function Stale({ error, onRetry }: FailureProps) {
  const { title, detail } = explain(error);
  return (
    <div className="notice notice-warn" role="status">
      <span>
        <b>{title}.</b> What you see may be old. <span className="muted">{detail}</span>
      </span>
      <button type="button" className="button button-quiet" onClick={() => void onRetry?.()}>
        Try again
      </button>
    </div>
  );
}

interface EmptyProps {
  title: string;
  children: ReactNode;
}

/** Empty says that there is nothing yet and what to do about it. */
export function Empty({ title, children }: EmptyProps) {
  return (
    <div className="state">
      <StateIcon path="M3 9c3 0 3 2 4.5 2S9 9 12 9s3 2 4.5 2S18 9 21 9M3 14c3 0 3 2 4.5 2S9 14 12 14s3 2 4.5 2 1.5-2 4.5-2" />
      <h2>{title}</h2>
      <div className="state-text">{children}</div>
    </div>
  );
}

function StateIcon({ path }: { path: string }) {
  return (
    <svg className="state-icon" viewBox="0 0 24 24" aria-hidden="true">
      <path d={path} />
    </svg>
  );
}
