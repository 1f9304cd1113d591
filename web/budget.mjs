// What a browser loads before anybody can sign in, compressed, against the limit. Fails the check when it grows beyond.
import { gzipSync } from "node:zlib";
import { build } from "vite";

/** All bytes of the first screen: page, scripts, styles and texts, by gzip. 250 is what was promised; this is what we have reached. */
const LIMIT_KB = 150;

const built = await build({ logLevel: "silent", build: { write: false, minify: true } });
const output = Array.isArray(built) ? built.flatMap((one) => one.output) : built.output;
const files = new Map(output.map((file) => [file.fileName, file]));

/** A chunk and everything that it needs before it runs. */
function needed(name, found = new Set()) {
  if (found.has(name)) return found;
  found.add(name);
  const file = files.get(name);
  for (const other of file?.imports ?? []) needed(other, found);
  for (const style of file?.viteMetadata?.importedCss ?? []) found.add(style);
  return found;
}

const entry = output.find((file) => file.isEntry);
const texts = output.find((file) => /i18n\/es\/app\.json$/.test(file.facadeModuleId ?? ""));
if (!entry || !texts) throw new Error("the build has no entry, or no texts for the first screen");
const first = new Set(["index.html", ...needed(entry.fileName), ...needed(texts.fileName)]);

let total = 0;
for (const name of first) {
  const file = files.get(name);
  if (!file) throw new Error(`the build has no ${name}`);
  const size = gzipSync(file.code ?? file.source, { level: 9 }).length / 1000;
  total += size;
  process.stdout.write(`${size.toFixed(1).padStart(8)} kB  ${name}\n`);
}
process.stdout.write(`${total.toFixed(1).padStart(8)} kB  first screen, of ${LIMIT_KB}\n`);
if (total > LIMIT_KB) throw new Error(`the first screen has grown beyond ${LIMIT_KB} kB`);
