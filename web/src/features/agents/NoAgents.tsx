import { Empty } from "../../ui/State";

/** NoAgents says how a gateway comes to its first; onJoin is absent where the role may not. */
export function NoAgents({ onJoin }: { onJoin: (() => void) | undefined }) {
  return (
    <Empty title="No agents have joined">
      <p>An agent runs in your network and serves applications.</p>
      <p>
        {onJoin ? (
          <button type="button" className="link" onClick={onJoin}>
            Start one with a command to paste
          </button>
        ) : (
          "Your role may not have agents join; ask an owner, admin or operator of your organization."
        )}
      </p>
    </Empty>
  );
}
