// SYSENTER: test/guest/fastcall.ts judges it as process 1 of the host kernel, of the virtual kernel and under QEMU, with and without
// what it is combined with, and on a processor that has none; and whoever makes the calls, the virtual kernel must do so.

import { describe, expect, it } from 'vitest';
import { MemoryDisk } from '../../src/devices/memory-disk.ts';
import { Machine } from '../../src/pc/machine.ts';
import { bootPc, bootQemu, hasQemu } from '../kern/machines.ts';
import { compiled, HOST_KERNEL, nestedRootOf, rootOf } from '../kern/roots.ts';

const OFFERED = /^fastcall: 40 passed, 0 failed$/m;
const NOT_OFFERED = /^fastcall: 1 passed, 0 failed$/m;

describe.each([['', OFFERED], ['off=lane ', OFFERED], ['off=sysenter ', NOT_OFFERED], ['off=all ', NOT_OFFERED]])('with boot words "%s"', (words, verdict) => {
  it('on the host kernel', () => expect(bootPc(compiled(HOST_KERNEL), rootOf('fastcall'), words).text).toMatch(verdict), 120_000);
  it('in the virtual kernel', () => expect(bootPc(compiled(HOST_KERNEL), nestedRootOf('fastcall'), `${words}exec=none`).text).toMatch(verdict), 120_000);
});

describe.skipIf(!hasQemu)('under QEMU', () => {
  it.each([['qemu32', OFFERED], ['qemu32,-sep', NOT_OFFERED]])('on a %s', (model, verdict) => {
    expect(bootQemu(compiled(HOST_KERNEL), rootOf('fastcall'), '', 100, ['-cpu', model]).text).toMatch(verdict);
    expect(bootQemu(compiled(HOST_KERNEL), nestedRootOf('fastcall'), 'exec=none', 100, ['-cpu', model]).text).toMatch(verdict);
  }, 240_000);
});

/** How often SYSENTER and INT were executed, from power-on to power-off. */
function entries(words: string): { fast: number; slow: number } {
  const machine = new Machine({ disks: [new MemoryDisk(nestedRootOf('fastcall').slice())] });
  machine.loadKernel(compiled(HOST_KERNEL), 'kernel', `kernel ${words}exec=none`);
  machine.run(2_000_000_000, true);
  return { fast: machine.cpu.events.of('fastCall'), slow: machine.cpu.events.of('softwareInterrupt') };
}

it('is what the virtual kernel uses', () => {
  const on = entries('');
  const off = entries('off=sysenter ');
  expect(on.fast).toBeGreaterThan(100);
  expect(off.fast).toBe(0);
}, 120_000);
