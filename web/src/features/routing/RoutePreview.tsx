import { Link } from "@tanstack/react-router";
import { useState } from "react";

import type { DryRunInput } from "../../api/diagnostics";
import { useDryRun } from "../../api/diagnostics";
import { explain } from "../../api/error";
import { mayListGateways, useGateways } from "../../api/gateway";
import { mayListProjects, useProjects } from "../../api/project";
import type { RouteInput } from "../../api/route";
import { SelectField, TextField } from "../../ui/Form";
import { Loading } from "../../ui/State";
import { settleMs, useSettled } from "../../ui/useSettled";
import { useMay } from "../session/permission";
import { AskFailure } from "./AskFailure";
import { DryRunResult } from "./DryRunResult";

interface RoutePreviewProps {
  /** The route as it is written; undefined: it is not one yet. */
  input: RouteInput | undefined;
  /** "" of a new one. */
  id: string;
  /** Why the server would not take it as it is. */
  refused: unknown;
}

/** RoutePreview says what a request would get, if the route were as it is written. Nothing is saved, and nothing sent. */
export function RoutePreview({ input, id, refused }: RoutePreviewProps) {
  const may = useMay();
  const gateways = useGateways(may(mayListGateways)).data?.pages.flatMap((page) => page.gateways) ?? [];
  const projects = useProjects(may(mayListProjects)).data?.pages.flatMap((page) => page.projects) ?? [];
  const allowed = input?.allowedProjectIds ?? [];
  const callers = projects.filter((project) => allowed.length === 0 || allowed.includes(project.id));
  const [chosen, setChosen] = useState({ gateway: "", project: "", tokens: "1000" });
  const gatewayId = chosen.gateway || gateways[0]?.id;
  const projectId = callers.find(({ id }) => id === chosen.project)?.id ?? callers[0]?.id;
  const written = useSettled(chosen.tokens, settleMs);
  const tokens = /^[0-9]{1,9}$/.test(written) ? BigInt(written) : undefined;
  const asked: DryRunInput | undefined =
    input && !refused && gatewayId && projectId && tokens !== undefined
      ? {
          gatewayId,
          agentId: "",
          caller: { case: "projectId", value: projectId },
          model: input.name ?? "",
          inputTokens: tokens,
          maxOutputTokens: 0n,
          metadata: {},
          headers: {},
          stream: false,
          user: "",
          run: "",
          draft: { ...input, id },
        }
      : undefined;
  const { data, error, isFetching } = useDryRun(asked);
  if (gateways.length === 0 || callers.length === 0) return null;
  return (
    <section className="facts form route-preview" aria-label="Preview">
      <h3>What a request would get</h3>
      <div className="route-preview-of">
        <SelectField
          label="At the gateway"
          options={gateways.map((gateway) => [gateway.id, gateway.name] as const)}
          value={gatewayId ?? ""}
          onChange={(gateway) => setChosen((c) => ({ ...c, gateway }))}
        />
        <SelectField
          label="With a key of the project"
          options={callers.map((project) => [project.id, project.displayName || project.name] as const)}
          value={projectId ?? ""}
          onChange={(project) => setChosen((c) => ({ ...c, project }))}
        />
        <TextField label="Input tokens" inputMode="numeric" problem={tokens === undefined ? "A whole number." : undefined} value={chosen.tokens} onChange={(next) => setChosen((c) => ({ ...c, tokens: next }))} />
      </div>
      {input && refused ? <p className="problem">As it is written it would be refused: {explain(refused).detail}</p> : null}
      {!input && <p className="muted">Something that a route needs is not written yet: then the answer of an agent appears here.</p>}
      {asked && error && !isFetching && <AskFailure error={error} />}
      {asked && isFetching && !data && <Loading what="the agent's answer" shape="table" />}
      {asked && data && !error && (
        <div aria-busy={isFetching}>
          <DryRunResult result={data} brief />
        </div>
      )}
      <p className="muted">
        Asked of an agent by the code that serves requests; nothing is saved or sent. <Link to="/routing/dry-run">Dry run</Link> takes headers and metadata, too.
      </p>
    </section>
  );
}
