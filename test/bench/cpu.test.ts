// `npm run bench -- cpu` gives figures that programs can read, agrees with the other machine on every checksum, and refuses
// what it does not understand.

import { spawnSync } from 'node:child_process';
import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';

const ROOT = resolve(import.meta.dirname, '../..');
const QEMU = 'qemu-system-i386';
const hasQemu = spawnSync(QEMU, ['--version']).status === 0;
if (!hasQemu) console.warn('cpu.test: the comparison is skipped, QEMU is not installed');

interface Row { name: string; group: string; unit: string; damselfly: number; peer: number | null; ratio: number | null }

function bench(...args: string[]): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(process.execPath, ['--import', 'tsx', 'bench/main.ts', 'cpu', ...args], { cwd: ROOT, encoding: 'latin1', timeout: 280_000 });
}

function rowsOf(output: string): Row[] {
  return (JSON.parse(output) as { rows: Row[] }).rows;
}

describe('npm run bench -- cpu', () => {
  it('measures every piece of work', () => {
    const { status, stdout } = bench('--json', '--reps', '1');
    expect(status).toBe(0);
    const rows = rowsOf(stdout);
    expect(rows.map(({ name }) => name)).toEqual(expect.arrayContaining([
      'crc', 'sieve', 'fib', 'dhrystone', 'x87 nbody', 'int 0x80 round trip', 'page fault', 'CR3 reload, 32 pages', 'fresh code page', '64 KiB rep movsd',
    ]) as string[]);
    for (const { name, damselfly, peer } of rows) expect([name, damselfly > 0, peer]).toEqual([name, true, null]);
  }, 300_000);

  it.skipIf(!hasQemu)('agrees with QEMU on the checksum of every piece of work', () => {
    const { status, stdout, stderr } = bench('--json', '--reps', '1', '--against', QEMU);
    expect([status, stderr]).toEqual([0, '']);
    for (const { name, peer, ratio } of rowsOf(stdout)) expect([name, peer! > 0, ratio! > 0]).toEqual([name, true, true]);
  }, 300_000);

  it('says what is wrong with its arguments', () => {
    expect(bench('--agianst', 'qemu')).toMatchObject({ status: 2, stdout: '', stderr: expect.stringMatching(/^unknown word --agianst\nusage: /) as string });
    expect(bench('--against', 'no-such-emulator')).toMatchObject({ status: 1, stdout: expect.any(String) as string, stderr: expect.stringMatching(/^no-such-emulator: .*ENOENT.*\n$/) as string });
  });
});
