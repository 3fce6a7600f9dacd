import type { MessageInitShape } from "@bufbuild/protobuf";
import { create } from "@bufbuild/protobuf";
import { callUnaryMethod, createConnectQueryKey, useMutation, useQuery, useTransport } from "@connectrpc/connect-query";
import { useQuery as usePlainQuery, useQueryClient } from "@tanstack/react-query";

import type { Budget } from "../gen/weir/admin/v1/budget_pb";
import { BudgetSchema, BudgetService, CalendarPeriod } from "../gen/weir/admin/v1/budget_pb";
import { readAll } from "./page";
import { permissionOf } from "./permission";
import { useRefreshQuotaList, useRefreshQuotas } from "./quota";

export type { Budget, BudgetWindow } from "../gen/weir/admin/v1/budget_pb";
export { CalendarPeriod };

/** BudgetInput is what people choose of a budget. */
export type BudgetInput = Pick<
  Exclude<MessageInitShape<typeof BudgetSchema>, { $typeName: string }>,
  "name" | "scope" | "amountNanoUsd" | "window" | "carryOver" | "alertPercents" | "alertChannelIds" | "mode" | "whenUnreachable"
>;

/** budgetOf is a budget as it would be, to be compared. */
export function budgetOf(input: BudgetInput): Budget {
  return create(BudgetSchema, input);
}

const { createBudget, deleteBudget, getBudget, listBudgets, raiseBudget, updateBudget } = BudgetService.method;

export const mayGetBudget = permissionOf(getBudget);
export const mayListBudgets = permissionOf(listBudgets);
export const mayCreateBudget = permissionOf(createBudget);
export const mayUpdateBudget = permissionOf(updateBudget);
export const mayRaiseBudget = permissionOf(raiseBudget);
export const mayDeleteBudget = permissionOf(deleteBudget);

/** useBudget is one budget; "" asks for none. Fresh is as it is now, not as it was read a moment ago. */
export function useBudget(id: string, fresh = false) {
  return useQuery(getBudget, { id }, { enabled: id !== "", ...(fresh && { staleTime: 0 }) });
}

const allBudgets = ["all budgets"];

/** useBudgets are all budgets by their ids, at most 2,000. */
export function useBudgets(enabled: boolean): ReadonlyMap<string, Budget> | undefined {
  const transport = useTransport();
  const { data } = usePlainQuery({
    queryKey: allBudgets,
    queryFn: ({ signal }) =>
      readAll(async (page) => {
        const { budgets, nextPageToken } = await callUnaryMethod(transport, listBudgets, { page }, { signal });
        return { items: budgets, nextPageToken };
      }),
    enabled,
    staleTime: 30_000,
  });
  return data;
}

export function useCreateBudget() {
  return useMutation(createBudget, { onSuccess: useRefreshBudgets() });
}

export function useUpdateBudget() {
  return useMutation(updateBudget, { onSuccess: useRefreshBudgets() });
}

export function useRaiseBudget() {
  return useMutation(raiseBudget, { onSuccess: useRefreshBudgets() });
}

export function useDeleteBudget() {
  const queryClient = useQueryClient();
  const refreshList = useRefreshQuotaList();
  const onSuccess = () => Promise.all([queryClient.invalidateQueries({ queryKey: allBudgets }), refreshList()]);
  return useMutation(deleteBudget, { onSuccess });
}

function useRefreshBudgets() {
  const queryClient = useQueryClient();
  const transport = useTransport();
  const one = createConnectQueryKey({ schema: getBudget, transport, cardinality: "finite" });
  const refreshQuotas = useRefreshQuotas();
  return () => Promise.all([...[one, allBudgets].map((queryKey) => queryClient.invalidateQueries({ queryKey })), refreshQuotas()]);
}
