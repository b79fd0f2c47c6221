// What a halted machine leaves on its disk, and a halted virtual kernel in its image: after the guest program `files` e2fsck
// finds nothing wrong, and debugfs reads what the program wrote.

import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bootPc } from './machines.ts';
import { compiled, HOST_KERNEL, nestedRootOf, rootOf } from './roots.ts';

const PAGE = 4096;
const hasTools = spawnSync('e2fsck', ['-V']).error === undefined && spawnSync('debugfs', ['-V']).error === undefined;
if (!hasTools) console.warn('disk-after-halt.test: skipped, e2fsprogs are not installed');

describe.skipIf(!hasTools).each([['the host kernel', false], ['the virtual kernel', true]])('disk after halt of %s', (_name, nested) => {
  let folder = '';
  let image = '';

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'halt-'));
    image = join(folder, 'disk.img');
    const disk = nested ? nestedRootOf('files') : rootOf('files');
    expect(bootPc(compiled(HOST_KERNEL), disk, nested ? 'exec=none' : '')).toMatchObject({ off: true });
    writeFileSync(image, disk);
    if (nested) {
      debugfs(`dump /vroot.img ${join(folder, 'vroot.img')}`);
      image = join(folder, 'vroot.img');
    }
  }, 120_000);
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const debugfs = (command: string) => spawnSync('debugfs', ['-R', command, image], { encoding: 'latin1' }).stdout;

  it('is clean', () => {
    const check = spawnSync('e2fsck', ['-fn', image], { encoding: 'utf8' });
    expect(check.stdout).not.toMatch(/\?|WARNING/);
    expect(check.status).toBe(0);
    expect(debugfs('stats')).toMatch(/Filesystem state: +clean/);
  });

  it('holds what was written', () => {
    expect(debugfs('cat /left/small')).toBe('left behind\n');
    debugfs(`dump /left/large ${join(folder, 'large')}`);
    const large = readFileSync(join(folder, 'large'));
    const piece = Buffer.from(Uint8Array.from({ length: 65536 }, (_, i) => i * 7 + (i >>> 8) * 13 + 5));
    expect(large.length).toBe(80 * 65536);
    for (let at = 0; at < large.length; at += 65536) expect(large.subarray(at, at + 65536).equals(piece)).toBe(true);
  });

  it('holds what was stored through mappings', () => {
    const wanted = ['B'.repeat(100), 'A'.repeat(PAGE - 100), 'C'.repeat(PAGE), 'D'.repeat(PAGE)].join('');
    expect(debugfs('cat /left/mapped') === wanted).toBe(true);
  });

  it('forgets files without a name', () => {
    expect(debugfs('ls -p /left')).not.toMatch(/nameless/);
  });
});
