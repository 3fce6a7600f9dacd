import { useBlocker } from "@tanstack/react-router";

const question = "What you changed here is not saved. Leave, and lose it?";

/** useUnsaved asks before a page is left with what would be lost. What stays on the page, as a statement that runs, is no leaving. */
export function useUnsaved(unsaved: boolean) {
  useBlocker({
    shouldBlockFn: ({ current, next }) => unsaved && current.pathname !== next.pathname && !window.confirm(question),
    enableBeforeUnload: () => unsaved,
  });
}
