import { describe, expect, it } from 'vitest';
import { Clock, CYCLES_PER_SECOND } from '../../src/bus/clock.ts';
import { Cmos } from '../../src/devices/cmos.ts';

function rtc() {
  const clock = new Clock(() => 0, () => {});
  const levels: boolean[] = [];
  const cmos = new Cmos(clock, { set: (level) => levels.push(level) }, 64 << 20);
  const read = (register: number) => (cmos.ports.write(0x70, 1, register), cmos.ports.read(0x71, 1));
  const write = (register: number, value: number) => (cmos.ports.write(0x70, 1, register), cmos.ports.write(0x71, 1, value));
  const pass = (seconds: number) => {
    let left = Math.round(seconds * CYCLES_PER_SECOND);
    while (left > 0) {
      const step = Math.min(left, Math.max(1, clock.untilNext));
      clock.skip(step);
      clock.fireDue();
      left -= step;
    }
  };
  return { read, write, pass, levels };
}

describe('cmos', () => {
  it('starts on 1 January 2007 and follows virtual time in BCD', () => {
    const { read, pass } = rtc();
    expect([9, 8, 7, 4, 2, 0, 6].map(read)).toEqual([7, 1, 1, 0, 0, 0, 2]);
    pass(3661);
    expect([4, 2, 0].map(read)).toEqual([0x01, 0x01, 0x01]);
    pass(12 * 3600 + 600);
    expect([4, 2, 0].map(read)).toEqual([0x13, 0x11, 0x01]);
  });

  it('shows hours in binary and with an afternoon bit when asked', () => {
    const { read, write, pass } = rtc();
    pass(13 * 3600);
    write(0x0b, 0x06);
    expect(read(4)).toBe(13);
    write(0x0b, 0x00);
    expect(read(4)).toBe(0x81);
  });

  it('has the update flag up just before the end of each second', () => {
    const { read, pass } = rtc();
    expect(read(0x0a) & 0x80).toBe(0);
    pass(0.9999);
    expect(read(0x0a) & 0x80).toBe(0x80);
    pass(0.0001);
    expect(read(0x0a) & 0x80).toBe(0);
    expect(read(0)).toBe(1);
  });

  it('keeps what is set while updates are stopped, and runs on from there', () => {
    const { read, write, pass } = rtc();
    write(0x0b, 0x82);
    [[0, 0x30], [2, 0x59], [4, 0x23], [7, 0x31], [8, 0x12], [9, 0x99]].forEach(([register, value]) => write(register!, value!));
    write(0x32, 0x19);
    pass(5);
    expect(read(0)).toBe(0x30);
    write(0x0b, 0x02);
    pass(30);
    expect([9, 8, 7, 4, 2, 0].map(read)).toEqual([0x00, 0x01, 0x01, 0, 0, 0]);
  });

  it('interrupts periodically at the rate of register A; reading C acknowledges', () => {
    const { read, write, pass, levels } = rtc();
    write(0x0a, 0x26); // 1024 Hz
    write(0x0b, 0x42);
    let count = 0;
    for (let i = 0; i < 4096; i++) {
      pass(1 / 4096);
      const flags = read(0x0c);
      if (flags) expect(flags).toBe(0xc0);
      if (flags) count++;
    }
    expect(Math.abs(count - 1024)).toBeLessThanOrEqual(1);
    expect(levels.filter((level) => level).length).toBe(count);
    expect(levels.at(-1)).toBe(false);
  });

  it('interrupts at the end of a second and at the alarm', () => {
    const { read, write, pass, levels } = rtc();
    [1, 3, 5].forEach((register, i) => write(register, [0x02, 0xff, 0xff][i]!));
    write(0x0b, 0x32);
    pass(1);
    expect(read(0x0c)).toBe(0x90);
    pass(1);
    expect(read(0x0c)).toBe(0xb0);
    write(0x0b, 0x02);
    pass(3);
    expect(read(0x0c)).toBe(0);
    expect(levels.at(-1)).toBe(false);
  });

  it('keeps its memory and reports the installed RAM', () => {
    const { read, write } = rtc();
    write(0x40, 0xa5);
    expect(read(0x40)).toBe(0xa5);
    expect(read(0x34) | (read(0x35) << 8)).toBe(48 << 4);
  });
});
