import type { ReactNode } from "react";
import { useEffect, useRef, useState } from "react";

interface MoreProps {
  title: string;
  /** Whether something is written there: then it is open from the start. */
  said: boolean;
  /** Whether the server refused a field of it: that opens it. */
  wrong?: boolean;
  children: ReactNode;
}

/** More is a part of a form that few need. Nothing but its reader closes it: emptying a field does not. */
export function More({ title, said, wrong = false, children }: MoreProps) {
  const details = useRef<HTMLDetailsElement>(null);
  const [begun] = useState(said);
  useEffect(() => {
    if (wrong && details.current) details.current.open = true;
  }, [wrong]);
  return (
    <details ref={details} className="more" open={begun || undefined}>
      <summary>{title}</summary>
      <div className="part">{children}</div>
    </details>
  );
}
