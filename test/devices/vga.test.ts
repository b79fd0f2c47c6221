import { describe, expect, it } from 'vitest';
import { Clock, CYCLES_PER_SECOND } from '../../src/bus/clock.ts';
import { TEXT_MEMORY, Vga } from '../../src/devices/vga.ts';

function vga() {
  const clock = new Clock(() => 0, () => {});
  const ram = new Uint8Array(1 << 20);
  const device = new Vga(clock, ram);
  const put = (row: number, column: number, text: string) => [...text].forEach((c, i) => { ram[TEXT_MEMORY + 2 * (80 * row + column + i)] = c.charCodeAt(0); });
  const indexed = (port: number, index: number, value: number) => (device.ports.write(port, 1, index), device.ports.write(port + 1, 1, value));
  return { device, clock, ram, put, indexed };
}

describe('vga', () => {
  it('shows text memory as 25 lines', () => {
    const { device, put, ram } = vga();
    put(0, 0, 'hello');
    put(24, 78, 'xy');
    ram[TEXT_MEMORY + 160] = 0xda;
    const screen = device.text();
    expect(screen.length).toBe(25);
    expect([screen[0], screen[1], screen[24]]).toEqual(['hello', '┌', `${' '.repeat(78)}xy`]);
  });

  it('starts the screen and places the cursor where the CRT controller says', () => {
    const { device, put, indexed } = vga();
    put(1, 0, 'second');
    indexed(0x3d4, 0x0d, 80);
    indexed(0x3d4, 0x0f, 80 + 83);
    expect(device.text()[0]).toBe('second');
    expect(device.cursor()).toEqual({ row: 1, column: 3 });
  });

  it('keeps its registers and takes attribute indexes and data in turn', () => {
    const { device, indexed } = vga();
    indexed(0x3ce, 5, 0x40);
    expect(device.ports.read(0x3cf, 1)).toBe(0x40);
    device.ports.read(0x3da, 1);
    device.ports.write(0x3c0, 1, 0x21);
    device.ports.write(0x3c0, 1, 0x3a);
    expect(device.ports.read(0x3c1, 1)).toBe(0x3a);
    device.ports.write(0x3c8, 1, 1);
    [1, 2, 3].forEach((value) => device.ports.write(0x3c9, 1, value));
    device.ports.write(0x3c7, 1, 1);
    expect([0, 0, 0].map(() => device.ports.read(0x3c9, 1))).toEqual([1, 2, 3]);
  });

  it('has 70 vertical retraces in a second', () => {
    const { device, clock } = vga();
    let retraces = 0;
    let before = 0;
    for (let i = 0; i < 50_000; i++) {
      clock.skip(CYCLES_PER_SECOND / 50_000);
      const now = device.ports.read(0x3da, 1) & 8;
      if (now && !before) retraces++;
      before = now;
    }
    expect(Math.abs(retraces - 70)).toBeLessThanOrEqual(1);
  });
});
