// Runs cases by the judging kernel: on our machine, and on another emulator with QEMU's command line. A case that shuts the processor
// down or never ends takes the machine with it; the next one begins with a fresh machine.

import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { EngineKind } from '../../cpu/engine.ts';
import { Machine } from '../../pc/machine.ts';
import { RESULT_BYTES } from './layout.ts';

/** What became of a case: its result, a triple fault, no end, or how the emulator itself ended. */
export type Outcome = Buffer | 'triple fault' | 'no end' | string;
/** Builds the kernel for the cases from a number on. */
export type KernelFrom = (first: number) => Uint8Array;
interface Part { output: Buffer; end: 'done' | 'triple fault' | 'no end' | string }

/** Instructions without a new result after which a case has no end; the timer ends those that let it. */
const PATIENCE = 20_000_000;
const SECONDS = 20;

/** Outcomes of `count` cases, from as many runs as it takes. */
function outcomes(count: number, kernel: KernelFrom, run: (kernel: Uint8Array) => Part): Outcome[] {
  const list: Outcome[] = [];
  while (list.length < count) {
    const { output, end } = run(kernel(list.length));
    const results = Math.floor(output.length / RESULT_BYTES);
    for (let n = 0; n < results; n++) list.push(output.subarray(n * RESULT_BYTES, (n + 1) * RESULT_BYTES));
    if (end === 'done' && list.length < count) throw new Error(`the kernel ended ${count - list.length} cases early`);
    if (end !== 'done' && (end !== 'no end' || results === 0)) list.push(end);
  }
  return list;
}

/** The outcomes on our machine. */
export function runHere(count: number, kernel: KernelFrom, engine: EngineKind): Outcome[] {
  return outcomes(count, kernel, (image) => {
    const bytes: number[] = [];
    const machine = new Machine({ memory: 16 << 20, engine, debugConsole: (byte) => bytes.push(byte) });
    machine.loadKernel(image, 'fuzz.elf', '');
    for (let before = -1; bytes.length > before;) {
      before = bytes.length;
      const { kind } = machine.run(PATIENCE, true);
      if (kind === 'debug-exit') return { output: Buffer.from(bytes), end: 'done' };
      if (kind === 'triple-fault') return { output: Buffer.from(bytes), end: 'triple fault' };
    }
    return { output: Buffer.from(bytes), end: 'no end' };
  });
}

/** Is the command there? */
export function isInstalled(command: string): boolean {
  return spawnSync(command, ['--version']).status === 0;
}

/** The same on another emulator; instructions drive its clock, so that its timer is as repeatable as ours. */
export function runThere(count: number, kernel: KernelFrom, command: string): Outcome[] {
  const folder = mkdtempSync(join(tmpdir(), 'fuzz-'));
  const [image, output] = [join(folder, 'fuzz.elf'), join(folder, 'out')];
  const line = ['-accel', 'tcg', '-icount', 'shift=2,sleep=off', '-cpu', 'pentium3', '-m', '16', '-kernel', image, '-display', 'none', '-monitor', 'none',
    '-serial', 'none', '-net', 'none', '-no-reboot', '-debugcon', `file:${output}`, '-device', 'isa-debug-exit,iobase=0xf4,iosize=0x04'];
  try {
    return outcomes(count, kernel, (bytes) => {
      writeFileSync(image, bytes);
      const run = spawnSync(command, line, { encoding: 'latin1', timeout: SECONDS * 1000, killSignal: 'SIGKILL' });
      const timeout = run.signal === 'SIGKILL';
      if (run.error && !timeout) throw new Error(`${command}: ${run.error.message}`);
      const end = run.status === 1 ? 'done' : run.status === 0 ? 'triple fault' : timeout ? 'no end' : `status ${run.status ?? run.signal}: ${run.stderr.split('\n')[0]}`;
      return { output: readFileSync(output), end };
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
}
