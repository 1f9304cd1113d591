import { type Bytes, decode, encode, joined, same, sha256, utf8 } from "./bytes";
import { type Header, readHeader } from "./header";
import { type Checkpoint, readKey, readNote, signedBy } from "./note";
import { leafHash, rootOf } from "./tree";

/** An entry as a proof shows it (`iris-audit-export/1`); what is absent could not be read. */
export interface EntryFile {
  position: number;
  header?: string;
  tenant?: number;
  action?: string;
  outcome?: string;
  at?: string;
  details?: string;
  salt?: string;
  opened?: Opened;
}

/** The opened details of an entry: only texts and lists of texts. */
export interface Opened {
  actor: string;
  name?: string;
  purpose?: string;
  address?: string;
  agent?: string;
  correlation?: string;
  patients?: string[];
  resources?: string[];
  fields?: string[];
  query?: string;
}

export interface Proof {
  entry: EntryFile;
  checkpoint: string;
  path: string[];
}

/** The members of a displayed entry that the proof must bear out. */
export interface Shown {
  id: string;
  timestamp: string;
  action: string;
  outcome: string;
  user_id?: string;
  user_name?: string;
  access_purpose?: string;
  address?: string;
  user_agent?: string;
  correlation_id?: string;
  detail?: string;
  patient_ids?: string[];
  resources?: string[];
  fields?: string[];
}

/** The parts of a check, in the order in which one builds on the other. */
export const STEPS = ["header", "details", "opening", "shown", "leaf", "path", "signature"] as const;
export type StepName = (typeof STEPS)[number];

export interface Step {
  name: StepName;
  /** `open`: could not be checked here, which proves nothing for or against. */
  state: "good" | "bad" | "open";
  /** Which of several texts says why; `good` if nothing else. */
  why: string;
  /** What was computed and compared, for those who want to do it again. */
  values: Record<string, string | number>;
}

export interface Result {
  steps: Step[];
  /** `good` only if every step is; `bad` if one is; else it stays `open`. */
  state: Step["state"];
  checkpoint: Checkpoint | undefined;
}

const OPENING = utf8("iris audit opening\0");
/** Bytes in front of the sealed part of details: version 1, key id 8, opening 32. */
const DETAILS_HEAD = 41;

/** Recomputes everything that a proof claims, with nothing but the proof and the log's public key, where one is given. */
export async function checkProof(proof: Proof, shown: Shown, key: string): Promise<Result> {
  const headerBytes = decode(proof.entry.header ?? "");
  const header = headerBytes && readHeader(headerBytes);
  const details = decode(proof.entry.details ?? "");
  const checkpoint = readNote(proof.checkpoint);
  const leaf = headerBytes && header ? await leafHash(headerBytes) : undefined;
  const steps = [
    headerStep(header, shown),
    await detailsStep(header, details),
    await openingStep(proof.entry, details),
    shownStep(proof.entry, shown),
    step("leaf", leaf ? "good" : "bad", leaf ? "good" : "unreadable", leaf ? { leaf: encode(leaf) } : {}),
    await pathStep(proof, shown, leaf, checkpoint),
    await signatureStep(checkpoint, key),
  ];
  const state = (["bad", "open"] as const).find((state) => steps.some((step) => step.state === state)) ?? "good";
  return { steps, state, checkpoint };
}

function step(name: StepName, state: Step["state"], why: string, values: Step["values"] = {}): Step {
  return { name, state, why, values };
}

function headerStep(header: Header | undefined, shown: Shown): Step {
  if (!header) return step("header", "bad", "unreadable");
  const { action, outcome, at } = header;
  const isSame = action === shown.action && outcome === shown.outcome && Date.parse(at) === Date.parse(shown.timestamp);
  return step("header", isSame ? "good" : "bad", isSame ? "good" : "differs", { action, outcome, at });
}

async function detailsStep(header: Header | undefined, details: Bytes | undefined): Promise<Step> {
  if (!header || !details) return step("details", "bad", "unreadable");
  const found = await sha256(details);
  const isSame = same(found, header.commitment);
  const values = { commitment: encode(header.commitment), computed: encode(found) };
  return step("details", isSame ? "good" : "bad", isSame ? "good" : "differs", values);
}

async function openingStep({ opened, salt }: EntryFile, details: Bytes | undefined): Promise<Step> {
  if (!opened) return step("opening", "open", "sealed");
  const bytes = decode(salt ?? "");
  if (!details || !bytes || details.length < DETAILS_HEAD) return step("opening", "bad", "unreadable");
  // Details hold only texts and lists of texts, which have one form in JSON: as they were sealed.
  const found = await sha256(joined(OPENING, bytes), utf8(JSON.stringify(opened)));
  const sealed = details.slice(DETAILS_HEAD - 32, DETAILS_HEAD);
  const isSame = same(found, sealed);
  const values = { opening: encode(sealed), computed: encode(found) };
  return step("opening", isSame ? "good" : "bad", isSame ? "good" : "differs", values);
}

/** What a page shows beside what was sealed. */
function shownStep({ opened, position }: EntryFile, shown: Shown): Step {
  if (!opened) return step("shown", "open", "sealed");
  const texts = [
    [shown.id, String(position)],
    [shown.user_id, opened.actor],
    [shown.user_name, opened.name],
    [shown.access_purpose, opened.purpose],
    [shown.address, opened.address],
    [shown.user_agent, opened.agent],
    [shown.correlation_id, opened.correlation],
    [shown.detail, opened.query],
    [list(shown.patient_ids), list(opened.patients)],
    [list(shown.resources), list(opened.resources)],
    [list(shown.fields), list(opened.fields)],
  ];
  const isSame = texts.every(([ours, theirs]) => (ours ?? "") === (theirs ?? ""));
  return step("shown", isSame ? "good" : "bad", isSame ? "good" : "differs");
}

const list = (items: string[] = []) => JSON.stringify(items);

async function pathStep(
  proof: Proof,
  shown: Shown,
  leaf: Bytes | undefined,
  checkpoint: Checkpoint | undefined,
): Promise<Step> {
  if (!checkpoint || !leaf) return step("path", "bad", "unreadable");
  const path = proof.path.map(decode);
  const isWhole = (hashes: (Bytes | undefined)[]): hashes is Bytes[] => hashes.every((hash) => hash?.length === 32);
  if (!isWhole(path)) return step("path", "bad", "unreadable");
  const { size, root } = checkpoint;
  const found = await rootOf(leaf, Number(shown.id), size, path);
  const values = { position: shown.id, size, hashes: path.length, root: encode(root) };
  if (!found) return step("path", "bad", "length", values);
  const isSame = same(found, root);
  return step("path", isSame ? "good" : "bad", isSame ? "good" : "differs", { ...values, computed: encode(found) });
}

async function signatureStep(checkpoint: Checkpoint | undefined, key: string): Promise<Step> {
  if (!checkpoint) return step("signature", "bad", "unreadable");
  if (key.trim() === "") return step("signature", "open", "noKey");
  const verifier = await readKey(key);
  // A key that was mistyped says nothing about the entry.
  if (!verifier) return step("signature", "open", "key");
  const signed = await signedBy(checkpoint, verifier);
  const state = signed === "unsupported" ? "open" : signed === "good" ? "good" : "bad";
  return step("signature", state, signed, { key: key.trim() });
}
