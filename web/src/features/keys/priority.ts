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
