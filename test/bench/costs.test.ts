// bench/README.md has the cost table that the machine charges by.

import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect, it } from 'vitest';
import { costTable } from '../../bench/costs.ts';
import { P4_COSTS } from '../../src/cpu/p4.ts';

it('bench/README.md prints the table and its documents as they are', () => {
  const readme = readFileSync(resolve(import.meta.dirname, '../../bench/README.md'), 'utf8').split('\n');
  const missing = costTable().split('\n').filter((line) => line !== '' && !readme.includes(line));
  expect(missing, 'print them with npm run bench -- costs').toEqual([]);
  const inReadme = readme.filter((line) => /^\| \w+ \| \d+ \| (published|derived|nearest) \|/.test(line));
  expect(inReadme).toHaveLength(P4_COSTS.length);
});
