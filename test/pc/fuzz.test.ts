// Mutated and truncated kernels: a loader either accepts a file or says in one line why not, and a machine that runs what
// was accepted ends in one of its regular ways. The seed of a failing case is part of the message.
import { describe, expect, it } from 'vitest';
import { MemoryDisk } from '../../src/devices/memory-disk.ts';
import { LoadError } from '../../src/pc/load-error.ts';
import { Machine } from '../../src/pc/machine.ts';
import { loadLinux, loadRealModeLinux } from '../../src/pc/linux.ts';
import { findMultibootHeader } from '../../src/pc/multiboot-header.ts';
import { loadMultiboot } from '../../src/pc/multiboot.ts';
import { linuxKernel, multibootKernel } from './images.ts';

const SEED = Number(process.env.DAMSELFLY_SEED ?? 20070115);
const COUNT = 3000;

/** Numbers 0 .. below-1, the same for the same seed. */
function generator(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x9e3779b9) >>> 0;
    let z = state;
    z = Math.imul(z ^ (z >>> 16), 0x21f0aaad);
    z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
    return ((z ^ (z >>> 15)) >>> 0) % below;
  };
}

const EXTREMES = [0, 1, 0x7f, 0x80, 0xff, 0x7fffffff, 0x80000000, 0xffffffff, 0xfffffff0, 0x100000];

function mutate(image: Uint8Array, random: (below: number) => number, start: number, end: number): Uint8Array {
  const copy = image.slice();
  const view = new DataView(copy.buffer);
  for (let n = 1 + random(4); n > 0; n--) {
    const at = start + random(end - start - 4);
    if (random(2)) copy[at] = random(256);
    else view.setUint32(at, EXTREMES[random(EXTREMES.length)]!, true);
  }
  return random(4) ? copy : copy.subarray(0, random(copy.length));
}

/** The message of a refusal, '' for an accepted file. */
function attempt(load: () => unknown, seed: number): string {
  try {
    load();
    return '';
  } catch (error) {
    if (error instanceof LoadError) return error.message;
    throw new Error(`seed ${seed}: ${String(error)}`);
  }
}

function campaign(original: Uint8Array, start: number, end: number, load: (ram: Uint8Array, image: Uint8Array) => unknown): Map<string, number> {
  const ram = new Uint8Array(4 << 20);
  const outcomes = new Map<string, number>();
  for (let i = 0; i < COUNT; i++) {
    const image = mutate(original, generator(SEED + i), start, end);
    const message = attempt(() => load(ram, image), SEED + i);
    expect(message, `seed ${SEED + i}`).not.toMatch(/\n|NaN|undefined/);
    const kind = message.replace(/0x[0-9a-f]+|\d+/g, 'N');
    outcomes.set(kind, (outcomes.get(kind) ?? 0) + 1);
  }
  return outcomes;
}

describe(`damaged kernels (seed ${SEED})`, () => {
  it('Multiboot: one line or accepted', () => {
    const outcomes = campaign(multibootKernel(), 0, 0x110, (ram, image) => loadMultiboot(ram, image, 'k', 'x', []));
    expect(outcomes.get('')).toBeGreaterThan(100);
    expect(outcomes.size).toBeGreaterThan(8);
  });

  it('Multiboot with load addresses: one line or accepted', () => {
    const image = multibootKernel();
    const view = new DataView(image.buffer);
    [0x1badb002, 0x10003, -(0x1badb002 + 0x10003), 0x100100, 0x100000, 0x100200, 0x101000, 0x10010c].forEach((word, i) => view.setUint32(0x100 + 4 * i, word, true));
    expect(findMultibootHeader(image)).toBe(0x100);
    const outcomes = campaign(image, 0x10c, 0x124, (ram, damaged) => loadMultiboot(ram, damaged, 'k', 'x', []));
    expect(outcomes.size).toBeGreaterThan(3);
  });

  it('Linux: one line or accepted', () => {
    const outcomes = campaign(linuxKernel(), 0x1f1, 0x264, (ram, image) => loadLinux(ram, image, 'k', 'x', new Uint8Array(5000)));
    expect(outcomes.get('')).toBeGreaterThan(100);
    expect(outcomes.size).toBeGreaterThan(6);
  });

  it('damaged initial RAM disks and modules are the kernel\'s business', () => {
    const random = generator(SEED);
    for (let i = 0; i < 50; i++) {
      const bytes = Uint8Array.from({ length: random(9000) }, () => random(256));
      expect(attempt(() => loadLinux(new Uint8Array(4 << 20), linuxKernel(), 'k', '', bytes), SEED)).toBe('');
      expect(attempt(() => loadMultiboot(new Uint8Array(4 << 20), multibootKernel(), 'k', '', [{ bytes, commandLine: 'm' }]), SEED)).toBe('');
    }
  });

  it('Linux in real mode: one line or accepted', () => {
    const outcomes = campaign(linuxKernel(), 0x1f1, 0x264, (ram, image) => loadRealModeLinux(ram, image, 'k', 'x', new Uint8Array(5000)));
    expect(outcomes.get('')).toBeGreaterThan(100);
    expect(outcomes.size).toBeGreaterThan(5);
  });

  it('boot sectors of random calls of the BIOS end in one of the machine\'s regular ways', () => {
    const kinds = new Set<string>();
    for (let i = 0; i < 25; i++) {
      const random = generator(SEED + i);
      const image = Uint8Array.from({ length: 4096 }, () => random(256));
      // mov ax, bx, cx, dx, es, di, si to numbers; int 10h, 13h, 15h, 16h or 1Ah: over and over, then random bytes.
      const call = () => [0xb8, random(256), random(3) ? random(32) : random(256), 0x8e, 0xc0, 0xb8, random(256), [0, 2, 6, 9, 0x0e, 0x13, 0x42, 0x48, 0x87, 0xe8][random(10)]!,
        0xbb, random(256), random(256), 0xb9, random(256), random(8), 0xba, [0x80, 0x81, 0, 0xe0][random(4)]!, random(32), 0xbf, random(256), random(256), 0xbe, random(256), random(256),
        0xcd, [0x10, 0x13, 0x15, 0x1a][random(4)]!];
      image.set(Array.from({ length: 16 }, call).flat());
      image.set([0x55, 0xaa], 510);
      const machine = new Machine({ memory: 2 << 20, disks: [new MemoryDisk(image)] });
      machine.bootDisk('disk');
      const { kind } = machine.run(200_000, true);
      kinds.add(kind);
      expect(['limit', 'triple-fault', 'dead-halt', 'idle', 'off', 'reset', 'debug-exit'], `seed ${SEED + i}`).toContain(kind);
    }
    expect(kinds).toContain('limit');
  });

  it('random code ends in one of the machine\'s regular ways', () => {
    let machine = new Machine({ memory: 2 << 20 });
    for (let i = 0; i < 40; i++) {
      const random = generator(SEED + i);
      const code = Array.from({ length: 48 }, () => random(256));
      machine.loadKernel(i & 1 ? linuxKernel(code) : multibootKernel(code), 'k');
      const { kind } = machine.run(machine.cpu.instructions + 20_000, true);
      expect(['limit', 'triple-fault', 'dead-halt', 'idle', 'off', 'reset', 'debug-exit'], `seed ${SEED + i}`).toContain(kind);
      if (kind !== 'limit' && kind !== 'idle') machine = new Machine({ memory: 2 << 20 });
    }
  });
});
