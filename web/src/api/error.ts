import { Code, ConnectError } from "@connectrpc/connect";

/** isLoggedOut tells that there is no session, or none any more. */
export function isLoggedOut(error: unknown): boolean {
  return error instanceof ConnectError && error.code === Code.Unauthenticated;
}

/** isWorthRetrying tells trouble that may pass from an answer that stays. */
export function isWorthRetrying(error: unknown): boolean {
  const code = ConnectError.from(error).code;
  return code === Code.Unavailable || code === Code.DeadlineExceeded || code === Code.Unknown;
}

/** isOurTrouble tells what may work if tried again as it is from what the caller has to change. */
export function isOurTrouble(error: unknown): boolean {
  const code = ConnectError.from(error).code;
  return isWorthRetrying(error) || code === Code.Internal || code === Code.Aborted || code === Code.DataLoss;
}

export interface Explanation {
  title: string;
  detail: string;
}

const titles: Partial<Record<Code, string>> = {
  [Code.PermissionDenied]: "Your role does not allow this",
  [Code.Unauthenticated]: "Your session has ended",
  [Code.Unavailable]: "The control plane can't be reached",
  [Code.DeadlineExceeded]: "This took too long",
  [Code.ResourceExhausted]: "Over a limit",
  [Code.InvalidArgument]: "Not possible as it was asked",
  [Code.FailedPrecondition]: "Not possible as things are",
  [Code.AlreadyExists]: "This exists already",
  [Code.NotFound]: "Not found",
  [Code.Unimplemented]: "Not built yet",
};

/** explain turns an error into words for the screen. */
export function explain(error: unknown): Explanation {
  const connect = ConnectError.from(error);
  const unreachable = connect.code === Code.Unknown && error instanceof TypeError;
  const title = unreachable ? titles[Code.Unavailable] : titles[connect.code];
  return { title: title ?? "Something went wrong", detail: connect.rawMessage };
}
