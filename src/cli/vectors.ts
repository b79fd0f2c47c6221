// npm run vectors -- DIR [--engine tier0|reference] [--group G]... [--form TEXT] [--max N] [--show N]
// Runs recorded single-instruction vectors (DIR/GROUP.jsonl.gz) on the CPU. Prints `GROUP: N passed, N failed` for each
// group and a closing total; failures that test/vectors/DISPUTED.md explains are counted apart. Exit code 1 when anything
// failed, 2 for a wrong command line, 4 for a file that is not what it should be.

import { existsSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { EngineKind } from '../cpu/engine.ts';
import { runnerFor, type Vector } from '../cpu/vectors.ts';
import { parseCommandLine, parseCount, parseEngine, UsageError } from './args.ts';
import type { OptionSpecs } from './args.ts';
import { afterOutput, endWithReader } from './closed-pipe.ts';
import { readDisputes, readVectors, VectorFileError, vectorId } from './vector-file.ts';

interface Options { dir: string; groups: string[]; form: string; max: number; show: number; engine: EngineKind }
export interface Tally { passed: number; failed: number; disputed: number }

const OPTIONS: OptionSpecs = {
  engine: { type: 'string', value: 'tier0 or reference' }, group: { type: 'string', value: 'the name of a group', repeat: true },
  form: { type: 'string', value: 'part of the name of a form' }, max: { type: 'string', value: 'vectors per group' },
  show: { type: 'string', value: 'failures per form' }, help: { type: 'boolean' },
};
const HELP = `Usage: npm run vectors -- DIR [--engine tier0|reference] [--group G]... [--form TEXT] [--max N] [--show N]

Runs the recorded single-instruction vectors of DIR/*.jsonl.gz (format x86-oracle-1) on the CPU.
`;
const DISPUTES = resolve(import.meta.dirname, '../../test/vectors/DISPUTED.md');

function options(argv: readonly string[]): Options | null {
  const { values, positionals } = parseCommandLine(argv, OPTIONS);
  if (values.help) return null;
  const dir = positionals[0];
  if (positionals.length !== 1 || dir === undefined) throw new UsageError('expected one directory with vectors');
  if (!existsSync(dir)) throw new UsageError(`${dir}: no such directory`);
  const count = (name: string, absent: number) => (values[name] === undefined ? absent : parseCount(name, values[name] as string, 0));
  const groups = values.group === undefined ? groupsOf(dir) : (values.group as string).split(',');
  const missing = groups.find((g) => !existsSync(join(dir, `${g}.jsonl.gz`)));
  if (missing !== undefined) throw new UsageError(`${join(dir, `${missing}.jsonl.gz`)}: no such group`);
  if (!groups.length) throw new UsageError(`${dir}: expected files GROUP.jsonl.gz`);
  return { dir, groups, form: (values.form as string) ?? '', max: count('max', Infinity), show: count('show', 3), engine: parseEngine(values.engine as string | undefined) };
}

function groupsOf(dir: string): string[] {
  return readdirSync(dir).filter((f) => f.endsWith('.jsonl.gz')).map((f) => f.slice(0, -'.jsonl.gz'.length)).sort();
}

/** Runs the vectors of one file. `report` hears of each failure: form, line number, what is wrong. */
export function runGroup(path: string, options: Omit<Options, 'dir' | 'groups'>, disputes: ReadonlySet<string>, report: (text: string) => void): Tally {
  const tally: Tally = { passed: 0, failed: 0, disputed: 0 };
  const failures = new Map<string, number>();
  const { head, entries } = readVectors(path);
  const run = runnerFor(head, options.engine);
  for (const { form, line, text, vector } of entries) {
    if (options.form && !form.includes(options.form)) continue;
    if (tally.passed + tally.failed + tally.disputed >= options.max) break;
    const problem = judge(run, vector, `${path}, line ${line}`);
    if (problem === null) { tally.passed++; continue; }
    if (disputes.has(vectorId(head.group, text))) { tally.disputed++; continue; }
    tally.failed++;
    const count = (failures.get(form) ?? 0) + 1;
    failures.set(form, count);
    if (count <= options.show) report(`  ${form}, line ${line} (${vectorId(head.group, text)}): ${problem}\n`);
  }
  for (const [name, count] of failures) if (options.show > 0) report(`  ${name}: ${count} failed\n`);
  return tally;
}

function judge(run: (v: Vector) => string | null, vector: Vector, where: string): string | null {
  try {
    return run(vector);
  } catch (error) {
    if (error instanceof TypeError) throw new VectorFileError(`${where}: a field is missing or has the wrong type (${error.message})`);
    throw error;
  }
}

const sentence = (t: Tally) => `${t.passed} passed, ${t.failed} failed${t.disputed ? `, ${t.disputed} disputed` : ''}`;

async function main(argv: readonly string[]): Promise<number> {
  const chosen = options(argv);
  if (!chosen) {
    process.stdout.write(HELP);
    return 0;
  }
  const disputes = readDisputes(DISPUTES);
  const total: Tally = { passed: 0, failed: 0, disputed: 0 };
  for (const group of chosen.groups) {
    const tally = runGroup(join(chosen.dir, `${group}.jsonl.gz`), chosen, disputes, (text) => process.stdout.write(text));
    process.stdout.write(`${group}: ${sentence(tally)}\n`);
    await afterOutput();
    for (const key of ['passed', 'failed', 'disputed'] as const) total[key] += tally[key];
  }
  process.stdout.write(`${sentence(total)}\n`);
  if (total.passed + total.failed + total.disputed === 0 && chosen.max > 0) throw new UsageError(chosen.form ? `--form ${chosen.form}: no vector has such a form` : `${chosen.dir}: no vectors`);
  return total.failed ? 1 : 0;
}

if (process.argv[1] === import.meta.filename) {
  endWithReader();
  try {
    process.exitCode = await main(process.argv.slice(2));
  } catch (error) {
    if (!(error instanceof UsageError) && !(error instanceof VectorFileError)) throw error;
    process.stderr.write(`vectors: ${error.message}\n`);
    process.exitCode = error instanceof UsageError ? 2 : 4;
  }
}
