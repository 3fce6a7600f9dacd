import { useState } from "react";

interface CopyButtonProps {
  text: string;
  /** What is copied: "key". */
  what: string;
  label?: string;
}

/** CopyButton puts a text on the clipboard and says whether that worked. */
export function CopyButton({ text, what, label = "Copy" }: CopyButtonProps) {
  const [said, setSaid] = useState("");
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text);
      setSaid("Copied");
    } catch {
      setSaid("Select and copy by hand");
    }
  };
  return (
    <button type="button" className="button button-small" aria-label={`Copy ${what}`} onClick={() => void copy()}>
      <span aria-live="polite">{said || label}</span>
    </button>
  );
}
