import { beforeEach, describe, expect, it } from 'vitest';
import { Pic } from '../../src/devices/pic.ts';

let intr = false;
let pic: Pic;
const out = (port: number, value: number) => pic.ports(port < 0xa0 ? 'master' : 'slave').write(port, 1, value);
const inp = (port: number) => pic.ports(port < 0xa0 ? 'master' : 'slave').read(port, 1);

beforeEach(() => {
  intr = false;
  pic = new Pic({ set: (level) => (intr = level) });
  for (const [port, icw3, base] of [[0x20, 4, 0x20], [0xa0, 2, 0x28]] as const) {
    out(port, 0x11);
    out(port + 1, base);
    out(port + 1, icw3);
    out(port + 1, 1);
    out(port + 1, 0);
  }
});

describe('8259A pair', () => {
  it('delivers the highest priority first and holds back lower ones until EOI', () => {
    pic.line(4).set(true);
    pic.line(1).set(true);
    expect(intr).toBe(true);
    expect(pic.acknowledge()).toBe(0x21);
    expect(intr).toBe(false);
    out(0x20, 0x20);
    expect(intr).toBe(true);
    expect(pic.acknowledge()).toBe(0x24);
    out(0x20, 0x20);
    expect(intr).toBe(false);
  });

  it('lets a higher priority interrupt a lower one in service', () => {
    pic.line(4).set(true);
    pic.acknowledge();
    pic.line(0).set(true);
    expect(intr).toBe(true);
    expect(pic.acknowledge()).toBe(0x20);
  });

  it('masks', () => {
    out(0x21, 0x10);
    pic.line(4).set(true);
    expect(intr).toBe(false);
    out(0x21, 0);
    expect(intr).toBe(true);
  });

  it('cascades', () => {
    pic.line(14).set(true);
    expect(pic.acknowledge()).toBe(0x2e);
    out(0xa0, 0x20);
    out(0x20, 0x20);
    pic.line(8).set(true);
    expect(pic.acknowledge()).toBe(0x28);
  });

  it('passes a slave request of higher priority while another slave request is in service', () => {
    pic.line(14).set(true);
    pic.acknowledge();
    pic.line(8).set(true);
    expect(intr).toBe(true);
    expect(pic.acknowledge()).toBe(0x28);
  });

  it('answers a request that vanished with the spurious vector', () => {
    pic.line(4).set(true);
    pic.line(4).set(false);
    expect(pic.acknowledge()).toBe(0x27);
    out(0x20, 0x0b);
    expect(inp(0x20)).toBe(0);
  });

  it('sees an edge once', () => {
    pic.line(3).set(true);
    pic.acknowledge();
    out(0x20, 0x20);
    expect(intr).toBe(false);
    pic.line(3).set(false);
    pic.line(3).set(true);
    expect(intr).toBe(true);
  });

  it('sees a level as long as it lasts', () => {
    pic.elcr.write(0x4d0, 1, 0x08);
    pic.line(3).set(true);
    pic.acknowledge();
    out(0x20, 0x20);
    expect(intr).toBe(true);
  });

  it('rotates priorities on command', () => {
    out(0x20, 0xc3);
    pic.line(4).set(true);
    pic.line(1).set(true);
    expect(pic.acknowledge()).toBe(0x24);
  });

  it('ends interrupts by itself in automatic mode', () => {
    out(0x20, 0x11);
    out(0x21, 0x20);
    out(0x21, 4);
    out(0x21, 3);
    pic.line(1).set(true);
    expect(pic.acknowledge()).toBe(0x21);
    out(0x20, 0x0b);
    expect(inp(0x20)).toBe(0);
  });
});
