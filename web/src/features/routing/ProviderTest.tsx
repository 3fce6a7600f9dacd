import { useState } from "react";

import type { TestProviderResponse } from "../../api/diagnostics";
import { useTestProvider } from "../../api/diagnostics";
import type { Gateway } from "../../api/gateway";
import { mayListAgents, useAgents, useGateways } from "../../api/gateway";
import type { Provider } from "../../api/provider";
import { microsOf } from "../../api/time";
import { formatDuration } from "../../format/duration";
import { Badge } from "../../ui/Badge";
import { Fact, Facts } from "../../ui/Facts";
import { Loading } from "../../ui/State";
import { useMay } from "../session/permission";
import { AgentChoice } from "./AgentChoice";
import { AnsweredByFacts } from "./AnsweredBy";
import { AskFailure } from "./AskFailure";
import { verdictOf } from "./outcome";

interface ProviderTestProps {
  provider: Provider;
  /** Models that routes send to it. */
  models: readonly string[];
}

/** ProviderTest has an agent call the provider with its own credential, and shows what it saw. */
export function ProviderTest({ provider, models }: ProviderTestProps) {
  const gateways = useGateways().data?.pages.flatMap((page) => page.gateways) ?? [];
  const agents = useAgents(useMay()(mayListAgents)).data?.pages.flatMap((page) => page.agents) ?? [];
  const [chosen, setChosen] = useState({ gatewayId: "", agentId: "" });
  const [model, setModel] = useState("");
  const test = useTestProvider();
  const to = { ...chosen, gatewayId: chosen.gatewayId || (gateways[0]?.id ?? "") };
  const gateway = gateways.find(({ id }) => id === to.gatewayId);
  return (
    <div className="ask">
      <form action={() => test.mutate({ providerId: provider.id, ...to, model })} className="form">
        <AgentChoice gateways={gateways} agents={agents} value={to} onChange={setChosen} />
        <label>
          Model to look for (optional)
          <input list="provider-models" autoComplete="off" maxLength={200} value={model} onChange={(event) => setModel(event.target.value)} />
        </label>
        <datalist id="provider-models">
          {models.map((name) => (
            <option key={name} value={name} />
          ))}
        </datalist>
        {gateway && isOutside(provider, gateway) && <Outside provider={provider} gateway={gateway} />}
        <p className="muted">The agent asks for the list of models, which costs nothing, with the credential and bounds that requests have.</p>
        <div className="form-actions">
          <button type="submit" className="button button-primary" disabled={test.isPending || !gateway}>
            {test.isPending ? "Testing…" : "Test"}
          </button>
        </div>
      </form>
      <div className="ask-answer">
        {test.isPending && <Loading what="the agent's answer" shape="table" />}
        {test.isError && <AskFailure error={test.error} />}
        {test.isSuccess && <Result result={test.data} />}
        {test.isIdle && <p className="muted">{gateway ? "Not tested yet." : "There is no gateway yet whose agents could be asked."}</p>}
      </div>
    </div>
  );
}

/** isOutside tells whether a gateway's agents may not send to a provider, for where it is. */
export function isOutside(provider: Provider, gateway: Gateway): boolean {
  return gateway.allowedRegions.length > 0 && !gateway.allowedRegions.includes(provider.region);
}

function Outside({ provider, gateway }: { provider: Provider; gateway: Gateway }) {
  return (
    <p className="notice notice-warn">
      {gateway.name} sends to providers in {gateway.allowedRegions.join(", ")} only, and {provider.name}{" "}
      {provider.region ? `is in ${provider.region}` : "states no region"}: its agents do not have it.
    </p>
  );
}

function Result({ result }: { result: TestProviderResponse }) {
  const { label, tone, advice } = verdictOf(result.outcome);
  const time = (micros: bigint | undefined) => (micros === undefined ? "–" : formatDuration(micros));
  return (
    <>
      <div role="status">
        <Badge tone={tone}>{label}</Badge>
        {result.reason && <p>{result.reason}</p>}
        {advice && <p className="muted">{advice}</p>}
      </div>
      <Facts title="What it saw">
        <Fact name="HTTP status">{result.status || "none came"}</Fact>
        <Fact name="Looked up and connected in">{time(microsOf(result.connect))}</Fact>
        <Fact name="TLS handshake">{time(microsOf(result.tls))}</Fact>
        <Fact name="Status line after">{time(microsOf(result.firstByte))}</Fact>
        {result.modelListed !== undefined && <Fact name="Model">{result.modelListed ? "is listed" : "is not listed"}</Fact>}
      </Facts>
      {result.answeredBy && <AnsweredByFacts by={result.answeredBy} />}
    </>
  );
}
