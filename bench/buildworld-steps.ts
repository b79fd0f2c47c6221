// The improvements that a boot word switches off, as the kernels' sources name them, in the order in which they stand there; but the
// disk comes first, because a kernel that waits for its disk in a loop books the seeks as system time.

import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';

const SOURCE = '../src/kern/tuning.ts';
const FIRST = 'asyncdisk';

export function stepNames(): string[] {
  const source = readFileSync(resolve(import.meta.dirname, SOURCE), 'latin1');
  const names = [...source.matchAll(/isOn\(names, ",(\w+),"\)/g)].map((match) => match[1]!);
  if (!names.includes(FIRST)) throw new Error(`${SOURCE}: no off=${FIRST} among the words found: ${names.join(' ')}`);
  return [FIRST, ...names.filter((name) => name !== FIRST)];
}
