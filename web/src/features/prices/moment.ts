import type { PriceMoment } from "../../api/price";
import { useNow } from "../../ui/useNow";

const minuteMs = 60_000;

/** Shown is which prices are looked at. */
export interface Shown extends PriceMoment {
  /** Whether they are those of now. */
  present: boolean;
  /** Whether they are of a price book that usage names. */
  book: string | undefined;
}

/**
 * useShown is the moment that the URL names, or now. What is over is shown as it was: with
 * the prices that were made by then.
 */
export function useShown({ at, book }: { at?: string | undefined; book?: string | undefined }): Shown {
  const tick = useNow(minuteMs).getTime();
  const now = new Date(tick - (tick % minuteMs));
  const moment = at ? new Date(at) : now;
  const version = overridesOf(book);
  return {
    at: moment,
    asOf: version ?? (moment < now ? moment : undefined),
    present: !at && !book,
    book,
  };
}

/** overridesOf is the version of the history in the name of a price book: 17n of "builtin-2026-07.2+o17". */
export function overridesOf(book: string | undefined): bigint | undefined {
  const digits = /\+o(\d{1,18})$/.exec(book ?? "")?.[1];
  return digits === undefined ? undefined : BigInt(digits);
}

/** builtinOf is the built-in book in the name of a price book. */
export function builtinOf(book: string): string {
  return book.replace(/\+o\d+$/, "");
}
