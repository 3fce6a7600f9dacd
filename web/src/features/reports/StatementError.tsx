import { explain, isOurTrouble } from "../../api/error";
import { Failure } from "../../ui/State";
import type { Position } from "./position";
import { pointAt, positionIn } from "./position";

interface StatementErrorProps {
  error: unknown;
  /** The statement that was run. */
  sql: string;
  onRetry: () => unknown;
  onGoTo: (position: Position) => void;
}

/** StatementError quotes what was said about the statement, and where in it. Only our own trouble is worth the same statement again. */
export function StatementError({ error, sql, onRetry, onGoTo }: StatementErrorProps) {
  if (isOurTrouble(error)) return <Failure error={error} onRetry={onRetry} />;
  const { detail } = explain(error);
  const position = positionIn(detail);
  return (
    <section className="panel statement-error" role="alert">
      <h2>The statement can't run</h2>
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
    </section>
  );
}
