import { useState } from "react";

import { Dialect, dialectName } from "../../api/provider";
import { Segmented } from "../../ui/Segmented";
import { hintsOf } from "../routing/dialect";
import { ProviderDialog } from "../routing/ProviderDialog";
import type { ProviderDraft } from "../routing/ProviderForm";
import type { StepProps } from "./FirstSteps";

const usual: readonly { dialect: Dialect; name: string }[] = [
  { dialect: Dialect.OPENAI, name: "openai" },
  { dialect: Dialect.ANTHROPIC, name: "anthropic" },
  { dialect: Dialect.GEMINI, name: "gemini" },
];

const holders = [
  { value: "agent", label: "The agents' own" },
  { value: "sealed", label: "Sealed" },
] as const;

const holderWords = {
  agent: "Agents read the credential in their own network, from the environment or a file. Weir only knows where.",
  sealed: "You seal the credential on your own machine, and Weir carries what only your agents can open.",
};

/** ProviderStep adds the account that requests go to. */
export function ProviderStep({ step, progress }: StepProps) {
  const [suggested, setSuggested] = useState<Partial<ProviderDraft>>();
  const [holder, setHolder] = useState<keyof typeof holderWords>("agent");
  if (step.state === "done") {
    return <p>{(progress.providers ?? []).map(({ name, dialect }) => `${name} (${dialectName(dialect)})`).join(", ")}</p>;
  }
  const suggest = ({ dialect, name }: (typeof usual)[number]) =>
    setSuggested({ dialect, name, baseUrl: hintsOf(dialect).baseUrl, credentialRef: holder === "agent" ? `env://WEIR_SECRET_${name.toUpperCase()}` : "" });
  const close = () => {
    setSuggested(undefined);
    progress.refresh();
  };
  return (
    <>
      <p>The account at an LLM provider that requests go to. Whose credential is it?</p>
      <div className="start-actions">
        <Segmented label="Credential" options={holders} value={holder} onChange={setHolder} />
      </div>
      <p className="muted">{holderWords[holder]}</p>
      <div className="start-actions">
        {usual.map((one, i) => (
          <button key={one.name} type="button" className={i === 0 ? "button button-primary" : "button"} onClick={() => suggest(one)}>
            {dialectName(one.dialect)}
          </button>
        ))}
        <button type="button" className="button" onClick={() => setSuggested({})}>
          Another
        </button>
      </div>
      {suggested && <ProviderDialog suggested={suggested} onClose={close} />}
    </>
  );
}
