// `npm run fuzz -- [WHAT] [--seed S] [--count N]`: long random runs, reproducible by their seeds. WHAT is isolation or hostile; without it random
// instructions (src/cli/fuzz.ts). Exit code 0: nothing was found; 1: something was; 2: the command line.

import { parseCommandLine, parseCount, UsageError } from '../../src/cli/args.ts';
import type { OptionSpecs } from '../../src/cli/args.ts';
import { endWithReader } from '../../src/cli/closed-pipe.ts';
import { fuzzHostile } from './hostile.ts';
import { fuzzIsolation, SABOTAGES } from './isolation.ts';

const OPTIONS: OptionSpecs = {
  seed: { type: 'string', value: 'the first seed' },
  count: { type: 'string', value: 'how many seeds' },
  sabotage: { type: 'string', value: 'a check to take out of the kernel' },
};
const USAGE = 'usage: npm run fuzz -- isolation|hostile [--seed S] [--count N] [--sabotage CHECK]';

function isolation(seed: number, count: number, sabotage: string | undefined): number {
  if (sabotage !== undefined && !Object.hasOwn(SABOTAGES, sabotage)) {
    throw new UsageError(`--sabotage ${sabotage}: expected one of ${Object.keys(SABOTAGES).join(' ')}`);
  }
  const { seeds, walks, loose, audits, violation } = fuzzIsolation(seed, count, sabotage, (done) => process.stderr.write(`\r${done} of ${count} seeds`));
  process.stderr.write('\r');
  console.log(`seeds ${seed} to ${seed + seeds - 1}: ${walks} walks and ${audits} page tables compared, ${loose} through tables that user code could write`);
  if (violation !== null) console.log(`violation with seed ${violation.seed}: ${violation.what}`);
  return violation === null ? 0 : 1;
}

/** `calls` random system calls on the host kernel, and as many in a virtual kernel. */
function hostile(seed: number, calls: number): number {
  const { survived, text } = fuzzHostile(seed, calls, true);
  console.log(survived ? text.split('\n').filter((line) => line.includes('hostile')).join('\n') : text);
  return survived ? 0 : 1;
}

function main(argv: readonly string[]): number {
  endWithReader();
  const { values, positionals } = parseCommandLine(argv, OPTIONS);
  const [what] = positionals;
  if (positionals.length !== 1) throw new UsageError(USAGE);
  const number = (name: string, otherwise: number, least: number): number => (values[name] === undefined ? otherwise : parseCount(name, String(values[name]), least));
  if (what === 'hostile') return hostile(number('seed', 1, 0), number('count', 2000, 1));
  return isolation(number('seed', 1, 0), number('count', 100, 1), values['sabotage'] as string | undefined);
}

try {
  if (process.argv.slice(2).some((word) => word === 'isolation' || word === 'hostile')) process.exitCode = main(process.argv.slice(2));
  else await import('../../src/cli/fuzz.ts');      // instructions
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error));
  process.exitCode = error instanceof UsageError ? 2 : 1;
}
