import { memo, useId, useState } from "react";

import { CalendarPeriod } from "../../api/budget";
import { SelectField, TextField } from "../../ui/Form";
import { Optional } from "../routing/Optional";
import type { BudgetDraft, RollingUnit, WindowDraft } from "./draft";
import { isCalendar, rollingUnits } from "./draft";
import type { Problems } from "../../api/problems";
import { periodName } from "./words";

interface WindowFieldsProps {
  window: WindowDraft;
  carryOver: boolean;
  problems: Problems;
  onChange: (part: Partial<Pick<BudgetDraft, "window" | "carryOver">>) => void;
}

const periods = [
  CalendarPeriod.MINUTE,
  CalendarPeriod.HOUR,
  CalendarPeriod.DAY,
  CalendarPeriod.WEEK,
  CalendarPeriod.MONTH,
  CalendarPeriod.QUARTER,
  CalendarPeriod.YEAR,
];

const options: readonly (readonly [WindowDraft["kind"], string])[] = [
  ...periods.map((period) => [period, periodName(period)] as const),
  ["rolling", "The time until now (rolling)"],
  ["lifetime", "For ever"],
];

function aboutOf({ kind }: WindowDraft): string {
  if (kind === "rolling") return "What was spent longer ago than this no longer counts.";
  if (kind === "lifetime") return "It is counted once and never anew.";
  return "It is counted anew when the period begins.";
}

/** WindowFields choose how long a budget counts before it counts anew. */
export function WindowFields({ window, carryOver, problems, onChange }: WindowFieldsProps) {
  const change = (part: Partial<WindowDraft>) => onChange({ window: { ...window, ...part } });
  return (
    <>
      <SelectField label="Window" hint={aboutOf(window)} problem={problems("window")} options={options} value={window.kind} onChange={(kind) => change({ kind })} />
      {isCalendar(window) && <ZoneField zone={window.timeZone} problem={problems("window.calendar.time_zone")} onChange={(timeZone) => change({ timeZone })} />}
      {window.kind === "rolling" && (
        <div className="field-pair">
          <TextField
            label="Length"
            type="number"
            required
            min={1}
            step={1}
            problem={problems("window.rolling.duration")}
            value={window.length}
            onChange={(length) => change({ length })}
          />
          <SelectField
            label="Unit"
            options={(Object.keys(rollingUnits) as RollingUnit[]).map((unit) => [unit, unit])}
            value={window.unit}
            onChange={(unit) => change({ unit })}
          />
        </div>
      )}
      {isCalendar(window) && (
        <Optional
          label="Carry over"
          about="What a window leaves of its own amount is added to the next one."
          checked={carryOver}
          problem={problems("carry_over")}
          onChange={(carryOver) => onChange({ carryOver })}
        />
      )}
    </>
  );
}

interface ZoneFieldProps {
  zone: string;
  problem: string | undefined;
  onChange: (zone: string) => void;
}

function ZoneField({ zone, problem, onChange }: ZoneFieldProps) {
  const zones = useId();
  const [met, setMet] = useState(false);
  return (
    <>
      <TextField
        label="Time zone"
        required
        list={zones}
        maxLength={64}
        hint="Whose calendar: a name like Europe/Berlin, or UTC."
        problem={problem}
        value={zone}
        onFocus={() => setMet(true)}
        onChange={onChange}
      />
      {met && <Zones id={zones} />}
    </>
  );
}

// There are hundreds: they are there for who goes to the field, and stay as they are while a form is written in.
const Zones = memo(function Zones({ id }: { id: string }) {
  return (
    <datalist id={id}>
      {["UTC", ...Intl.supportedValuesOf("timeZone")].map((name) => (
        <option key={name} value={name} />
      ))}
    </datalist>
  );
});
