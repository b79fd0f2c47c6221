// Boots a kernel with a disk to the end, on our PC and on QEMU, for tests that compare what both print.

import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MemoryDisk } from '../../src/devices/memory-disk.ts';
import { Machine } from '../../src/pc/machine.ts';

export interface Boot {
  /** Everything on the serial line, carriage returns removed. */
  readonly text: string;
  /** Powered off, rather than panicked, hung or out of budget. */
  readonly off: boolean;
  /** Instructions executed; 0 on QEMU. */
  readonly instructions: number;
}

export const hasQemu = spawnSync('qemu-system-i386', ['--version']).error === undefined;

/** On our PC, with at most `budget` instructions and `memory` bytes. The disk's bytes change in place. */
export function bootPc(kernel: Uint8Array, disk: Uint8Array, commandLine = '', budget = 2_000_000_000, memory = 128 << 20): Boot {
  const bytes: number[] = [];
  const machine = new Machine({ memory, disks: [new MemoryDisk(disk)], serial: (byte) => bytes.push(byte) });
  machine.loadKernel(kernel, 'kernel', `kernel ${commandLine}`);
  const result = machine.run(budget, true);
  return { text: clean(Buffer.from(bytes)), off: result.kind === 'off', instructions: machine.cpu.instructions };
}

/** On QEMU, for at most `seconds`; `more` are further words of its command line. */
export function bootQemu(kernel: Uint8Array, disk: Uint8Array, commandLine = '', seconds = 60, more: readonly string[] = []): Boot {
  const folder = mkdtempSync(join(tmpdir(), 'boot-'));
  writeFileSync(join(folder, 'kernel'), kernel);
  writeFileSync(join(folder, 'disk'), disk);
  const result = spawnSync('qemu-system-i386', ['-kernel', join(folder, 'kernel'), '-append', commandLine, '-drive',
    `file=${join(folder, 'disk')},format=raw,if=ide`, '-display', 'none', '-serial', 'stdio', '-monitor', 'none', '-no-reboot', '-nic', 'none', ...more],
  { input: '', timeout: seconds * 1000, maxBuffer: 1 << 26 });
  rmSync(folder, { recursive: true });
  return { text: clean(result.stdout), off: result.status === 0, instructions: 0 };
}

function clean(bytes: Buffer): string {
  return bytes.toString('latin1').replaceAll('\r', '');
}
