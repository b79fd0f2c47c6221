// The cache of outputs: an output is found again exactly while its recipe and inputs are unchanged.

import { mkdtempSync, rmSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { OutputCache, SourceTree } from '../../src/image/inputs.ts';

describe('output cache', () => {
  let root = '';
  const cache = () => new OutputCache(join(root, '.cache'), new SourceTree(root));
  const output = Uint8Array.from([1, 2, 3]);

  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'cache-'));
    writeFileSync(join(root, 'a.ts'), 'a');
    writeFileSync(join(root, 'b.ts'), 'b');
    cache().keep('bin/x', 'recipe', ['b.ts', 'a.ts', 'missing.ts'], output);
  });
  afterEach(() => rmSync(root, { recursive: true, force: true }));

  it('finds what it kept', () => {
    expect(cache().find('bin/x', 'recipe')).toEqual(output);
  });

  it('does not find another recipe or name', () => {
    expect(cache().find('bin/x', 'other')).toBeNull();
    expect(cache().find('bin/y', 'recipe')).toBeNull();
  });

  it('notices a changed input', () => {
    writeFileSync(join(root, 'b.ts'), 'B');
    expect(cache().find('bin/x', 'recipe')).toBeNull();
  });

  it('notices a missing input', () => {
    unlinkSync(join(root, 'a.ts'));
    expect(cache().find('bin/x', 'recipe')).toBeNull();
  });

  it('notices an input that has appeared', () => {
    writeFileSync(join(root, 'missing.ts'), '');
    expect(cache().find('bin/x', 'recipe')).toBeNull();
  });

  it('survives rubbish', () => {
    writeFileSync(join(root, '.cache/bin/x.json'), '{');
    expect(cache().find('bin/x', 'recipe')).toBeNull();
  });
});
