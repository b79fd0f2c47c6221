// Lockstep: the engines agree on our kernels, and a difference is found at the very instruction that makes it.

import { describe, expect, it } from 'vitest';
import { MemoryDisk } from '../../src/devices/memory-disk.ts';
import { lockstep } from '../../src/debug/lockstep.ts';
import { SymbolTable } from '../../src/debug/symbols.ts';
import { buildWorld } from '../../src/image/world.ts';
import type { EngineKind } from '../../src/cpu/engine.ts';
import { Machine } from '../../src/pc/machine.ts';
import { kernelImage } from './kernel.ts';

const limit = 2_000_000;

describe('lockstep', () => {
  it('agrees on the host kernel and a command on it', () => {
    const { hostKernel, rootImage } = buildWorld();
    const make = (engine: EngineKind) => {
      const machine = new Machine({ memory: 32 << 20, engine, disks: [new MemoryDisk(rootImage.slice())] });
      machine.loadKernel(hostKernel, 'host-kernel.elf', 'native exec=ls /');
      return machine;
    };
    const result = lockstep({ make, symbols: new SymbolTable(hostKernel), limit });
    expect(result).toMatchObject({ kind: 'agree', ended: 'off' });
    expect(result.instructions).toBeGreaterThan(100_000);
  }, 180_000);

  it('finds the instruction that makes a difference', () => {
    const symbols = new SymbolTable(kernelImage());
    const make = (engine: EngineKind) => {
      const disk = new Uint8Array(64 * 512).fill(engine === 'tier0' ? 0x41 : 0x42);
      const machine = new Machine({ memory: 8 << 20, engine, disks: [new MemoryDisk(disk)] });
      machine.loadKernel(kernelImage(), 'kernel', 'disk');
      return machine;
    };
    const result = lockstep({ make, symbols, limit });
    const story = result.kind === 'differ' ? result.story : [];
    expect(story[0]).toMatch(new RegExp(`^the engines differ after instruction ${result.instructions}: [0-9a-f]{8}  66 ed +in +ax,dx$`));
    expect(story[1]).toMatch(/^ {3}eax: tier0 [0-9a-f]{4}4141, reference [0-9a-f]{4}4242$/);
    expect(story.filter((line) => /EAX=/.test(line))).toHaveLength(2);
    expect(story.slice(story.indexOf('the last 20 instructions:'))).toHaveLength(21);
  }, 60_000);

  it('finds a difference in memory alone', () => {
    const make = (engine: EngineKind) => {
      const machine = new Machine({ memory: 8 << 20, engine });
      machine.loadKernel(kernelImage(), 'kernel', 'off');
      if (engine === 'reference') machine.cpu.ram[0x7000] = 1;
      return machine;
    };
    const result = lockstep({ make, symbols: new SymbolTable(null), limit });
    expect(result).toMatchObject({ kind: 'differ', instructions: 1 });
    expect(result.kind === 'differ' && result.story[1]).toBe('   physical 00007000: tier0 00000000, reference 00000001');
  }, 60_000);
});
