import { useState } from "react";

import type { Gateway } from "../../api/gateway";
import type { Names } from "../../api/names";
import type { Rollout } from "../../api/rollout";
import { PromoteTo, RolloutState, usePromoted, usePromoteRollout } from "../../api/rollout";
import { newRequestId } from "../../api/transport";
import { ConfirmForm } from "../../ui/ConfirmForm";
import { FormError } from "../../ui/Form";

interface PromoteDialogProps {
  gateway: Gateway;
  rollout: Rollout;
  to: PromoteTo;
  agents: Names;
  onClose: () => void;
}

/** PromoteDialog says which agents would get the candidate, as the server sees it now. */
export function PromoteDialog({ gateway, rollout, to, agents, onClose }: PromoteDialogProps) {
  const [requestId] = useState(newRequestId);
  const preview = usePromoted(rollout.id, to);
  const promote = usePromoteRollout();
  const promoted = preview.data?.rollout;
  const submit = () => promote.mutate({ id: rollout.id, to, mutation: { requestId } }, { onSuccess: onClose });
  return (
    <ConfirmForm
      title={to === PromoteTo.ALL ? "Promote to every agent?" : "Promote to the next step?"}
      about={promoted ? consequence(gateway, rollout, promoted, agents) : "Asking what this would do…"}
      verb="Promote"
      doing="Promoting…"
      blocked={!promoted}
      change={promote}
      onSubmit={submit}
      onClose={onClose}
    >
      {rollout.hold && <p className="muted">It passes what holds it now: {rollout.hold.reason || "somebody wanted it to stay"}.</p>}
      <FormError error={preview.error} />
    </ConfirmForm>
  );
}

function consequence(gateway: Gateway, now: Rollout, then: Rollout, agents: Names): string {
  const candidate = `version ${now.candidateVersion} of the configuration`;
  if (then.state === RolloutState.FINISHED) return `Every agent of ${gateway.name} gets ${candidate} at once, and the rollout is over.`;
  const added = then.agentIds.filter((id) => !now.agentIds.includes(id)).map((id) => agents?.get(id) ?? id);
  const whom = added.length > 0 ? ` New are ${added.join(", ")}.` : "";
  return `${then.agentCount} agents will have ${candidate}; now it is ${now.agentCount}.${whom} The others keep version ${now.baseVersion}.`;
}
