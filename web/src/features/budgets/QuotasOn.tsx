import "./budgets.css";

import { Link } from "@tanstack/react-router";

import { mayListQuotas, QuotaKind, useQuotas } from "../../api/quota";
import { LoadMore } from "../../ui/LoadMore";
import { Async } from "../../ui/State";
import { useMay } from "../session/permission";
import { useScopeNames } from "./names";
import { QuotaBar } from "./QuotaBar";
import { ScopeWords } from "./ScopeWords";
import { modeName } from "./words";

interface QuotasOnProps {
  projectId: string;
  /** Only what is on this key of it; absent: all that is on the project and its keys. */
  keyId?: string;
}

/** QuotasOn shows how it stands with what holds a project, or a key. */
export function QuotasOn(props: QuotasOnProps) {
  if (!useMay()(mayListQuotas, props.projectId)) return null;
  return <Listed {...props} />;
}

function Listed({ projectId, keyId }: QuotasOnProps) {
  const result = useQuotas(QuotaKind.UNSPECIFIED, projectId, keyId ? "on = key" : "");
  const names = useScopeNames();
  const quotas = (result.data?.pages.flatMap((page) => page.quotas) ?? []).filter(({ scope }) => !keyId || (scope?.on.case === "keyId" && scope.on.value === keyId));
  return (
    <section className="facts" aria-label="Budgets and limits">
      <h3>Budgets and limits</h3>
      <Async
        result={result}
        what="budgets and limits"
        isEmpty={() => quotas.length === 0}
        empty={
          <p className="muted">
            None {keyId ? "on this key alone" : "on this project or its keys"}. <Link to="/budgets">All budgets and limits</Link>
          </p>
        }
      >
        {() => (
          <ul className="quotas-on">
            {quotas.map((quota) => (
              <li key={quota.id}>
                <div className="quotas-on-head">
                  <Link to="/budgets" search={{ quota: quota.id }}>
                    {quota.name}
                  </Link>
                  <span className="muted">{modeName(quota.mode)}</span>
                </div>
                {!keyId && quota.scope?.on.case === "keyId" && (
                  <div className="muted">
                    <ScopeWords scope={quota.scope} names={names} />
                  </div>
                )}
                {quota.standing && <QuotaBar quota={quota} standing={quota.standing} />}
              </li>
            ))}
          </ul>
        )}
      </Async>
      <LoadMore query={result} />
    </section>
  );
}
