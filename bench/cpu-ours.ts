// Our machine as a runner of bench/guest/cpu.ts.

import { Machine } from '../src/pc/machine.ts';
import type { Run } from './cpu.ts';

const STEP = 50_000_000;
/** Instructions after which something must have gone wrong. */
const LIMIT = 5_000_000_000;

export class Ours {
  private text = '';
  private readonly machine: Machine;

  constructor(kernel: Uint8Array) {
    this.machine = new Machine({ memory: 32 << 20, serial: (byte) => (this.text += String.fromCharCode(byte)) });
    this.machine.loadKernel(kernel, 'cpu.elf');
    this.until('ready\n');
  }

  get instructions(): number {
    return this.machine.cpu.instructions;
  }

  private until(end: string): void {
    const start = this.instructions;
    for (;;) {
      const result = this.machine.run(this.instructions + STEP, false);
      if (result.kind === 'idle' && this.text.endsWith(end)) return;
      if (result.kind !== 'limit' || this.instructions > start + LIMIT) throw new Error(`the guest ended with ${result.kind} after ${JSON.stringify(this.text)}`);
    }
  }

  run(letter: string): Run {
    this.text = '';
    const before = process.cpuUsage();
    this.machine.receive([letter.charCodeAt(0)]);
    this.until('\n');
    const { user, system } = process.cpuUsage(before);
    return { seconds: (user + system) / 1e6, sum: Number(/^<>(\d+)\n$/.exec(this.text)![1]) };
  }
}
