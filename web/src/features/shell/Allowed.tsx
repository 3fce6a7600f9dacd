import { useMatches } from "@tanstack/react-router";
import type { ReactNode } from "react";

import { isOpenTo, pages } from "../../routes/pages";
import { Page } from "../../ui/Page";
import { Empty } from "../../ui/State";
import { useMaySomewhere } from "../session/permission";

/** Allowed shows a page to those whose role can read it, and tells others so before anything is asked or offered. */
export function Allowed({ children }: { children: ReactNode }) {
  const shown = useMatches({ select: (matches) => matches.at(-1)?.routeId });
  const may = useMaySomewhere();
  const page = Object.entries(pages).find(([path]) => path === shown)?.[1];
  if (!page || isOpenTo(page, may)) return children;
  return (
    <Page title="Not for your role">
      <Empty title="Your role may not see this page">
        <p>What you may see is in the navigation. An admin of your organization can give you another role.</p>
      </Empty>
    </Page>
  );
}
