import { describe, expect, it } from 'vitest';
import { KeyboardController } from '../../src/devices/keyboard.ts';
import { A20Gate } from '../../src/devices/power.ts';

function controller() {
  const irq1: boolean[] = [];
  const irq12: boolean[] = [];
  let resets = 0;
  const a20 = new A20Gate(() => {});
  const kbc = new KeyboardController({ set: (level) => irq1.push(level) }, { set: (level) => irq12.push(level) }, a20, () => { resets++; });
  const status = () => kbc.command.read(0x64, 1);
  const read = () => kbc.data.read(0x60, 1);
  const drain = () => {
    const bytes: number[] = [];
    while (status() & 1) bytes.push(read());
    return bytes;
  };
  return {
    kbc, a20, status, read, drain, irq1, irq12, resets: () => resets,
    command: (value: number) => kbc.command.write(0x64, 1, value),
    data: (value: number) => kbc.data.write(0x60, 1, value),
  };
}

describe('keyboard controller', () => {
  it('tests itself and its ports', () => {
    const { command, read, status } = controller();
    command(0xaa);
    expect(status() & 1).toBe(1);
    expect(read()).toBe(0x55);
    command(0xab);
    expect(read()).toBe(0);
    expect(status() & 1).toBe(0);
  });

  it('keeps its command byte', () => {
    const { command, data, read } = controller();
    command(0x60);
    data(0x65);
    command(0x20);
    expect(read()).toBe(0x65);
  });

  it('has a keyboard that resets, identifies itself and answers echo', () => {
    const { data, drain, command } = controller();
    data(0xff);
    expect(drain()).toEqual([0xfa, 0xaa]);
    data(0xf2);
    expect(drain()).toEqual([0xfa, 0xab, 0x41]);
    data(0xed);
    data(0x07);
    expect(drain()).toEqual([0xfa, 0xfa]);
    command(0x60);
    data(0x05); // no translation
    data(0xf2);
    expect(drain()).toEqual([0xfa, 0xab, 0x83]);
    data(0xee);
    expect(drain()).toEqual([0xee]);
    data(0x99);
    expect(drain()).toEqual([0xfe]);
  });

  it('types in set 1, or in set 2 without translation', () => {
    const { kbc, drain, command, data } = controller();
    kbc.type('aB\n');
    expect(drain()).toEqual([0x1e, 0x9e, 0x2a, 0x30, 0xb0, 0xaa, 0x1c, 0x9c]);
    command(0x60);
    data(0x05);
    kbc.type('a ');
    expect(drain()).toEqual([0x1c, 0xf0, 0x1c, 0x29, 0xf0, 0x29]);
    kbc.type('é\0');
    expect(drain()).toEqual([]);
  });

  it('raises IRQ 1 for each byte while the command byte allows it', () => {
    const { kbc, drain, irq1, command, data } = controller();
    kbc.type('a');
    drain();
    expect(irq1.filter(Boolean).length).toBe(2);
    command(0x60);
    data(0x44);
    irq1.length = 0;
    kbc.type('a');
    drain();
    expect(irq1.filter(Boolean).length).toBe(0);
  });

  it('holds keys back while the keyboard is off', () => {
    const { kbc, status, drain, command } = controller();
    command(0xad);
    kbc.type('x');
    expect(status() & 1).toBe(0);
    command(0xae);
    expect(drain()).toEqual([0x2d, 0xad]);
  });

  it('loops bytes back through the second port, where nobody is', () => {
    const { command, data, status, read, irq12 } = controller();
    command(0xd3);
    data(0x5a);
    expect(status() & 0x21).toBe(0x21);
    expect(read()).toBe(0x5a);
    command(0x60);
    data(0x47);
    command(0xd4);
    data(0xff);
    expect(status() & 0x61).toBe(0x61);
    expect(read()).toBe(0xfe);
    expect(irq12).toContain(true);
  });

  it('resets the machine by pulsing the reset line or through the output port', () => {
    const { command, data, resets } = controller();
    command(0xff);
    expect(resets()).toBe(0);
    command(0xfe);
    command(0xd1);
    data(0x02);
    expect(resets()).toBe(2);
  });

  it('moves the A20 gate by its output port and by single commands', () => {
    const { command, data, read, a20 } = controller();
    command(0xd0);
    expect(read() & 3).toBe(3);
    command(0xd1);
    data(0x01);
    expect(a20.open).toBe(false);
    command(0xd0);
    expect(read() & 3).toBe(1);
    command(0xdf);
    expect(a20.open).toBe(true);
    command(0xdd);
    expect(a20.open).toBe(false);
  });

  it('presses the keys behind what a terminal sends', () => {
    const { kbc, drain } = controller();
    kbc.terminal('\x1b[A');
    expect(drain()).toEqual([0xe0, 0x48, 0xe0, 0xc8]);
    kbc.terminal('\x03');
    expect(drain()).toEqual([0x1d, 0x2e, 0xae, 0x9d]);
    kbc.terminal('\x1bx\r\x7f');
    expect(drain()).toEqual([0x38, 0x2d, 0xad, 0xb8, 0x1c, 0x9c, 0x0e, 0x8e]);
    kbc.terminal('\x1b[24~\x1b[99~\x1b');
    expect(drain()).toEqual([0x58, 0xd8, 0x01, 0x81]);
  });
});
