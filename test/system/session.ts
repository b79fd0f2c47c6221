// Damselfly's own system with somebody at its console, on our PC and on QEMU. On ours every run of the same command line
// and the same keys is the same run: keys are typed at fixed instruction counts after the text they wait for.

import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MemoryDisk } from '../../src/devices/memory-disk.ts';
import { SYSTEM_MEMORY } from '../../src/api/system.ts';
import { buildWorld } from '../../src/image/world.ts';
import type { World } from '../../src/image/world.ts';
import { Machine } from '../../src/pc/machine.ts';
import type { RunResult } from '../../src/pc/machine.ts';

export const hasQemu = spawnSync('qemu-system-i386', ['--version']).error === undefined;
export const hasFsTools = spawnSync('e2fsck', ['-V']).error === undefined && spawnSync('debugfs', ['-V']).error === undefined;

const STEP = 100_000;
const PATIENCE = 400_000_000;

/** How a run ended. */
export interface Ending {
  /** The console's text, carriage returns removed. */
  readonly text: string;
  /** 0 after power-off, else what the kernel wrote to the debug-exit port; -1 when it did not end by itself. */
  readonly code: number;
}

export interface OwnEnding extends Ending {
  readonly instructions: number;
  /** Virtual time, in cycles. */
  readonly cycles: number;
  readonly disk: Uint8Array;
}

/** What to wait for on the console, and then to type. */
export type Step = readonly [text: string, keys: string];

let built: World | undefined;

/** The world of this repository, built once. */
export function world(): World {
  built ??= buildWorld();
  return built;
}

function codeOf(result: RunResult): number {
  return result.kind === 'off' ? 0 : result.kind === 'debug-exit' ? result.value : -1;
}

function withoutReturns(text: string): string {
  return text.replaceAll('\r', '');
}

export class Session {
  readonly disk: Uint8Array;
  private readonly machine: Machine;
  private text = '';
  private seen = 0;

  /** @param root the disk; by default a fresh copy of the world's root image @param kernel by default the world's */
  constructor(commandLine: string, root?: Uint8Array, kernel = world().hostKernel) {
    this.disk = root ?? world().rootImage.slice();
    this.machine = new Machine({ memory: SYSTEM_MEMORY, disks: [new MemoryDisk(this.disk)], serial: (byte) => (this.text += String.fromCharCode(byte)) });
    this.machine.loadKernel(kernel, 'host-kernel.elf', commandLine);
  }

  type(keys: string): void {
    this.machine.receive(Buffer.from(keys, 'latin1'));
  }

  /** Runs until `text` has been printed after what was waited for before; what was printed before it. */
  waitFor(text: string, patience = PATIENCE): string {
    const end = this.machine.cpu.instructions + patience;
    let at = -1;
    while ((at = this.text.indexOf(text, this.seen)) < 0) {
      const result = this.machine.run(this.machine.cpu.instructions + STEP, true);
      const failed = result.kind === 'limit' ? this.machine.cpu.instructions >= end : this.text.indexOf(text, this.seen) < 0;
      if (failed) throw new Error(`waited for ${JSON.stringify(text)} until ${result.kind}; the console says:\n${this.text.slice(this.seen)}`);
    }
    const before = this.text.slice(this.seen, at);
    this.seen = at + text.length;
    return withoutReturns(before);
  }

  /** Types a command at the shell's prompt and waits for the next prompt: what it printed, and its exit status. */
  command(line: string, prompt: string): { output: string; status: number } {
    this.type(`${line}\r`);
    this.waitFor(`${line}\r\n`);
    const output = this.waitFor(prompt);
    this.type('echo $?\r');
    this.waitFor('echo $?\r\n');
    return { output, status: Number(this.waitFor(prompt)) };
  }

  /** Runs until the machine ends by itself. */
  end(budget = PATIENCE): OwnEnding {
    const result = this.machine.run(this.machine.cpu.instructions + budget, true);
    return { text: withoutReturns(this.text), code: codeOf(result), instructions: this.machine.cpu.instructions, cycles: this.machine.clock.now, disk: this.disk };
  }
}

/** One conversation from power-on to the end, on our PC. */
export function converse(commandLine: string, steps: readonly Step[] = [], root?: Uint8Array, budget?: number): OwnEnding {
  const session = new Session(commandLine, root);
  for (const [text, keys] of steps) {
    session.waitFor(text);
    session.type(keys);
  }
  return session.end(budget);
}

/** The same on QEMU, for at most `seconds`; then the code is -1. The disk of the ending is not kept. */
export async function converseOnQemu(commandLine: string, steps: readonly Step[] = [], seconds = 120, options: readonly string[] = []): Promise<Ending> {
  const folder = mkdtempSync(join(tmpdir(), 'system-'));
  writeFileSync(join(folder, 'kernel'), world().hostKernel);
  writeFileSync(join(folder, 'disk'), world().rootImage);
  const qemu = spawn('qemu-system-i386', ['-m', `${SYSTEM_MEMORY >> 20}`, '-kernel', join(folder, 'kernel'), '-append', commandLine, '-drive', `file=${join(folder, 'disk')},format=raw,if=ide`,
    '-display', 'none', '-serial', 'stdio', '-monitor', 'none', '-no-reboot', '-nic', 'none', '-rtc', 'base=2007-01-01T00:00:00', '-device', 'isa-debug-exit,iobase=0xf4,iosize=4', ...options]);
  const timer = setTimeout(() => qemu.kill('SIGKILL'), seconds * 1000);
  let text = '';
  let seen = 0;
  let next = 0;
  const answer = (): void => {
    for (; next < steps.length; next++) {
      const at = text.indexOf(steps[next]![0], seen);
      if (at < 0) return;
      seen = at + steps[next]![0].length;
      qemu.stdin.write(Buffer.from(steps[next]![1], 'latin1'));
    }
  };
  qemu.stdout.on('data', (chunk: Buffer) => {
    text += chunk.toString('latin1');
    answer();
  });
  const status = await new Promise<number | null>((resolve) => qemu.on('close', resolve));
  clearTimeout(timer);
  rmSync(folder, { recursive: true });
  return { text: withoutReturns(text), code: status === null ? -1 : status >> 1 };
}
