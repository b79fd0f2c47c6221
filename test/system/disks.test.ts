// What a halted system leaves behind, in the words of e2fsck and debugfs: the host's root and, in it, the virtual kernel's.

import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { converse, hasFsTools } from './session.ts';
import type { OwnEnding } from './session.ts';

const SOURCES = resolve(import.meta.dirname, '../..');
const WORK = 'mkdir /tmp/d; cat src/kern/*.none src/kern/tty.ts src/kern/trap.ts > /tmp/d/both; cp src/kern/tty.ts /tmp/d/gone; rm /tmp/d/gone; cp /bin/make /tmp/d/make; rm -r /usr/src/src/user';

if (!hasFsTools) console.warn('disks.test: skipped, e2fsprogs are not installed');

describe.skipIf(!hasFsTools)('disks after halt', () => {
  let folder = '';
  let ending: OwnEnding;

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'disks-'));
    ending = converse('', [['vkernel# ', `${WORK}\r`], ['vkernel# ', 'halt\r'], ['host# ', `${WORK}; halt\r`]]);
    writeFileSync(join(folder, 'root.img'), ending.disk);
    spawnSync('debugfs', ['-R', `dump /vroot.img ${join(folder, 'vroot.img')}`, join(folder, 'root.img')]);
  }, 180_000);
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const debugfs = (image: string, command: string) => spawnSync('debugfs', ['-R', command, join(folder, image)], { maxBuffer: 1 << 26 }).stdout;

  it.each(['root.img', 'vroot.img'])('%s is clean', (image) => {
    expect(ending.code).toBe(0);
    const check = spawnSync('e2fsck', ['-fn', join(folder, image)], { encoding: 'utf8' });
    expect(check.stdout).not.toMatch(/\?|WARNING/);
    expect(check.status).toBe(0);
    expect(debugfs(image, 'stats').toString()).toMatch(/Filesystem state: +clean/);
  });

  it.each(['root.img', 'vroot.img'])('%s holds what was written', (image) => {
    const both = ['tty', 'trap'].map((name) => readFileSync(join(SOURCES, `src/kern/${name}.ts`)));
    expect(debugfs(image, 'cat /tmp/d/both').equals(Buffer.concat(both))).toBe(true);
    expect(debugfs(image, 'cat /tmp/d/make').equals(debugfs(image, 'cat /bin/make'))).toBe(true);
    expect(debugfs(image, 'ls -p /tmp/d').toString()).not.toContain('gone');
    expect(debugfs(image, 'ls -p /usr/src/src').toString()).not.toContain('/user/');
  });
});
