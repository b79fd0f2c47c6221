// `npm run bench [-- buildworld]` and `npm run bench -- switch [--json]`: the published numbers. They print, they never judge.

import { benchBuildworld } from './buildworld.ts';
import { benchSwitch } from './switch.ts';

function main(args: readonly string[]): number {
  const [name = 'buildworld', ...options] = args;
  const json = options.includes('--json');
  if (options.some((option) => option !== '--json') || !['buildworld', 'switch'].includes(name)) {
    console.error('usage: npm run bench -- [buildworld | switch [--json]]');
    return 2;
  }
  if (name === 'switch') benchSwitch(json);
  else benchBuildworld();
  return 0;
}

process.exitCode = main(process.argv.slice(2));
