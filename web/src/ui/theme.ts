import { useState } from "react";

export type Theme = "system" | "light" | "dark";

const storageKey = "weir.theme";

/** useTheme is the viewer's choice; it holds for the next visits, and public/theme.js applies it first. */
export function useTheme(): [Theme, (theme: Theme) => void] {
  const [theme, setTheme] = useState(currentTheme);
  const choose = (next: Theme) => {
    if (next === "system") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = next;
    remember(next);
    setTheme(next);
  };
  return [theme, choose];
}

function currentTheme(): Theme {
  const theme = document.documentElement.dataset.theme;
  return theme === "light" || theme === "dark" ? theme : "system";
}

function remember(theme: Theme) {
  try {
    if (theme === "system") localStorage.removeItem(storageKey);
    else localStorage.setItem(storageKey, theme);
  } catch {
    // Storage is blocked: the choice holds until the page is left.
  }
}
