import { Link } from "@tanstack/react-router";

import type { Alert } from "../../api/alert";
import type { Names } from "../../api/names";
import { mayCreatePriceOverride } from "../../api/price";
import { mayGetQuota } from "../../api/quota";
import { dateOf } from "../../api/time";
import { formatMoney } from "../../format/money";
import { formatCount } from "../../format/number";
import { Named } from "../../ui/Named";
import { Said } from "../../ui/Said";
import { Time } from "../../ui/Value";
import { counted, modeName } from "../budgets/words";
import { useMay } from "../session/permission";

interface AlertWordsProps {
  alert: Alert;
  projects: Names;
}

/** AlertWords say what happened, with a way to it. */
export function AlertWords({ alert: { about }, projects }: AlertWordsProps) {
  const may = useMay();
  switch (about.case) {
    case "budgetThreshold": {
      const { budgetId, budget, percent, subject, limitNanoUsd, spentNanoUsd, window, mode } = about.value;
      return (
        <>
          {may(mayGetQuota) ? (
            <Link to="/budgets" search={{ quota: budgetId, ...(subject && { subject }) }} className="above-row">
              {budget}
            </Link>
          ) : (
            <b>{budget}</b>
          )}{" "}
          reached {percent} %: {formatMoney(spentNanoUsd)} of {formatMoney(limitNanoUsd)} spent
          {subject && (
            <>
              {" "}
              by <Said text={subject} />
            </>
          )}
          <div className="muted">
            {modeName(mode)} budget
            {window && (
              <>
                , window until <Time at={dateOf(window.endsAt)} precision="minute" />
              </>
            )}
          </div>
        </>
      );
    }
    case "spendAnomaly": {
      const { projectId, hour, spentNanoUsd, usualNanoUsd, weeks } = about.value;
      return (
        <>
          Project <Named id={projectId} names={projects} /> spent {formatMoney(spentNanoUsd)} in the hour from{" "}
          <Time at={dateOf(hour)} precision="minute" />
          <div className="muted">
            Usual is {formatMoney(usualNanoUsd)}, the median of that hour in the {counted(weeks, "week")} before
          </div>
        </>
      );
    }
    case "unpricedUsage": {
      const { provider, model, requests, inputTokens, outputTokens, from } = about.value;
      return (
        <>
          <Said text={model} /> at <Said text={provider} /> was used and has no price{" "}
          {may(mayCreatePriceOverride) && (
            <Link to="/prices" search={{ set: model, by: provider }} className="above-row" aria-label={`Set a price for ${model}`}>
              Set a price
            </Link>
          )}
          <div className="muted">
            {counted(requests, "request")}, {formatCount(inputTokens)} tokens in and {formatCount(outputTokens)} out in the 24 hours from{" "}
            <Time at={dateOf(from)} precision="minute" />
          </div>
        </>
      );
    }
    case "test":
      return <>Somebody tested the channel {about.value.alertChannel}</>;
    default:
      return <span className="muted">Something this console does not know yet</span>;
  }
}
