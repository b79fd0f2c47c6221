import { describe, expect, it } from 'vitest';
import { LoadError } from '../../src/pc/load-error.ts';
import { findMultibootHeader } from '../../src/pc/multiboot-header.ts';
import { loadMultiboot } from '../../src/pc/multiboot.ts';
import { multibootKernel as kernel } from './images.ts';

const cString = (ram: Uint8Array, at: number) => Buffer.from(ram.subarray(at, ram.indexOf(0, at))).toString();

describe('multiboot', () => {
  it('finds the header', () => {
    expect(findMultibootHeader(kernel())).toBe(0x100);
    expect(findMultibootHeader(new Uint8Array(100))).toBe(-1);
  });

  it('places segments, clears what the file does not have, and builds the information record', () => {
    const ram = new Uint8Array(4 << 20).fill(0xee);
    const { entry, info } = loadMultiboot(ram, kernel(), 'k.elf', 'a b', [{ bytes: Uint8Array.of(1, 2, 3), commandLine: 'm x' }]);
    const view = new DataView(ram.buffer);
    expect(entry).toBe(0x10000c);
    expect(ram[0x10000c]).toBe(0x90);
    expect([...ram.subarray(0x100040, 0x100080)].every((b) => b === 0)).toBe(true);
    expect(ram[0x100080]).toBe(0xee);
    expect(view.getUint32(info, true) & 0x4d).toBe(0x4d);
    expect(view.getUint32(info + 8, true)).toBe((3 << 10) - 128);
    expect(cString(ram, view.getUint32(info + 16, true))).toBe('k.elf a b');
    expect(view.getUint32(info + 20, true)).toBe(1);
    const module = view.getUint32(info + 24, true);
    expect([...ram.subarray(view.getUint32(module, true), view.getUint32(module + 4, true))]).toEqual([1, 2, 3]);
    expect(cString(ram, view.getUint32(module + 8, true))).toBe('m x');
  });

  it('leaves alone what is behind the kernel, where kernels begin to allocate', () => {
    const ram = new Uint8Array(4 << 20).fill(0xee);
    const { info } = loadMultiboot(ram, kernel(), 'k', 'words', []);
    const view = new DataView(ram.buffer);
    for (const at of [info, view.getUint32(info + 16, true), view.getUint32(info + 48, true), view.getUint32(info + 64, true)]) expect(at).toBeLessThan(0x80000);
    expect(ram.subarray(0x100080).every((byte) => byte === 0xee)).toBe(true);
  });

  it('gives way to a kernel in low memory', () => {
    const image = kernel();
    new DataView(image.buffer).setUint32(52 + 12, 0x9000, true);
    new DataView(image.buffer).setUint32(52 + 20, 0x2000, true);
    const ram = new Uint8Array(4 << 20);
    const { info } = loadMultiboot(ram, image, 'k', 'words', []);
    expect(info).toBeGreaterThanOrEqual(0x100000);
    expect(ram.subarray(0x9040, 0xb000).every((byte) => byte === 0)).toBe(true);
  });

  it('says when the boot information does not fit behind the kernel', () => {
    const image = kernel();
    const view = new DataView(image.buffer);
    view.setUint32(52 + 20, (4 << 20) - 0x100000, true);
    expect(loadMultiboot(new Uint8Array(4 << 20), image, 'k', '', []).info).toBeLessThan(0x80000);
    expect(() => loadMultiboot(new Uint8Array(4 << 20), image, 'k', 'x'.repeat(1 << 20), [])).toThrow(/boot information does not fit behind the kernel's end at 0x400000/);
    expect(() => loadMultiboot(new Uint8Array(4 << 20), kernel(), 'k', 'x'.repeat(4 << 20), [])).toThrow(LoadError);
  });

  const refused: [string, (image: Uint8Array) => Uint8Array, RegExp][] = [
    ['an empty file', () => new Uint8Array(0), /k: an empty file; expected a Multiboot 1 kernel/],
    ['a script', () => Uint8Array.from(Buffer.from('#!/bin/sh\n')), /a script/],
    ['a segment beyond the file', (image) => (new DataView(image.buffer).setUint32(52 + 16, 0x1000, true), image), /segment at offset 256 needs 4096 bytes/],
    ['a segment beyond memory', (image) => (new DataView(image.buffer).setUint32(52 + 12, 0x7000000, true), image), /beyond the 4 MiB of memory/],
    ['program headers beyond the file', (image) => (new DataView(image.buffer).setUint32(28, 0x1f0, true), image), /program headers at offset 496/],
    ['a 64-bit machine', (image) => (new DataView(image.buffer).setUint16(18, 62, true), image), /machine 62 at offset 18/],
  ];
  it.each(refused)('refuses %s in one line', (_name, change, message) => {
    const attempt = () => loadMultiboot(new Uint8Array(4 << 20), change(kernel()), 'k', '', []);
    expect(attempt).toThrow(LoadError);
    expect(attempt).toThrow(message);
  });

  it('never breaks on a damaged file', () => {
    let seed = 12345;
    const random = (n: number) => (seed = (Math.imul(seed, 1103515245) + 12345) >>> 0) % n;
    for (let i = 0; i < 3000; i++) {
      const image = kernel();
      for (let k = random(4); k >= 0; k--) image[random(0x80)] = random(256);
      try {
        loadMultiboot(new Uint8Array(4 << 20), image.subarray(0, random(2) ? image.length : random(image.length)), 'k', '', []);
      } catch (error) {
        if (!(error instanceof LoadError)) throw new Error(`seed step ${i}: ${String(error)}`);
      }
    }
  });
});
