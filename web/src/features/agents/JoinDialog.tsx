import "../keys/keys.css";
import "../start/start.css";

import { useState } from "react";

import type { Agent, Gateway } from "../../api/gateway";
import { mayListAgents, useAgents } from "../../api/gateway";
import { mayListProviders, useAllProviders } from "../../api/provider";
import { Modal } from "../../ui/Overlay";
import { Loading } from "../../ui/State";
import { useMay } from "../session/permission";
import { Enrolment, Waiting } from "../start/AgentStep";

/** JoinDialog has one more agent join a gateway, by a command to paste, and sees it come. */
export function JoinDialog({ gateway, onClose }: { gateway: Gateway; onClose: () => void }) {
  const may = useMay();
  const seesProviders = may(mayListProviders);
  const providers = useAllProviders(seesProviders);
  const agents = useAgents(may(mayListAgents), gateway.id);
  const fleet = agents.data?.pages.flatMap((page) => page.agents);
  // Who was there when it was opened; the rest came since.
  const [before, setBefore] = useState<ReadonlySet<string>>();
  if (before === undefined && fleet && agents.isFetchedAfterMount) setBefore(new Set(fleet.map(({ id }) => id)));
  const come = before && fleet ? fleet.filter(({ id }) => !before.has(id)) : [];
  return (
    <Modal title={`Add an agent to ${gateway.name}`} open wide onClose={onClose}>
      <div className="form">
        <p>An agent runs in your network: applications call it, and it calls the providers. Prompts and answers stay there.</p>
        {seesProviders && !providers ? (
          <Loading what="providers" shape="table" />
        ) : (
          <Enrolment gateway={gateway} providers={[...(providers?.values() ?? [])]} primary waiting={come.length > 0 ? <Come agents={come} /> : <Waiting>Waiting for the agent to join…</Waiting>} />
        )}
        <div className="form-actions">
          <button type="button" className="button" onClick={onClose}>
            Close
          </button>
        </div>
      </div>
    </Modal>
  );
}

function Come({ agents }: { agents: readonly Agent[] }) {
  return (
    <p role="status">
      <b>{agents.map(({ name }) => name).join(", ")}</b> joined.
    </p>
  );
}
