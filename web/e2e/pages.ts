/** pages are the links of the navigation, each with the heading of where it leads. */
export const pages: readonly [link: string, heading: string][] = [
  ["Overview", "Overview"],
  ["Requests", "Requests"],
  ["Routes", "Routes and providers"],
  ["Projects", "Projects"],
  ["Keys", "Keys"],
  ["Budgets", "Budgets and limits"],
  ["Agents", "Gateways and agents"],
  ["History", "History"],
  ["Reports", "Reports"],
  ["People", "People and access"],
];

/** What a busy machine takes for one of them, its scan for accessibility included. */
export const secondsEach = 10;
