import { Outlet, useLocation } from "@tanstack/react-router";
import { useEffect, useRef } from "react";

import { isLoggedOut } from "../../api/error";
import type { WhoAmIResponse } from "../../api/session";
import { useWhoAmI } from "../../api/session";
import { Failure } from "../../ui/State";
import { Finder } from "../palette/Finder";
import { Account } from "../session/Account";
import { LoginPage } from "../session/LoginPage";
import { ViewerProvider } from "../session/permission";
import { Allowed } from "./Allowed";
import { Brand } from "./Brand";
import { Nav } from "./Nav";

/** Shell asks who is looking, then shows the login page or the console around a page. */
export function Shell() {
  const whoAmI = useWhoAmI();
  if (isLoggedOut(whoAmI.error)) return <LoginPage />;
  if (whoAmI.data) return <Frame viewer={whoAmI.data} />;
  return (
    <main className="login">
      {whoAmI.error ? (
        <Failure error={whoAmI.error} onRetry={whoAmI.refetch} />
      ) : (
        <div role="status" aria-label="Loading console">
          <Brand />
        </div>
      )}
    </main>
  );
}

function Frame({ viewer }: { viewer: WhoAmIResponse }) {
  const main = useRef<HTMLElement>(null);
  useFocusOnArrival(main);
  return (
    <ViewerProvider viewer={viewer}>
      <div className="shell">
        <a className="skip" href="#main" onClick={() => main.current?.focus()}>
          Skip to content
        </a>
        <header className="side">
          <Brand />
          <Finder />
          <Nav />
          <Account viewer={viewer} />
        </header>
        <main id="main" ref={main} tabIndex={-1}>
          <Allowed>
            <Outlet />
          </Allowed>
        </main>
      </div>
    </ViewerProvider>
  );
}

// After a change of page the keyboard and the screen reader start at the new content.
function useFocusOnArrival(main: React.RefObject<HTMLElement | null>) {
  const { pathname } = useLocation();
  const arrivedAt = useRef(pathname);
  useEffect(() => {
    if (arrivedAt.current === pathname) return;
    arrivedAt.current = pathname;
    main.current?.focus({ preventScroll: true });
  }, [main, pathname]);
}
