import { useState } from "react";

import { fromLocalInput, toLocalInput, viewerZone } from "../../format/time";
import type { PastSearch } from "../../routes/search";

type Moment = Pick<PastSearch, "version" | "time">;

interface MomentFormProps extends Moment {
  onChoose: (moment: Moment) => void;
}

const hourMs = 3_600_000;
const presets: readonly (readonly [label: string, ago: number])[] = [
  ["An hour ago", hourMs],
  ["A day ago", 24 * hourMs],
  ["A week ago", 7 * 24 * hourMs],
];

/** MomentForm chooses a moment of the past, by the clock or by the history's version. */
export function MomentForm({ version, time, onChoose }: MomentFormProps) {
  const [clock, setClock] = useState(time ? toLocalInput(new Date(time), viewerZone(), "second") : "");
  const [number, setNumber] = useState(version ? String(version) : "");
  const byClock = () => {
    const at = fromLocalInput(clock);
    if (at) onChoose({ time: at.toISOString() });
  };
  return (
    <div className="moment">
      <form action={byClock}>
        <label>
          Time, in {viewerZone()}
          <input type="datetime-local" required step={1} value={clock} onChange={(event) => setClock(event.target.value)} />
        </label>
        <button type="submit" className="button">
          Show this time
        </button>
      </form>
      <form action={() => onChoose({ version: Number(number) })}>
        <label>
          Or version of the history
          <input
            required
            inputMode="numeric"
            pattern="[1-9][0-9]{0,14}"
            title="A whole number from 1 on"
            autoComplete="off"
            value={number}
            onChange={(event) => setNumber(event.target.value)}
          />
        </label>
        <button type="submit" className="button">
          Show this version
        </button>
      </form>
      <div className="moment-presets" role="group" aria-label="Moments ago">
        {presets.map(([label, ago]) => (
          <button key={label} type="button" className="button button-small" onClick={() => onChoose({ time: new Date(Date.now() - ago).toISOString() })}>
            {label}
          </button>
        ))}
      </div>
    </div>
  );
}
