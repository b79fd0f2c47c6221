// `npm run bench`: `make -j 8 buildworld` on the host kernel and in the virtual kernel, with the same user binaries on the
// same disk. Prints what the kernel in question says of its own time (virtual seconds; user + sys + idle = real), the instructions that the whole machine executed from
// power-on to power-off, and the seconds that this took here. Everything but those last seconds is the same in every run.

import { MemoryDisk } from '../src/devices/memory-disk.ts';
import { progressLine } from '../src/cli/progress.ts';
import { buildWorld } from '../src/image/world.ts';
import type { World } from '../src/image/world.ts';
import { Machine } from '../src/pc/machine.ts';

const COMMAND = 'time -s make -j 8 buildworld';
const LIMIT = 100_000_000_000;

interface Measurement {
  readonly name: string;
  readonly real: number;
  readonly user: number;
  readonly sys: number;
  readonly idle: number;
  readonly instructions: number;
  readonly wall: number;
}

/** Boots, builds and halts. Throws with the console's text when the guest did not succeed. */
function measure(name: string, world: World, commandLine: string): Measurement {
  let text = '';
  const machine = new Machine({ disks: [new MemoryDisk(world.rootImage.slice())], serial: (byte) => (text += String.fromCharCode(byte)) });
  machine.loadKernel(world.hostKernel, 'host-kernel.elf', commandLine);
  const started = performance.now();
  const result = machine.run(LIMIT, true);
  const wall = (performance.now() - started) / 1000;
  const times = /([\d.]+) real +([\d.]+) user +([\d.]+) sys +([\d.]+) idle/.exec(text);
  if (result.kind !== 'off' || times === null) throw new Error(`${name}: ${result.kind}\n${text}`);
  return { name, real: Number(times[1]), user: Number(times[2]), sys: Number(times[3]), idle: Number(times[4]), instructions: machine.cpu.instructions, wall };
}

function row(name: string, ...cells: readonly string[]): string {
  return name.padEnd(18) + cells.map((cell) => cell.padStart(15)).join('');
}

function line(m: Measurement): string {
  const seconds = [m.real, m.user, m.sys, m.idle].map((value) => value.toFixed(2));
  return row(m.name, ...seconds, m.instructions.toLocaleString('en-US'), m.wall.toFixed(1), (m.instructions / m.wall / 1e6).toFixed(0));
}

function ratio(name: string, native: number, virtual: number): string {
  return `${name}: ${(virtual / native).toFixed(3)}`;
}

/** Runs and prints both. */
export function benchBuildworld(): void {
  const world = buildWorld({ progress: progressLine() });
  console.log(row(COMMAND.slice(8), '').trimEnd());
  console.log(row('', 'real s', 'user s', 'sys s', 'idle s', 'instructions', 'wall s', 'million/s'));
  const native = measure('host kernel', world, `native exec=${COMMAND}`);
  console.log(line(native));
  const virtual = measure('virtual kernel', world, `exec=${COMMAND}`);
  console.log(line(virtual));
  const ratios = [
    ratio('real', native.real, virtual.real),
    ratio('user + sys', native.user + native.sys, virtual.user + virtual.sys),
    ratio('instructions', native.instructions, virtual.instructions),
  ];
  console.log(`virtual / native  ${ratios.join('   ')}`);
}
