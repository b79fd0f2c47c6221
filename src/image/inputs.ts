// Outputs that are remembered by what they were made of: each has a file of bytes and a file that names its inputs with
// their hashes. An output is reused when the recipe and every input are as they were.

import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

interface Receipt {
  readonly recipe: string;
  /** Hash of each input, null for one that was not there. */
  readonly inputs: Record<string, string | null>;
}

export function hashOf(...parts: readonly (Uint8Array | string)[]): string {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part).update('\0');
  return hash.digest('hex');
}

/** Files below `root` by content hash, each read once. */
export class SourceTree {
  private readonly hashes = new Map<string, string | null>();

  constructor(readonly root: string) {}

  /** Hash of a file's bytes, null if it can't be read. */
  hash(path: string): string | null {
    let hash = this.hashes.get(path);
    if (hash === undefined) {
      const bytes = this.read(path);
      this.hashes.set(path, (hash = bytes === null ? null : hashOf(bytes)));
    }
    return hash;
  }

  read(path: string): Uint8Array | null {
    try {
      return new Uint8Array(readFileSync(join(this.root, path)));
    } catch {
      return null;
    }
  }
}

export class OutputCache {
  constructor(private readonly folder: string, private readonly tree: SourceTree) {}

  /** The remembered output `name` if it was made by `recipe` from what its inputs are now; else null. */
  find(name: string, recipe: string): Uint8Array | null {
    const path = join(this.folder, name);
    if (!existsSync(`${path}.json`) || !existsSync(path)) return null;
    try {
      const receipt = JSON.parse(readFileSync(`${path}.json`, 'utf8')) as Receipt;
      if (receipt.recipe !== recipe) return null;
      for (const [input, hash] of Object.entries(receipt.inputs)) if (this.tree.hash(input) !== hash) return null;
      return new Uint8Array(readFileSync(path));
    } catch {
      return null;
    }
  }

  /** Remember an output. A half-written one is never found. */
  keep(name: string, recipe: string, inputs: readonly string[], bytes: Uint8Array): void {
    const path = join(this.folder, name);
    mkdirSync(dirname(path), { recursive: true });
    const receipt: Receipt = { recipe, inputs: Object.fromEntries([...inputs].sort().map((input) => [input, this.tree.hash(input)])) };
    replaceFile(`${path}.json`, '{}');
    replaceFile(path, bytes);
    replaceFile(`${path}.json`, JSON.stringify(receipt));
  }
}

/** Other processes see the old file or the new one, never a part. */
function replaceFile(path: string, contents: Uint8Array | string): void {
  const fresh = `${path}.${process.pid}`;
  writeFileSync(fresh, contents);
  renameSync(fresh, path);
}
