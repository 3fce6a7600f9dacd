import { useId, useState } from "react";

import { Segmented } from "../../ui/Segmented";
import { Copyable } from "./Copyable";
import type { Language } from "./snippet";
import { baseAddress, languages, snippetOf, usualAddress } from "./snippet";

interface FirstRequestProps {
  /** Absent: it is read from a variable. */
  secret?: string;
  route: string;
}

const names: Record<Language, string> = { curl: "Shell", python: "Python", typescript: "TypeScript" };

/** FirstRequest is a command or a few lines for an SDK to paste. The control plane does not know where applications reach the agents: the viewer does. */
export function FirstRequest({ secret, route }: FirstRequestProps) {
  const hint = useId();
  const [written, setWritten] = useState("");
  const [language, setLanguage] = useState<Language>("curl");
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
            placeholder={usualAddress}
            aria-describedby={hint}
            value={written}
            onChange={(event) => setWritten(event.target.value)}
          />
        </label>
        <p id={hint} className="muted">
          {agent ? "The request below calls this agent." : <NoAddress invalid={written !== ""} />}
        </p>
      </div>
      <div>
        <Segmented label="Written for" options={languages.map((value) => ({ value, label: names[value] }))} value={language} onChange={setLanguage} />
      </div>
      <Copyable title="First request" text={snippetOf(language, { secret, route, agent })} what={language === "curl" ? "curl command" : `lines for ${names[language]}`} />
      {language !== "curl" && <p className="muted">With OpenAI&apos;s own SDK: <code>{language === "python" ? "pip install openai" : "npm install openai"}</code>.</p>}
    </>
  );
}

function NoAddress({ invalid }: { invalid: boolean }) {
  return (
    <>
      {invalid ? "This is no address of the form http://host:port." : "Where your applications reach an agent of your gateway."}{" "}
      Until then it asks <code>WEIR_AGENT_URL</code> where there is one, else an agent on the same machine.
    </>
  );
}
