import { Link } from "@tanstack/react-router";

import type { Quota } from "../../api/quota";
import { useQuotaSubjects } from "../../api/quota";
import { LoadMore } from "../../ui/LoadMore";
import { Said } from "../../ui/Said";
import { Async } from "../../ui/State";
import { QuotaBar } from "./QuotaBar";

// A hash names its key: "h1.15e48d93.lRe_2bZaN3UgF6UQKcBlXw".
function hashKeys(subjects: readonly string[]): number {
  return new Set(subjects.flatMap((subject) => /^h1\.([0-9a-f]{8})\./.exec(subject)?.[1] ?? [])).size;
}

/** Subjects list the end users or label values that a quota counts apart, those that spent the most first. */
export function Subjects({ quota }: { quota: Quota }) {
  const result = useQuotaSubjects(quota.id);
  const subjects = result.data?.pages.flatMap((page) => page.subjects) ?? [];
  const keys = hashKeys(subjects.map(({ subject }) => subject));
  return (
    <section className="facts" aria-label="Counted apart">
      <h3>Counted apart, the most spent first</h3>
      {keys > 1 && (
        <p className="notice notice-warn">
          <span>
            <b>Agents hash end users with {keys} different keys.</b> Who comes by agents of different keys is counted as several, and has the whole amount once for
            each. Give all agents the same <code>WEIR_FINGERPRINT_KEY_FILE</code>.
          </span>
        </p>
      )}
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
