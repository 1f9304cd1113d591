/** Where a dose goes into the body, as the server writes it, with the code that it is stored under and that texts go by. */
export const SITES = [
  ["left deltoid", "LD"],
  ["right deltoid", "RD"],
  ["left vastus lateralis", "LVL"],
  ["right vastus lateralis", "RVL"],
  ["left thigh", "LT"],
  ["right thigh", "RT"],
  ["left upper arm", "LUA"],
  ["right upper arm", "RUA"],
  ["left arm", "LA"],
  ["right arm", "RA"],
  ["left lower forearm", "LLFA"],
  ["right lower forearm", "RLFA"],
  ["left gluteus medius", "LG"],
  ["right gluteus medius", "RG"],
  ["left ventragluteal", "LVG"],
  ["right ventragluteal", "RVG"],
  ["left naris", "LN"],
  ["right naris", "RN"],
  ["bilateral nares", "BN"],
] as const;

/** How a dose enters the body. */
export const ROUTES = [
  ["Injection, intramuscular", "IM"],
  ["Injection, subcutaneous", "SQ"],
  ["Injection, intradermal", "IDINJ"],
  ["Swallow, oral", "PO"],
  ["Inhalation, nasal", "NASINHL"],
  ["Transdermal", "TRNSDERM"],
  ["Injection, intravenous", "IVINJ"],
] as const;

type Known = readonly (readonly [string, string])[];

/** The code of a place or route that stands in a record, by its name or by the code itself. */
export function codeOf(known: Known, text: string): string | undefined {
  const wanted = text.toLowerCase();
  return known.find(([name, code]) => name.toLowerCase() === wanted || code.toLowerCase() === wanted)?.[1];
}
