import type { ReactNode } from "react";

import { violationsOf } from "../../api/error";
import type { Names } from "../../api/names";
import { FormActions, TextField } from "../../ui/Form";
import { SomeOrAll } from "../../ui/SomeOrAll";
import { RetryFields, TimeoutFields } from "./BoundFields";
import type { RouteDraft } from "./draft";
import { Optional } from "./Optional";
import { HedgeFields, ShareFields } from "./ShareFields";
import { StrategyFields } from "./StrategyFields";
import { TargetFields } from "./TargetFields";

interface RouteFormProps {
  draft: RouteDraft;
  /** Whether it is there already. */
  exists: boolean;
  /** That targets can be of. */
  providers: Names;
  /** That it can be for. */
  projects: Names;
  pending: boolean;
  /** Whether it has to wait for something else. */
  blocked: boolean;
  error: unknown;
  onChange: (part: Partial<RouteDraft>) => void;
  onSubmit: () => void;
  onCancel: () => void;
  /** What is wrong with all of it. */
  children: ReactNode;
}

const nameRule = "What applications write in model: letters, digits and -._:/ inside, at most 128.";

/** RouteForm takes everything that a route can do. */
export function RouteForm({ draft, exists, providers, projects, pending, blocked, error, onChange: change, onSubmit, onCancel, children }: RouteFormProps) {
  const violations = violationsOf(error, "route");
  const problems = (field: string) => violations.find((violation) => violation.field === field)?.description;
  return (
    <form action={onSubmit} className="form">
      <TextField
        label="Name"
        required
        maxLength={128}
        pattern="[A-Za-z0-9]([A-Za-z0-9._:\/\-]*[A-Za-z0-9])?"
        title={nameRule}
        hint={nameRule}
        placeholder="gpt-5"
        problem={problems("name")}
        value={draft.name}
        onChange={(name) => change({ name })}
      />
      <StrategyFields strategy={draft.strategy} sticky={draft.sticky} problems={problems} onChange={change} />
      <TargetFields strategy={draft.strategy} targets={draft.targets} providers={providers} problems={problems} onChange={(targets) => change({ targets })} />
      <Optional label="Strict" about={strictly} checked={draft.strict} onChange={(strict) => change({ strict })} />
      <HedgeFields hedge={draft.hedge} problems={problems} onChange={(hedge) => change({ hedge })} />
      <ShareFields what="Canary" share={draft.canary} providers={providers} problems={problems} onChange={(canary) => change({ canary })} />
      <ShareFields what="Shadow" share={draft.shadow} providers={providers} problems={problems} onChange={(shadow) => change({ shadow })} />
      <RetryFields retry={draft.retry} problems={problems} onChange={(retry) => change({ retry })} />
      <SomeOrAll
        legend="Projects whose keys may use it"
        everyLabel="Every project, also later ones"
        none="There is no project yet."
        names={projects}
        every={draft.everyProject}
        chosen={draft.projectIds}
        problem={problems("allowed_project_ids")}
        onEvery={(everyProject) => change({ everyProject })}
        onChosen={(projectIds) => change({ projectIds })}
      />
      <TimeoutFields timeouts={draft.timeouts} empty="what the provider says, else the agent's own" problems={problems} onChange={(timeouts) => change({ timeouts })} />
      {children}
      <FormActions
        pending={pending}
        blocked={blocked}
        action={exists ? "Save route" : "Create route"}
        working={exists ? "Saving…" : "Creating…"}
        onCancel={onCancel}
      />
    </form>
  );
}

const strictly = (
  <>
    A request that a target&apos;s dialect can&apos;t carry whole is not sent to it; otherwise it is sent, and <code>X-Weir-Lossy</code> of the answer
    names what was left out.
  </>
);
