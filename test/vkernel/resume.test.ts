// VMSPACE_CTL_RESUME: test/guest/resume.ts judges it as process 1 of the host kernel, of the virtual kernel and under QEMU, by the short
// way of the switch and the long one; and it saves the virtual kernel's processes the second fault.

import { describe, expect, it } from 'vitest';
import { MemoryDisk } from '../../src/devices/memory-disk.ts';
import { Machine } from '../../src/pc/machine.ts';
import { bootPc, bootQemu, hasQemu } from '../kern/machines.ts';
import { compiled, HOST_KERNEL, nestedRootOf, rootOf } from '../kern/roots.ts';

const VERDICT = /^resume: 68 passed, 0 failed$/m;

describe.each(['', 'off=lane ', 'off=all '])('with boot words "%s"', (words) => {
  it('on the host kernel', () => expect(bootPc(compiled(HOST_KERNEL), rootOf('resume'), words).text).toMatch(VERDICT), 120_000);
  it('in the virtual kernel', () => expect(bootPc(compiled(HOST_KERNEL), nestedRootOf('resume'), `${words}exec=none`).text).toMatch(VERDICT), 120_000);
  it.each([2, 4, 8])('in one with %i CPUs', (cpus) => expect(bootPc(compiled(HOST_KERNEL), nestedRootOf('resume'), `${words}ncpu=${cpus} exec=none`).text).toMatch(VERDICT), 120_000);
});

describe.skipIf(!hasQemu)('under QEMU', () => {
  it('is the same', () => expect(bootQemu(compiled(HOST_KERNEL), rootOf('resume'), '', 100).text).toMatch(VERDICT), 240_000);
});

/** Exceptions of a run in the virtual kernel. */
function faults(words: string): number {
  const machine = new Machine({ disks: [new MemoryDisk(nestedRootOf('process').slice())] });
  machine.loadKernel(compiled(HOST_KERNEL), 'kernel', `kernel ${words}exec=none`);
  machine.run(2_000_000_000, true);
  return machine.cpu.events.of('exception');
}

it.each(['', 'ncpu=2 ', 'ncpu=4 '])('saves faults (%s)', (cpus) => expect(faults(cpus)).toBeLessThan(faults(`${cpus}off=resume `) * 0.9), 240_000);
