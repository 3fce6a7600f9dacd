import type { Names } from "../../api/names";
import { shortId } from "../../format/id";
import type { RequestsSearch } from "../../routes/search";
import type { Option } from "../../ui/Combobox";
import { Combobox } from "../../ui/Combobox";
import type { RequestNames } from "./names";

interface WhoseFilterProps {
  search: RequestsSearch;
  names: RequestNames;
  onChange: (part: Pick<RequestsSearch, "project" | "key">) => void;
}

/** WhoseFilter narrows requests to those of a project or a key, by name; the address keeps ids. */
export function WhoseFilter({ search: { project, key }, names, onChange }: WhoseFilterProps) {
  return (
    <>
      {offers(names.projects, project) && (
        <Combobox label="Project" any="Any project" options={optionsOf(names.projects, project)} value={project} onChange={(next) => onChange({ project: next })} />
      )}
      {offers(names.keys, key) && <Combobox label="Key" any="Any key" options={optionsOf(names.keys, key)} value={key} onChange={(next) => onChange({ key: next })} />}
    </>
  );
}

function offers(names: Names, chosen: string | undefined): boolean {
  return names !== undefined || chosen !== undefined;
}

// Keys of several projects may share a name; what was archived has none any more.
function optionsOf(names: Names, chosen: string | undefined): Option[] {
  const all = [...(names ?? [])];
  const times = new Map<string, number>();
  for (const [, name] of all) times.set(name, (times.get(name) ?? 0) + 1);
  const options = all.map(([value, name]) => ({ value, label: (times.get(name) ?? 0) > 1 ? `${name} (${shortId(value)})` : name }));
  options.sort((a, b) => a.label.localeCompare(b.label));
  return chosen === undefined || names?.has(chosen) ? options : [{ value: chosen, label: shortId(chosen) }, ...options];
}

/** filterOf is what the API is asked for: the filter that was written, of a project's or a key's requests. */
export function filterOf({ filter = "", project, key }: RequestsSearch): string {
  // AND binds the least: no parentheses are needed, and the columns that a mistake is told by stay those of what was written.
  return [filter, project && `project_id = ${JSON.stringify(project)}`, key && `key_id = ${JSON.stringify(key)}`].filter(Boolean).join(" AND ");
}
