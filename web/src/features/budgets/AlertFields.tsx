import { Link } from "@tanstack/react-router";
import { useId } from "react";

import { mayListAlertChannels, useAlertChannelNames } from "../../api/alertChannel";
import { shortId } from "../../format/id";
import { Problem, TextField } from "../../ui/Form";
import { More } from "../routing/More";
import { useMay } from "../session/permission";
import type { Problems } from "../../api/problems";

interface AlertFieldsProps {
  percents: string;
  channels: readonly string[];
  problems: Problems;
  onChange: (part: { percents?: string; channels?: string[] }) => void;
}

/** AlertFields choose when which channels are told. */
export function AlertFields({ percents, channels, problems, onChange }: AlertFieldsProps) {
  const names = useAlertChannelNames(useMay()(mayListAlertChannels));
  const wrong = useId();
  const problem = problems("alert_channel_ids");
  const known = [...new Set([...(names?.keys() ?? []), ...channels])];
  const toggle = (id: string) => onChange({ channels: channels.includes(id) ? channels.filter((c) => c !== id) : [...channels, id] });
  return (
    <More title="Alerts" said={percents !== "" || channels.length > 0} wrong={Boolean(problem ?? problems("alert_percents"))}>
      <TextField
        label="Percents"
        placeholder="50, 80, 100"
        hint="Of what the window allows; each is told once in a window."
        problem={problems("alert_percents")}
        value={percents}
        onChange={(percents) => onChange({ percents })}
      />
      <fieldset aria-describedby={problem ? wrong : undefined}>
        <legend>Channels that are told</legend>
        <Problem id={wrong} problem={problem} />
        {known.length === 0 && (
          <p className="muted">
            There is no alert channel yet.{" "}
            <Link to="/alerts" search={{ show: "channels" }}>
              Create one
            </Link>{" "}
            first.
          </p>
        )}
        <div className="choices">
          {known.map((id) => (
            <label key={id} className="choice">
              <input type="checkbox" checked={channels.includes(id)} onChange={() => toggle(id)} />
              {names?.get(id) ?? shortId(id)}
            </label>
          ))}
        </div>
      </fieldset>
    </More>
  );
}
