import { Link } from "@tanstack/react-router";

import { mayListAgents, useTroubledTargets } from "../../api/gateway";
import type { Provider } from "../../api/provider";
import { dialectName } from "../../api/provider";
import { Scroller } from "../../ui/Scroller";
import { useMay } from "../session/permission";
import { useLastHour, useMonthSpend } from "../usage/groups";
import { MonthSpendCell } from "../usage/MonthSpendCell";
import { HealthWords } from "./HealthWords";

interface ProviderTableProps {
  providers: readonly Provider[];
  /** Whether a provider's name opens its page. */
  mayOpen: boolean;
  /** undefined: the role may not. */
  onChange: ((provider: Provider) => void) | undefined;
}

/** ProviderTable lists providers, how they do and what they cost; a name opens the details. */
export function ProviderTable({ providers, mayOpen, onChange }: ProviderTableProps) {
  const spend = useMonthSpend("provider");
  const lastHour = useLastHour("provider");
  const troubled = useTroubledTargets(useMay()(mayListAgents));
  const healthOf = ({ id, name }: Provider) => <HealthWords hour={lastHour?.(name)} troubled={troubled?.filter(({ providerId }) => providerId === id)} />;
  return (
    <Scroller label="Providers, table">
      <table className="table table-rows">
        <thead>
          <tr>
            <th scope="col">Provider</th>
            <th scope="col">Base URL</th>
            <th scope="col" className="wide-only">
              Credential
            </th>
            <th scope="col" className="wide-only">
              Prices
            </th>
            <th scope="col" className="wide-only">
              Health
            </th>
            {spend && (
              <th scope="col" className="num wide-only">
                Spend in {spend.month}
              </th>
            )}
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
              <td className="anywhere">
                <code>{provider.baseUrl}</code>
                <div className="muted">
                  {dialectName(provider.dialect)}
                  {provider.region && ` in ${provider.region}`}
                </div>
                {provider.apiVersion && <div className="muted">API version {provider.apiVersion}</div>}
                <div className="narrow-only stacked">
                  {healthOf(provider)}
                  <div>{provider.priceList ? `prices of ${provider.priceList}` : "unpriced"}</div>
                  <div>
                    <CredentialWords provider={provider} />
                  </div>
                </div>
              </td>
              <td className="wide-only">
                <CredentialWords provider={provider} />
              </td>
              <td className="wide-only">{provider.priceList || <span className="muted">unpriced</span>}</td>
              <td className="wide-only">{healthOf(provider)}</td>
              {spend && <MonthSpendCell wideOnly nano={spend.of(provider.name)} />}
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

/** CredentialWords say where agents have a provider's credential from. */
export function CredentialWords({ provider: { credentialRef, sealedCredentials } }: { provider: Provider }) {
  if (credentialRef) return <code>{credentialRef}</code>;
  const count = sealedCredentials.length;
  if (count === 0) return <span className="muted">none yet</span>;
  return <>{count === 1 ? "sealed for 1 gateway" : `sealed for ${count} gateways`}</>;
}
