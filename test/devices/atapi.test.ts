import { beforeEach, describe, expect, it } from 'vitest';
import { Clock } from '../../src/bus/clock.ts';
import { MemoryDisk } from '../../src/devices/memory-disk.ts';
import { AtaChannel } from '../../src/devices/ata.ts';

let cd: AtaChannel;
let clock: Clock;
let irq = false;
const bytes = Uint8Array.from({ length: 20 * 2048 }, (_, i) => (i >> 11) + 1);
const out = (register: number, value: number) => cd.ports.write(0x170 + register, 1, value);
const inp = (register: number) => cd.ports.read(0x170 + register, 1);

function settle(): void {
  while (clock.untilNext !== Infinity) {
    clock.skip(clock.untilNext);
    clock.fireDue();
  }
}

/** Sends a packet; the data that come back, in the pieces in which the drive offers them. */
function packet(command: readonly number[], most = 0xfffe): number[][] {
  out(4, most & 255);
  out(5, most >> 8);
  out(6, 0xa0);
  out(7, 0xa0);
  expect(inp(7) & 8).toBe(8);
  expect(inp(2)).toBe(1);
  const whole = [...command, ...new Array<number>(12 - command.length).fill(0)];
  for (let i = 0; i < 12; i += 2) cd.ports.write(0x170, 2, whole[i]! | (whole[i + 1]! << 8));
  settle();
  const pieces: number[][] = [];
  while (inp(7) & 8) {
    expect(inp(2)).toBe(2);
    const length = inp(4) | (inp(5) << 8);
    const words = Array.from({ length: Math.ceil(length / 2) }, () => cd.ports.read(0x170, 2));
    pieces.push(words.flatMap((word) => [word & 255, word >> 8]).slice(0, length));
  }
  return pieces;
}

beforeEach(() => {
  clock = new Clock(() => 0, () => {});
  const image = Object.assign(new MemoryDisk(bytes.slice()), { cdrom: true });
  cd = new AtaChannel(0x170, clock, { set: (level) => { irq = level; } }, [image]);
});

describe('ATAPI CD-ROM', () => {
  it('has its signature, also when it is asked for the identity of a disk', () => {
    expect([inp(4), inp(5)]).toEqual([0x14, 0xeb]);
    out(4, 0);
    out(7, 0xec);
    expect(inp(7) & 1).toBe(1);
    expect([inp(4), inp(5)]).toEqual([0x14, 0xeb]);
    out(7, 0xa1);
    settle();
    expect(cd.ports.read(0x170, 2)).toBe(0x85c0);
  });

  it('reports the reset once, then is ready', () => {
    packet([0]);
    expect(inp(7) & 1).toBe(1);
    expect(inp(1) >> 4).toBe(6);
    const [sense] = packet([3, 0, 0, 0, 18]);
    expect([sense![2], sense![12]]).toEqual([6, 0x29]);
    packet([0]);
    expect(inp(7) & 1).toBe(0);
    expect(irq).toBe(false);
  });

  it('tells its kind, capacity and contents', () => {
    const [inquiry] = packet([0x12, 0, 0, 0, 36]);
    expect(inquiry!.slice(0, 2)).toEqual([5, 0x80]);
    expect(String.fromCharCode(...inquiry!.slice(8, 16))).toBe('DAMSELFL');
    packet([0]);
    expect(packet([0x25])).toEqual([[0, 0, 0, 19, 0, 0, 8, 0]]);
    const [toc] = packet([0x43, 2, 0, 0, 0, 0, 0, 0, 100]);
    expect(toc).toEqual([0, 18, 1, 1, 0, 0x14, 1, 0, 0, 0, 2, 0, 0, 0x14, 0xaa, 0, 0, 0, 2, 20]);
  });

  it('reads sectors in pieces no larger than the host takes', () => {
    packet([0]);
    const pieces = packet([0x28, 0, 0, 0, 0, 3, 0, 0, 5], 5000);
    expect(pieces.map((piece) => piece.length)).toEqual([4096, 4096, 2048]);
    expect(pieces.flat().map((value, i) => value - (i >> 11))).toEqual(new Array(5 * 2048).fill(4));
    expect(inp(2)).toBe(3);
    expect(inp(7)).toBe(0x50);
    expect(packet([0x28, 0, 0, 0, 0, 3, 0, 0, 1], 100).map((piece) => piece.length).slice(-2)).toEqual([100, 48]);
  });

  it('refuses what it cannot do, with sense', () => {
    packet([0]);
    for (const [command, key, code] of [[[0x28, 0, 0, 0, 0, 19, 0, 0, 2], 5, 0x21], [[0x2a], 7, 0x27], [[0xff], 5, 0x20]] as [number[], number, number][]) {
      expect(packet(command)).toEqual([]);
      expect(inp(7) & 1).toBe(1);
      const [sense] = packet([3, 0, 0, 0, 18]);
      expect([sense![2], sense![12]]).toEqual([key, code]);
    }
  });
});
