import { useBlocker } from "@tanstack/react-router";

/** useHold asks before the page is left, by the browser's back button too, while something on it would be lost. */
export function useHold(held: boolean, question: string) {
  useBlocker({ shouldBlockFn: () => held && !window.confirm(question), enableBeforeUnload: () => held });
}
