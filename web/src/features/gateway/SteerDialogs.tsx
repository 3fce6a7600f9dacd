import { useState } from "react";

import type { Gateway } from "../../api/gateway";
import type { Rollout } from "../../api/rollout";
import { useGoForward, useHoldRollout, useResumeRollout } from "../../api/rollout";
import { newRequestId } from "../../api/transport";
import { isStaged } from "./settings";
import { ConfirmForm } from "../../ui/ConfirmForm";

interface RolloutDialogProps {
  rollout: Rollout;
  onClose: () => void;
}

/** HoldDialog stops a rollout at its step. */
export function HoldDialog({ rollout, onClose }: RolloutDialogProps) {
  const [requestId] = useState(newRequestId);
  const [reason, setReason] = useState("");
  const hold = useHoldRollout();
  return (
    <ConfirmForm
      title="Hold the rollout?"
      about={
        `It stays at this step until somebody resumes or promotes it: agents that have version ${rollout.candidateVersion} keep it, the others keep ` +
        `version ${rollout.baseVersion}, and further changes of configuration wait. Keys and revocations do not.`
      }
      verb="Hold"
      doing="Holding…"
      change={hold}
      onSubmit={() => hold.mutate({ id: rollout.id, reason, mutation: { requestId } }, { onSuccess: onClose })}
      onClose={onClose}
    >
      <label>
        Reason, for who looks at it (optional)
        <input value={reason} maxLength={500} onChange={(event) => setReason(event.target.value)} />
      </label>
    </ConfirmForm>
  );
}

/** ResumeDialog lets a held rollout go on. */
export function ResumeDialog({ rollout, onClose }: RolloutDialogProps) {
  const [requestId] = useState(newRequestId);
  const resume = useResumeRollout();
  return (
    <ConfirmForm
      title="Resume the rollout?"
      about="It goes on at its step, and its agents are judged from now on. What was changed meanwhile begins anew, with one agent."
      verb="Resume"
      doing="Resuming…"
      change={resume}
      onSubmit={() => resume.mutate({ id: rollout.id, mutation: { requestId } }, { onSuccess: onClose })}
      onClose={onClose}
    >
      {rollout.hold?.reason && <p className="muted">What held it: {rollout.hold.reason}</p>}
    </ConfirmForm>
  );
}

interface ForwardDialogProps {
  gateway: Gateway;
  onClose: () => void;
}

/** ForwardDialog ends a going back. */
export function ForwardDialog({ gateway, onClose }: ForwardDialogProps) {
  const [requestId] = useState(newRequestId);
  const forward = useGoForward();
  const how = isStaged(gateway.rollout) ? "step by step, beginning with one agent" : "to every agent at once";
  return (
    <ConfirmForm
      title="Go forward?"
      about={`The pin at version ${gateway.stage?.stableVersion ?? 0n} ends: the present configuration comes ${how}.`}
      verb="Go forward"
      doing="Going forward…"
      change={forward}
      onSubmit={() => forward.mutate({ gatewayId: gateway.id, mutation: { requestId } }, { onSuccess: onClose })}
      onClose={onClose}
    />
  );
}
