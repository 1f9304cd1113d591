import { type Bytes, decode, hex, joined, same, sha256, utf8 } from "./bytes";

/** Origin of every checkpoint of an IRIS log, and name of the key that signs it. */
const ORIGIN = "iris-audit";
/** Signature type of Ed25519 in C2SP signed-note. */
const ED25519 = 1;
const HASH_BYTES = 32;

/** A signed checkpoint, taken apart; whether a signature holds is another question. */
export interface Checkpoint {
  size: number;
  root: Bytes;
  /** The text that is signed, with its last line break. */
  signed: string;
  signatures: { name: string; keyHash: Bytes; signature: Bytes }[];
}

/** Reads a C2SP tlog-checkpoint in signed-note form; `undefined` if it is none of an IRIS log. */
export function readNote(note: string): Checkpoint | undefined {
  const end = note.lastIndexOf("\n\n");
  if (end < 0 || !note.endsWith("\n")) return undefined;
  const [origin, size, root] = note.slice(0, end).split("\n");
  const hash = decode(root ?? "");
  if (origin !== ORIGIN || !size || !/^(0|[1-9]\d{0,15})$/.test(size) || hash?.length !== HASH_BYTES) return undefined;
  const signatures: Checkpoint["signatures"] = [];
  for (const line of note.slice(end + 2, -1).split("\n")) {
    const [, name, text] = /^\u2014 (\S+) (\S+)$/.exec(line) ?? [];
    const bytes = decode(text ?? "");
    if (!name || !bytes || bytes.length < 4) return undefined;
    signatures.push({ name, keyHash: bytes.slice(0, 4), signature: bytes.slice(4) });
  }
  return { size: Number(size), root: hash, signed: note.slice(0, end + 1), signatures };
}

/** A log's public key: `iris-audit+<key hash in hex>+<base64 of type and key>`. */
export interface Verifier {
  keyHash: Bytes;
  key: Bytes;
}

/** Reads a C2SP verifier key; `undefined` if it is none, or was damaged on the way. */
export async function readKey(text: string): Promise<Verifier | undefined> {
  const [, name, hash, base64] = /^([^+\s]+)\+([0-9a-f]{8})\+(\S+)$/.exec(text.trim()) ?? [];
  const bytes = decode(base64 ?? "");
  if (name !== ORIGIN || bytes?.length !== HASH_BYTES + 1 || bytes[0] !== ED25519) return undefined;
  const keyHash = (await sha256(utf8(`${ORIGIN}\n`), bytes)).slice(0, 4);
  return hex(keyHash) === hash ? { keyHash, key: bytes.slice(1) } : undefined;
}

/** Whether the log's key signed it: `unsupported` if this browser does not have Ed25519, `other` if another key did. */
export type Signed = "good" | "bad" | "other" | "unsupported";

export async function signedBy({ signed, signatures }: Checkpoint, verifier: Verifier): Promise<Signed> {
  const ours = signatures.filter(({ name, keyHash }) => name === ORIGIN && same(keyHash, verifier.keyHash));
  if (ours.length === 0) return "other";
  let key: CryptoKey;
  try {
    key = await crypto.subtle.importKey("raw", joined(verifier.key), "Ed25519", false, ["verify"]);
  } catch {
    return "unsupported";
  }
  for (const { signature } of ours) {
    if (!(await crypto.subtle.verify("Ed25519", key, signature, utf8(signed)))) return "bad";
  }
  return "good";
}
