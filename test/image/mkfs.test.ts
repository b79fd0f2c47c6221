// The ext2 writer, judged by e2fsprogs: e2fsck finds nothing to repair and debugfs reads back what was written.

import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildExt2 } from '../../src/image/mkfs.ts';
import type { FileSpec } from '../../src/image/mkfs.ts';

const e2fsprogs = spawnSync('e2fsck', ['-V']).error === undefined && spawnSync('debugfs', ['-V']).error === undefined;
if (!e2fsprogs) console.warn('mkfs.test: skipped, e2fsck and debugfs are not installed');

/** Bytes that are different in every block. */
function pattern(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => (i * 7 + (i >> 12) * 13 + 1) & 255);
}

/** 9 MiB, mostly a hole: uses the double indirect block. */
function sparse(): Uint8Array {
  const data = new Uint8Array(9 << 20);
  data.set(pattern(5000), 0);
  data.set(pattern(5000), data.length - 5000);
  return data;
}

const files: FileSpec[] = [
  { path: '/etc/motd', data: 'hello\n' },
  { path: '/bin/big', data: pattern(300_000), mode: 0o755 },
  { path: '/bin/single', data: pattern(12 * 4096 + 1) },
  { path: '/sparse', data: sparse() },
  { path: '/huge', data: pattern(6 << 20) },
  { path: '/empty' },
  { path: '/dev/null', dev: 0x0202 },
  { path: '/link', symlink: 'etc/motd' },
  { path: '/longlink', symlink: 'x/'.repeat(100) },
  { path: '/tmp', directory: true, mode: 0o777 },
  ...Array.from({ length: 400 }, (_, i) => ({ path: `/many/file-with-a-longer-name-${i}`, data: `${i}` })),
];

describe.skipIf(!e2fsprogs)('ext2 images', () => {
  let folder = '';
  let image = '';

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'mkfs-'));
    image = join(folder, 'fs.img');
    writeFileSync(image, buildExt2({ sizeMiB: 32, files }));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const check = (path: string) => spawnSync('e2fsck', ['-fn', path], { encoding: 'utf8' });
  const debugfs = (command: string) => execFileSync('debugfs', ['-R', command, image], { encoding: 'latin1', stdio: ['ignore', 'pipe', 'ignore'] });
  const dump = (path: string) => {
    const out = join(folder, 'out');
    debugfs(`dump ${path} ${out}`);
    return new Uint8Array(readFileSync(out));
  };

  it('is clean', () => {
    const result = check(image);
    expect(result.stdout + result.stderr).not.toMatch(/\?|WARNING/);
    expect(result.status).toBe(0);
  });

  it('reads back every kind of file', () => {
    for (const file of files.filter((spec) => spec.data !== undefined && !spec.path.startsWith('/many'))) {
      const data = typeof file.data === 'string' ? Buffer.from(file.data) : Buffer.from(file.data!);
      expect(Buffer.from(dump(file.path)).equals(data), file.path).toBe(true);
    }
    expect(debugfs('cat /many/file-with-a-longer-name-399')).toBe('399');
    expect(debugfs('stat /link')).toContain('Fast link dest: "etc/motd"');
    expect(debugfs('stat /longlink')).toMatch(/Size: 200/);
    expect(debugfs('stat /dev/null')).toMatch(/character special[\s\S]*02:02/);
    expect(debugfs('stat /bin/big')).toMatch(/Mode: +0755/);
  });

  it('leaves holes', () => {
    expect(Number(/Blockcount: (\d+)/.exec(debugfs('stat /sparse'))![1])).toBe(8 * (2 + 2 + 2));
  });

  it('spans block groups', () => {
    const path = join(folder, 'groups.img');
    writeFileSync(path, buildExt2({ sizeMiB: 160, files: [{ path: '/a', data: pattern(1 << 20) }] }));
    const result = check(path);
    expect(result.stdout).not.toMatch(/\?/);
    expect(result.status).toBe(0);
  });
});

describe('ext2 writer', () => {
  it('gives the same bytes for the same description', () => {
    const small = files.filter((spec) => spec.path !== '/huge');
    expect(Buffer.from(buildExt2({ sizeMiB: 16, files: small })).equals(buildExt2({ sizeMiB: 16, files: [...small].reverse() }))).toBe(true);
  });

  it('says when the files do not fit', () => {
    expect(() => buildExt2({ sizeMiB: 1, files: [{ path: '/a', data: pattern(2 << 20) }] })).toThrow('1 MiB are full at a');
    expect(() => buildExt2({ sizeMiB: 1, inodes: 32, files: Array.from({ length: 40 }, (_, i) => ({ path: `/${i}` })) })).toThrow('inodes');
  });
});
