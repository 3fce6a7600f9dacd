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

/** useMay tells whether the viewer's role grants a permission. It only hides offers: the server decides. */
export function useMay(): (permission: string) => boolean {
  const viewer = use(Viewer);
  return (permission) => viewer?.permissions.includes(permission) ?? false;
}
