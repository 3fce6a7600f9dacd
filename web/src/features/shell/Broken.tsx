import type { ErrorComponentProps } from "@tanstack/react-router";

import { Page } from "../../ui/Page";

/** Broken stands where a page could not be drawn; the navigation beside it stays. */
export function Broken({ error }: ErrorComponentProps) {
  const { title, detail } = isMissing(error) ? missing : broken;
  return (
    <Page title={title}>
      <div className="state state-error" role="alert">
        <p>{detail}</p>
        <p className="muted">
          <code>{String(error)}</code>
        </p>
        <button type="button" className="button" onClick={() => window.location.reload()}>
          Reload the page
        </button>
      </div>
    </Page>
  );
}

const missing = {
  title: "A part of the console is missing",
  detail: "It did not arrive: the connection was lost, or Weir was upgraded since this tab was opened. Reloading comes back to this place.",
};

const broken = {
  title: "This page broke",
  detail: "That is a fault of the console; nothing was changed by it. Reload the page, and if that does not help, tell whoever runs Weir for you what stands below.",
};

// As Chromium, Firefox and Safari say that a module of the page could not be had.
function isMissing(error: unknown): boolean {
  return /dynamically imported module|Importing a module script failed|Unable to preload/i.test(String(error));
}
