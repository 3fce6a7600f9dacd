import { destinations } from "../src/routes/pages";

/** pages are the links of the navigation, each with the heading of where it leads. */
export const pages: readonly [link: string, heading: string][] = destinations.flatMap(({ title, nav }) => (nav ? [[nav.label, title] as [string, string]] : []));

/** What a busy machine takes for one of them, its scan for accessibility included. */
export const secondsEach = 10;
