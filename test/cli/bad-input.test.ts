// Damaged files on the command line: whatever is given as kernel, RAM disk or disk, the answer is one line that names the
// file, or a machine that runs and ends in one of its regular ways, and no file is changed. Seeds are part of the message.

import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseCommandLine } from '../../src/cli/args.ts';
import { bootFile, BOOT_OPTIONS } from '../../src/cli/boot.ts';
import { LoadError } from '../../src/pc/load-error.ts';
import { Machine } from '../../src/pc/machine.ts';
import { assembled, OFF } from '../pc/guest.ts';
import { linuxKernel, multibootKernel } from '../pc/images.ts';

const SEED = Number(process.env.DAMSELFLY_SEED ?? 20070117);
const COUNT = 100;
/** Reads the first words of sector 0 of the first disk, then powers off. */
const READER = `mov dx, 0x1f2\nmov al, 1\nout dx, al\nmov dx, 0x1f6\nmov al, 0xe0\nout dx, al\ninc dx\nmov al, 0x20\nout dx, al\n${OFF}`;
let folder = '';

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'damaged-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function generator(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

/** Some bytes changed, or the end cut off, or both. */
function damaged(bytes: Uint8Array, random: (below: number) => number): Uint8Array {
  const copy = bytes.slice();
  for (let n = random(5); n > 0 && copy.length; n--) copy[random(Math.min(copy.length, 0x300))] = random(256);
  return random(2) ? copy : copy.subarray(0, random(copy.length + 1));
}

/** The line of a refusal, or how the machine ended. */
function attempt(kernel: Uint8Array, initrd: Uint8Array, disk: Uint8Array, seed: number): string {
  const [kernelFile, initrdFile, diskFile] = ['kernel', 'initrd', 'disk'].map((name) => join(folder, name)) as [string, string, string];
  writeFileSync(kernelFile, kernel);
  writeFileSync(initrdFile, initrd);
  writeFileSync(diskFile, disk);
  try {
    const args = parseCommandLine(['-initrd', initrdFile, '-hda', diskFile, '-snapshot', '-append', 'x'], BOOT_OPTIONS);
    const boot = bootFile(args, kernelFile);
    const machine = new Machine({ memory: 4 << 20, disks: boot.disks });
    machine.loadKernel(boot.kernel, boot.name, boot.commandLine, boot.modules);
    return machine.run(30_000, true).kind;
  } catch (error) {
    if (!(error instanceof LoadError)) throw new Error(`seed ${seed}: ${String((error as Error).stack)}`);
    expect(error.message, `seed ${seed}`).toMatch(new RegExp(`^${folder}/\\w+: [^\\n]*expected [^\\n]*$|^${folder}/\\w+: [^\\n]* \\(-m gives more\\)$|^${folder}/\\w+: [^\\n]*(needs|offset|take|has|end|segment)[^\\n]*$`));
    return 'refused';
  } finally {
    expect(Buffer.compare(readFileSync(diskFile), disk), `seed ${seed}`).toBe(0);
  }
}

describe(`damaged files (seed ${SEED})`, () => {
  it('are refused in one line, or run', () => {
    const code = [...assembled(READER, 0x10000c)];
    const kernels = [multibootKernel(code), linuxKernel([...assembled(READER, 0x100000)]), gzipSync(multibootKernel(code))];
    const outcomes = new Map<string, number>();
    for (let i = 0; i < COUNT; i++) {
      const random = generator(SEED + i);
      const outcome = attempt(damaged(kernels[i % 3]!, random), damaged(new Uint8Array(5000), random), damaged(new Uint8Array(4096).fill(7), random), SEED + i);
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
    }
    expect(outcomes.get('refused')).toBeGreaterThan(COUNT / 5);
    expect(outcomes.get('off')).toBeGreaterThan(5);
    for (const outcome of outcomes.keys()) expect(['refused', 'off', 'limit', 'triple-fault', 'dead-halt', 'idle', 'reset', 'debug-exit']).toContain(outcome);
  }, 300_000);

  it('include a gzip file that ends early', () => {
    const path = join(folder, 'short.gz');
    writeFileSync(path, gzipSync(multibootKernel()).subarray(0, 60));
    expect(() => bootFile(parseCommandLine([], BOOT_OPTIONS), path)).toThrow(/short\.gz: a gzip file of 60 bytes that cannot be unpacked \(unexpected end of file\); expected a whole one/);
  });
});

it('vectors of a form that there is not are no success', () => {
  const ran = spawnSync(process.execPath, ['--import', 'tsx', 'src/cli/vectors.ts', 'test/vectors/sample', '--form', 'nosuchform'], { cwd: resolve(import.meta.dirname, '../..'), encoding: 'utf8' });
  expect([ran.status, ran.stderr]).toEqual([2, 'vectors: --form nosuchform: no vector has such a form\n']);
}, 60_000);

it('images for a folder that cannot be made are refused', () => {
  const ran = spawnSync(process.execPath, ['--import', 'tsx', 'src/cli/image.ts', '/proc/nowhere/deep'], { cwd: resolve(import.meta.dirname, '../..'), encoding: 'utf8', timeout: 120_000 });
  expect([ran.status, ran.stderr]).toEqual([1, expect.stringMatching(/^image: [^\n]*nowhere[^\n]*\n$/)]);
}, 150_000);
