// npm run vectors -- DIR [--group G]... [--form TEXT] [--max N] [--show N] [--engine tier0|reference]
// Runs recorded single-instruction vectors (DIR/GROUP.jsonl.gz) on the CPU. Prints `GROUP: N passed, N failed` for each
// group and a closing total; exit code 1 when anything failed, 2 for a wrong command line.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { runnerFor, type Vector, type VectorHead } from '../cpu/vectors.ts';
import type { EngineKind } from '../cpu/engine.ts';

interface Options { dir: string; groups: string[]; form: string; max: number; show: number; engine: EngineKind }

function usage(message: string): never {
  process.stderr.write(`${message}\nusage: vectors DIR [--group G]... [--form TEXT] [--max N] [--show N] [--engine tier0|reference]\n`);
  process.exit(2);
}

function parseArguments(args: string[]): Options {
  const options: Options = { dir: '', groups: [], form: '', max: Infinity, show: 3, engine: 'tier0' };
  for (let i = 0; i < args.length; i++) {
    const arg = args[i]!;
    const value = () => args[++i] ?? usage(`${arg} needs a value`);
    if (arg === '--group') options.groups.push(value());
    else if (arg === '--form') options.form = value();
    else if (arg === '--max') options.max = Number(value());
    else if (arg === '--show') options.show = Number(value());
    else if (arg === '--engine') options.engine = value() as EngineKind;
    else if (arg.startsWith('-')) usage(`unknown option ${arg}`);
    else options.dir = arg;
  }
  if (!options.dir) usage('no directory given');
  if (!existsSync(options.dir)) usage(`${options.dir}: no such directory`);
  return options;
}

/** Runs one file; returns [passed, failed]. */
function runGroup(path: string, options: Options): [number, number] {
  const lines = gunzipSync(readFileSync(path)).toString('latin1').split('\n');
  const head = JSON.parse(lines[0]!) as VectorHead;
  const run = runnerFor(head, options.engine);
  let form = '';
  let passed = 0, failed = 0;
  const shown = new Map<string, number>();
  for (let i = 1; i < lines.length; i++) {
    if (!lines[i]) continue;
    if (lines[i]!.startsWith('{"form"')) { form = (JSON.parse(lines[i]!) as { form: string }).form; continue; }
    if (options.form && !form.includes(options.form)) continue;
    if (passed + failed >= options.max) break;
    const problem = run(JSON.parse(lines[i]!) as Vector);
    if (problem === null) { passed++; continue; }
    failed++;
    const count = (shown.get(form) ?? 0) + 1;
    shown.set(form, count);
    if (count <= options.show) process.stdout.write(`  ${form}, line ${i + 1}: ${problem}\n`);
  }
  for (const [name, count] of shown) if (options.show > 0) process.stdout.write(`  ${name}: ${count} failed\n`);
  return [passed, failed];
}

function main(): void {
  const options = parseArguments(process.argv.slice(2));
  const groups = options.groups.length ? options.groups
    : readdirSync(options.dir).filter((f) => f.endsWith('.jsonl.gz')).map((f) => f.slice(0, -'.jsonl.gz'.length)).sort();
  let passed = 0, failed = 0;
  for (const group of groups) {
    const path = join(options.dir, `${group}.jsonl.gz`);
    if (!existsSync(path)) usage(`${path}: no such group`);
    const [p, f] = runGroup(path, options);
    process.stdout.write(`${group}: ${p} passed, ${f} failed\n`);
    passed += p; failed += f;
  }
  process.stdout.write(`${passed} passed, ${failed} failed\n`);
  process.exit(failed ? 1 : 0);
}

main();
