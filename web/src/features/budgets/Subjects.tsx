import { Link } from "@tanstack/react-router";

import type { Quota } from "../../api/quota";
import { useQuotaSubjects } from "../../api/quota";
import { LoadMore } from "../../ui/LoadMore";
import { Said } from "../../ui/Said";
import { Async } from "../../ui/State";
import { QuotaBar } from "./QuotaBar";

/** Subjects list the end users or label values that a quota counts apart, those that spent the most first. */
export function Subjects({ quota }: { quota: Quota }) {
  const result = useQuotaSubjects(quota.id);
  const subjects = result.data?.pages.flatMap((page) => page.subjects) ?? [];
  return (
    <section className="facts" aria-label="Counted apart">
      <h3>Counted apart, the most spent first</h3>
      <Async result={result} what="subjects" isEmpty={() => subjects.length === 0} empty={<p className="muted">Nobody has spent or holds anything in this window.</p>}>
        {() => (
          <ul className="quota-subjects">
            {subjects.map((standing) => (
              <li key={standing.subject}>
                <Link to="." search={(s) => ({ ...s, subject: standing.subject })} className="anywhere">
                  <Said text={standing.subject} />
                </Link>
                <QuotaBar quota={quota} standing={standing} />
              </li>
            ))}
          </ul>
        )}
      </Async>
      <LoadMore query={result} />
    </section>
  );
}
