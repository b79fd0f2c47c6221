// `npm run bench [-- buildworld ...]`, `npm run bench -- switch [--json]`, `npm run bench -- kernel [--json] [--linux BZIMAGE]`,
// `npm run bench -- cpu [--json] [--against QEMU]` and `npm run bench -- costs`: the published numbers. They print, they never judge.

import { spawnSync } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { resolve } from 'node:path';
import { endWithReader } from '../src/cli/closed-pipe.ts';
import { benchBuildworld } from './buildworld.ts';
import { costTable } from './costs.ts';
import { benchCpu } from './cpu.ts';
import { benchKernel } from './kernel.ts';
import { benchSwitch } from './switch.ts';

const USAGE = `usage: npm run bench -- [buildworld [--quick] [--json] [--sensitivity] [--steps] [--against COMMAND] [--svg FILE] [--folded FILE] [--target TARGET] | switch [--json] | kernel [--json] [--linux BZIMAGE] | cpu [--json] [--against COMMAND] [--only WORDS] [--reps N] | costs]`;

class Usage extends Error {}

/** Takes `--name VALUE` out of the words. */
function valueOf(words: string[], name: string): string | null {
  const at = words.indexOf(`--${name}`);
  if (at < 0) return null;
  if (at + 1 >= words.length) throw new Usage(`--${name} needs a value`);
  return words.splice(at, 2)[1]!;
}

function flag(words: string[], name: string): boolean {
  const at = words.indexOf(`--${name}`);
  if (at >= 0) words.splice(at, 1);
  return at >= 0;
}

function nothingElse(words: readonly string[]): void {
  if (words.length) throw new Usage(`unknown word ${words[0]}`);
}

async function cpu(words: string[]): Promise<void> {
  const options = {
    json: flag(words, 'json'),
    against: valueOf(words, 'against'),
    only: valueOf(words, 'only') ?? '',
    repetitions: Number(valueOf(words, 'reps') ?? 5),
  };
  if (!Number.isSafeInteger(options.repetitions) || options.repetitions < 1) throw new Usage('--reps: expected a number of at least 1');
  nothingElse(words);
  await benchCpu(options);
}

function buildworld(words: string[]): void {
  const options = {
    json: flag(words, 'json'),
    quick: flag(words, 'quick'),
    sensitivity: flag(words, 'sensitivity'),
    steps: flag(words, 'steps'),
    against: valueOf(words, 'against'),
    svg: valueOf(words, 'svg'),
    target: valueOf(words, 'target') ?? 'buildworld',
  };
  const folded = valueOf(words, 'folded');
  nothingElse(words);
  for (const [name, file] of [['svg', options.svg], ['folded', folded]] as const) if (file !== null) mustBeWritable(name, file);
  benchBuildworld(options);
  if (folded !== null) foldBuildworld(folded, options.target);
}

/** Says before the runs what would be said after them. */
function mustBeWritable(option: string, file: string): void {
  try {
    closeSync(openSync(file, 'a'));
  } catch (error) {
    throw new Usage(`--${option} ${file}: ${(error as Error).message}`);
  }
}

/** One more run, observed: exact call paths through both kernels and the programs. */
function foldBuildworld(file: string, target: string): void {
  const script = resolve(import.meta.dirname, '../src/cli/emulate.ts');
  const ran = spawnSync(process.execPath, [...process.execArgv, script, '--folded', file, '--exec', `make -j 8 ${target}`], { stdio: ['ignore', 'ignore', 'inherit'] });
  if (ran.status !== 0) throw new Error(`--folded ${file}: the observed run ended with ${ran.status ?? ran.signal}`);
}

async function main([name = 'buildworld', ...words]: readonly string[]): Promise<void> {
  if (name === 'cpu') return cpu(words);
  if (name === 'switch') {
    const json = flag(words, 'json');
    nothingElse(words);
    return benchSwitch(json);
  }
  if (name === 'kernel') {
    const json = flag(words, 'json');
    const linux = valueOf(words, 'linux');
    nothingElse(words);
    return benchKernel(json, linux);
  }
  if (name === 'costs') {
    nothingElse(words);
    return console.log(costTable());
  }
  if (name !== 'buildworld' && !name.startsWith('--')) throw new Usage(`unknown bench ${name}`);
  return buildworld(name === 'buildworld' ? words : [name, ...words]);
}

endWithReader();
main(process.argv.slice(2)).catch((error: unknown) => {
  if (error instanceof Usage) console.error(`${error.message}\n${USAGE}`);
  else console.error(error instanceof Error ? error.message : error);
  process.exitCode = error instanceof Usage ? 2 : 1;
});
