// What the built console weighs, compressed (gzip): a table, and a failure where the shell or a chunk passes its bound.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { gzipSync } from "node:zlib";

const shellBound = 200_000;
const chunkBound = 60_000;
// What has an editor in it, CodeMirror, is loaded by nobody who asks no questions of their own.
const boundOf = (/** @type {string} */ name) => (name.startsWith("QueryPage-") ? 160_000 : chunkBound);

const dist = join(import.meta.dirname, "dist");
const assets = join(dist, "assets");
const shell = new Set([...readFileSync(join(dist, "index.html"), "utf8").matchAll(/\/assets\/([^"]+\.js)"/g)].map(([, name]) => name));
const sizes = readdirSync(assets)
  .filter((name) => name.endsWith(".js"))
  .map((name) => ({ name, bytes: gzipSync(readFileSync(join(assets, name))).length }))
  .sort((a, b) => b.bytes - a.bytes);
const total = sizes.filter(({ name }) => shell.has(name)).reduce((sum, { bytes }) => sum + bytes, 0);

const say = (line) => process.stdout.write(`${line}\n`);
const kB = (bytes) => `${(bytes / 1_000).toFixed(1)} kB`.padStart(10);
say(`${kB(total)}  shell, of ${shellBound / 1_000} kB`);
for (const { name, bytes } of sizes.filter(({ name, bytes }) => !shell.has(name) && bytes >= 5_000)) say(`${kB(bytes)}  ${name}, of ${boundOf(name) / 1_000} kB`);
const large = sizes.filter(({ name, bytes }) => !shell.has(name) && bytes > boundOf(name));
if (total > shellBound || large.length > 0) {
  say("the console has become too large: load what is not needed at once by a chunk of its own");
  process.exit(1);
}
