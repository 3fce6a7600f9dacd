import type { ReactNode } from "react";
import { createContext, use } from "react";

import type { WhoAmIResponse } from "../../api/session";

const Viewer = createContext<WhoAmIResponse | undefined>(undefined);

/** ViewerProvider tells the pages below who is looking. */
export function ViewerProvider({ viewer, children }: { viewer: WhoAmIResponse; children: ReactNode }) {
  return <Viewer value={viewer}>{children}</Viewer>;
}

/** useViewer is who is looking. */
export function useViewer(): WhoAmIResponse | undefined {
  return use(Viewer);
}

/**
 * useMay tells whether the viewer's role grants a permission, in the organization or, where a project
 * is named, on that one. It only hides offers: the server decides.
 */
export function useMay(): (permission: string, projectId?: string) => boolean {
  const viewer = use(Viewer);
  return (permission, projectId) => {
    if (viewer?.permissions.includes(permission)) return true;
    return projectId !== undefined && (viewer?.projects.some((on) => on.projectId === projectId && on.permissions.includes(permission)) ?? false);
  };
}

/** useMaySomewhere tells whether the viewer has a permission in the organization or on any project: lists show what is there. */
export function useMaySomewhere(): (permission: string) => boolean {
  const viewer = use(Viewer);
  const may = useMay();
  return (permission) => may(permission) || (viewer?.projects.some((on) => on.permissions.includes(permission)) ?? false);
}
