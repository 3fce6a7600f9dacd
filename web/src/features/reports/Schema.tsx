import { useState } from "react";

import { useColumns } from "../../api/report";
import { Failure, Loading } from "../../ui/State";
import { views } from "./examples";

/** Columns lists what each view has; a view is asked for when it is opened. */
export function Columns() {
  return (
    <section className="panel" aria-label="Columns">
      <div className="panel-head">
        <h2>Columns</h2>
      </div>
      <div className="sql-views">
        {views.map((view) => (
          <View key={view} view={view} />
        ))}
      </div>
    </section>
  );
}

function View({ view }: { view: string }) {
  const [open, setOpen] = useState(false);
  return (
    <details onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>
        <code>{view}</code>
      </summary>
      {open && <ViewColumns view={view} />}
    </details>
  );
}

function ViewColumns({ view }: { view: string }) {
  const { data, error, refetch } = useColumns(view);
  if (error) return <Failure error={error} onRetry={refetch} />;
  if (!data) return <Loading what={`columns of ${view}`} shape="table" />;
  return (
    <ul className="sql-columns" aria-label={`Columns of ${view}`}>
      {data.columns.map(({ name, type }) => (
        <li key={name}>
          <code>{name}</code> <span className="muted">{type}</span>
        </li>
      ))}
    </ul>
  );
}
