import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { decode, encode, hex, joined, utf8 } from "./bytes";
import { checkProof, type Proof, type Shown } from "./check";
import golden from "./golden.json";
import { ACTIONS } from "./header";
import { readKey, readNote } from "./note";
import { leafHash, rootOf } from "./tree";

// `golden.json` is what a server answered for an entry, for its proof, and the key that `iris audit key` printed there.
const proof: Proof = golden.proof;
const shown: Shown = golden.entry;
const { key } = golden;

const states = async (changed: Proof, entry = shown, by = key) => {
  const { steps } = await checkProof(changed, entry, by);
  return Object.fromEntries(steps.filter(({ state }) => state !== "good").map(({ name, why }) => [name, why]));
};

/** The base64 with one bit of one byte turned. */
const turned = (text: string, place: number) => {
  const bytes = decode(text) ?? new Uint8Array();
  bytes[place] = (bytes[place] ?? 0) ^ 1;
  return encode(bytes);
};

const withEntry = (change: Partial<Proof["entry"]>): Proof => ({ ...proof, entry: { ...proof.entry, ...change } });

describe("the check of a proof", () => {
  it("finds the proof of a real server good, step by step", async () => {
    const result = await checkProof(proof, shown, key);
    expect(result.steps.map(({ name, state, why }) => [name, state, why])).toEqual([
      ["header", "good", "good"],
      ["details", "good", "good"],
      ["opening", "good", "good"],
      ["shown", "good", "good"],
      ["leaf", "good", "good"],
      ["path", "good", "good"],
      ["signature", "good", "good"],
    ]);
    expect(result.state).toBe("good");
    expect(result.checkpoint?.size).toBe(247);
  });

  it("leaves open what it cannot check", async () => {
    const without = await checkProof(proof, shown, " ");
    expect([without.state, without.steps.at(-1)?.why]).toEqual(["open", "noKey"]);
    const { opened: _, salt: __, ...sealed } = proof.entry;
    expect(await states({ ...proof, entry: sealed })).toEqual({ opening: "sealed", shown: "sealed" });
  });

  it("finds every change of what is signed", async () => {
    const header = proof.entry.header ?? "";
    // Another time, another actor, another commitment: each breaks the way to the root.
    expect(await states(withEntry({ header: turned(header, 29) }))).toEqual({ header: "differs", path: "differs" });
    expect(await states(withEntry({ header: turned(header, 9) }))).toEqual({ path: "differs" });
    expect(await states(withEntry({ header: turned(header, 40) }))).toEqual({ details: "differs", path: "differs" });
    expect(await states(withEntry({ header: turned(header, 0) }))).toEqual({
      header: "unreadable",
      details: "unreadable",
      leaf: "unreadable",
      path: "unreadable",
    });
    const details = proof.entry.details ?? "";
    expect(await states(withEntry({ details: turned(details, 60) }))).toEqual({ details: "differs" });
    expect(await states(withEntry({ details: turned(details, 12) }))).toEqual({
      details: "differs",
      opening: "differs",
    });
  });

  it("finds a person exchanged in what is opened, and one exchanged only on the page", async () => {
    const opened = { ...golden.proof.entry.opened, name: "nurse.lee" };
    expect(await states(withEntry({ opened }))).toEqual({ opening: "differs", shown: "differs" });
    expect(await states(proof, { ...shown, user_name: "nurse.lee" })).toEqual({ shown: "differs" });
    expect(await states(proof, { ...shown, patient_ids: [] })).toEqual({ shown: "differs" });
    expect(await states(proof, { ...shown, outcome: "denied" })).toEqual({ header: "differs" });
    expect(await states(proof, { ...shown, id: "154" })).toEqual({ shown: "differs", path: "differs" });
  });

  it("finds a path that leads elsewhere or is of another tree", async () => {
    const [first = "", ...rest] = proof.path;
    expect(await states({ ...proof, path: [turned(first, 3), ...rest] })).toEqual({ path: "differs" });
    expect(await states({ ...proof, path: rest })).toEqual({ path: "length" });
    expect(await states({ ...proof, path: [...proof.path, first] })).toEqual({ path: "length" });
    expect(await states({ ...proof, path: ["no hash"] })).toEqual({ path: "unreadable" });
  });

  it("finds a checkpoint that was changed, or that another key signed", async () => {
    const wider = { ...proof, checkpoint: proof.checkpoint.replace("\n247\n", "\n248\n") };
    expect(await states(wider)).toMatchObject({ signature: "bad" });
    expect(await states({ ...proof, checkpoint: "iris-audit\n247\n" })).toEqual({
      path: "unreadable",
      signature: "unreadable",
    });
    const other = "iris-audit+5051b57d+AYqI4910CfGV/VLbLTy6XXLKZwm/HZQSG/N0iAG0D29c";
    expect(await states(proof, shown, other)).toEqual({ signature: "other" });
    expect(await states(proof, shown, key.replace("+ad", "+ae"))).toEqual({ signature: "key" });
  });
});

describe("its parts", () => {
  it("know every action of the catalogue by its number", () => {
    const catalogue = readFileSync("../spine/audit/tests/catalogue.txt", "utf8");
    const lines = catalogue.split("\n").filter((line) => /^\d/.test(line));
    expect(ACTIONS).toMatchObject(Object.fromEntries(lines.map((line) => line.split(/\s+/).slice(0, 2))));
  });

  it("climb trees of every size from every leaf", async () => {
    const leaves = await Promise.all(Array.from({ length: 20 }, (_, at) => leafHash(Uint8Array.of(at))));
    for (let size = 1; size <= leaves.length; size++) {
      const tree = leaves.slice(0, size);
      const root = await treeHash(tree);
      for (let place = 0; place < size; place++) {
        const path = await pathOf(place, tree);
        expect(await rootOf(at(leaves, place), place, size, path).then((hash) => hash && hex(hash))).toBe(hex(root));
      }
      expect(await rootOf(at(leaves, 0), size, size, [])).toBeUndefined();
    }
  });

  it("refuse what is no note and no key", async () => {
    expect(readNote("")).toBeUndefined();
    expect(readNote(proof.checkpoint.replace("iris-audit\n247", "iris-audit\n0247"))).toBeUndefined();
    expect(readNote(proof.checkpoint.replace("iris-audit\n", "other-log\n"))).toBeUndefined();
    expect(readNote(proof.checkpoint.replace("\u2014", "-"))).toBeUndefined();
    for (const text of ["", "iris-audit+", "x+ad1fca23+AAAA", `${golden.key}A`])
      expect(await readKey(text)).toBeUndefined();
    expect(await readKey(`${golden.key}\n`)).toBeDefined();
  });
});

const at = <T>(list: T[], place: number): T => {
  const item = list[place];
  if (item === undefined) throw new Error("outside of the list");
  return item;
};

/** RFC 6962 §2.1, written as it stands there, to test the other direction against. */
const split = (count: number) => 2 ** Math.ceil(Math.log2(count) - 1);
type Hash = Awaited<ReturnType<typeof leafHash>>;

async function treeHash(leaves: Hash[]): Promise<Hash> {
  if (leaves.length === 1) return at(leaves, 0);
  const k = split(leaves.length);
  const both = joined(utf8("\u0001"), await treeHash(leaves.slice(0, k)), await treeHash(leaves.slice(k)));
  return new Uint8Array(await crypto.subtle.digest("SHA-256", both));
}

async function pathOf(place: number, leaves: Hash[]): Promise<Hash[]> {
  if (leaves.length === 1) return [];
  const k = split(leaves.length);
  return place < k
    ? [...(await pathOf(place, leaves.slice(0, k))), await treeHash(leaves.slice(k))]
    : [...(await pathOf(place - k, leaves.slice(k))), await treeHash(leaves.slice(0, k))];
}
