import { Code, ConnectError } from "@connectrpc/connect";
import { useId, useState } from "react";

/**
 * Told is what people chose of a resource: each thing by its name, in words that tell it from
 * another, with the fields of a form's draft that hold it.
 */
export type Told<D> = readonly (readonly [name: string, words: string, field: keyof D, ...more: (keyof D)[]])[];

/** Decision is whose version of each field is to stand. */
export type Decision<D> = ReadonlyMap<keyof D, Whose>;

type Whose = "mine" | "theirs";

/** isConflict tells that something was changed since it was read. */
export function isConflict(error: unknown): boolean {
  return Boolean(error) && ConnectError.from(error).code === Code.Aborted;
}

interface ConflictProps<D> {
  /** What somebody else has made of it; undefined: it is being asked for. */
  theirs: Told<D> | undefined;
  /** As it was when the form was opened, and as it is written there. */
  before: Told<D>;
  mine: Told<D>;
  onDecide: (decision: Decision<D>) => void;
}

/** Conflict shows what is written beside what somebody else made of it meanwhile, and asks of each thing whose is to stand. */
export function Conflict<D>({ theirs, before, mine, onDecide }: ConflictProps<D>) {
  const heading = useId();
  return (
    <section className="notice notice-warn conflict" aria-labelledby={heading}>
      <p role="alert" id={heading}>
        <b>Somebody changed it meanwhile.</b> Nothing of yours is saved yet.
      </p>
      {theirs ? <Choices differences={differencesOf(before, mine, theirs)} onDecide={onDecide} /> : <p role="status">Reading their version…</p>}
    </section>
  );
}

interface Difference<D> {
  name: string;
  fields: readonly (keyof D)[];
  mine: string;
  theirs: string;
  /** Who left it as it was; undefined: both changed it. */
  left: Whose | undefined;
}

function differencesOf<D>(before: Told<D>, mine: Told<D>, theirs: Told<D>): Difference<D>[] {
  const wordsOf = (told: Told<D>) => new Map(told.map(([name, words]) => [name, words]));
  const [was, written] = [wordsOf(before), wordsOf(mine)];
  return theirs.flatMap(([name, words, ...fields]): Difference<D>[] => {
    const own = written.get(name) ?? "";
    if (own === words) return [];
    const left = was.get(name) === own ? "mine" : was.get(name) === words ? "theirs" : undefined;
    return [{ name, fields, mine: own, theirs: words, left }];
  });
}

interface ChoicesProps<D> {
  differences: readonly Difference<D>[];
  onDecide: (decision: Decision<D>) => void;
}

// What one of both left as it was is the other's to say; where both changed it, what is written here stands until somebody chooses.
function Choices<D>({ differences, onDecide }: ChoicesProps<D>) {
  const [chosen, setChosen] = useState<Readonly<Record<string, Whose>>>({});
  const whoseOf = ({ name, left }: Difference<D>) => chosen[name] ?? (left === "mine" ? "theirs" : "mine");
  const all = (whose: Whose) => setChosen(Object.fromEntries(differences.map(({ name }) => [name, whose])));
  const decide = () => onDecide(new Map(differences.flatMap((d) => d.fields.map((field) => [field, whoseOf(d)] as const))));
  return (
    <>
      {differences.length === 0 && <p>What this form shows is the same in both.</p>}
      {differences.map((difference) => (
        <Versions
          key={difference.name}
          difference={difference}
          whose={whoseOf(difference)}
          onChoose={(whose) => setChosen((c) => ({ ...c, [difference.name]: whose }))}
        />
      ))}
      <div className="form-actions">
        {differences.length > 1 && (
          <>
            <button type="button" className="button button-small" onClick={() => all("mine")}>
              All mine
            </button>
            <button type="button" className="button button-small" onClick={() => all("theirs")}>
              All theirs
            </button>
          </>
        )}
        <button type="button" className="button button-small button-primary" onClick={decide}>
          {differences.length === 0 ? "Go on" : "Go on with this choice"}
        </button>
      </div>
    </>
  );
}

interface VersionsProps {
  difference: { name: string; mine: string; theirs: string; left: Whose | undefined };
  whose: Whose;
  onChoose: (whose: Whose) => void;
}

function Versions({ difference: { name, left, ...words }, whose, onChoose }: VersionsProps) {
  const group = useId();
  return (
    <fieldset className="versions">
      <legend>{name}</legend>
      {(["mine", "theirs"] as const).map((one) => (
        <label key={one} className="choice">
          <input type="radio" name={group} checked={whose === one} onChange={() => onChoose(one)} />
          <span>
            <span className="muted">
              {one === "mine" ? "Mine" : "Theirs"}
              {left === one && ", as it was"}:
            </span>{" "}
            {words[one]}
          </span>
        </label>
      ))}
    </fieldset>
  );
}
