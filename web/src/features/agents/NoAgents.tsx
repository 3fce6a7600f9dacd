import { Empty } from "../../ui/State";

export function NoAgents() {
  return (
    <Empty title="No agents have joined">
      <p>
        Make a token with <code>GatewayService/CreateEnrolmentToken</code> and start an agent with it.
      </p>
    </Empty>
  );
}
