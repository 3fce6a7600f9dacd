import { existsSync } from "node:fs";
import { mkdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

const systemChromium = "/usr/bin/chromium";
const cache = join(import.meta.dirname, "../node_modules/.cache/chromium");

export interface Browser {
  executablePath: string;
  env: Record<string, string>;
}

/**
 * findBrowser takes $WEIR_CHROMIUM, else the system's Chromium, else the one that
 * npm's @sparticuz/chromium carries, unpacked once with the libraries (nss, nspr,
 * expat) and the font that a bare machine lacks.
 */
export async function findBrowser(): Promise<Browser> {
  const named = process.env.WEIR_CHROMIUM;
  if (named) return { executablePath: named, env: {} };
  if (existsSync(systemChromium)) return { executablePath: systemChromium, env: {} };
  if (!existsSync(cache)) await unpack();
  return {
    executablePath: join(cache, "chromium"),
    env: { LD_LIBRARY_PATH: join(cache, "al2023/lib"), FONTCONFIG_FILE: join(cache, "fonts.conf") },
  };
}

// Without any font Chromium aborts. The package brings one, but names it by the
// path it would have on AWS Lambda.
const fontsConf = `<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
  <dir>${join(cache, "fonts")}</dir>
  <cachedir>${join(cache, "fonts-cache")}</cachedir>
</fontconfig>
`;

// The package unpacks into the temporary folder, and its libraries only where it
// believes to be on AWS Lambda. Renaming last keeps half an unpacking from being used.
async function unpack(): Promise<void> {
  const partial = `${cache}.${process.pid}`;
  await mkdir(partial, { recursive: true });
  const before = { ...process.env };
  Object.assign(process.env, { TMPDIR: partial, AWS_EXECUTION_ENV: "AWS_Lambda_nodejs20.x" });
  try {
    const { default: chromium } = await import("@sparticuz/chromium");
    await chromium.executablePath();
    await writeFile(join(partial, "fonts.conf"), fontsConf);
    await rename(partial, cache);
  } catch (error) {
    await rm(partial, { recursive: true, force: true });
    if (!existsSync(cache)) throw error;
  } finally {
    process.env = before;
  }
}
