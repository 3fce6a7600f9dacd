import { callUnaryMethod, createConnectQueryKey, useInfiniteQuery, useMutation, useQuery, useTransport } from "@connectrpc/connect-query";
import { useQueryClient } from "@tanstack/react-query";

import { MemberService, MemberState } from "../gen/weir/admin/v1/member_pb";
import type { Names } from "./names";
import { useForgetNames, useNames } from "./names";
import { firstPage, nextPage } from "./page";
import { permissionOf } from "./permission";

export type { JoinDomain, Member } from "../gen/weir/admin/v1/member_pb";
export { MemberState };

const {
  listMembers,
  getMember,
  inviteMember,
  updateMember,
  removeMember,
  eraseMember,
  listMemberSessions,
  revokeMemberSessions,
  listJoinDomains,
  setJoinDomain,
  removeJoinDomain,
} = MemberService.method;

export const mayListMembers = permissionOf(listMembers);
export const mayInviteMember = permissionOf(inviteMember);
export const mayUpdateMember = permissionOf(updateMember);
export const mayRemoveMember = permissionOf(removeMember);
export const mayEraseMember = permissionOf(eraseMember);
export const mayListMemberSessions = permissionOf(listMemberSessions);
export const mayRevokeMemberSessions = permissionOf(revokeMemberSessions);
export const mayListJoinDomains = permissionOf(listJoinDomains);
export const maySetJoinDomain = permissionOf(setJoinDomain);
export const mayRemoveJoinDomain = permissionOf(removeJoinDomain);

/** useMembers lists people and invitations, those who left too where asked. */
export function useMembers(showRemoved: boolean, enabled = true) {
  return useInfiniteQuery(
    listMembers,
    { page: firstPage, showRemoved },
    { pageParamKey: "page", getNextPageParam: nextPage, enabled },
  );
}

/** useMember is one of them, one who was removed too. */
export function useMember(id: string) {
  return useQuery(getMember, { id });
}

/** useMemberNames says who an id stands for, those who were removed too; who was erased stays an id. */
export function useMemberNames(enabled: boolean): Names {
  return useNames("members", enabled, async (transport, page, signal) => {
    const { members, nextPageToken } = await callUnaryMethod(transport, listMembers, { page, showRemoved: true }, { signal });
    return { items: members.map(({ id, name, email }) => ({ id, name: name || email })).filter(({ name }) => name !== ""), nextPageToken };
  });
}

export function useInviteMember() {
  return useMutation(inviteMember, { onSuccess: useRefreshMembers() });
}

export function useUpdateMember() {
  return useMutation(updateMember, { onSettled: useRefreshMembers() });
}

export function useRemoveMember() {
  return useMutation(removeMember, { onSettled: useRefreshMembers() });
}

export function useEraseMember() {
  return useMutation(eraseMember, { onSettled: useRefreshMembers() });
}

// After a refusal, too: somebody else may have been faster.
function useRefreshMembers() {
  const queryClient = useQueryClient();
  const transport = useTransport();
  const shown = [
    createConnectQueryKey({ schema: listMembers, transport, cardinality: "infinite" }),
    createConnectQueryKey({ schema: getMember, transport, cardinality: "finite" }),
  ];
  const forgetNames = useForgetNames("members");
  return () => Promise.all([...shown.map((queryKey) => queryClient.invalidateQueries({ queryKey })), forgetNames()]);
}

/** useMemberSessions are a member's console logins. */
export function useMemberSessions(memberId: string) {
  return useQuery(listMemberSessions, { memberId });
}

export function useRevokeMemberSessions() {
  const queryClient = useQueryClient();
  const transport = useTransport();
  const queryKey = createConnectQueryKey({ schema: listMemberSessions, transport, cardinality: "finite" });
  return useMutation(revokeMemberSessions, { onSuccess: () => queryClient.invalidateQueries({ queryKey }) });
}

export function useJoinDomains(enabled: boolean) {
  return useInfiniteQuery(listJoinDomains, { page: firstPage }, { pageParamKey: "page", getNextPageParam: nextPage, enabled });
}

export function useSetJoinDomain() {
  return useMutation(setJoinDomain, { onSuccess: useRefreshDomains() });
}

export function useRemoveJoinDomain() {
  return useMutation(removeJoinDomain, { onSuccess: useRefreshDomains() });
}

function useRefreshDomains() {
  const queryClient = useQueryClient();
  const transport = useTransport();
  const queryKey = createConnectQueryKey({ schema: listJoinDomains, transport, cardinality: "infinite" });
  return () => queryClient.invalidateQueries({ queryKey });
}
