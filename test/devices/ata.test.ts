import { beforeEach, describe, expect, it } from 'vitest';
import { Clock } from '../../src/bus/clock.ts';
import { MemoryDisk } from '../../src/devices/memory-disk.ts';
import { AtaChannel } from '../../src/devices/ata.ts';

let irq = false;
let disk: MemoryDisk;
let ata: AtaChannel;
let clock: Clock;
const out = (register: number, value: number) => ata.ports.write(0x1f0 + register, 1, value);
const inp = (register: number) => ata.ports.read(0x1f0 + register, 1);

function command(code: number, lba: number, count: number): void {
  out(2, count);
  out(3, lba & 255);
  out(4, (lba >> 8) & 255);
  out(5, (lba >> 16) & 255);
  out(6, 0xe0 | (lba >> 24));
  out(7, code);
  if (code !== 0x30 && code !== 0xc5) settle();
}

/** Lets virtual time pass until the drive has done what it is doing. */
function settle(): void {
  while (clock.untilNext !== Infinity) {
    clock.skip(clock.untilNext);
    clock.fireDue();
  }
}

beforeEach(() => {
  irq = false;
  disk = new MemoryDisk(new Uint8Array(64 * 512).map((_, i) => (i >> 9) ^ (i & 255)));
  clock = new Clock(() => 0, () => {});
  ata = new AtaChannel(0x1f0, clock, { set: (level) => { irq = level; } }, [disk, null]);
});

describe('ATA PIO', () => {
  it('is busy for a while of virtual time before it answers', () => {
    out(2, 1);
    out(6, 0xe0);
    out(7, 0x20);
    expect(inp(7)).toBe(0x90);
    expect(irq).toBe(false);
    clock.skip(clock.untilNext - 1);
    clock.fireDue();
    expect(inp(7)).toBe(0x90);
    clock.skip(1);
    clock.fireDue();
    expect(irq).toBe(true);
    expect(inp(7)).toBe(0x58);
  });

  it('tells a guest of a medium that cannot be read or written', () => {
    disk.read = () => { throw new Error('EIO'); };
    command(0x20, 3, 1);
    expect(inp(7) & 0x81).toBe(1);
    expect(inp(1)).toBe(0x40);
  });

  it('resets to the signature of a disk, and drops the command in progress', () => {
    command(0x20, 3, 2);
    ata.controlPort.write(0x3f6, 1, 4);
    ata.controlPort.write(0x3f6, 1, 0);
    expect([inp(1), inp(2), inp(3), inp(4), inp(5), inp(7)]).toEqual([1, 1, 1, 0, 0, 0x50]);
    expect(ata.ports.read(0x1f0, 2)).toBe(0xffff);
  });

  it('addresses sectors by cylinder, head and sector in the geometry that software sets', () => {
    out(2, 8);
    out(6, 0xa1);
    out(7, 0x91); // two heads, eight sectors
    settle();
    out(2, 1);
    out(3, 3);
    out(4, 2);
    out(5, 0);
    out(6, 0xa1);
    out(7, 0x20);
    settle();
    const sector = (2 * 2 + 1) * 8 + 3 - 1;
    expect(ata.ports.read(0x1f0, 1)).toBe(disk.bytes[sector * 512]);
    out(3, 9);
    out(7, 0x20);
    settle();
    expect(inp(1)).toBe(0x10);
  });

  it('identifies itself with its size', () => {
    command(0xec, 0, 0);
    expect(inp(7) & 0x88).toBe(0x08);
    const words = Array.from({ length: 256 }, () => ata.ports.read(0x1f0, 2));
    expect(words[60]! | (words[61]! << 16)).toBe(64);
    expect(words[49]! & 0x200).toBe(0x200);
    expect(inp(7) & 8).toBe(0);
  });

  it('reads sectors in 16- and 32-bit pieces', () => {
    command(0x20, 3, 2);
    expect(irq).toBe(true);
    expect(ata.ports.read(0x1f0, 2)).toBe(disk.bytes[3 * 512]! | (disk.bytes[3 * 512 + 1]! << 8));
    for (let i = 0; i < 127; i++) ata.ports.read(0x1f0, 4);
    ata.ports.read(0x1f0, 2);
    expect(ata.ports.read(0x1f0, 2)).toBe(disk.bytes[4 * 512]! | (disk.bytes[4 * 512 + 1]! << 8));
    for (let i = 0; i < 255; i++) ata.ports.read(0x1f0, 2);
    expect(inp(7) & 8).toBe(0);
  });

  it('writes sectors', () => {
    command(0x30, 5, 1);
    for (let i = 0; i < 256; i++) ata.ports.write(0x1f0, 2, 0x1234);
    expect(inp(7) & 0x80).toBe(0x80);
    settle();
    expect(disk.bytes[5 * 512]).toBe(0x34);
    expect(disk.bytes[5 * 512 + 511]).toBe(0x12);
    expect(disk.bytes[6 * 512]).toBe(6);
    expect(inp(7) & 0x89).toBe(0);
  });

  it('moves several sectors for one interrupt with READ and WRITE MULTIPLE', () => {
    command(0xc6, 0, 4);
    command(0xc5, 8, 6);
    let interrupts = 0;
    for (let i = 0; i < 6 * 128; i++) {
      ata.ports.write(0x1f0, 4, 0x01010101 * (i >> 7));
      if (irq) interrupts++;
      inp(7);
    }
    settle();
    if (irq) interrupts++;
    expect(interrupts).toBe(2);
    expect([7, 8, 9, 10, 11, 12, 13, 14].map((sector) => disk.bytes[sector * 512 + 511]! ^ (sector < 8 || sector > 13 ? sector ^ 255 : 0))).toEqual([0, 0, 1, 2, 3, 4, 5, 0]);
    command(0xc4, 8, 6);
    const words = Array.from({ length: 6 * 128 }, () => ata.ports.read(0x1f0, 4));
    expect(words).toEqual(Array.from({ length: 6 * 128 }, (_, i) => 0x01010101 * (i >> 7)));
    expect(inp(7) & 0x89).toBe(0);
  });

  it('clears its interrupt when the status is read, not the alternate status', () => {
    command(0xec, 0, 0);
    ata.controlPort.read(0x3f6, 1);
    expect(irq).toBe(true);
    inp(7);
    expect(irq).toBe(false);
  });

  it('refuses sectors beyond the end and unknown commands', () => {
    command(0x20, 63, 2);
    expect(inp(7) & 1).toBe(1);
    expect(inp(1)).toBe(0x10);
    command(0xff, 0, 1);
    expect(inp(7) & 1).toBe(1);
    expect(inp(1)).toBe(0x04);
  });

  it('shows no status for a missing disk', () => {
    out(6, 0xf0);
    expect(inp(7)).toBe(0);
  });
});
