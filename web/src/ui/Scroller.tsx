import type { ReactNode } from "react";

interface ScrollerProps {
  label: string;
  className?: string;
  children: ReactNode;
}

/** Scroller holds what may be wider than the page; the keyboard can scroll it too. */
export function Scroller({ label, className = "", children }: ScrollerProps) {
  return (
    <div className={`scroller ${className}`} role="region" aria-label={label} tabIndex={0}>
      {children}
    </div>
  );
}
