import { Link } from "@tanstack/react-router";

import type { ServiceAccount } from "../../api/serviceAccount";
import { roleName } from "../../api/session";
import { dateOf } from "../../api/time";
import { Scroller } from "../../ui/Scroller";
import { useNow } from "../../ui/useNow";
import { Ago, Time } from "../../ui/Value";
import { tokenStatus } from "./status";

export function AccountTable({ accounts }: { accounts: readonly ServiceAccount[] }) {
  const now = useNow(60_000);
  return (
    <Scroller label="Service accounts, table">
      <table className="table table-rows">
        <thead>
          <tr>
            <th scope="col">Service account</th>
            <th scope="col">Role</th>
            <th scope="col">Tokens</th>
            <th scope="col" className="wide-only">
              Last used
            </th>
            <th scope="col" className="wide-only">
              Created
            </th>
          </tr>
        </thead>
        <tbody>
          {accounts.map((account) => (
            <tr key={account.id}>
              <th scope="row" className="anywhere">
                <Link from="/people" to="." search={(s) => ({ ...s, account: account.id })} className="row-link">
                  {account.name}
                </Link>
              </th>
              <td>{roleName(account.role)}</td>
              <td>{account.tokens.filter((token) => tokenStatus(token, now).tone === "good").length || <span className="muted">none</span>}</td>
              <td className="wide-only">
                <LastUsed account={account} now={now} />
              </td>
              <td className="wide-only">
                <Time at={dateOf(account.createdAt)} precision="minute" />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </Scroller>
  );
}

function LastUsed({ account, now }: { account: ServiceAccount; now: Date }) {
  const uses = account.tokens.flatMap(({ lastUsedAt }) => dateOf(lastUsedAt)?.getTime() ?? []);
  return uses.length > 0 ? <Ago at={new Date(Math.max(...uses))} now={now} /> : <span className="muted">never</span>;
}
