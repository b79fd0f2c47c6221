// What a halted machine leaves on its disk: after the guest program `files` e2fsck finds nothing wrong, and debugfs reads
// what the program wrote.

import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DEV_CONSOLE, DEV_NULL, DEV_ZERO } from '../../src/abi/file.ts';
import { compileProgram } from '../../src/image/compile.ts';
import { SourceTree } from '../../src/image/inputs.ts';
import { buildExt2 } from '../../src/image/mkfs.ts';
import { bootPc } from './machines.ts';

const hasTools = spawnSync('e2fsck', ['-V']).error === undefined && spawnSync('debugfs', ['-V']).error === undefined;
if (!hasTools) console.warn('disk-after-halt.test: skipped, e2fsprogs are not installed');

describe.skipIf(!hasTools)('disk after halt', () => {
  let folder = '';
  let image = '';

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'halt-'));
    image = join(folder, 'disk.img');
    const tree = new SourceTree(resolve(import.meta.dirname, '../..'));
    const kernelArgs = ['src/host-kernel/boot.ts', '--base', '0xC0100000', '--phys-offset', '0xC0000000', '--multiboot'];
    const kernel = compileProgram(tree, [...kernelArgs, '--bind', 'machine=src/host-kernel', '--bind', 'rt=src/kern']).bytes;
    const init = compileProgram(tree, ['test/guest/files.ts', '--bind', 'rt=src/libc']).bytes;
    const disk = buildExt2({
      sizeMiB: 32,
      files: [
        { path: '/sbin/init', mode: 0o755, data: init },
        { path: '/dev/console', dev: DEV_CONSOLE },
        { path: '/dev/null', dev: DEV_NULL },
        { path: '/dev/zero', dev: DEV_ZERO },
      ],
    });
    expect(bootPc(Uint8Array.from(kernel), disk)).toMatchObject({ off: true });
    writeFileSync(image, disk);
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

  it('forgets files without a name', () => {
    expect(debugfs('ls -p /left')).not.toMatch(/nameless/);
  });
});
