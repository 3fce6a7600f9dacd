// Money is nano-dollars in a bigint; it is never a float on its way to the screen.

const nanoPerDollar = 1_000_000_000n;

export interface MoneyParts {
  /** "-$1,234.50": everything up to the last digit that says something, two decimals at least. */
  significant: string;
  /** The zeros that complete nine decimals: "0000000". */
  padding: string;
}

/** moneyParts splits an amount so that a column of amounts can align and stay readable. */
export function moneyParts(nano: bigint): MoneyParts {
  const sign = nano < 0n ? "-" : "";
  const amount = nano < 0n ? -nano : nano;
  const dollars = groupThousands((amount / nanoPerDollar).toString());
  const decimals = (amount % nanoPerDollar).toString().padStart(9, "0");
  const kept = Math.max(2, decimals.replace(/0+$/, "").length);
  return { significant: `${sign}$${dollars}.${decimals.slice(0, kept)}`, padding: decimals.slice(kept) };
}

/** formatMoney writes an amount exactly: at least cents, at most nano-dollars. */
export function formatMoney(nano: bigint): string {
  return moneyParts(nano).significant;
}

const written = /^\$?(\d+|\d{1,3}(?:,\d{3})+)(?:\.(\d{1,9}))?$/;

/** parseMoney reads dollars as people write them, "1,234.50", into nano-dollars; undefined where it is no exact amount. */
export function parseMoney(text: string): bigint | undefined {
  const parts = written.exec(text.trim());
  if (!parts) return undefined;
  const [, dollars = "", decimals = ""] = parts;
  return BigInt(dollars.replaceAll(",", "")) * nanoPerDollar + BigInt(decimals.padEnd(9, "0"));
}

/** writeMoney is an amount as a field begins with it, and parseMoney reads it: 1234.5. */
export function writeMoney(nano: bigint): string {
  const decimals = (nano % nanoPerDollar).toString().padStart(9, "0").replace(/0+$/, "");
  return decimals ? `${nano / nanoPerDollar}.${decimals.padEnd(2, "0")}` : `${nano / nanoPerDollar}`;
}

/**
 * perMillionTokens is the average price of a million tokens in nano-dollars,
 * rounded half up, or undefined where there were no tokens.
 */
export function perMillionTokens(nano: bigint, tokens: bigint): bigint | undefined {
  if (tokens <= 0n) return undefined;
  return (nano * 2_000_000n + tokens) / (2n * tokens);
}

/** shareOf is part of whole in tenths of a percent, rounded half up; 0 where whole is 0. */
export function shareOf(part: bigint, whole: bigint): number {
  if (whole <= 0n) return 0;
  return Number((part * 2_000n + whole) / (2n * whole));
}

function groupThousands(digits: string): string {
  return digits.replace(/\B(?=(\d{3})+$)/g, ",");
}
