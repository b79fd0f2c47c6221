// The self-judging guest programs of test/guest, each as process 1 of the host kernel and as process 1 of the virtual kernel on
// top of it (where its VM spaces are nested ones), on our PC and, where it is installed, on QEMU. Both machines must print
// the same.

import { beforeAll, describe, expect, it } from 'vitest';
import { bootPc, bootQemu, hasQemu } from './machines.ts';
import { compiled, HOST_KERNEL, nestedRootOf, rootOf, VIRTUAL_KERNEL } from './roots.ts';

const PROGRAMS = ['memory', 'vpagetable', 'vmspace', 'process', 'threads', 'umtx', 'crowd', 'files', 'isolation', 'events', 'jobs', 'times', 'disk'];

/** Not on QEMU: they measure shares of time, and QEMU's time is that of its own host, whatever else runs there. */
const TIMED = ['times', 'disk'];

/** Boot on both machines; the program must have found nothing wrong. */
function expectVerdict(program: string, image: Uint8Array, commandLine: string): void {
  const onQemu = hasQemu && !TIMED.includes(program) ? bootQemu(compiled(HOST_KERNEL), image, commandLine) : null;
  const boot = bootPc(compiled(HOST_KERNEL), image, commandLine);
  expect(boot.text).toMatch(new RegExp(`^${program}: \\d+ passed, 0 failed$`, 'm'));
  expect(boot.off).toBe(true);
  if (onQemu !== null) expect(onQemu).toMatchObject({ text: boot.text, off: true });
}

beforeAll(() => {
  compiled(HOST_KERNEL);
  compiled(VIRTUAL_KERNEL);
  if (!hasQemu) console.warn('guest.test: not compared with QEMU, which is not installed');
}, 120_000);

describe.each(PROGRAMS)('%s', (program) => {
  it('finds no failure on the host kernel', () => expectVerdict(program, rootOf(program), ''), 120_000);
  it('finds no failure in the virtual kernel', () => expectVerdict(program, nestedRootOf(program), 'exec=none'), 120_000);
  it('finds no failure in a virtual kernel of four CPUs', () => {
    const boot = bootPc(compiled(HOST_KERNEL), nestedRootOf(program), 'ncpu=4 exec=none');
    expect(boot.text).toMatch(new RegExp(`^${program}: \\d+ passed, 0 failed$`, 'm'));
    expect(boot.off).toBe(true);
  }, 120_000);
});
