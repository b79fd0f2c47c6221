import { beforeEach, describe, expect, it } from 'vitest';
import { Clock, CYCLES_PER_SECOND } from '../../src/bus/clock.ts';
import { IO_APIC_ID, IoApic } from '../../src/devices/io-apic.ts';
import { LocalApic } from '../../src/devices/local-apic.ts';
import { Machine } from '../../src/pc/machine.ts';
import { multibootKernel } from '../pc/images.ts';

let clock: Clock;
let local: LocalApic;
let io: IoApic;
let intr = false;

beforeEach(() => {
  clock = new Clock(() => 0, () => {});
  intr = false;
  local = new LocalApic(clock, { set: (level) => { intr = level; } });
  io = new IoApic((vector, level) => local.send(vector, level));
  local.ended = (vector) => io.ended(vector);
});

const enable = () => local.write(0xf0, 0x13f);
const route = (pin: number, entry: number) => {
  io.write(0, 0x10 + 2 * pin);
  io.write(0x10, entry);
};

describe('local APIC', () => {
  it('lets the 8259A through while it is disabled, and by an ExtINT LINT0', () => {
    local.lint0.set(true);
    expect([intr, local.acknowledge()]).toEqual([true, -1]);
    enable();
    expect(intr).toBe(false);
    local.write(0x350, 0x700);
    expect([intr, local.acknowledge()]).toEqual([true, -1]);
    local.lint0.set(false);
    expect(intr).toBe(false);
    local.write(0x350, 0x10000);
    expect(local.acknowledge()).toBe(0x3f); // spurious
  });

  it('serves the highest priority class first, and nothing below the task priority or what is in service', () => {
    enable();
    local.send(0x41, false);
    local.send(0x52, false);
    expect(local.acknowledge()).toBe(0x52);
    expect([intr, local.read(0xa0)]).toEqual([false, 0x50]);
    local.send(0x58, false); // same class: waits
    expect(intr).toBe(false);
    local.write(0xb0, 0);
    expect(local.acknowledge()).toBe(0x58);
    local.write(0xb0, 0);
    local.write(0x80, 0x40);
    expect(intr).toBe(false);
    local.write(0x80, 0x30);
    expect(local.acknowledge()).toBe(0x41);
    expect(local.read(0x100 + 0x20)).toBe(2);
  });

  it('has a timer, periodic or not, divided as it is told', () => {
    enable();
    local.write(0x3e0, 0x0b); // by 1
    local.write(0x320, 0x20040);
    local.write(0x380, 1000);
    clock.skip(400);
    expect(local.read(0x390)).toBe(600);
    for (let n = 0; n < 3; n++) {
      clock.skip(clock.untilNext);
      clock.fireDue();
      expect(local.acknowledge()).toBe(0x40);
      local.write(0xb0, 0);
    }
    expect(clock.now).toBe(3000);
    local.write(0x3e0, 3); // by 16
    local.write(0x320, 0x41);
    local.write(0x380, 10);
    expect(clock.untilNext).toBe((160 * clock.hertz) / CYCLES_PER_SECOND);
    clock.skip(160);
    clock.fireDue();
    expect([local.acknowledge(), clock.untilNext, local.read(0x390)]).toEqual([0x41, Infinity, 0]);
  });

  it('interrupts itself, and nobody else', () => {
    enable();
    local.write(0x310, 1 << 24);
    local.write(0x300, 0x0608);
    local.write(0x300, 0x44);
    expect(intr).toBe(false);
    local.write(0x300, 0x40044);
    expect(local.acknowledge()).toBe(0x44);
    expect(local.read(0x300) & 0x1000).toBe(0);
  });
});

describe('I/O APIC', () => {
  it('has the number that the tables of the firmware tell', () => {
    io.write(0, 0);
    const machine = new Machine({ memory: 2 << 20 });
    machine.loadKernel(multibootKernel(), 'k');
    const mp = Buffer.from(machine.cpu.ram).indexOf('PCMP') + 44;
    const entry = [...machine.cpu.ram.subarray(mp + 20 + 8, mp + 20 + 16)];
    expect([io.read(0x10) >>> 24, entry[0], entry[1]]).toEqual([IO_APIC_ID, 2, IO_APIC_ID]);
  });

  it('sends a vector at an edge, once, unless it is masked', () => {
    enable();
    io.line(4).set(true);
    expect(intr).toBe(false);
    io.line(4).set(false);
    route(4, 0x24);
    io.line(4).set(true);
    io.line(4).set(true);
    expect(local.acknowledge()).toBe(0x24);
    local.write(0xb0, 0);
    expect(intr).toBe(false);
    io.write(0, 1);
    expect((io.read(0x10) >> 16) & 0xff).toBe(23);
    io.write(0, 0x18);
    expect(io.read(0x10)).toBe(0x24);
  });

  it('sends again while a level is high, after the end of the interrupt', () => {
    enable();
    route(10, 0x802a);
    io.line(10).set(true);
    expect(local.acknowledge()).toBe(0x2a);
    expect(intr).toBe(false);
    local.write(0xb0, 0);
    expect(local.acknowledge()).toBe(0x2a);
    io.line(10).set(false);
    local.write(0xb0, 0);
    expect(intr).toBe(false);
  });

  it('has the timer at input 2', () => {
    enable();
    route(2, 0x20);
    io.line(0).set(true);
    expect(local.acknowledge()).toBe(0x20);
  });
});
