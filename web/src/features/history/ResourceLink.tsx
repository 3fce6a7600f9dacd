import { Link } from "@tanstack/react-router";

import type { ResourceRef } from "../../api/history";
import { Said } from "../../ui/Said";
import type { LogNames } from "./words";
import { resourceName } from "./words";

/** ResourceLink names a resource and leads to it, where the console has a place for its kind. */
export function ResourceLink({ resource, names }: { resource: ResourceRef; names: LogNames }) {
  const { kind, id } = resource;
  const name = <Said text={resourceName(resource, names)} />;
  switch (kind) {
    case "key":
      return (
        <Link to="/keys" search={{ key: id }}>
          {name}
        </Link>
      );
    case "project":
      return (
        <Link to="/projects" search={{ project: id }}>
          {name}
        </Link>
      );
    case "route":
      return (
        <Link to="/routing" search={{ route: id }}>
          {name}
        </Link>
      );
    case "provider":
      return (
        <Link to="/routing/providers/$providerId" params={{ providerId: id }}>
          {name}
        </Link>
      );
    case "budget":
    case "limit":
      return (
        <Link to="/budgets" search={{ quota: id }}>
          {name}
        </Link>
      );
    case "gateway":
      return (
        <Link to="/agents/$gatewayId" params={{ gatewayId: id }}>
          {name}
        </Link>
      );
    case "agent":
      return (
        <Link to="/agents" search={{ agent: id }}>
          {name}
        </Link>
      );
    case "member":
      return (
        <Link to="/people" search={{ member: id }}>
          {name}
        </Link>
      );
    case "service_account":
      return (
        <Link to="/people" search={{ account: id }}>
          {name}
        </Link>
      );
    default:
      return <b title={id}>{name}</b>;
  }
}
