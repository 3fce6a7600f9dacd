import { explain } from "../../api/error";

/** AskFailure says why no agent answered. */
export function AskFailure({ error }: { error: unknown }) {
  const { title, detail } = explain(error);
  return (
    <div className="notice notice-bad" role="alert">
      <span>
        <b>No answer. {title}.</b> {detail}
      </span>
    </div>
  );
}
