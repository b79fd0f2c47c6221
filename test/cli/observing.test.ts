// --ledger, --folded, --trace and the log items about our own system as a person or a script calls them.

import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { LedgerTotals } from '../../src/debug/observe/ledger.ts';
import { buildWorld } from '../../src/image/world.ts';
import { kernelImage } from '../debug/kernel.ts';
import { importTrace } from '../debug/observe/trace-format.ts';

const ROOT = resolve(import.meta.dirname, '../..');
let folder = '';

interface Result { readonly code: number | null; readonly out: string; readonly err: string }

function emulate(...args: string[]): Result {
  const result = spawnSync(process.execPath, ['--import', 'tsx', 'src/cli/emulate.ts', ...args], { cwd: ROOT, input: '', encoding: 'latin1', timeout: 100_000, maxBuffer: 1 << 26 });
  return { code: result.status, out: result.stdout, err: result.stderr };
}

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'observe-'));
  buildWorld();
}, 180_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const countOf = (text: string): number => Number(/^instructions: (\d+)$/m.exec(text)![1]);

describe('observing', () => {
  it('prints the ledger for programs, and for people', () => {
    const plain = emulate('--stats', '--exec', 'echo hello; exit 3');
    const json = emulate('--ledger=json', '--exec', 'echo hello; exit 3');
    const totals = JSON.parse(json.err) as LedgerTotals;
    expect([json.code, json.out]).toEqual([3, plain.out]);
    expect(totals.total.instructions).toBe(countOf(plain.err));
    const text = emulate('--ledger', '--stats', '--timing', 'p4', '--exec', 'echo hello; exit 3');
    expect(text.err).toMatch(/^programs in VM spaces left for the kernels: instructions$/m);
    expect(text.err).toMatch(/^programs in VM spaces left for the kernels: cycles$/m);
    expect(text.err).toMatch(/^reason +count +all +entry +cr3 +frame +descriptors +fpu +walk +invalidation +work +exit$/m);
    expect(Number(/^instructions: kernels .* = (\d+)$/m.exec(text.err)![1])).toBe(countOf(text.err));
  }, 120_000);

  it('writes folded stacks, twice the same', () => {
    const [first, second] = ['1', '2'].map((name) => {
      const path = join(folder, name);
      const { err, code } = emulate('--folded', path, '--stats', '--exec', 'ls /bin');
      expect(code).toBe(0);
      const text = readFileSync(path, 'latin1');
      expect(text.trimEnd().split('\n').reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0)).toBe(countOf(err));
      return text;
    });
    expect(second).toBe(first);
  }, 120_000);

  it('writes traces and logs in one run', () => {
    const [trace, log] = [join(folder, 'trace.json'), join(folder, 'log')];
    const { code, err } = emulate('--trace', trace, '-d', 'syscall,int', '-D', log, '--exec', 'echo hi');
    expect([code, err]).toEqual([0, '']);
    const { complaints, processes } = importTrace(readFileSync(trace, 'latin1'));
    expect(complaints).toEqual([]);
    expect(processes.some(({ tracks }) => tracks.some(({ slices }) => slices.some(({ name }) => name === 'write')))).toBe(true);
    const lines = readFileSync(log, 'latin1').split('\n');
    expect(lines.some((line) => /^ *\d+ syscall \w+ \d+ in vmspace \d+: write\(1, 0x[0-9a-f]+, 3\) = 3$/.test(line))).toBe(true);
    expect(lines.some((line) => / v=80 /.test(line))).toBe(true);
  }, 120_000);

  it('leaves whole files when the emulator is ended', async () => {
    const [trace, folded] = [join(folder, 'ended.json'), join(folder, 'ended.folded')];
    const child = spawn(process.execPath, ['--import', 'tsx', 'src/cli/emulate.ts', '--trace', trace, '--folded', folded, '-append', 'native'], { cwd: ROOT, stdio: ['pipe', 'pipe', 'ignore'] });
    let text = '';
    const code = new Promise<number | null>((done) => child.on('close', done));
    child.stdout.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1');
      if (text.includes('host# ')) child.kill('SIGTERM');
    });
    expect(await code).toBe(143);
    const { complaints, processes } = importTrace(readFileSync(trace, 'latin1'));
    expect([complaints, processes.map(({ name }) => name).slice(0, 2)]).toEqual([[], ['host kernel', 'init, process 1 of the host']]);
    expect(readFileSync(folded, 'latin1')).toMatch(/^host;sh;_start;/m);
  }, 120_000);

  it.each([
    ['--trace', 'while true; do true; done'],
    ['-D', 'while true; do true; done'],
    ['--folded', 'ls'],
  ])('ends with one line when %s can be written no more', (option, command) => {
    const { code, err } = emulate(option, '/dev/full', '-d', 'syscall', '--exec', command);
    expect(code).toBe(2);
    expect(err.split('\n').filter((line) => !/^ *\d+ syscall /.test(line))).toEqual([`damselfly: ${option} /dev/full: ENOSPC: no space left on device`, '']);
  }, 120_000);

  it('has one line for every mistake', () => {
    const kernel = join(folder, 'kernel');
    writeFileSync(kernel, kernelImage());
    for (const [args, line] of [
      [['--ledger=xml'], /--ledger=xml: expected --ledger or --ledger=json/],
      [['--ledger', kernel], /--ledger is for Damselfly's own system/],
      [['--folded', join(folder, 'no', 'file'), '--exec', 'ls'], /--folded .*no.file: ENOENT/],
      [['--folded'], /-folded needs a value/],
      [['--trace', join(folder, 'no', 'file'), '--exec', 'ls'], /--trace .*no.file: ENOENT/],
      [['-d', 'int,syscall', kernel], /-d syscall is for Damselfly's own system/],
    ] as [string[], RegExp][]) {
      const result = emulate(...args);
      expect(result).toEqual({ code: 2, out: '', err: expect.stringMatching(/^damselfly: .*\n$/) as string });
      expect(result.err).toMatch(line);
    }
  }, 120_000);
});
