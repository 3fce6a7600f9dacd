import { Link } from "@tanstack/react-router";

import type { Provider } from "../../api/provider";
import { dialectName } from "../../api/provider";
import { dateOf } from "../../api/time";
import { Scroller } from "../../ui/Scroller";
import { Time } from "../../ui/Value";

interface ProviderTableProps {
  providers: readonly Provider[];
  /** Whether a provider's name opens its page. */
  mayOpen: boolean;
  /** undefined: the role may not. */
  onChange: ((provider: Provider) => void) | undefined;
}

export function ProviderTable({ providers, mayOpen, onChange }: ProviderTableProps) {
  return (
    <Scroller label="Providers, table">
      <table className="table table-rows">
        <thead>
          <tr>
            <th scope="col">Provider</th>
            <th scope="col" className="wide-only">
              Dialect
            </th>
            <th scope="col">Base URL</th>
            <th scope="col" className="wide-only">
              Credential
            </th>
            <th scope="col" className="wide-only">
              Region
            </th>
            <th scope="col" className="wide-only">
              Prices
            </th>
            <th scope="col" className="wide-only">
              Created
            </th>
            {onChange && (
              <th scope="col">
                <span className="sr-only">Actions</span>
              </th>
            )}
          </tr>
        </thead>
        <tbody>
          {providers.map((provider) => (
            <tr key={provider.id}>
              <th scope="row">
                {mayOpen ? (
                  <Link to="/routing/providers/$providerId" params={{ providerId: provider.id }} className="row-link">
                    {provider.name}
                  </Link>
                ) : (
                  provider.name
                )}
              </th>
              <td className="nowrap wide-only">
                {dialectName(provider.dialect)}
                {provider.apiVersion && <div className="muted">API version {provider.apiVersion}</div>}
              </td>
              <td className="anywhere">
                <code>{provider.baseUrl}</code>
                <div className="narrow-only stacked">
                  {dialectName(provider.dialect)}, {provider.priceList ? `prices of ${provider.priceList}` : "unpriced"}
                  <div>
                    <code>{provider.credentialRef}</code>
                  </div>
                </div>
              </td>
              <td className="wide-only">
                <code>{provider.credentialRef}</code>
              </td>
              <td className="wide-only">{provider.region || <span className="muted">not stated</span>}</td>
              <td className="wide-only">{provider.priceList || <span className="muted">unpriced</span>}</td>
              <td className="wide-only">
                <Time at={dateOf(provider.createdAt)} precision="minute" />
              </td>
              {onChange && (
                <td>
                  <button
                    type="button"
                    className="button button-small above-row"
                    aria-label={`Change ${provider.name}`}
                    onClick={() => onChange(provider)}
                  >
                    Change
                  </button>
                </td>
              )}
            </tr>
          ))}
        </tbody>
      </table>
    </Scroller>
  );
}
