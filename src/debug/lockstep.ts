// Two engines side by side. Both machines are made alike and run alike; after every slice all of their state is compared,
// and where it differs fresh machines go to the start of that slice and on from there one instruction at a time, so that
// the first instruction with a different result is found, whatever it changed.

import type { Cpu } from '../cpu/cpu.ts';
import type { EngineKind } from '../cpu/engine.ts';
import { CELLS, EVENT_COUNTS, REG, S, SCRATCH, SEG, SEG_BYTES, SEG_NAMES } from '../cpu/layout.ts';
import { EVENTS } from '../cpu/timing.ts';
import type { Machine, RunResult } from '../pc/machine.ts';
import { codeText, disassemble, linearEip } from './code.ts';
import { registersText } from './registers.ts';
import type { SymbolTable } from './symbols.ts';
import { hex } from './text.ts';

const SLICE = 200_000;
const RECENT = 20;
const MOST_WORDS = 256;

export type Pair = readonly [Machine, Machine];
export const ENGINES: readonly [EngineKind, EngineKind] = ['tier0', 'reference'];

export interface Agreement {
  readonly kind: 'agree';
  readonly instructions: number;
  readonly ended: string;
}

export interface Difference {
  readonly kind: 'differ';
  readonly instructions: number;
  readonly story: readonly string[];
}

export interface LockstepOptions {
  /** A machine that is loaded and has not run, equal at every call but for its engine. */
  readonly make: (engine: EngineKind) => Machine;
  readonly symbols: SymbolTable;
  /** Instructions after which to stop. */
  readonly limit: number;
  readonly progress?: (instructions: number) => void;
  /** The engines to compare; default tier0 and the reference. */
  readonly engines?: readonly [EngineKind, EngineKind];
}

function stateBytes(cpu: Cpu): Buffer[] {
  const { buffer } = cpu.memory;
  return [Buffer.from(buffer, REG, SCRATCH - REG), Buffer.from(buffer, EVENT_COUNTS, EVENTS.length * 8)];
}

function sameState([a, b]: Pair): boolean {
  return a.cpu.instructions === b.cpu.instructions && a.cpu.cycles === b.cpu.cycles && Buffer.compare(Buffer.concat(stateBytes(a.cpu)), Buffer.concat(stateBytes(b.cpu))) === 0;
}

/** Physical addresses of words of RAM that differ, the first of them. */
function differentWords([a, b]: Pair): number[] {
  if (Buffer.compare(a.cpu.ram, b.cpu.ram) === 0) return [];
  const [left, right] = [a, b].map(({ cpu }) => new Uint32Array(cpu.ram.buffer, cpu.ram.byteOffset, cpu.ramBytes >> 2)) as [Uint32Array, Uint32Array];
  const found: number[] = [];
  for (let i = 0; i < left.length && found.length < MOST_WORDS; i++) if (left[i] !== right[i]) found.push(i * 4);
  return found;
}

function word({ cpu }: Machine, pa: number): number {
  return new DataView(cpu.ram.buffer, cpu.ram.byteOffset).getUint32(pa, true);
}

/** Names and values of the state cells that differ. */
function differentCells([a, b]: Pair, names: readonly EngineKind[]): string[] {
  const named: [string, number][] = [
    ...CELLS.map(([name, , at]): [string, number] => [name, at]),
    ...SEG_NAMES.flatMap((name, n) => Object.entries(S).map(([field, offset]): [string, number] => [`${name}.${field}`, SEG + n * SEG_BYTES + offset])),
  ];
  const [left, right] = [a, b].map(({ cpu }) => new DataView(cpu.memory.buffer)) as [DataView, DataView];
  const counts = EVENTS.map((event, n): [string, number, number] => [event, left.getFloat64(EVENT_COUNTS + n * 8, true), right.getFloat64(EVENT_COUNTS + n * 8, true)]);
  return named.filter(([, at]) => left.getUint32(at, true) !== right.getUint32(at, true))
    .map(([name, at]) => `${name}: ${names[0]} ${hex(left.getUint32(at, true))}, ${names[1]} ${hex(right.getUint32(at, true))}`)
    .concat(counts.filter(([, x, y]) => x !== y).map(([event, x, y]) => `events ${event}: ${names[0]} ${x}, ${names[1]} ${y}`));
}

function runBoth([a, b]: Pair, until: number): [RunResult, RunResult] {
  return [a.run(until, true), b.run(until, true)];
}

/** Runs two fresh machines until they differ, end, or reach the limit. */
export function lockstep(options: LockstepOptions): Agreement | Difference {
  const pair = makePair(options);
  for (let from = 0; ; from = pair[0].cpu.instructions) {
    const [first, second] = runBoth(pair, Math.min(from + SLICE, options.limit));
    const words = differentWords(pair);
    if (words.length || !sameState(pair) || JSON.stringify(first) !== JSON.stringify(second)) return findDifference(options, from, words);
    const instructions = pair[0].cpu.instructions;
    options.progress?.(instructions);
    if (first.kind !== 'limit' || instructions >= options.limit) return { kind: 'agree', instructions, ended: first.kind };
  }
}

function makePair({ make, engines = ENGINES }: LockstepOptions): Pair {
  return [make(engines[0]), make(engines[1])];
}

/** From the start of the slice that ended with a difference, one instruction at a time. */
function findDifference(options: LockstepOptions, from: number, words: readonly number[]): Difference {
  const pair = makePair(options);
  if (from > 0) runBoth(pair, from);
  const recent: string[] = [];
  for (let at = from; ; at++) {
    const line = disassemble(pair[0].cpu, linearEip(pair[0].cpu));
    recent.push(line ? codeText(line, options.symbols) : '(no memory here)');
    if (recent.length > RECENT) recent.shift();
    const results = runBoth(pair, at + 1);
    const changed = words.filter((pa) => word(pair[0], pa) !== word(pair[1], pa));
    if (changed.length || !sameState(pair) || JSON.stringify(results[0]) !== JSON.stringify(results[1])) {
      return { kind: 'differ', instructions: at + 1, story: story(pair, options.engines ?? ENGINES, results, changed, recent) };
    }
    if (results[0].kind !== 'limit' || at - from > SLICE) return { kind: 'differ', instructions: at + 1, story: ['the engines differ only when they run in larger slices', ...recent] };
  }
}

function story(pair: Pair, names: readonly EngineKind[], results: readonly RunResult[], words: readonly number[], recent: readonly string[]): string[] {
  const indent = (line: string) => `   ${line}`;
  return [
    `the engines differ after instruction ${pair[0].cpu.instructions}: ${recent.at(-1)!.trim()}`,
    ...differentCells(pair, names).map(indent),
    ...words.slice(0, 16).map((pa) => `   physical ${hex(pa)}: ${names[0]} ${hex(word(pair[0], pa))}, ${names[1]} ${hex(word(pair[1], pa))}`),
    ...pair.flatMap(({ cpu }, n) => [`${names[n]}: ${cpu.instructions} instructions, ${results[n]!.kind}`, ...registersText(cpu).map(indent)]),
    `the last ${recent.length} instructions:`,
    ...recent.map(indent),
  ];
}
