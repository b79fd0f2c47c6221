// The system rebuilds itself: `make -j 8 buildworld` compiles every program and the compiler from /usr/src on both kernels, and
// what it leaves in /usr/obj is, byte for byte, what Node built.

import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { converse, hasFsTools, Session, world } from './session.ts';

const BUDGET = 8_000_000_000;

if (!hasFsTools) console.warn('buildworld.test: /usr/obj is not looked into from outside, e2fsprogs are not installed');

/** Compares /usr/obj/bin of the halted machine's disk with the programs that Node built. */
function expectSamePrograms(disk: Uint8Array, virtual: boolean): void {
  const folder = mkdtempSync(join(tmpdir(), 'buildworld-'));
  const read = (image: string, path: string) => spawnSync('debugfs', ['-R', `cat ${path}`, join(folder, image)], { maxBuffer: 1 << 28 }).stdout;
  writeFileSync(join(folder, 'root.img'), disk);
  const image = virtual ? 'vroot.img' : 'root.img';
  if (virtual) writeFileSync(join(folder, image), read('root.img', '/vroot.img'));
  for (const [name, bytes] of world().programs) expect(read(image, `/usr/obj/bin/${name}`).equals(bytes), name).toBe(true);
  rmSync(folder, { recursive: true });
}

describe.each([['the host kernel', 'native '], ['the virtual kernel', '']])('buildworld on %s', (_name, mode) => {
  it('gives the same bytes', () => {
    const ending = new Session(`${mode}exec=make -j 8 buildworld && make check-identical`).end(BUDGET);
    expect(ending.text).toMatch(/^identical\nidentical\n$/m);
    expect(ending.code).toBe(0);
    for (const name of world().programs.keys()) expect(ending.text).toContain(`gtc src/user/${name}.ts -o /usr/obj/bin/${name}`);
    if (hasFsTools) expectSamePrograms(ending.disk, mode === '');
  }, 400_000);
});

describe('a difference', () => {
  it('is noticed', () => {
    const ending = converse('native exec=cp /bin/cat /bin/echo; make same-echo');
    expect(ending.text).toMatch(/echo \/bin\/echo differ/);
    expect(ending.code).toBe(2);
  }, 120_000);
});
