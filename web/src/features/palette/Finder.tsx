import { lazy, Suspense, useState } from "react";

import { modKey, useKeyboard, useShortcutsEnabled } from "./keyboard";

const Palette = lazy(async () => ({ default: (await import("./Palette")).Palette }));
const Shortcuts = lazy(async () => ({ default: (await import("./Shortcuts")).Shortcuts }));

/** Finder opens the palette and the list of shortcuts, by keys and by a button. */
export function Finder() {
  const [open, setOpen] = useState<"palette" | "shortcuts">();
  const [enabled, setEnabled] = useShortcutsEnabled();
  const close = () => setOpen(undefined);
  useKeyboard({ enabled, onPalette: () => setOpen("palette"), onShortcuts: () => setOpen("shortcuts") });
  return (
    <>
      <button type="button" className="side-search" aria-keyshortcuts="Control+K Meta+K" onClick={() => setOpen("palette")}>
        <svg viewBox="0 0 20 20" aria-hidden="true">
          <path d="M9 14.5a5.5 5.5 0 1 0 0-11 5.5 5.5 0 0 0 0 11zm4-1.5l4 4" />
        </svg>
        <span className="side-search-text">Go to…</span>
        <kbd className="wide-only" aria-hidden="true">
          {modKey()} K
        </kbd>
      </button>
      <Suspense>
        {open === "palette" && <Palette onClose={close} onShortcuts={() => setOpen("shortcuts")} />}
        {open === "shortcuts" && <Shortcuts enabled={enabled} onEnable={setEnabled} onClose={close} />}
      </Suspense>
    </>
  );
}
