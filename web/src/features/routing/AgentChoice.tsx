import type { Agent, Gateway } from "../../api/gateway";

export interface Addressee {
  gatewayId: string;
  /** "": any. */
  agentId: string;
}

interface AgentChoiceProps {
  gateways: readonly Gateway[];
  /** Of all gateways. */
  agents: readonly Agent[];
  value: Addressee;
  onChange: (value: Addressee) => void;
}

/** AgentChoice says which gateway is asked, and which of its agents. */
export function AgentChoice({ gateways, agents, value, onChange }: AgentChoiceProps) {
  return (
    <>
      <label>
        Gateway
        <select required value={value.gatewayId} onChange={(event) => onChange({ gatewayId: event.target.value, agentId: "" })}>
          {gateways.map((gateway) => (
            <option key={gateway.id} value={gateway.id}>
              {gateway.name}
            </option>
          ))}
        </select>
      </label>
      <label>
        Agent
        <select value={value.agentId} onChange={(event) => onChange({ ...value, agentId: event.target.value })}>
          <option value="">Any that is connected</option>
          {agents
            .filter((agent) => agent.gatewayId === value.gatewayId && !agent.revokedAt)
            .map((agent) => (
              <option key={agent.id} value={agent.id}>
                {agent.name}
              </option>
            ))}
        </select>
      </label>
    </>
  );
}
