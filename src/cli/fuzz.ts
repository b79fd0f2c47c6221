// npm run fuzz -- [--seed S] [--count N] [--batch B] [--engine E] [--jobs N] [--against qemu-system-i386]
// Random instruction sequences in all modes, the reference engine against another; or random cases on our machine against
// another emulator. Prints the seed, so that every run can be repeated. Exit code 0 without a difference, 1 with one, 2 for a wrong command line.

import { ENGINE_KINDS, type EngineKind } from '../cpu/engine.ts';
import type { FuzzResult } from '../debug/fuzz/pair.ts';
import { fuzzInJobs } from './fuzz-jobs.ts';
import { fuzzPeer, type PeerReport } from './peer/fuzz.ts';
import { isInstalled } from './peer/run.ts';
import { parseCommandLine, parseCount, parseEngine, UsageError } from './args.ts';
import type { OptionSpecs } from './args.ts';
import { endWithReader } from './closed-pipe.ts';

const OPTIONS: OptionSpecs = {
  seed: { type: 'string', value: 'a whole number' }, count: { type: 'string', value: 'a number of sequences' },
  batch: { type: 'string', value: 'the batch to begin with' }, engine: { type: 'string', value: ENGINE_KINDS.join(' or ') },
  jobs: { type: 'string', value: 'a number of processes' },
  against: { type: 'string', value: 'the command of another emulator' }, help: { type: 'boolean' },
};
const HELP = `Usage: npm run fuzz -- [--seed S] [--count N] [--batch B] [--engine tier0|reference] [--jobs N] [--against qemu-system-i386]

Random instruction sequences in real, virtual 8086 and protected mode of every ring, with paging on and off: an engine
(tier0) against the reference engine, which goes one instruction at a time. The same seed gives the same sequences;
--batch begins with a later batch of them, as a story of a difference names it. --jobs divides the run among processes; what
it prints stays the same.
--against runs random cases in real and virtual 8086 mode and in every ring, 16- and 32-bit, with paging on and off, on our
machine and on another emulator, and sorts the differences into groups that are explained; the others are told.
`;

function report({ sequences, instructions, modes, short, story }: FuzzResult, seconds: number): void {
  if (story) process.stdout.write(`${story.join('\n')}\n`);
  for (const [mode, n] of Object.entries(modes).sort()) process.stdout.write(`  ${mode}: ${n}\n`);
  process.stdout.write(`  ${short} sequences ended where they overwrote page tables in use: stale translations may differ from there on\n`);
  process.stdout.write(`${sequences} sequences, ${instructions} instructions, ${Math.round(sequences / seconds)} sequences a second: ${story ? '1 difference' : 'no difference'}\n`);
}

function reportPeer({ cases, agreed, modes, groups, findings }: PeerReport): void {
  for (const story of findings.slice(0, 50)) process.stdout.write(`${story.join('\n')}\n`);
  for (const [mode, n] of [...modes].sort()) process.stdout.write(`  ${mode}: ${n}\n`);
  for (const [group, n] of [...groups].sort((a, b) => b[1] - a[1])) process.stdout.write(`${String(n).padStart(8)}  ${group}\n`);
  const explained = cases - agreed - findings.length;
  process.stdout.write(`${cases} cases: ${agreed} agree, ${explained} differ with an explanation, ${findings.length} without\n`);
}

function againstPeer(command: string, seed: number, count: number, engine: EngineKind): number {
  if (!isInstalled(command)) throw new UsageError(`--against ${command}: no such command`);
  process.stdout.write(`seed ${seed}, ${count} cases, ${engine} against ${command}\n`);
  const report = fuzzPeer({ seed, count, command, engine });
  reportPeer(report);
  return report.findings.length ? 1 : 0;
}

async function main(argv: readonly string[]): Promise<number> {
  const { values, positionals } = parseCommandLine(argv, OPTIONS);
  if (positionals.length) throw new UsageError(`unexpected ${positionals[0]}`);
  if (values.help) {
    process.stdout.write(HELP);
    return 0;
  }
  const seed = parseCount('seed', (values.seed as string | undefined) ?? '1', 0);
  const count = parseCount('count', (values.count as string | undefined) ?? '10000', 1);
  const jobs = parseCount('jobs', (values.jobs as string | undefined) ?? '1', 1);
  const batch = parseCount('batch', (values.batch as string | undefined) ?? '0', 0);
  const engines: [EngineKind, EngineKind] = [parseEngine(values.engine as string | undefined), 'reference'];
  if (values.against !== undefined) return againstPeer(values.against as string, seed, count, engines[0]);
  process.stdout.write(`seed ${seed}, ${count} sequences, ${engines.join(' against ')}\n`);
  const started = process.hrtime.bigint();
  const progress = (done: number) => { if (process.stderr.isTTY) process.stderr.write(`\r${done} sequences agree`); };
  const result = await fuzzInJobs({ seed, count, batch, engines, progress }, jobs);
  if (process.stderr.isTTY) process.stderr.write('\r\x1b[K');
  report(result, Number(process.hrtime.bigint() - started) / 1e9);
  return result.story ? 1 : 0;
}

endWithReader();
try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  process.stderr.write(`fuzz: ${error.message}\n`);
  process.exitCode = 2;
}
