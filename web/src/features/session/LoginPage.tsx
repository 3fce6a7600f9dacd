import { useLocation } from "@tanstack/react-router";

import { loginUrl } from "../../api/session";
import { Brand } from "../shell/Brand";

/** LoginPage leads to the OIDC provider and back to where the viewer was. */
export function LoginPage() {
  const { href } = useLocation();
  return (
    <main className="login">
      <title>Log in · Weir</title>
      <div className="login-card">
        <Brand />
        <h1>Log in to the console</h1>
        <p className="muted">
          Your organization's identity provider asks who you are. Afterwards you come back to this page.
        </p>
        <a className="button button-primary button-wide" href={loginUrl(href)}>
          Log in
        </a>
      </div>
      <p className="login-foot muted">Prompts and answers never reach this server, nor any provider credential that it could read.</p>
    </main>
  );
}
