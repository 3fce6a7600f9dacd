import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";

import { mayGetKey } from "../../api/key";
import type { Names } from "../../api/names";
import { mayGetProject } from "../../api/project";
import { mayGetProvider } from "../../api/provider";
import type { QuotaScope } from "../../api/quota";
import { mayListRoutes } from "../../api/route";
import { Named } from "../../ui/Named";
import { useMay } from "../session/permission";
import type { ScopeNames } from "./names";

interface ScopeWordsProps {
  scope: QuotaScope | undefined;
  names: ScopeNames;
}

/** ScopeWords say what a quota is about, with a way to it. */
export function ScopeWords({ scope, names }: ScopeWordsProps) {
  const may = useMay();
  const on = scope?.on;
  switch (on?.case) {
    case "organization":
      return <>The whole organization</>;
    case "projectId":
      return (
        <>
          Project{" "}
          <Way may={may(mayGetProject, on.value)} id={on.value} names={names.projects}>
            {(name) => (
              <Link to="/projects" search={{ project: on.value }} className="above-row">
                {name}
              </Link>
            )}
          </Way>
        </>
      );
    case "keyId":
      return (
        <>
          Key{" "}
          <Way may={may(mayGetKey)} id={on.value} names={names.keys}>
            {(name) => (
              <Link to="/keys" search={{ key: on.value }} className="above-row">
                {name}
              </Link>
            )}
          </Way>
        </>
      );
    case "routeId":
      return (
        <>
          Route{" "}
          <Way may={may(mayListRoutes)} id={on.value} names={names.routes}>
            {(name) => (
              <Link to="/routing" search={{ route: on.value }} className="above-row">
                {name}
              </Link>
            )}
          </Way>
        </>
      );
    case "providerId":
      return (
        <>
          Provider{" "}
          <Way may={may(mayGetProvider)} id={on.value} names={names.providers}>
            {(name) => (
              <Link to="/routing/providers/$providerId" params={{ providerId: on.value }} className="above-row">
                {name}
              </Link>
            )}
          </Way>
        </>
      );
    case "endUser":
      return <>Each end user apart</>;
    case "label":
      return on.value.value === undefined ? (
        <>
          Each value of the label <code>{on.value.name}</code> apart
        </>
      ) : (
        <>
          Keys with{" "}
          <code>
            {on.value.name}={on.value.value}
          </code>
        </>
      );
    default:
      return <span className="muted">Something this console does not know yet</span>;
  }
}

interface WayProps {
  may: boolean;
  id: string;
  names: Names;
  children: (name: ReactNode) => ReactNode;
}

function Way({ may, id, names, children }: WayProps) {
  const name = <Named id={id} names={names} />;
  return may ? children(name) : name;
}
