import { useId, useState } from "react";

import { Copyable } from "./Copyable";
import { baseAddress, curlSnippet } from "./snippet";

interface FirstRequestProps {
  secret: string;
  route: string;
}

/** FirstRequest is a command to paste. The control plane does not know where applications reach the agents: the viewer does. */
export function FirstRequest({ secret, route }: FirstRequestProps) {
  const hint = useId();
  const [written, setWritten] = useState("");
  const agent = baseAddress(written);
  return (
    <>
      <div className="field">
        <label>
          Address of an agent (optional)
          <input
            type="url"
            inputMode="url"
            autoComplete="off"
            placeholder="http://127.0.0.1:8090"
            aria-describedby={hint}
            value={written}
            onChange={(event) => setWritten(event.target.value)}
          />
        </label>
        <p id={hint} className="muted">
          {agent ? "The command below calls this agent." : <NoAddress invalid={written !== ""} />}
        </p>
      </div>
      <Copyable title="First request" text={curlSnippet(secret, route, agent)} what="curl command" />
    </>
  );
}

function NoAddress({ invalid }: { invalid: boolean }) {
  return (
    <>
      {invalid ? "This is no address of the form http://host:port." : "Where your applications reach an agent of your gateway."}{" "}
      Until then the command reads it from the shell variable <code>WEIR_AGENT_URL</code>, which the <code>env</code> file
      of a local installation sets.
    </>
  );
}
