/**
 * Money: whole minor units and an ISO 4217 code. No fractions and no floating point anywhere: amounts are integers that
 * a double holds exactly, and the bounds below are chosen so that no order's total can leave that range.
 */

/**
 * The active codes of ISO 4217, list one, that people pay with: fund codes, metals and test codes are left out.
 * Source: www.six-group.com, "Current currency & funds code list".
 */
export const CURRENCIES = [
  ..."AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD".split(" "),
  ..."CAD CDF CHF CLP CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS".split(" "),
  ..."GIP GMD GNF GTQ GYD HKD HNL HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW".split(" "),
  ..."KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR".split(" "),
  ..."MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR".split(" "),
  ..."SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX".split(" "),
  ..."USD UYU UZS VED VES VND VUV WST XAF XCD XCG XOF XPF YER ZAR ZMW ZWG".split(" "),
] as const;

const KNOWN: ReadonlySet<string> = new Set(CURRENCIES);

/** Upper case only, as the standard writes them. */
export function isCurrency(code: string): boolean {
  return KNOWN.has(code);
}

/** Decimal places of the minor unit where they are not 2. Source: ISO 4217, list one, column "Minor unit". */
const MINOR_DIGITS: Readonly<Record<string, number>> = {
  ...withDigits(0, "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF"),
  ...withDigits(3, "BHD IQD JOD KWD LYD OMR TND"),
};

/** 10^11 minor units: times 1000 pieces times 50 lines is 5 * 10^15, below 2^53. */
export const PRICE_MINOR_MAX = 100_000_000_000;

/** **Errors**: a `RangeError` when the product is no exact integer, which the bounds rule out. */
export function multiplyMinor(amountMinor: number, quantity: number): number {
  return exact(amountMinor * quantity);
}

/** The sum of any number of amounts of one currency. **Errors**: as `multiplyMinor`. */
export function sumMinor(amountsMinor: readonly number[]): number {
  return amountsMinor.reduce((sum, amount) => exact(sum + amount), 0);
}

/** For people: `12.34 EUR`, `1200 JPY`, `1.250 KWD`. Digits are moved as text, never divided. */
export function formatMinor(amountMinor: number, currency: string): string {
  const places = MINOR_DIGITS[currency] ?? 2;
  const digits = String(Math.abs(amountMinor)).padStart(places + 1, "0");
  const whole = digits.slice(0, digits.length - places);
  const sign = amountMinor < 0 ? "-" : "";
  return `${sign}${whole}${places === 0 ? "" : `.${digits.slice(-places)}`} ${currency}`;
}

function exact(amountMinor: number): number {
  if (!Number.isSafeInteger(amountMinor)) throw new RangeError("an amount left the range of exact integers");
  return amountMinor;
}

function withDigits(places: number, codes: string): Record<string, number> {
  return Object.fromEntries(codes.split(" ").map((code) => [code, places]));
}
