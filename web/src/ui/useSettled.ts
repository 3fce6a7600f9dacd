import { useEffect, useState } from "react";

/** settleMs is how long nothing may be typed in a form before the server is asked what it makes of it. */
export const settleMs = 700;

/** useSettled is a value once it has not changed for a while: what is typed is not asked about letter by letter. Same says whether two are alike. */
export function useSettled<T>(value: T, afterMs: number, same: (a: T, b: T) => boolean = Object.is): T {
  const [settled, setSettled] = useState(value);
  const alike = same(value, settled);
  useEffect(() => {
    if (alike) return;
    const timer = setTimeout(() => setSettled(value), afterMs);
    return () => clearTimeout(timer);
  }, [value, alike, afterMs]);
  return settled;
}
