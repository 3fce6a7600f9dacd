import { Strategy } from "../../api/route";

/** strategies are those that can be chosen, in the order of how much they decide. */
export const strategies = [
  Strategy.SINGLE,
  Strategy.PRIORITY,
  Strategy.WEIGHTED,
  Strategy.LATENCY,
  Strategy.LEAST_BUSY,
  Strategy.CHEAPEST,
  Strategy.STICKY,
];

const explanations: Partial<Record<Strategy, string>> = {
  [Strategy.SINGLE]: "One target takes every request.",
  [Strategy.PRIORITY]: "The first target takes them; where it fails, the next one in the order below.",
  [Strategy.WEIGHTED]: "Each request is drawn for a target in proportion to the weights; where it fails, one of the others.",
  [Strategy.LATENCY]: "The target that has answered fastest lately, as each agent measures it.",
  [Strategy.LEAST_BUSY]: "The target with the fewest requests under way.",
  [Strategy.CHEAPEST]: "The target whose price for the request is lowest; those without a price come last.",
  [Strategy.STICKY]: "Requests that are alike go to one target, which keeps their prompt in its cache.",
};

/** explanationOf says in a line what a strategy does; "": this console does not know it yet. */
export function explanationOf(strategy: Strategy): string {
  return explanations[strategy] ?? "";
}
