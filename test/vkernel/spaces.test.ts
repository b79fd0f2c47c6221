// Property tests of VM spaces: test/guest/spaces.ts runs random schedules over 1 to 256 of them and compares everything with a
// model, on the host kernel (both ways of the switch) and in the virtual kernel. SPACES_SEED chooses other seeds; each run prints its own.

import { describe, expect, it } from 'vitest';
import { bootPc, bootQemu, hasQemu } from '../kern/machines.ts';
import { compiled, HOST_KERNEL, nestedRootOf, rootOf } from '../kern/roots.ts';

const SEED = Number(process.env['SPACES_SEED'] ?? 1);
const NUMBERS = [1, 2, 3, 5, 16, 61, 128, 256];
const STEPS = 1200;

/** Lines of a run that all agreed. */
function expectAgreement(root: Uint8Array, words: string): void {
  const { text } = bootPc(compiled(HOST_KERNEL), root, words, 4_000_000_000);
  expect(text, words).toMatch(/^spaces: \d+ passed, 0 failed$/m);
}

describe('spaces behave as their model', () => {
  it.each(NUMBERS.map((n, i): [number, number] => [n, SEED + i]))('%i of them, seed %i', (n, seed) => {
    expectAgreement(rootOf('spaces'), `seed=${seed} spaces=${n} steps=${STEPS}`);
  }, 120_000);

  it('without the improvements', () => expectAgreement(rootOf('spaces'), `off=all seed=${SEED} spaces=20 steps=${STEPS}`), 120_000);

  it.skipIf(!hasQemu)('on QEMU (skipped without qemu-system-i386)', () => {
    const words = `seed=${SEED} spaces=16 steps=${STEPS}`;
    expect(bootQemu(compiled(HOST_KERNEL), rootOf('spaces'), words).text, words).toMatch(/^spaces: \d+ passed, 0 failed$/m);
  }, 120_000);

  it.each(['', 'ncpu=2 ', 'ncpu=4 ', 'ncpu=8 '])('in the virtual kernel (%s)', (words) => expectAgreement(nestedRootOf('spaces'), `${words}exec=none`), 120_000);
});
