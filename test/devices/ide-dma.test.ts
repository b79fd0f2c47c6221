import { beforeEach, describe, expect, it } from 'vitest';
import { Clock } from '../../src/bus/clock.ts';
import { PortMap } from '../../src/bus/ports.ts';
import { MemoryDisk } from '../../src/devices/memory-disk.ts';
import { AtaChannel } from '../../src/devices/ata.ts';
import { IdeFunction } from '../../src/devices/ide-dma.ts';

const BASE = 0xc000;
const TABLE = 0x1000;

let ram: Uint8Array;
let clock: Clock;
let ports: PortMap;
let disk: MemoryDisk;
let ide: IdeFunction;
let irq = false;

beforeEach(() => {
  ram = new Uint8Array(0x40000);
  clock = new Clock(() => 0, () => {});
  ports = new PortMap();
  disk = new MemoryDisk(Uint8Array.from({ length: 64 * 512 }, (_, i) => (i >> 9) ^ (i & 255)));
  const channel = new AtaChannel(0x1f0, clock, { set: (level) => { irq = level; } }, [disk]);
  const other = new AtaChannel(0x170, clock, { set: () => {} }, []);
  ports.attach(0x1f0, 0x1f7, channel.ports);
  ide = new IdeFunction(ports, [channel, other], { read: (pa, into) => into.set(ram.subarray(pa, pa + into.length)), write: (pa, from) => ram.set(from, pa) });
  configure(4, 5);
});

/** A write to a byte of the function's configuration space, as PCI mechanism 1 makes it. */
function configure(at: number, value: number): void {
  ide.bytes[at] = (ide.bytes[at]! & ~ide.writable[at]!) | (value & ide.writable[at]!);
  ide.written();
}

function table(...regions: [number, number][]): void {
  const view = new DataView(ram.buffer);
  regions.forEach(([address, bytes], i) => {
    view.setUint32(TABLE + 8 * i, address, true);
    view.setUint32(TABLE + 8 * i + 4, (bytes & 0xffff) | (i === regions.length - 1 ? 0x8000_0000 : 0), true);
  });
  ports.write(BASE + 4, 4, TABLE);
}

function command(code: number, lba: number, count: number): void {
  [count, lba, 0, 0, 0xe0, code].forEach((value, i) => ports.write(0x1f2 + i, 1, value));
}

function settle(): void {
  while (clock.untilNext !== Infinity) {
    clock.skip(clock.untilNext);
    clock.fireDue();
  }
}

const status = () => ports.read(BASE + 2, 1);

describe('bus master IDE', () => {
  it('reads sectors into scattered memory, after some time', () => {
    table([0x2000, 256], [0x3000, 768]);
    command(0xc8, 5, 2);
    ports.write(BASE, 1, 9);
    expect(status() & 5).toBe(1);
    expect(clock.untilNext).toBeGreaterThan(10_000);
    expect(irq).toBe(false);
    settle();
    expect(status() & 7).toBe(4);
    expect(irq).toBe(true);
    expect(Buffer.compare(ram.subarray(0x2000, 0x2100), disk.bytes.subarray(5 * 512, 5 * 512 + 256))).toBe(0);
    expect(Buffer.compare(ram.subarray(0x3000, 0x3300), disk.bytes.subarray(5 * 512 + 256, 7 * 512))).toBe(0);
    ports.write(BASE, 1, 0);
    ports.write(BASE + 2, 1, 4);
    expect(status() & 7).toBe(0);
    expect(ports.read(0x1f7, 1)).toBe(0x50);
    expect(irq).toBe(false);
  });

  it('writes sectors from memory, whichever of command and start comes first', () => {
    ram.fill(0x5a, 0x2000, 0x2200);
    table([0x2000, 512]);
    ports.write(BASE, 1, 1);
    command(0xca, 9, 1);
    settle();
    expect(disk.bytes.subarray(9 * 512, 10 * 512).every((byte) => byte === 0x5a)).toBe(true);
    expect(disk.bytes[10 * 512]).toBe(10);
  });

  it('takes a count of 0 as 64 KiB and says when the table is longer than the transfer', () => {
    table([0x10000, 0]);
    command(0xc8, 0, 4);
    ports.write(BASE, 1, 9);
    settle();
    expect(status() & 7).toBe(5);
  });

  it('leaves the drive waiting when the table is too short', () => {
    table([0x2000, 512]);
    command(0xc8, 0, 2);
    ports.write(BASE, 1, 9);
    settle();
    expect(status() & 7).toBe(0);
    expect(ports.read(0x1f7, 1) & 8).toBe(8);
    expect(irq).toBe(false);
    expect(ram[0x2001]).toBe(0);
  });

  it('does nothing before software has made it a bus master', () => {
    configure(4, 1);
    table([0x2000, 512]);
    command(0xc8, 1, 1);
    ports.write(BASE, 1, 9);
    settle();
    expect(ram[0x2001]).toBe(0);
    configure(4, 5);
    settle();
    expect(ram[0x2001]).toBe(disk.bytes[513]);
  });

  it('answers where BAR 4 says, and nowhere when I/O is disabled', () => {
    configure(0x21, 0xd0);
    expect(ports.read(BASE + 2, 1)).toBe(0xff);
    expect(ports.read(0xd002, 1)).toBe(0);
    configure(4, 0);
    expect(ports.read(0xd002, 1)).toBe(0xff);
    configure(0x21, 0x01); // over the disk's own ports: those stay
    configure(0x20, 0xf0);
    configure(4, 1);
    expect(ports.read(0x1f7, 1)).toBe(0x50);
  });
});
