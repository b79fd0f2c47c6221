import { describe, expect, it } from 'vitest';
import { Clock } from '../../src/bus/clock.ts';
import { PortMap } from '../../src/bus/ports.ts';

describe('clock', () => {
  it('fires events in order of time, then of scheduling, and not before they are due', () => {
    let executed = 0;
    const log: string[] = [];
    const clock = new Clock(() => executed, () => {});
    clock.schedule(30, () => log.push('c'));
    clock.schedule(10, () => log.push('a'));
    clock.schedule(30, () => log.push('d'));
    const cancelled = clock.schedule(20, () => log.push('b'));
    clock.cancel(cancelled);
    executed = 29;
    clock.fireDue();
    expect(log).toEqual(['a']);
    executed = 30;
    clock.fireDue();
    expect(log).toEqual(['a', 'c', 'd']);
    expect(clock.deadline).toBe(Infinity);
  });

  it('counts skipped time and reports deadlines in executed cycles', () => {
    let executed = 100;
    let earlier = 0;
    const clock = new Clock(() => executed, (at) => (earlier = at));
    clock.skip(50);
    expect(clock.now).toBe(150);
    clock.schedule(200, () => {});
    expect(earlier).toBe(150);
    expect(clock.deadline).toBe(150);
    executed = 120;
    expect(clock.untilNext).toBe(30);
  });
});

describe('port map', () => {
  it('splits wide accesses into the widths that a device takes', () => {
    const log: string[] = [];
    const ports = new PortMap();
    ports.attach(0x10, 0x13, { read: (port) => port, write: (port, size, value) => log.push(`${port}:${size}:${value}`) });
    expect(ports.read(0x10, 4)).toBe(0x13121110);
    ports.write(0x10, 2, 0xabcd);
    expect(log).toEqual(['16:1:205', '17:1:171']);
  });

  it('reads all ones where nothing answers, and says so', () => {
    const missing: string[] = [];
    const ports = new PortMap((what) => missing.push(what));
    expect(ports.read(0x999, 1)).toBe(0xff);
    expect(ports.read(0x999, 2)).toBe(0xffff);
    expect(ports.read(0x999, 4)).toBe(0xffffffff);
    ports.write(0x999, 1, 3);
    expect(missing.length).toBe(4);
  });
});
