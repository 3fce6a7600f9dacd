import { useRouter } from "@tanstack/react-router";
import { useEffect, useEffectEvent, useRef, useState } from "react";

import { destinations, isOpenTo } from "../../routes/pages";
import { useMaySomewhere } from "../session/permission";

const storageKey = "weir.shortcuts";
const sequenceMs = 1_500;
// Event times begin with the page: 0 would be a moment ago for whoever is quick.
const never = -Infinity;

/** modKey is what the platform's shortcuts go with. */
export function modKey(): "⌘" | "Ctrl" {
  return /Mac|iPhone|iPad/.test(navigator.userAgent) ? "⌘" : "Ctrl";
}

/** useShortcutsEnabled tells whether single keys do anything; it holds for the next visits. */
export function useShortcutsEnabled(): [boolean, (enabled: boolean) => void] {
  const [enabled, setEnabled] = useState(() => {
    try {
      return localStorage.getItem(storageKey) !== "off";
    } catch {
      return true;
    }
  });
  const choose = (next: boolean) => {
    setEnabled(next);
    try {
      if (next) localStorage.removeItem(storageKey);
      else localStorage.setItem(storageKey, "off");
    } catch {
      // Storage is blocked: the choice holds until the page is left.
    }
  };
  return [enabled, choose];
}

interface Keyboard {
  enabled: boolean;
  onPalette: () => void;
  onShortcuts: () => void;
}

/** useKeyboard listens for shortcuts. Those of single keys do nothing while somebody types or a dialog is open (WCAG 2.1.4). */
export function useKeyboard({ enabled, onPalette, onShortcuts }: Keyboard) {
  const router = useRouter();
  const may = useMaySomewhere();
  const pressedG = useRef(never);
  const go = (pressed: string) => {
    const page = destinations.find(({ key }) => key === pressed);
    if (page && isOpenTo(page, may)) router.history.push(page.path);
  };
  const search = () => {
    if (!focusSearch()) onPalette();
  };
  const press = useEffectEvent((event: KeyboardEvent) => {
    if ((event.ctrlKey || event.metaKey) && !event.altKey && !event.shiftKey && event.key.toLowerCase() === "k") {
      event.preventDefault();
      if (!isDialogOpen()) onPalette();
      return;
    }
    if (!enabled || event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target) || isDialogOpen()) return;
    const follows = event.timeStamp - pressedG.current < sequenceMs;
    pressedG.current = never;
    if (follows) go(event.key);
    else if (event.key === "?") onShortcuts();
    else if (event.key === "/") search();
    else if (event.key === "g") pressedG.current = event.timeStamp;
    else return;
    event.preventDefault();
  });
  useEffect(() => {
    const listen = (event: KeyboardEvent) => press(event);
    window.addEventListener("keydown", listen);
    return () => window.removeEventListener("keydown", listen);
  }, []);
}

function isTyping(target: EventTarget | null): boolean {
  return target instanceof Element && target.closest('input, textarea, select, [contenteditable=""], [contenteditable="true"]') !== null;
}

function isDialogOpen(): boolean {
  return document.querySelector('[role="dialog"], [role="alertdialog"]') !== null;
}

// focusSearch goes to the page's own search or filter, where it has one.
function focusSearch(): boolean {
  const field = document.querySelector<HTMLElement>('main [role="search"] :is(input, select), main input[type="search"]');
  field?.focus();
  return field !== null;
}
