// The world: what its root file system holds, judged with e2fsprogs, and that nothing is built twice.

import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildWorld } from '../../src/image/world.ts';
import type { World } from '../../src/image/world.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const hasTools = spawnSync('e2fsck', ['-V']).error === undefined && spawnSync('debugfs', ['-V']).error === undefined;
if (!hasTools) console.warn('world.test: images are not looked into, e2fsprogs are not installed');

describe('world', () => {
  let world: World;
  let folder = '';
  let image = '';

  beforeAll(() => {
    world = buildWorld();
    folder = mkdtempSync(join(tmpdir(), 'world-'));
    image = join(folder, 'root.img');
    writeFileSync(image, world.rootImage);
  }, 120_000);
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const dump = (path: string, from = image): Buffer => {
    const out = join(folder, 'out');
    writeFileSync(out, '');
    spawnSync('debugfs', ['-R', `dump ${path} ${out}`, from]);
    return readFileSync(out);
  };
  const isClean = (path: string) => expect(spawnSync('e2fsck', ['-fn', path], { encoding: 'utf8' })).toMatchObject({ status: 0 });

  it('is found again without building', () => {
    const again = buildWorld();
    expect(Buffer.compare(again.rootImage, world.rootImage)).toBe(0);
    expect(Buffer.compare(again.hostKernel, world.hostKernel)).toBe(0);
  });

  it.skipIf(!hasTools)('has a root with the virtual kernel, its root and the programs', () => {
    isClean(image);
    expect(dump('/boot/vkernel').equals(world.virtualKernel)).toBe(true);
    for (const [name, bytes] of world.programs) expect(dump(`/bin/${name}`).equals(bytes), name).toBe(true);
    const inner = join(folder, 'vroot.img');
    writeFileSync(inner, dump('/vroot.img'));
    isClean(inner);
    expect(dump('/bin/sh', inner).equals(world.programs.get('sh')!)).toBe(true);
  });

  it.skipIf(!hasTools)('has the sources as they are here', () => {
    for (const path of ['src/kern/trap.ts', 'src/compiler/lexer.ts', 'src/user/sh.ts', 'src/user/Makefile', 'src/abi/syscalls.ts']) {
      expect(dump(`/usr/src/${path}`).equals(readFileSync(join(ROOT, path))), path).toBe(true);
    }
    expect(spawnSync('debugfs', ['-R', 'stat /usr/src/Makefile', image], { encoding: 'utf8' }).stdout).toContain('"src/user/Makefile"');
  });
});
