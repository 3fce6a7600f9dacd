// Prices are pico-dollars in a bigint: of one token, so that a million of them cost as many
// micro-dollars. They are never a float on their way to the screen.

const rate = /^(\d{1,7})(?:\.(\d{1,6}))?$/;
const flat = /^(\d{1,4})(?:\.(\d{1,12}))?$/;
const mostRate = 1_000_000_000_000n;
const mostFlat = 1_000_000_000_000_000n;

/** parseRate reads dollars per million tokens, "1.25", as pico-dollars per token; undefined where it is no exact price. */
export function parseRate(text: string): bigint | undefined {
  return parse(text, rate, 6, mostRate);
}

/** parseFlat reads dollars, "0.005", as pico-dollars; undefined where it is no exact price. */
export function parseFlat(text: string): bigint | undefined {
  return parse(text, flat, 12, mostFlat);
}

function parse(text: string, form: RegExp, digits: number, most: bigint): bigint | undefined {
  const [, whole, fraction = ""] = form.exec(bare(text)) ?? [];
  if (whole === undefined) return undefined;
  const pico = BigInt(whole) * 10n ** BigInt(digits) + BigInt(fraction.padEnd(digits, "0"));
  return pico <= most ? pico : undefined;
}

/** bare is an amount as people write it, "$1,250.50", as the API takes it: 1250.50. */
export function bare(text: string): string {
  const digits = text.trim().replace(/^\$\s*/, "");
  return /^\d{1,3}(,\d{3})+(\.\d+)?$/.test(digits) ? digits.replaceAll(",", "") : digits;
}

/** formatRate writes a price as the API has it, "1.25", in dollars with at least cents: $1.25. */
export function formatRate(text: string): string {
  const [whole = "0", fraction = ""] = text.split(".");
  return `$${whole.replace(/\B(?=(\d{3})+$)/g, ",")}.${fraction.padEnd(2, "0")}`;
}

/** formatPico writes pico-dollars exactly: at least cents, at most twelve digits. */
export function formatPico(pico: bigint): string {
  const fraction = (pico % 1_000_000_000_000n).toString().padStart(12, "0");
  return formatRate(`${pico / 1_000_000_000_000n}.${fraction.slice(0, 2)}${fraction.slice(2).replace(/0+$/, "")}`);
}
