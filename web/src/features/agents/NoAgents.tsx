import { mayEnrol } from "../../api/gateway";
import { Empty } from "../../ui/State";
import { useMay } from "../session/permission";
import { StartLink } from "../start/StartLink";

export function NoAgents() {
  const mayJoin = useMay()(mayEnrol);
  return (
    <Empty title="No agents have joined">
      <p>An agent runs in your network and serves applications.</p>
      <p>
        {mayJoin ? <StartLink>Start an agent with a command to paste</StartLink> : "Your role may not have agents join; ask an owner, admin or operator of your organization."}
      </p>
    </Empty>
  );
}
