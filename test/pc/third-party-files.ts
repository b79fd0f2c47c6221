// Where the third-party kernels are: /boot, or the folder that DAMSELFLY_KERNELS names (.ci/third-party-kernels fills one).

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';

const FOLDERS = [process.env.DAMSELFLY_KERNELS ?? '', '/boot'].filter(Boolean);

/** The first file of that name, or null after a line that says what is missing. */
export function find(name: RegExp, what: string): string | null {
  for (const folder of FOLDERS) {
    const file = existsSync(folder) ? readdirSync(folder).find((entry) => name.test(entry)) : undefined;
    if (file) return join(folder, file);
  }
  console.log(`${what}: no file ${name.source} in ${FOLDERS.join(', ')}; skipped`);
  return null;
}

/** A file's contents, unpacked where it is a gzip file. */
export function load(path: string): Uint8Array {
  const bytes = readFileSync(path);
  return path.endsWith('.gz') ? gunzipSync(bytes) : bytes;
}
