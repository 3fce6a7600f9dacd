import "./changes.css";

import type { JsonValue } from "@bufbuild/protobuf";

import type { FieldChange } from "../../api/history";
import { formatMoney } from "../../format/money";
import { Said } from "../../ui/Said";
import { Time } from "../../ui/Value";
import { differencesOf } from "./differences";
import type { LogNames } from "./words";

interface FieldsProps {
  fields: readonly FieldChange[];
  names: LogNames;
  /** How many to show; absent: all. */
  most?: number;
}

/** Fields are what changed in one resource, value by value, before and after. */
export function Fields({ fields, names, most = Infinity }: FieldsProps) {
  const differences = differencesOf(fields);
  const hidden = differences.length - most;
  return (
    <>
      <dl className="field-changes">
        {differences.slice(0, most).map(({ path, before, after }) => (
          <div key={path}>
            <dt>
              <Said text={path} />
            </dt>
            <dd>
              {before !== undefined && (
                <del>
                  <span className="sr-only">before: </span>
                  <Scalar path={path} value={before} names={names} />
                </del>
              )}
              {before !== undefined && <span aria-hidden="true"> → </span>}
              {after === undefined ? (
                <span className="muted">nothing</span>
              ) : (
                <ins>
                  {before !== undefined && <span className="sr-only">after: </span>}
                  <Scalar path={path} value={after} names={names} />
                </ins>
              )}
            </dd>
          </div>
        ))}
      </dl>
      {hidden > 0 && <p className="muted">{hidden === 1 ? "1 more value" : `${hidden} more values`}</p>}
    </>
  );
}

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const instant = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/;

// wordOf is one of an enumeration without what the field says already: QUOTA_MODE_SHADOW of a mode is "shadow".
function wordOf(path: string, value: string): string | undefined {
  if (!/^[A-Z][A-Z0-9]*(_[A-Z0-9]+)+$/.test(value)) return undefined;
  const field = /(\w+?)s?(\[\d+\])?$/.exec(path)?.[1] ?? "";
  const prefix = `${field.replace(/([a-z])([A-Z])/g, "$1_$2").toUpperCase()}_`;
  const at = value.indexOf(prefix);
  return at < 0 ? undefined : value.slice(at + prefix.length).replaceAll("_", " ").toLowerCase();
}

interface ScalarProps {
  /** Where it stands: an amount is one by the name of its field. */
  path: string;
  value: JsonValue;
  names: LogNames;
}

/** Scalar is one value in words: ids by their names, instants in the viewer's zone, nano-dollars as money. */
export function Scalar({ path, value, names }: ScalarProps) {
  if (Array.isArray(value)) {
    return value.map((one, i) => (
      <span key={i}>
        {i > 0 && ", "}
        <Scalar path={path} value={one} names={names} />
      </span>
    ));
  }
  if (typeof value !== "string") return <Said text={JSON.stringify(value)} />;
  if (value === "") return <span className="muted">empty</span>;
  if (instant.test(value)) return <Time at={new Date(value)} />;
  if (/nano_?usd$/i.test(path) && /^-?\d+$/.test(value)) return <span title={`${value} nano-dollars`}>{formatMoney(BigInt(value))}</span>;
  const word = wordOf(path, value);
  if (word) return <span title={value}>{word}</span>;
  const name = path !== "id" && uuid.test(value) && names.get(value);
  return name ? (
    <span title={value}>
      <Said text={name} />
    </span>
  ) : (
    <Said text={value} />
  );
}
