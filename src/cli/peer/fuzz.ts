// `npm run fuzz -- --against qemu-system-i386`: batches of random cases on our machine and on another emulator, by the same
// Multiboot kernel; differences are counted by group, and printed where no group explains them.

import type { EngineKind } from '../../cpu/engine.ts';
import { arenaOf, caseOf, type PeerCase } from './cases.ts';
import { compareCase, describe } from './compare.ts';
import { groupOf } from './groups.ts';
import { buildKernel } from './kernel.ts';
import { type Outcome, runHere, runThere } from './run.ts';
import { executed } from './trace.ts';

export interface PeerOptions { seed: number; count: number; command: string; engine: EngineKind; first?: number; progress?: (done: number) => void }
export interface PeerReport {
  cases: number; agreed: number;
  /** How many cases of each mode. */
  modes: Map<string, number>;
  /** Explained differences by group. */
  groups: Map<string, number>;
  /** The stories of the others. */
  findings: string[][];
}

const BATCH = 2000;

/** Runs `count` cases; the same seed gives the same cases. */
export function fuzzPeer({ seed, count, command, engine, first = 0, progress }: PeerOptions): PeerReport {
  const report: PeerReport = { cases: 0, agreed: 0, modes: new Map(), groups: new Map(), findings: [] };
  const arena = arenaOf(seed);
  const kernelOf = (test: PeerCase) => buildKernel([test.bytes], arena, seed);
  /** What explains the outcomes of a case; null when they agree, a story when nothing does. */
  const judge = (test: PeerCase, number: number, here: Outcome, there: Outcome): { group: string } | { story: string[] } | null => {
    let verdict = compareCase(test, here, there);
    if (verdict && groupOf(verdict, test) === null) verdict = compareCase(test, here, there, executed(kernelOf(test), engine));
    const group = verdict && groupOf(verdict, test);
    if (!verdict) return null;
    return group === null ? { story: describe(verdict, test, seed, number) } : { group };
  };
  /** A finding must be one with machines of its own too: an explained difference of an earlier case may have damaged what it shares with the others. */
  const alone = (test: PeerCase, number: number) => judge(test, number, runHere(1, () => kernelOf(test), engine)[0]!, runThere(1, () => kernelOf(test), command)[0]!);
  const enter = (test: PeerCase, number: number, here: Outcome, there: Outcome): void => {
    report.cases++;
    tally(report.modes, nameOf(test));
    let result = judge(test, number, here, there);
    if (result && 'story' in result) result = alone(test, number);
    if (!result) report.agreed++;
    else if ('story' in result) report.findings.push(result.story);
    else tally(report.groups, result.group);
  };
  while (report.cases < count) {
    const from: number = first + report.cases;
    const cases = Array.from({ length: Math.min(BATCH, count - report.cases) }, (_, n) => caseOf(seed, from + n));
    const kernel = (n: number) => buildKernel(cases.slice(n).map((c) => c.bytes), arena, seed);
    const here = runHere(cases.length, kernel, engine), there = runThere(cases.length, kernel, command);
    cases.forEach((test, n) => enter(test, from + n, here[n]!, there[n]!));
    progress?.(report.cases);
  }
  return report;
}

function nameOf({ mode, big, paging }: PeerCase): string {
  return `${mode}${mode.startsWith('ring') ? ` ${big ? 32 : 16}-bit` : ''}${paging ? ', paging' : ''}`;
}

function tally(map: Map<string, number>, key: string): void {
  map.set(key, (map.get(key) ?? 0) + 1);
}
