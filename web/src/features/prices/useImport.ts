import { useRef, useState } from "react";

import type { ImportedPrice, ImportPart, NotImported } from "../../api/price";
import { Change, useImportPart, useRefreshPrices } from "../../api/price";
import { newRequestId } from "../../api/transport";

/** Found is what a file comes to: what becomes of its models, and what of it is left. */
export interface Found {
  prices: ImportedPrice[];
  left: NotImported[];
}

/** ImportState is how far an import is. */
export interface ImportState {
  doing: "nothing" | "preview" | "apply";
  /** Requests that were answered, of so many. */
  done: number;
  of: number;
  found: Found | undefined;
  applied: boolean;
  error: unknown;
}

const nothing: ImportState = { doing: "nothing", done: 0, of: 0, found: undefined, applied: false, error: undefined };

/** useImport carries a price file to the server part by part: first to see what it would do. */
export function useImport() {
  const [state, setState] = useState(nothing);
  const ask = useImportPart();
  const refresh = useRefreshPrices();
  // The same part is the same request, so that trying again does nothing twice.
  const ids = useRef(new Map<ImportPart, string>());

  const forget = () => {
    ids.current = new Map();
    setState(nothing);
  };
  const run = async (parts: readonly ImportPart[], doing: "preview" | "apply") => {
    setState((s) => ({ ...s, doing, done: 0, of: parts.length, error: undefined }));
    const found: Found = { prices: [], left: [] };
    try {
      for (const part of parts) {
        if (doing === "apply" && !ids.current.has(part)) ids.current.set(part, newRequestId());
        const answer = await ask(part, doing === "apply" ? ids.current.get(part) : undefined);
        found.prices.push(...answer.prices);
        found.left.push(...answer.notImported);
        setState((s) => ({ ...s, done: s.done + 1 }));
      }
      setState((s) => ({ ...s, doing: "nothing", found, applied: doing === "apply" }));
    } catch (error) {
      setState((s) => ({ ...s, doing: "nothing", error }));
    }
    if (doing === "apply") await refresh();
  };
  return { state, forget, preview: (parts: readonly ImportPart[]) => run(parts, "preview"), apply: (parts: readonly ImportPart[]) => run(parts, "apply") };
}

export const outcomes = ["new", "changed", "same", "refused"] as const;
export type Outcome = (typeof outcomes)[number];

/** outcomeOf is what becomes of a model: a price of one's own in place of the built-in one is a change. */
export function outcomeOf({ change, was }: ImportedPrice): Exclude<Outcome, "refused"> {
  if (change === Change.NONE) return "same";
  return was ? "changed" : "new";
}
