import type { ReactNode } from "react";

/** Facts groups what is known about one subject. */
export function Facts({ title, children }: { title: string; children: ReactNode }) {
  return (
    <section className="facts">
      <h3>{title}</h3>
      <dl>{children}</dl>
    </section>
  );
}

interface FactProps {
  name: string;
  /** Whether a line above marks it as the result of what stands there. */
  sum?: boolean;
  children: ReactNode;
}

export function Fact({ name, sum = false, children }: FactProps) {
  return (
    <div className={sum ? "fact fact-sum" : "fact"}>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}
