import { describe, expect, it } from 'vitest';
import { isLinux, loadLinux } from '../../src/pc/linux.ts';
import { LoadError } from '../../src/pc/load-error.ts';
import { Machine } from '../../src/pc/machine.ts';
import { linuxKernel, multibootKernel } from './images.ts';

const NO_INITRD = new Uint8Array(0);
const word = (ram: Uint8Array, at: number) => new DataView(ram.buffer, ram.byteOffset).getUint32(at, true);
const cString = (ram: Uint8Array, at: number) => Buffer.from(ram.subarray(at, ram.indexOf(0, at))).toString();
const changed = (change: (view: DataView) => void) => {
  const image = linuxKernel();
  change(new DataView(image.buffer));
  return image;
};

describe('linux', () => {
  it('is recognised by its setup header', () => {
    expect(isLinux(linuxKernel())).toBe(true);
    expect(isLinux(multibootKernel())).toBe(false);
    expect(isLinux(new Uint8Array(10))).toBe(false);
  });

  it('fills in the zero page', () => {
    const ram = new Uint8Array(4 << 20).fill(0xee);
    const { entry, zeroPage, gdt } = loadLinux(ram, linuxKernel(), 'k', 'console=ttyS0', Uint8Array.of(1, 2, 3));
    expect(entry).toBe(0x100000);
    expect(ram[0x100000]).toBe(0x90);
    expect(cString(ram, word(ram, zeroPage + 0x228))).toBe('console=ttyS0');
    const initrd = word(ram, zeroPage + 0x218);
    expect([...ram.subarray(initrd, initrd + word(ram, zeroPage + 0x21c))]).toEqual([1, 2, 3]);
    expect(initrd % 4096).toBe(0);
    expect(ram[zeroPage + 0x210]).toBe(0xff);
    expect(word(ram, zeroPage + 0x202)).toBe(0x53726448);
    expect(word(ram, gdt + 0x14)).toBe(0x00cf9b00);
    expect(word(ram, gdt + 0x1c)).toBe(0x00cf9300);
  });

  it('tells the memory map in ascending order without overlaps', () => {
    const ram = new Uint8Array(16 << 20);
    const { zeroPage } = loadLinux(ram, linuxKernel(), 'k', '', NO_INITRD);
    const ranges = Array.from({ length: ram[zeroPage + 0x1e8]! }, (_, i) => [0, 8, 16].map((at) => word(ram, zeroPage + 0x2d0 + 20 * i + at)));
    expect(ranges[3]).toEqual([0x100000, (15 << 20) - 0x20000, 1]);
    for (let i = 1; i < ranges.length; i++) expect(ranges[i]![0]).toBeGreaterThanOrEqual(ranges[i - 1]![0]! + ranges[i - 1]![1]!);
    expect(word(ram, zeroPage + 0x218)).toBe(0);
  });

  it('starts with the segments, registers and descriptor table of the protocol', () => {
    const machine = new Machine({ memory: 4 << 20 });
    // mov ax,0x18; mov fs,ax; mov eax,[esi+0x228]; mov dx,0x604; mov ax,0x2000; out dx,ax
    const code = [0x66, 0xb8, 0x18, 0x00, 0x8e, 0xe0, 0x8b, 0x9e, 0x28, 0x02, 0, 0, 0x66, 0xba, 0x04, 0x06, 0x66, 0xb8, 0x00, 0x20, 0x66, 0xef];
    machine.loadKernel(linuxKernel(code), 'k', 'hello');
    const { state } = machine.cpu;
    expect([state.segment(1).sel, state.segment(3).sel, state.eflags & 0x200, state.ebp, state.edi]).toEqual([0x10, 0x18, 0, 0, 0]);
    expect(machine.run(100, true)).toEqual({ kind: 'off' });
    expect(cString(machine.cpu.ram, state.ebx)).toBe('hello');
  });

  const refused: [string, Uint8Array, RegExp][] = [
    ['an old protocol', changed((v) => v.setUint16(0x206, 0x201, true)), /boot protocol 2\.1 at offset 518; expected 2\.2/],
    ['a zImage', changed((v) => v.setUint8(0x211, 0)), /a zImage\); expected a bzImage/],
    ['a wrong boot flag', changed((v) => v.setUint16(0x1fe, 0, true)), /boot flag 0x0 at offset 510/],
    ['a truncated header', linuxKernel().subarray(0, 0x220), /ends inside its setup header/],
    ['a truncated kernel', linuxKernel().subarray(0, 1100), /256 bytes after offset 1024/],
    ['no kernel at all', linuxKernel().subarray(0, 1024), /1 setup sectors at offset 497/],
    ['a low entry point', changed((v) => v.setUint32(0x214, 0x1000, true)), /entry point 0x1000 at offset 532/],
    ['a kernel beyond memory', changed((v) => v.setUint32(0x260, 0x7f00000, true)), /beyond the 4 MiB/],
  ];
  it.each(refused)('refuses %s in one line', (_what, image, message) => {
    const attempt = () => loadLinux(new Uint8Array(4 << 20), image, 'k', '', NO_INITRD);
    expect(attempt).toThrow(LoadError);
    expect(attempt).toThrow(message);
  });

  it('refuses what does not fit', () => {
    const ram = new Uint8Array(4 << 20);
    expect(() => loadLinux(ram, linuxKernel(), 'k', 'x'.repeat(256), NO_INITRD)).toThrow(/command line has 256 characters; this kernel takes 255/);
    expect(() => loadLinux(ram, linuxKernel(), 'k', '', new Uint8Array(3 << 20))).toThrow(/initial RAM disk of 3145728 bytes does not fit/);
  });
});
