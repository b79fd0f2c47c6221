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
import { measurePeer } from './buildworld-peer.ts';
import { stepNames } from './buildworld-steps.ts';
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
  /** Also with improvements switched on one after another (p4, -j 8). */
  readonly steps: boolean;
  /** The command of another emulator that runs the same images, or null. */
  readonly against: string | null;
}

/** Seconds of a kernel's own clock: user + sys + idle = real. */
export interface Times {
  readonly real: number;
  readonly user: number;
  readonly sys: number;
  readonly idle: number;
}

export type System = 'native' | 'virtual';

export interface Row extends Times {
  readonly system: System;
  readonly jobs: number;
  readonly timing: 'flat' | 'p4';
  readonly instructions: number;
  /** Seconds of this computer. */
  readonly wall: number;
}

/** A row, and what its machine spent on each kind of event, in the order of EVENTS. */
export interface Measurement extends Row {
  readonly events: readonly number[];
}

/** What the host kernel is told so that it runs the build and halts. */
export function commandLine(system: System, jobs: number, target: string, words = ''): string {
  return `${words}${system === 'native' ? 'native ' : ''}exec=time -s make -j ${jobs} ${target}`;
}

/** The line of `time -s` on a console. Throws with the console's text when it is not there. */
export function timesIn(text: string, what: string): Times {
  const times = /([\d.]+) real +([\d.]+) user +([\d.]+) sys +([\d.]+) idle/.exec(text);
  if (times === null) throw new Error(`${what}\n${text}`);
  const [real, user, sys, idle] = times.slice(1).map(Number) as [number, number, number, number];
  return { real, user, sys, idle };
}

/** Boots, builds and halts. Throws with the console's text when the guest did not succeed. */
function measure(world: World, system: System, jobs: number, timing: Timing, target: string, words = ''): Measurement {
  let text = '';
  const machine = new Machine({ memory: SYSTEM_MEMORY, timing, disks: [new MemoryDisk(world.rootImage.slice())], serial: (byte) => (text += String.fromCharCode(byte)) });
  machine.loadKernel(world.hostKernel, 'host-kernel.elf', `host-kernel.elf ${commandLine(system, jobs, target, words)}`);
  const started = performance.now();
  const result = machine.run(LIMIT, true);
  const wall = (performance.now() - started) / 1000;
  const what = `${system} -j ${jobs}: ${result.kind}`;
  if (result.kind !== 'off') throw new Error(`${what}\n${text}`);
  const events = [...machine.cpu.events.snapshot()];
  return { system, jobs, timing: timing.name as Row['timing'], ...timesIn(text, what), instructions: machine.cpu.instructions, wall, events };
}

interface Ratio {
  readonly cpu: number;
  readonly real: number;
}

const SYSTEMS = ['native', 'virtual'] as const;

/** Virtual by native. */
function ratioOf(native: Times, virtual: Times): Ratio {
  return { cpu: (virtual.user + virtual.sys) / (native.user + native.sys), real: virtual.real / native.real };
}

/** The same of the rows with eight jobs. */
function ratioIn(rows: readonly Row[], timing: Row['timing']): Ratio {
  const [native, virtual] = SYSTEMS.map((system) => rows.find((row) => row.system === system && row.timing === timing && row.jobs === 8)!);
  return ratioOf(native!, virtual!);
}

function line(cells: readonly string[]): string {
  const widths = [8, 6, 8, 12, 12, 12, 12, 17, 8];
  return cells.map((cell, n) => (n === 0 ? cell.padEnd(widths[n]!) : cell.padStart(widths[n]!))).join('');
}

function lineOf(row: Times & { readonly system: System; readonly jobs: number; readonly wall: number }, timing: string, instructions: string): string {
  const seconds = [row.real, row.user, row.sys, row.idle].map((value) => value.toFixed(4));
  return line([row.system, `-j ${row.jobs}`, timing, ...seconds, instructions, row.wall.toFixed(1)]);
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
      for (const system of SYSTEMS) {
        const row = measure(world, system, jobs, timing, options.target);
        rows.push(row);
        say(lineOf(row, row.timing, row.instructions.toLocaleString('en-US')));
      }
    }
  }
  const ratio = { flat: ratioIn(rows, 'flat'), p4: ratioIn(rows, 'p4') };
  say(`\nvirtual / native, -j 8\n${ratioLine('flat', ratio.flat)}\n${ratioLine('p4', ratio.p4)}`);
  say(`${ratioLine('DragonFly, January 2007', MAIL)}\n  (3748.21 real 0.00 user 3337.10 sys against 2071.23 real 2621.60 user 331.64 sys)`);
  const peer = options.against === null ? null : besidePeer(world, options.against, options.target, say);
  const steps = options.steps ? stepByStep(world, options.target, say) : null;
  if (options.sensitivity) say(`\n${sensitivity(rows.filter(({ timing, jobs }) => timing === 'p4' && jobs === 8), P4)}`);
  if (options.svg !== null) writeFileSync(options.svg, svgOf(rows, P4));
  const more = { ...(peer && { peer }), ...(steps && { steps }) };
  if (options.json) console.log(JSON.stringify({ rows: rows.map(({ events: _, ...row }) => row), ratio, mail: MAIL, ...more }));
}

/** The same images on another emulator, whose clock is this computer's. */
function besidePeer(world: World, command: string, target: string, say: (text: string) => void) {
  say(`\n${command}, the same images; its clock is this computer's`);
  const rows = SYSTEMS.map((system) => {
    const row = measurePeer(command, world, system, target);
    say(lineOf(row, '', ''));
    return row;
  });
  const ratio = ratioOf(rows[0]!, rows[1]!);
  say(ratioLine(command, ratio));
  return { command, rows, ratio };
}

/** p4 and eight jobs, from everything switched off to everything on: one more improvement in each line, on both systems. */
function stepByStep(world: World, target: string, say: (text: string) => void) {
  const names = stepNames();
  say(`\np4, -j 8, improvements switched on one after another\n${stepLine('', ['native', 'virtual', 'ratio', 'native', 'virtual', 'ratio'])}\n${stepLine('', ['user+sys', 'user+sys', '', 'real', 'real', ''])}`);
  return ['', ...names].map((on, n) => {
    const off = names.slice(n);
    const [native, virtual] = SYSTEMS.map((system) => timesOf(measure(world, system, 8, P4, target, off.length ? `off=${off.join(',')} ` : '')));
    const ratio = ratioOf(native!, virtual!);
    const seconds = (value: number) => value.toFixed(4);
    const cells = [native!.user + native!.sys, virtual!.user + virtual!.sys].map(seconds);
    say(stepLine(on || 'all off', [...cells, ratio.cpu.toFixed(3), seconds(native!.real), seconds(virtual!.real), ratio.real.toFixed(3)]));
    return { on, native, virtual, ratio };
  });
}

function timesOf({ real, user, sys, idle }: Times): Times {
  return { real, user, sys, idle };
}

function stepLine(name: string, cells: readonly string[]): string {
  return name.padEnd(14) + cells.map((cell) => cell.padStart(11)).join('');
}

/** Cycles of a run by where they went, the largest first: instructions and each kind of event. */
export function spending(row: Measurement, timing: Timing): [name: string, cycles: number][] {
  const all: [string, number][] = [['instructions', row.instructions], ...EVENTS.map((event, n): [string, number] => [event, row.events[n]! * timing.costs[event]])];
  return all.filter(([, cycles]) => cycles > 0).sort((a, b) => b[1] - a[1]);
}
