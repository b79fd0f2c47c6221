// `npm run bench -- cpu [--json] [--against qemu-system-i386]`: how fast the processor is. bench/guest/cpu.ts, one Multiboot
// kernel, runs on our machine and on the other; each piece of work runs on both in turn, several times, and the medians
// count. Time is processor time of the emulator's process between two moments at which the guest sleeps, so what else
// happens on this computer matters less. Instruction counts are ours; checksums must be equal.

import { resolve } from 'node:path';
import { compileProgram } from '../src/image/compile.ts';
import { SourceTree } from '../src/image/inputs.ts';
import { Peer } from './cpu-peer.ts';
import { Ours } from './cpu-ours.ts';

/** A piece of work: `per` operations in one run, or 0 when it is instructions per second that count. */
interface Work {
  readonly letter: string;
  readonly name: string;
  readonly group: 'integer' | 'x87' | 'system';
  readonly per: number;
}

const WORK: readonly Work[] = [
  { letter: 'a', name: 'crc', group: 'integer', per: 0 },
  { letter: 'b', name: 'sieve', group: 'integer', per: 0 },
  { letter: 'c', name: 'fib', group: 'integer', per: 0 },
  { letter: 'd', name: 'dhrystone', group: 'integer', per: 0 },
  { letter: 'e', name: 'queens', group: 'integer', per: 0 },
  { letter: 'f', name: 'x87 mandelbrot', group: 'x87', per: 0 },
  { letter: 'g', name: 'x87 nbody', group: 'x87', per: 0 },
  { letter: 'h', name: 'int 0x80 round trip', group: 'system', per: 200_000 },
  { letter: 'i', name: 'page fault', group: 'system', per: 100_000 },
  { letter: 'j', name: 'CR3 reload, 32 pages', group: 'system', per: 20_000 },
  { letter: 'k', name: 'fresh code page', group: 'system', per: 200 },
  { letter: 'n', name: 'patched instruction', group: 'system', per: 20_000 },
  { letter: 'l', name: '64 KiB rep movsd', group: 'system', per: 1000 },
  { letter: 'm', name: '64 KiB rep stosd', group: 'system', per: 1000 },
];

export interface CpuBenchOptions {
  readonly json: boolean;
  /** QEMU's command, or null for none. */
  readonly against: string | null;
  /** Rows whose names contain this. */
  readonly only: string;
  readonly repetitions: number;
}

/** One run of one piece of work. */
export interface Run {
  readonly seconds: number;
  readonly sum: number;
}

interface Row {
  readonly name: string;
  readonly group: string;
  readonly unit: string;
  readonly damselfly: number;
  readonly peer: number | null;
  /** How many times as fast as the peer. */
  readonly ratio: number | null;
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

const geometricMean = (values: readonly number[]): number => Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length);

async function measure(work: Work, ours: Ours, peer: Peer | null, repetitions: number): Promise<Row> {
  const times: number[] = [], peerTimes: number[] = [];
  let instructions = 0;
  for (let n = -1; n < repetitions; n++) {           // the first run of each is not counted: it warms up
    const before = ours.instructions;
    const mine = ours.run(work.letter);
    instructions = ours.instructions - before;
    const theirs = peer ? await peer.run(work.letter) : null;
    if (theirs && theirs.sum !== mine.sum) throw new Error(`${work.name}: checksum ${mine.sum} here, ${theirs.sum} there`);
    if (n < 0) continue;
    times.push(mine.seconds);
    if (theirs) peerTimes.push(theirs.seconds);
  }
  return row(work, instructions, median(times), peer ? median(peerTimes) : null);
}

function row({ name, group, per }: Work, instructions: number, seconds: number, peerSeconds: number | null): Row {
  const figure = (time: number) => (per ? (time / per) * 1e9 : instructions / time / 1e6);
  return {
    name, group, unit: per ? 'ns' : 'MIPS',
    damselfly: figure(seconds),
    peer: peerSeconds === null ? null : figure(peerSeconds),
    ratio: peerSeconds === null ? null : peerSeconds / seconds,
  };
}

function line({ name, unit, damselfly, peer, ratio }: Row): string {
  const number = (value: number | null, digits: number) => (value === null ? '' : value.toFixed(digits)).padStart(14);
  return `${name.padEnd(24)}${unit.padStart(5)}${number(damselfly, 0)}${number(peer, 0)}${number(ratio, 2)}`;
}

function summary(rows: readonly Row[]): Record<string, number> {
  const means: Record<string, number> = {};
  for (const group of new Set(rows.map((r) => r.group))) {
    const ratios = rows.flatMap((r) => (r.group === group && r.ratio !== null ? [r.ratio] : []));
    if (ratios.length) means[group] = geometricMean(ratios);
  }
  return means;
}

/** Runs and prints. */
export async function benchCpu({ json, against, only, repetitions }: CpuBenchOptions): Promise<void> {
  const kernel = compileProgram(new SourceTree(resolve(import.meta.dirname, '..')), ['bench/guest/cpu.ts', '--multiboot', '--base', '0x100000']).bytes;
  const ours = new Ours(kernel);
  const peer = against === null ? null : await Peer.start(against, kernel);
  const rows: Row[] = [];
  if (!json) console.log(`${''.padEnd(29)}${'damselfly'.padStart(14)}${(against ?? '').padStart(14).slice(0, 20)}${peer ? 'times as fast'.padStart(14) : ''}`);
  try {
    for (const work of WORK.filter(({ name }) => name.includes(only))) {
      rows.push(await measure(work, ours, peer, repetitions));
      if (!json) console.log(line(rows.at(-1)!));
    }
  } finally {
    peer?.stop();
  }
  const means = summary(rows);
  if (json) console.log(JSON.stringify({ against, rows, geometricMeans: means }));
  else for (const [group, mean] of Object.entries(means)) console.log(`${`${group}, geometric mean`.padEnd(57)}${mean.toFixed(2).padStart(14)}`);
}
