import { explain, isOurTrouble, isOverLimit } from "../../api/error";
import { Failure } from "../../ui/State";
import type { Position } from "./position";
import { pointAt, positionAt, spanOf } from "./position";

interface StatementErrorProps {
  error: unknown;
  /** The statement that was run. */
  sql: string;
  onRetry: () => unknown;
  onGoTo: (position: Position) => void;
}

/** StatementError quotes what was said about the statement, and where in it. What may work by itself later is offered again. */
export function StatementError({ error, sql, onRetry, onGoTo }: StatementErrorProps) {
  if (isOurTrouble(error)) {
    return (
      <section className="panel" aria-label="Result">
        <Failure error={error} onRetry={onRetry} />
      </section>
    );
  }
  const { title, detail } = explain(error);
  const span = spanOf(detail, sql);
  const position = span && positionAt(sql, span.from);
  const busy = isOverLimit(error);
  return (
    <section className="panel statement-error" role="alert">
      <h2>{busy ? title : "The statement can't run"}</h2>
      <p className="statement-said">{detail}</p>
      {position && (
        <>
          <pre tabIndex={0} aria-label={`Line ${position.line} of the statement`}>
            {pointAt(sql, position)}
          </pre>
          <button type="button" className="button" onClick={() => onGoTo(position)}>
            {`Go to line ${position.line}, column ${position.column}`}
          </button>
        </>
      )}
      {busy && (
        <button type="button" className="button" onClick={() => void onRetry()}>
          Try again
        </button>
      )}
    </section>
  );
}
