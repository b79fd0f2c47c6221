// The debugging options as a person types them: logs in files, refusals in one line, lockstep's exit code.

import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { kernelImage, ROOT } from './kernel.ts';

let folder = '';
let kernel = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'debug-'));
  kernel = join(folder, 'kernel');
  writeFileSync(kernel, kernelImage());
}, 60_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function command(name: string, ...args: string[]): { code: number | null; out: string; err: string } {
  const result = spawnSync(process.execPath, ['--import', 'tsx', `src/cli/${name}.ts`, ...args], { cwd: ROOT, input: '', encoding: 'latin1', timeout: 60_000 });
  return { code: result.status, out: result.stdout, err: result.stderr };
}

describe('logging', () => {
  it('goes to a file', () => {
    const file = join(folder, 'log');
    const result = command('emulate', kernel, '-append', 'triple', '-d', 'int', '-d', 'cpu_reset', '-D', file);
    expect(result.code).toBe(6);
    expect(result.err).not.toContain('v=08');
    expect(readFileSync(file, 'latin1')).toMatch(/^ {5}0: v=03 .*\n {5}1: v=0d .*\n {5}2: v=08 .*\nCPU Reset\nEAX=/);
  }, 60_000);

  it('items are listed', () => {
    expect(command('emulate', '-d', 'help')).toMatchObject({ code: 0, err: '', out: expect.stringMatching(/^int .*\nin_asm /m) as string });
  }, 60_000);
});

describe('mistakes', () => {
  it.each([
    [['-d', 'nonsense'], /-d nonsense: no such log item; -d help lists them/],
    [['-dfilter', 'all'], /-dfilter all: expected ranges/],
    [['-gdb', 'unix:x'], /-gdb unix:x: expected tcp::PORT/],
    [['-monitor', 'tcp'], /-monitor tcp: expected stdio, none or tcp:HOST:PORT/],
    [['-D', '/none/log'], /-D \/none\/log: ENOENT/],
  ] as [string[], RegExp][])('%j are one line', (args, line) => {
    const result = command('emulate', kernel, ...args);
    expect(result).toEqual({ code: 2, out: '', err: expect.stringMatching(/^damselfly: .*\n$/) as string });
    expect(result.err).toMatch(line);
  }, 60_000);

  it('a machine that starts paused with nobody to let it run ends', () => {
    expect(command('emulate', kernel, '-S')).toMatchObject({ code: 10, err: 'damselfly: the machine is paused, and standard input has ended\n' });
  }, 60_000);
});

describe('lockstep', () => {
  it('says how far the engines agree', () => {
    expect(command('lockstep', kernel, '-append', 'off', '-m', '8')).toEqual({ code: 0, err: '', out: expect.stringMatching(/^the engines agree on \d+ instructions \(off\)\n$/) as string });
    expect(command('lockstep', join(folder, 'none'))).toMatchObject({ code: 4 });
  }, 60_000);
});
