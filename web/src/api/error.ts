import { BinaryReader, WireType } from "@bufbuild/protobuf/wire";
import { Code, ConnectError } from "@connectrpc/connect";

/** Violation is what is wrong with one field of a request, by its path: "targets[0].when". */
export interface Violation {
  field: string;
  description: string;
}

/**
 * violationsOf are those that a refusal names (google.rpc.BadRequest in its details), by the
 * paths of the resource: an update's "route.name" is "name".
 */
export function violationsOf(error: unknown, resource: string): Violation[] {
  if (!error) return [];
  return ConnectError.from(error).details.flatMap((detail) => {
    if (!("type" in detail) || detail.type !== "google.rpc.BadRequest") return [];
    return messages(detail.value).map((violation) => {
      const [field = "", description = ""] = texts(violation);
      return { field: field.startsWith(`${resource}.`) ? field.slice(resource.length + 1) : field, description };
    });
  });
}

// messages are those of field 1, which repeats.
function messages(bytes: Uint8Array): Uint8Array[] {
  const reader = new BinaryReader(bytes);
  const found: Uint8Array[] = [];
  while (reader.pos < reader.len) {
    const [number, type] = reader.tag();
    if (number === 1 && type === WireType.LengthDelimited) found.push(reader.bytes());
    else reader.skip(type, number);
  }
  return found;
}

// texts are those of the fields 1 and 2.
function texts(bytes: Uint8Array): string[] {
  const reader = new BinaryReader(bytes);
  const found: string[] = [];
  while (reader.pos < reader.len) {
    const [number, type] = reader.tag();
    if (number <= 2 && type === WireType.LengthDelimited) found[number - 1] = reader.string();
    else reader.skip(type, number);
  }
  return found;
}

/** isLoggedOut tells that there is no session, or none any more. */
export function isLoggedOut(error: unknown): boolean {
  return error instanceof ConnectError && error.code === Code.Unauthenticated;
}

/** isWorthRetrying tells trouble that may pass from an answer that stays. */
export function isWorthRetrying(error: unknown): boolean {
  const code = ConnectError.from(error).code;
  return code === Code.Unavailable || code === Code.DeadlineExceeded || code === Code.Unknown;
}

/** isUnreachable tells that no answer came from the control plane at all. */
export function isUnreachable(error: unknown): boolean {
  const { code } = ConnectError.from(error);
  return code === Code.Unavailable || (code === Code.Unknown && error instanceof TypeError);
}

/** isStale tells that something else was changed first: what was decided on is not there any more. */
export function isStale(error: unknown): boolean {
  return error instanceof ConnectError && error.code === Code.Aborted;
}

/** isCrowded tells that the organization asks too much of its usage at this moment: two people who open a page at once do. */
export function isCrowded(error: unknown): boolean {
  if (!isOverLimit(error)) return false;
  return ConnectError.from(error).details.some((detail) => "type" in detail && detail.type === "google.rpc.ErrorInfo" && texts(detail.value)[0] === "too_many_queries");
}

/** isOverLimit tells that there is too much at once: later it may work as it is. */
export function isOverLimit(error: unknown): boolean {
  return error instanceof ConnectError && error.code === Code.ResourceExhausted;
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
  [Code.Aborted]: "Somebody else changed this meanwhile",
  [Code.Unimplemented]: "Not built yet",
};

/** explain turns an error into words for the screen. */
export function explain(error: unknown): Explanation {
  const connect = ConnectError.from(error);
  const title = isUnreachable(error) ? titles[Code.Unavailable] : titles[connect.code];
  return { title: title ?? "Something went wrong", detail: connect.rawMessage };
}
