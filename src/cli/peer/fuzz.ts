// `npm run fuzz -- --against qemu-system-i386`: batches of random cases on our machine and on another emulator, by the same
// Multiboot kernel; differences are counted by group, and printed where no group explains them.

import type { EngineKind } from '../../cpu/engine.ts';
import { arenaOf, caseOf, type PeerCase } from './cases.ts';
import { compareCase, describe, groupOf } from './compare.ts';
import { buildKernel, MOST_CASES, RESULT_BYTES } from './kernel.ts';
import { runHere, runThere } from './run.ts';

export interface PeerOptions { seed: number; count: number; command: string; engine: EngineKind; progress?: (done: number) => void }
export interface PeerReport {
  cases: number; agreed: number;
  /** Explained differences by group. */
  groups: Map<string, number>;
  /** The stories of the others. */
  findings: string[][];
}

const CRASHED = 'the other emulator itself crashed on the case';

/** Runs `count` cases; the same seed gives the same cases. */
export function fuzzPeer({ seed, count, command, engine, progress }: PeerOptions): PeerReport {
  const report: PeerReport = { cases: 0, agreed: 0, groups: new Map(), findings: [] };
  for (let first = 0; first < count;) {
    const cases = Array.from({ length: Math.min(MOST_CASES, count - first) }, (_, n) => caseOf(seed, first + n));
    first += batch(cases, first, { seed, command, engine }, report);
    progress?.(report.cases);
  }
  return report;
}

/** Runs a batch and enters it in the report; returns how many of its cases were run. */
function batch(cases: readonly PeerCase[], first: number, { seed, command, engine }: Pick<PeerOptions, 'seed' | 'command' | 'engine'>, report: PeerReport): number {
  const kernel = buildKernel(cases.map((c) => c.bytes), arenaOf(seed));
  const here = runHere(kernel, engine);
  const { output: there, failure } = runThere(kernel, command);
  const done = Math.floor(there.length / RESULT_BYTES);
  if (failure !== null && done === 0 && first === 0) throw new Error(`${command} ended with ${failure} before the first result`);
  for (let n = 0; n < Math.min(done, cases.length); n++) judge(cases[n]!, n, first + n, seed, here, there, report);
  if (done >= cases.length) return cases.length;
  report.cases++;
  count(report, `${CRASHED} (${failure ?? 'it ended early'})`);
  return done + 1;
}

function judge(test: PeerCase, n: number, number: number, seed: number, here: Buffer, there: Buffer, report: PeerReport): void {
  report.cases++;
  const verdict = compareCase(test, n, here, there);
  if (!verdict) { report.agreed++; return; }
  const group = groupOf(verdict, test);
  if (group === null) report.findings.push(describe(verdict, test, seed, number));
  else count(report, group);
}

function count(report: PeerReport, group: string): void {
  report.groups.set(group, (report.groups.get(group) ?? 0) + 1);
}
