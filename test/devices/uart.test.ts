import { beforeEach, describe, expect, it } from 'vitest';
import { Uart } from '../../src/devices/uart.ts';

let irq = false;
let sent: number[];
let uart: Uart;
const out = (register: number, value: number) => uart.ports.write(0x3f8 + register, 1, value);
const inp = (register: number) => uart.ports.read(0x3f8 + register, 1);

beforeEach(() => {
  irq = false;
  sent = [];
  uart = new Uart(0x3f8, { set: (level) => (irq = level) }, (byte) => sent.push(byte));
});

describe('16550A', () => {
  it('transmits and is always ready', () => {
    out(0, 65);
    expect(sent).toEqual([65]);
    expect(inp(5) & 0x60).toBe(0x60);
  });

  it('keeps the divisor apart from data under DLAB', () => {
    out(3, 0x83);
    out(0, 12);
    out(1, 1);
    expect([inp(0), inp(1)]).toEqual([12, 1]);
    expect(sent).toEqual([]);
    out(3, 3);
    expect(inp(1)).toBe(0);
  });

  it('interrupts for received data until the last byte is read', () => {
    out(4, 8);
    out(1, 1);
    uart.receive([1, 2]);
    expect(irq).toBe(true);
    expect(inp(2) & 15).toBe(4);
    expect(inp(0)).toBe(1);
    expect(irq).toBe(true);
    expect(inp(0)).toBe(2);
    expect(irq).toBe(false);
    expect(inp(5) & 1).toBe(0);
  });

  it('interrupts for an empty transmitter and is quiet after that was read', () => {
    out(4, 8);
    out(1, 2);
    expect(irq).toBe(true);
    expect(inp(2) & 15).toBe(2);
    expect(irq).toBe(false);
    out(0, 65);
    expect(irq).toBe(true);
  });

  it('interrupts whether OUT2 is set or not', () => {
    out(1, 1);
    uart.receive([1]);
    expect(irq).toBe(true);
  });

  it('shows a break as a zero byte with its own interrupt', () => {
    out(1, 5);
    uart.receiveBreak();
    expect(irq).toBe(true);
    expect(inp(2) & 0x0f).toBe(6);
    expect(inp(5) & 0x11).toBe(0x11);
    expect(inp(5) & 0x11).toBe(0x01);
    expect(inp(0)).toBe(0);
    expect(irq).toBe(false);
  });

  it('loops back', () => {
    out(4, 0x1b);
    out(0, 0x5a);
    expect(sent).toEqual([]);
    expect(inp(0)).toBe(0x5a);
    expect(inp(6) & 0xf0).toBe(0xb0);
  });
});
