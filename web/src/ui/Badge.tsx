import type { ReactNode } from "react";

export type Tone = "good" | "warn" | "bad" | "plain";

interface BadgeProps {
  tone: Tone;
  children: ReactNode;
}

const marks: Record<Tone, string> = { good: "●", warn: "▲", bad: "■", plain: "○" };

/** Badge names a state in words; its shape and colour only repeat it. */
export function Badge({ tone, children }: BadgeProps) {
  return (
    <span className={`badge badge-${tone}`}>
      <span className="badge-mark" aria-hidden="true">
        {marks[tone]}
      </span>
      {children}
    </span>
  );
}
