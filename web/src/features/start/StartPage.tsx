import { Page } from "../../ui/Page";
import { FirstSteps } from "./FirstSteps";

/** StartPage has the way to a first request, for whoever comes back to it. */
export function StartPage() {
  return (
    <Page title="First steps" about="From nothing to the first request, in about two minutes.">
      <FirstSteps />
    </Page>
  );
}
