// Single steps hold interrupts back; the machine takes them when it runs on.

import { describe, expect, it } from 'vitest';
import { disassemble, linearEip } from '../../src/debug/code.ts';
import { MemoryDisk } from '../../src/devices/memory-disk.ts';
import { buildWorld } from '../../src/image/world.ts';
import { Machine } from '../../src/pc/machine.ts';

const TIMER = 0;

/** The host kernel with a program in ring 3 that is not about to call the kernel. */
function userMachine(): Machine {
  const { hostKernel, rootImage } = buildWorld();
  const machine = new Machine({ memory: 32 << 20, disks: [new MemoryDisk(rootImage.slice())] });
  machine.loadKernel(hostKernel, 'host-kernel.elf', 'native exec=ls /');
  do machine.run(machine.cpu.instructions + 7, true);
  while (machine.cpu.state.cpl !== 3 || !/^(mov|add|push|cmp|sub)/.test(disassemble(machine.cpu, linearEip(machine.cpu))?.text ?? ''));
  return machine;
}

describe('single steps', () => {
  it('hold interrupts back', () => {
    const machine = userMachine();
    const { cpu } = machine;
    machine.pic.line(TIMER).set(false);
    machine.pic.line(TIMER).set(true);
    const next = linearEip(cpu) + disassemble(cpu, linearEip(cpu))!.bytes.length;
    expect(machine.step()).toEqual({ kind: 'limit' });
    expect([linearEip(cpu), cpu.state.cpl]).toEqual([next, 3]);
    machine.run(cpu.instructions + 1, true);
    expect(cpu.state.cpl).toBe(0);
  }, 180_000);

  it('take one instruction each, as counted', () => {
    const machine = userMachine();
    const before = machine.cpu.instructions;
    for (let i = 0; i < 200; i++) machine.step();
    expect(machine.cpu.instructions - before).toBeGreaterThan(190);
    expect(machine.cpu.instructions - before).toBeLessThanOrEqual(200);
  }, 180_000);
});
