import type { Gateway } from "../../api/gateway";

/** UnservedRoutes lists what a gateway's agents refuse, since every target of it is outside. */
export function UnservedRoutes({ gateway }: { gateway: Gateway }) {
  if (gateway.unservedRoutes.length === 0) return null;
  return (
    <ul aria-label={`Routes that ${gateway.name} does not serve`}>
      {gateway.unservedRoutes.map((route) => (
        <li key={route.routeId}>
          Route {route.name} is not served: {route.reason}
        </li>
      ))}
    </ul>
  );
}
