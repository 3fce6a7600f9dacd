import { Priority } from "../../api/key";

const names: Record<Priority, string> = {
  [Priority.UNSPECIFIED]: "Normal",
  [Priority.BATCH]: "Batch",
  [Priority.NORMAL]: "Normal",
  [Priority.INTERACTIVE]: "Interactive",
};

/** priorityName says whose turn it is among requests that wait; one this console does not know yet shows its number. */
export function priorityName(priority: Priority): string {
  return (names as Record<number, string | undefined>)[priority] ?? `Priority ${priority}`;
}

const words: Record<Priority, string> = {
  [Priority.UNSPECIFIED]: "",
  [Priority.BATCH]: "What nobody waits for: it goes last where requests wait for a provider's account.",
  [Priority.NORMAL]: "Behind interactive keys and before batch where requests wait for a provider's account.",
  [Priority.INTERACTIVE]: "What a person waits for: it goes first where requests wait for a provider's account.",
};

/** priorityWords say what a priority does. */
export function priorityWords(priority: Priority): string {
  return (words as Record<number, string | undefined>)[priority] ?? "";
}
