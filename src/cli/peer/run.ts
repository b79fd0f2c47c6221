// Runs the judging kernel: on our machine, and on another emulator with QEMU's command line.

import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { EngineKind } from '../../cpu/engine.ts';
import { Machine } from '../../pc/machine.ts';

const LIMIT = 20_000_000_000;

/** What the kernel wrote to the debug console of our machine. */
export function runHere(kernel: Uint8Array, engine: EngineKind): Buffer {
  const bytes: number[] = [];
  const machine = new Machine({ memory: 16 << 20, engine, debugConsole: (byte) => bytes.push(byte) });
  machine.loadKernel(kernel, 'fuzz.elf', '');
  const result = machine.run(LIMIT, true);
  if (result.kind !== 'debug-exit') throw new Error(`the kernel ended with ${result.kind} after ${bytes.length} bytes`);
  return Buffer.from(bytes);
}

/** Is the command there? */
export function isInstalled(command: string): boolean {
  return spawnSync(command, ['--version']).status === 0;
}

/** What the other emulator wrote, and whether it came to the end. */
export interface PeerRun { output: Buffer; failure: string | null }

/** The same on another emulator; instructions drive its clock, so that its timer is as repeatable as ours. */
export function runThere(kernel: Uint8Array, command: string): PeerRun {
  const folder = mkdtempSync(join(tmpdir(), 'fuzz-'));
  try {
    const [image, output] = [join(folder, 'fuzz.elf'), join(folder, 'out')];
    writeFileSync(image, kernel);
    const run = spawnSync(command, ['-accel', 'tcg', '-icount', 'shift=2,sleep=off', '-cpu', 'pentium3', '-m', '16', '-kernel', image, '-display', 'none', '-monitor', 'none',
      '-serial', 'none', '-net', 'none', '-no-reboot', '-debugcon', `file:${output}`, '-device', 'isa-debug-exit,iobase=0xf4,iosize=0x04'], { encoding: 'latin1', timeout: 600_000 });
    if (run.error) throw new Error(`${command}: ${run.error.message}`);
    return { output: readFileSync(output), failure: run.status === 1 ? null : `status ${run.status ?? run.signal}: ${run.stderr.split('\n')[0]}` };
  } finally {
    rmSync(folder, { recursive: true });
  }
}
