// The experiment's figures, on one small target: the form that programs read, times that add up, and the same figures twice.

import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { stepNames } from '../../bench/buildworld-steps.ts';

const ROOT = resolve(import.meta.dirname, '../..');

interface Row {
  system: string;
  jobs: number;
  timing: string;
  real: number;
  user: number;
  sys: number;
  idle: number;
  instructions: number;
  wall: number;
}

function bench(...words: readonly string[]): { status: number | null; out: string; err: string } {
  const ran = spawnSync('npx', ['tsx', 'bench/main.ts', ...words], { cwd: ROOT, encoding: 'utf8' });
  return { status: ran.status, out: ran.stdout, err: ran.stderr };
}

describe('npm run bench', () => {
  it('says at once that a picture cannot be written', () => {
    expect(bench('--quick', '--svg', '/nowhere/a.svg')).toMatchObject({ status: 2, out: '', err: expect.stringMatching(/^--svg \/nowhere\/a\.svg: ENOENT: .*\n/) as string });
  });

  it('prints JSON whose times add up, twice the same', () => {
    const folder = mkdtempSync(join(tmpdir(), 'bench-'));
    const run = () => JSON.parse(bench('--quick', '--json', '--target', '/usr/obj/bin/echo', '--svg', join(folder, 'a.svg')).out) as { rows: Row[]; ratio: Record<string, { cpu: number; real: number }>; mail: unknown };
    const [first, second] = [run(), run()];
    expect(first.mail).toEqual({ cpu: 1.13, real: 1.81 });
    expect(first.rows.map(({ system, jobs, timing }) => `${system} ${jobs} ${timing}`)).toEqual(['native 8 flat', 'virtual 8 flat', 'native 8 p4', 'virtual 8 p4']);
    for (const row of first.rows) {
      expect(Object.keys(row).sort()).toEqual(['idle', 'instructions', 'jobs', 'real', 'sys', 'system', 'timing', 'user', 'wall']);
      expect(Math.abs(row.user + row.sys + row.idle - row.real)).toBeLessThan(2e-5);
      expect(row.user).toBeGreaterThan(0);
    }
    const cpu = (row: Row) => row.user + row.sys;
    for (const [timing, at] of [['flat', 0], ['p4', 2]] as const) {
      expect(first.ratio[timing]!.cpu).toBeCloseTo(cpu(first.rows[at + 1]!) / cpu(first.rows[at]!), 10);
      expect(first.ratio[timing]!.real).toBeCloseTo(first.rows[at + 1]!.real / first.rows[at]!.real, 10);
    }
    const timeless = ({ rows, ...rest }: typeof first) => ({ ...rest, rows: rows.map((row) => ({ ...row, wall: 0 })) });
    expect(timeless(second)).toEqual(timeless(first));
    expect(readFileSync(join(folder, 'a.svg'), 'utf8')).toMatch(/^<svg [^]*native -j 8 p4[^]*<\/svg>\n$/);
    rmSync(folder, { recursive: true });
  }, 120_000);

  it('goes step by step from everything off to everything on', () => {
    const { rows, steps } = JSON.parse(bench('--quick', '--json', '--target', '/usr/obj/bin/true', '--steps').out) as { rows: Row[]; steps: { on: string; native: Row; virtual: Row; ratio: { cpu: number; real: number } }[] };
    expect(steps.map(({ on }) => on)).toEqual(['', ...stepNames()]);
    for (const [system, at] of [['native', 2], ['virtual', 3]] as const) {
      const { real, user, sys, idle } = rows[at]!;
      expect(steps.at(-1)![system]).toEqual({ real, user, sys, idle });
      expect(steps[0]![system].sys).toBeGreaterThan(sys);
    }
  }, 240_000);

  it.skipIf(spawnSync('qemu-system-i386', ['--version']).status !== 0)('times the same images on another emulator (skipped without qemu-system-i386)', () => {
    const { peer } = JSON.parse(bench('--quick', '--json', '--target', '/usr/obj/bin/true', '--against', 'qemu-system-i386').out) as { peer: { rows: Row[]; ratio: { cpu: number } } };
    expect(peer.rows.map(({ system }) => system)).toEqual(['native', 'virtual']);
    for (const { real, user, sys, idle } of peer.rows) expect(Math.abs(user + sys + idle - real)).toBeLessThan(2e-3);
    expect(peer.ratio.cpu).toBeGreaterThan(0);
  }, 120_000);

  it('says when the other emulator is not there', () => {
    expect(bench('--quick', '--target', '/usr/obj/bin/true', '--against', 'no-such-emulator')).toMatchObject({ status: 1, err: expect.stringMatching(/^native: .*no-such-emulator ENOENT/) as string });
  }, 60_000);

  it('says what it does not know', () => {
    expect(bench('nothing')).toMatchObject({ status: 2, err: expect.stringMatching(/^unknown bench nothing\nusage: /) as string });
    expect(bench('--nothing')).toMatchObject({ status: 2, err: expect.stringMatching(/^unknown word --nothing\n/) as string });
  });
});
