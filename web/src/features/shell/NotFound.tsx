import { Link } from "@tanstack/react-router";

import { Page } from "../../ui/Page";
import { Empty } from "../../ui/State";

export function NotFound() {
  return (
    <Page title="Not found">
      <Empty title="There is no page at this address">
        <Link to="/">Go to the overview</Link>
      </Empty>
    </Page>
  );
}
