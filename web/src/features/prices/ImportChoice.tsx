import { formatCount } from "../../format/number";
import { Scroller } from "../../ui/Scroller";
import type { PriceFile } from "./litellm";
import { listFor } from "./litellm";

interface ImportChoiceProps {
  file: PriceFile;
  /** The price list that each chosen provider's models go into. */
  chosen: ReadonlyMap<string, string>;
  disabled: boolean;
  onChange: (chosen: ReadonlyMap<string, string>) => void;
}

/** ImportChoice says which of a file's providers are imported, and into which price lists. */
export function ImportChoice({ file, chosen, disabled, onChange }: ImportChoiceProps) {
  const toggle = (provider: string) => {
    const next = new Map(chosen);
    if (!next.delete(provider)) next.set(provider, listFor(provider));
    onChange(next);
  };
  return (
    <fieldset disabled={disabled}>
      <legend>
        Of {file.name}, {formatCount(chosen.size)} of {formatCount(file.providers.size)} providers
      </legend>
      <Scroller label="Providers of the file" className="import-providers">
        <table className="table">
          <thead>
            <tr>
              <th scope="col">In the file</th>
              <th scope="col" className="num">
                Models
              </th>
              <th scope="col">Price list here</th>
            </tr>
          </thead>
          <tbody>
            {[...file.providers].map(([provider, models]) => (
              <tr key={provider}>
                <th scope="row">
                  <label className="choice">
                    <input type="checkbox" checked={chosen.has(provider)} onChange={() => toggle(provider)} />
                    {provider}
                  </label>
                </th>
                <td className="num">{formatCount(models.length)}</td>
                <td>
                  {chosen.has(provider) ? (
                    <input
                      aria-label={`Price list for ${provider}`}
                      required
                      pattern="[a-z0-9]([a-z0-9\-]{0,61}[a-z0-9])?"
                      title="Lower-case letters, digits and dashes."
                      autoComplete="off"
                      spellCheck={false}
                      value={chosen.get(provider)}
                      onChange={(event) => onChange(new Map(chosen).set(provider, event.target.value))}
                    />
                  ) : (
                    <span className="muted">not imported</span>
                  )}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </Scroller>
    </fieldset>
  );
}
