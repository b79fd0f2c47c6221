import { beforeEach, describe, expect, it } from 'vitest';
import { Clock, CYCLES_PER_SECOND } from '../../src/bus/clock.ts';
import { Pit } from '../../src/devices/pit.ts';

let executed = 0;
let clock: Clock;
let pit: Pit;
let edges: number[];
let level = false;

beforeEach(() => {
  executed = 0;
  edges = [];
  level = false;
  clock = new Clock(() => executed, () => {});
  pit = new Pit(clock, {
    set: (value) => {
      if (value && !level) edges.push(executed);
      level = value;
    },
  });
});

const out = (port: number, value: number) => pit.ports.write(port, 1, value);
const latched = (channel: number) => {
  out(0x43, channel << 6);
  return pit.ports.read(0x40 + channel, 1) | (pit.ports.read(0x40 + channel, 1) << 8);
};

/** Runs to `cycle`, stopping at every event on the way. */
function runTo(cycle: number): void {
  while (clock.deadline <= cycle) {
    executed = clock.deadline;
    clock.fireDue();
  }
  executed = cycle;
}

describe('8254', () => {
  it('interrupts a hundred times a second in mode 2 without drift', () => {
    out(0x43, 0x34);
    out(0x40, 11932 & 255);
    out(0x40, 11932 >> 8);
    runTo(CYCLES_PER_SECOND * 10);
    expect(edges.length - 1).toBe(Math.floor((1193182 * 10) / 11932));
    expect(Math.abs(edges[999]! - edges[1]! - (998 * 11932 * CYCLES_PER_SECOND) / 1193182)).toBeLessThanOrEqual(1);
  });

  it('counts down in mode 2 and reloads', () => {
    out(0x43, 0x34);
    out(0x40, 100);
    out(0x40, 0);
    expect(latched(0)).toBe(100);
    runTo(Math.ceil((10 * CYCLES_PER_SECOND) / 1193182));
    expect(latched(0)).toBe(90);
    runTo(Math.ceil((100 * CYCLES_PER_SECOND) / 1193182));
    expect(latched(0)).toBe(100);
  });

  it('interrupts once in mode 0', () => {
    out(0x43, 0x30);
    out(0x40, 50);
    out(0x40, 0);
    runTo(CYCLES_PER_SECOND);
    expect(edges).toEqual([Math.ceil((50 * CYCLES_PER_SECOND) / 1193182)]);
  });

  it('strobes once in mode 4, and the request stays until it is served', () => {
    out(0x43, 0x38);
    out(0x40, 50);
    out(0x40, 0);
    runTo(CYCLES_PER_SECOND);
    expect(edges).toEqual([0, Math.ceil((51 * CYCLES_PER_SECOND) / 1193182)]);
    expect(level).toBe(true);
  });

  it('shows channel 2 at port 0x61 under its gate', () => {
    pit.port61.write(0x61, 1, 1);
    out(0x43, 0xb0);
    out(0x42, 0xe8);
    out(0x42, 0x03);
    expect(pit.port61.read(0x61, 1) & 0x20).toBe(0);
    runTo(Math.ceil((1000 * CYCLES_PER_SECOND) / 1193182));
    expect(pit.port61.read(0x61, 1) & 0x20).toBe(0x20);
  });

  it('latches the status by read-back', () => {
    out(0x43, 0x34);
    out(0x40, 100);
    out(0x40, 0);
    out(0x43, 0xe2);
    expect(pit.ports.read(0x40, 1) & 0x3f).toBe(0x34);
  });

  it('runs at 18.2 Hz as a BIOS leaves it, from when somebody listens', () => {
    runTo(CYCLES_PER_SECOND);
    expect(clock.untilNext).toBe(Infinity);
    const before = latched(0);
    runTo(CYCLES_PER_SECOND + 1000);
    expect(latched(0)).not.toBe(before);
    pit.listenedTo();
    edges.length = 0;
    runTo(CYCLES_PER_SECOND * 11);
    expect(edges.length).toBe(182);
  });
});
