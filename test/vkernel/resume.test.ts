// VMSPACE_CTL_RESUME: test/guest/resume.ts judges it as process 1 of the host kernel, of the virtual kernel and under QEMU, by the short
// way of the switch and the long one; and it saves the virtual kernel's processes the second fault and its own calls.

import { describe, expect, it } from 'vitest';
import { MemoryDisk } from '../../src/devices/memory-disk.ts';
import { Machine } from '../../src/pc/machine.ts';
import { bootPc, bootQemu, hasQemu } from '../kern/machines.ts';
import { compiled, HOST_KERNEL, nestedRootOf, rootOf } from '../kern/roots.ts';

const VERDICT = /^resume: 56 passed, 0 failed$/m;

describe.each(['', 'off=lane ', 'off=all '])('with boot words "%s"', (words) => {
  it('on the host kernel', () => expect(bootPc(compiled(HOST_KERNEL), rootOf('resume'), words).text).toMatch(VERDICT), 120_000);
  it('in the virtual kernel', () => expect(bootPc(compiled(HOST_KERNEL), nestedRootOf('resume'), `${words}exec=none`).text).toMatch(VERDICT), 120_000);
  it('in one with two CPUs', () => expect(bootPc(compiled(HOST_KERNEL), nestedRootOf('resume'), `${words}ncpu=2 exec=none`).text).toMatch(VERDICT), 120_000);
});

describe.skipIf(!hasQemu)('under QEMU', () => {
  it('is the same', () => expect(bootQemu(compiled(HOST_KERNEL), rootOf('resume'), '', 100).text).toMatch(VERDICT), 240_000);
});

/** Traps and system calls of a run in the virtual kernel. */
function entries(words: string): { faults: number; calls: number } {
  const machine = new Machine({ disks: [new MemoryDisk(nestedRootOf('process').slice())] });
  machine.loadKernel(compiled(HOST_KERNEL), 'kernel', `kernel ${words}exec=none`);
  machine.run(2_000_000_000, true);
  const { events } = machine.cpu;
  return { faults: events.of('exception'), calls: events.of('fastCall') + events.of('softwareInterrupt') };
}

it('saves faults and calls', () => {
  const on = entries('');
  const off = entries('off=resume ');
  expect(on.faults).toBeLessThan(off.faults * 0.9);
  expect(on.calls).toBeLessThan(off.calls);
}, 240_000);
