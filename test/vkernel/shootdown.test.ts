// Announcing changes of VM spaces with several virtual CPUs: the rules of vkernel/pmap.ts. test/guest/shootdown.ts judges from inside,
// stale.ts from outside; and each rule that is broken on purpose is noticed. Some hold only where the real kernel runs another
// virtual CPU in a moment that is a few instructions long: there it is made to.

import { resolve } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { SourceTree } from '../../src/image/inputs.ts';
import { compiled, HOST_KERNEL } from '../kern/roots.ts';
import { watch } from './stale.ts';
import type { Watched } from './stale.ts';

type Edit = readonly [file: string, from: string, to: string];

class EditedTree extends SourceTree {
  constructor(private readonly edits: readonly Edit[]) {
    super(resolve(import.meta.dirname, '../..'));
  }

  override read(path: string): Uint8Array | null {
    const bytes = super.read(path);
    const edits = this.edits.filter(([file]) => file === path);
    if (bytes === null || edits.length === 0) return bytes;
    return Buffer.from(edits.reduce((text, [, from, to]) => {
      if (text.split(from).length !== 2) throw new Error(`${path} has not once: ${from}`);
      return text.replace(from, to);
    }, Buffer.from(bytes).toString('latin1')), 'latin1');
  }
}

const PMAP = 'src/vkernel/pmap.ts';
const CPU = 'src/vkernel/cpu.ts';

/** A CPU that is on its way to a space with changes of it lets another go first. */
const HESITATING: readonly Edit[] = [
  [CPU, '  depart(IN_PROCESS);', '  depart(IN_PROCESS);\n  if (pm.onItsWay != 0) schedYield();'],
  [CPU, 'import { lwpCreate,', 'import { schedYield, lwpCreate,'],
];

const RUNS = [['shootdown', 2], ['shootdown', 4], ['shootdown', 8], ['threads', 2], ['threads', 4]] as const;

beforeAll(() => {
  compiled(HOST_KERNEL);
}, 120_000);

function expectSound({ text, stale, compared, uncertain }: Watched, program: string): void {
  expect(stale).toBe(null);
  expect(text).toMatch(new RegExp(`^${program}: \\d+ passed, 0 failed$`, 'm'));
  expect(compared).toBeGreaterThan(10_000);
  expect(uncertain).toBeLessThan(compared / 100);
}

describe('no thread reaches what its kernel has taken back', () => {
  it.each([...RUNS, ['shootdown', 1], ['shootdown', 16], ['process', 1], ['process', 4]] as const)('%s on %i CPUs', (program, cpus) => {
    expectSound(watch(new EditedTree([]), program, `ncpu=${cpus} `), program);
  }, 120_000);

  it.each(['off=resume ', 'off=all '])('with boot words "%s"', (words) => {
    expectSound(watch(new EditedTree([]), 'shootdown', `${words}ncpu=4 `), 'shootdown');
  }, 120_000);

  it.each(RUNS)('%s on %i CPUs that hesitate', (program, cpus) => {
    expectSound(watch(new EditedTree(HESITATING), program, `ncpu=${cpus} `), program);
  }, 120_000);
});

const SABOTAGES: readonly (readonly [what: string, edit: Edit, hesitating: boolean])[] = [
  ['changes of a space that runs wait, too', [PMAP, 'if (!resumeOn || pm.running != 0) return false;', 'if (!resumeOn) return false;'], true],
  ['a CPU goes elsewhere with changes', [PMAP, 'if (changes.space != pm.space) pmapFlush();', ''], false],
  ['a CPU idles with changes', [CPU, '    pmapFlush();\n    depart(IDLE);', '    depart(IDLE);'], false],
  ['changes that are on their way are forgotten', [PMAP, 'if (pm.onItsWay != 0) announce(changetype<Changes>(pm.onItsWay));', ''], true],
  ['a kick loses them', [PMAP, 'if (told || pm.onItsWay != own) pmapAnnounced();', 'pmapAnnounced();'], true],
  ['RESUME announces nothing', ['src/vkernel/trap.ts', 'cpu.wish.count = cpu.changes.count;', ''], false],
];

describe('it is noticed when', () => {
  it.each(SABOTAGES)('%s', (_what, edit, hesitating) => {
    const tree = new EditedTree([edit, ...(hesitating ? HESITATING : [])]);
    expect(RUNS.some(([program, cpus]) => watch(tree, program, `ncpu=${cpus} `).stale !== null)).toBe(true);
  }, 300_000);
});
