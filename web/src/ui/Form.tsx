import { explain } from "../api/error";

/** FormError says why a form's request was refused. */
export function FormError({ error }: { error: unknown }) {
  if (!error) return null;
  const { title, detail } = explain(error);
  return (
    <p className="notice notice-bad" role="alert">
      <span>
        <b>{title}.</b> {detail}
      </span>
    </p>
  );
}
