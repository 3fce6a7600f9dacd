import type { MessageInitShape } from "@bufbuild/protobuf";
import { useMutation, useQuery } from "@connectrpc/connect-query";
import { keepPreviousData } from "@tanstack/react-query";

import { ConditionVerdict, DiagnosticsService, ProviderTestOutcome, TargetFitness } from "../gen/weir/admin/v1/diagnostics_pb";
import type { RouteSchema } from "../gen/weir/admin/v1/route_pb";
import { permissionOf } from "./permission";

export type { AnsweredBy, DryRunResponse, DryRunRoute, DryRunShare, DryRunTarget, TestProviderResponse } from "../gen/weir/admin/v1/diagnostics_pb";
export { ConditionVerdict, ProviderTestOutcome, TargetFitness };

export const mayTestProvider = permissionOf(DiagnosticsService.method.testProvider);
export const mayDryRun = permissionOf(DiagnosticsService.method.dryRun);

export function useTestProvider() {
  return useMutation(DiagnosticsService.method.testProvider);
}

export interface DryRunInput {
  gatewayId: string;
  /** "": any. */
  agentId: string;
  caller: { case: "keyId" | "projectId"; value: string };
  model: string;
  inputTokens: bigint;
  /** 0: no cap. */
  maxOutputTokens: bigint;
  /** What conditions look at. */
  metadata: Record<string, string>;
  headers: Record<string, string>;
  stream: boolean;
  user: string;
  run: string;
  /** A route that is not saved. */
  draft?: MessageInitShape<typeof RouteSchema>;
}

/** useDryRun asks an agent once what it would do; undefined asks nothing. */
export function useDryRun(input: DryRunInput | undefined) {
  return useQuery(DiagnosticsService.method.dryRun, input, {
    enabled: input !== undefined,
    staleTime: Infinity,
    retry: false,
    refetchOnWindowFocus: false,
    ...(input?.draft && { placeholderData: keepPreviousData, gcTime: 0 }),
  });
}
