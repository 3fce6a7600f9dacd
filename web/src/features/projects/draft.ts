import type { Project, ProjectInput } from "../../api/project";
import type { Told } from "../../ui/Conflict";

export interface ProjectDraft {
  name: string;
  displayName: string;
  /** "": 1. */
  weight: string;
}

export const emptyProject: ProjectDraft = { name: "", displayName: "", weight: "" };

/** projectDraftOf is a project as its form begins with it. */
export function projectDraftOf({ name, displayName, weight }: Project): ProjectDraft {
  return { name, displayName: displayName === name ? "" : displayName, weight: weight > 1 ? String(weight) : "" };
}

/** projectInputOf is what a draft asks for. */
export function projectInputOf({ name, displayName, weight }: ProjectDraft): ProjectInput {
  return { name, displayName: displayName.trim(), weight: Number(weight) };
}

/** paths are the fields that a draft changes. */
export const paths = ["name", "display_name", "weight"];

/** projectTold is what people chose of a project, in words, to be compared. */
export function projectTold({ name, displayName, weight }: Project): Told<ProjectDraft> {
  return [
    ["Name", name, "name"],
    ["Shown as", displayName || name, "displayName"],
    ["Weight", String(weight || 1), "weight"],
  ];
}
