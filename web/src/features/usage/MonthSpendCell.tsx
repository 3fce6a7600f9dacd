import { Money } from "../../ui/Value";

interface MonthSpendCellProps {
  nano: bigint | undefined;
  /** Whether a narrow screen goes without it. */
  wideOnly?: boolean;
}

/** MonthSpendCell is an amount in a column, or that it is not known. */
export function MonthSpendCell({ nano, wideOnly = false }: MonthSpendCellProps) {
  return (
    <td className={wideOnly ? "num wide-only" : "num"}>
      {nano === undefined ? (
        <span className="muted" title="Not read yet, or not among the 50 that spent the most">
          –
        </span>
      ) : (
        <Money nano={nano} look="column" />
      )}
    </td>
  );
}
