import { CopyButton } from "../../ui/CopyButton";

interface CopyableProps {
  title: string;
  text: string;
  /** What is copied: "key". */
  what: string;
}

/** Copyable shows a text to take along. */
export function Copyable({ title, text, what }: CopyableProps) {
  return (
    <section className="copyable" aria-label={title}>
      <div className="copyable-head">
        <h3>{title}</h3>
        <CopyButton text={text} what={what} />
      </div>
      <pre tabIndex={0}>{text}</pre>
    </section>
  );
}
