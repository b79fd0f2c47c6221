// `npm run bench [-- buildworld]`: the experiment of January 2007. `make -j N buildworld` with cold caches on the host kernel
// and in the virtual kernel, with the same user binaries on the same disk: what each kernel says of its own time (real, user,
// system, idle; the last three add up to the first), the instructions of the whole machine from power-on to power-off, and
// the seconds that this took here. Everything but those last seconds is the same in every run.

import { writeFileSync } from 'node:fs';
import { progressLine } from '../src/cli/progress.ts';
import { EVENTS, FLAT, P4 } from '../src/cpu/timing.ts';
import type { Timing } from '../src/cpu/timing.ts';
import { MemoryDisk } from '../src/devices/memory-disk.ts';
import { SYSTEM_MEMORY } from '../src/api/system.ts';
import { buildWorld } from '../src/image/world.ts';
import type { World } from '../src/image/world.ts';
import { Machine } from '../src/pc/machine.ts';
import { svgOf } from './buildworld-svg.ts';
import { sensitivity } from './sensitivity.ts';

const LIMIT = 200_000_000_000;
/** DragonFly's figures: 3748.21 real 0.00 user 3337.10 sys in the virtual kernel, 2071.23 real 2621.60 user 331.64 sys natively. */
export const MAIL = { cpu: 1.13, real: 1.81 } as const;

export interface BuildworldOptions {
  readonly json: boolean;
  /** -j 8 only. */
  readonly quick: boolean;
  /** What make makes. */
  readonly target: string;
  /** Also print on which costs the p4 ratio hangs. */
  readonly sensitivity: boolean;
  readonly svg: string | null;
}

export interface Row {
  readonly system: 'native' | 'virtual';
  readonly jobs: number;
  readonly timing: 'flat' | 'p4';
  /** Seconds of the kernel's own clock. */
  readonly real: number;
  readonly user: number;
  readonly sys: number;
  readonly idle: number;
  readonly instructions: number;
  /** Seconds of this computer. */
  readonly wall: number;
}

/** A row, and what its machine spent on each kind of event, in the order of EVENTS. */
export interface Measurement extends Row {
  readonly events: readonly number[];
}

/** Boots, builds and halts. Throws with the console's text when the guest did not succeed. */
function measure(world: World, system: Row['system'], jobs: number, timing: Timing, target: string): Measurement {
  let text = '';
  const machine = new Machine({ memory: SYSTEM_MEMORY, timing, disks: [new MemoryDisk(world.rootImage.slice())], serial: (byte) => (text += String.fromCharCode(byte)) });
  machine.loadKernel(world.hostKernel, 'host-kernel.elf', `host-kernel.elf ${system === 'native' ? 'native ' : ''}exec=time -s make -j ${jobs} ${target}`);
  const started = performance.now();
  const result = machine.run(LIMIT, true);
  const wall = (performance.now() - started) / 1000;
  const times = /([\d.]+) real +([\d.]+) user +([\d.]+) sys +([\d.]+) idle/.exec(text);
  if (result.kind !== 'off' || times === null) throw new Error(`${system} -j ${jobs}: ${result.kind}\n${text}`);
  const [real, user, sys, idle] = times.slice(1).map(Number) as [number, number, number, number];
  const events = [...machine.cpu.events.snapshot()];
  return { system, jobs, timing: timing.name as Row['timing'], real, user, sys, idle, instructions: machine.cpu.instructions, wall, events };
}

interface Ratio {
  readonly cpu: number;
  readonly real: number;
}

/** Virtual by native with eight jobs. */
function ratioOf(rows: readonly Measurement[], timing: Row['timing']): Ratio {
  const [native, virtual] = (['native', 'virtual'] as const).map((system) => rows.find((row) => row.system === system && row.timing === timing && row.jobs === 8)!);
  return { cpu: (virtual!.user + virtual!.sys) / (native!.user + native!.sys), real: virtual!.real / native!.real };
}

function line(cells: readonly string[]): string {
  const widths = [8, 6, 8, 12, 12, 12, 12, 17, 8];
  return cells.map((cell, n) => (n === 0 ? cell.padEnd(widths[n]!) : cell.padStart(widths[n]!))).join('');
}

function lineOf(row: Row): string {
  const seconds = [row.real, row.user, row.sys, row.idle].map((value) => value.toFixed(4));
  return line([row.system, `-j ${row.jobs}`, row.timing, ...seconds, row.instructions.toLocaleString('en-US'), row.wall.toFixed(1)]);
}

function ratioLine(name: string, { cpu, real }: Ratio): string {
  return `${name.padEnd(28)} processor time ${cpu.toFixed(3)}   real time ${real.toFixed(3)}`;
}

/** Runs and prints. */
export function benchBuildworld(options: BuildworldOptions): void {
  const world = buildWorld({ progress: progressLine() });
  const say = options.json ? () => {} : (text: string) => console.log(text);
  say(`make ${options.target}, cold caches`);
  say(line(['', '', '', 'real s', 'user s', 'sys s', 'idle s', 'instructions', 'wall s']));
  const rows: Measurement[] = [];
  for (const timing of [FLAT, P4]) {
    for (const jobs of options.quick ? [8] : [1, 8]) {
      for (const system of ['native', 'virtual'] as const) {
        const row = measure(world, system, jobs, timing, options.target);
        rows.push(row);
        say(lineOf(row));
      }
    }
  }
  const ratio = { flat: ratioOf(rows, 'flat'), p4: ratioOf(rows, 'p4') };
  say(`\nvirtual / native, -j 8\n${ratioLine('flat', ratio.flat)}\n${ratioLine('p4', ratio.p4)}`);
  say(`${ratioLine('DragonFly, January 2007', MAIL)}\n  (3748.21 real 0.00 user 3337.10 sys against 2071.23 real 2621.60 user 331.64 sys)`);
  if (options.sensitivity) say(`\n${sensitivity(rows.filter(({ timing, jobs }) => timing === 'p4' && jobs === 8), P4)}`);
  if (options.svg !== null) writeFileSync(options.svg, svgOf(rows, P4));
  if (options.json) console.log(JSON.stringify({ rows: rows.map(({ events: _, ...row }) => row), ratio, mail: MAIL }));
}

/** Cycles of a run by where they went, the largest first: instructions and each kind of event. */
export function spending(row: Measurement, timing: Timing): [name: string, cycles: number][] {
  const all: [string, number][] = [['instructions', row.instructions], ...EVENTS.map((event, n): [string, number] => [event, row.events[n]! * timing.costs[event]])];
  return all.filter(([, cycles]) => cycles > 0).sort((a, b) => b[1] - a[1]);
}
