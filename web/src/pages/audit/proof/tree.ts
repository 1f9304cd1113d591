import { type Bytes, sha256 } from "./bytes";

const LEAF = Uint8Array.of(0);
const NODE = Uint8Array.of(1);

/** The hash of a leaf (RFC 6962 §2.1). */
export const leafHash = (content: Bytes) => sha256(LEAF, content);

/**
 * The root to which the hashes of `path` lead from the leaf at `position` of a tree with `size` leaves (RFC 9162 §2.1.3.2);
 * `undefined` if a path of this length cannot be of such a tree.
 */
export async function rootOf(
  leaf: Bytes,
  position: number,
  size: number,
  path: readonly Bytes[],
): Promise<Bytes | undefined> {
  if (!(position >= 0 && position < size)) return undefined;
  // Positions may be beyond 32 bits, so halves instead of shifts.
  let [place, last, hash] = [position, size - 1, leaf];
  const up = () => {
    place = Math.floor(place / 2);
    last = Math.floor(last / 2);
  };
  for (const beside of path) {
    if (last === 0) return undefined;
    if (place % 2 === 1 || place === last) {
      hash = await sha256(NODE, beside, hash);
      // At the right edge a node without a neighbour goes up as it is.
      while (place % 2 === 0 && place !== 0) up();
    } else {
      hash = await sha256(NODE, hash, beside);
    }
    up();
  }
  return last === 0 ? hash : undefined;
}
