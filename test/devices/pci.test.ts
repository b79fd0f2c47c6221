import { describe, expect, it } from 'vitest';
import { PortMap } from '../../src/bus/ports.ts';
import { hostBridge, PciBus } from '../../src/devices/pci.ts';

function bus() {
  const ports = new PortMap();
  const resets: number[] = [];
  const pci = new PciBus([hostBridge()], { read: () => 0x5a, write: (_port, _size, value) => resets.push(value) });
  ports.attach(0xcf8, 0xcfb, pci.addressPort);
  ports.attach(0xcfc, 0xcff, pci.dataPort);
  const select = (device: number, register: number, of = 0) => ports.write(0xcf8, 4, (0x80000000 | (of << 8) | (device << 11) | register) >>> 0);
  return { ports, resets, select };
}

describe('pci', () => {
  it('reads back its address register, as probing software checks', () => {
    const { ports } = bus();
    ports.write(0xcf8, 4, 0x80000000);
    expect(ports.read(0xcf8, 4)).toBe(0x80000000);
  });

  it('has a host bridge in every access width', () => {
    const { ports, select } = bus();
    select(0, 0);
    expect(ports.read(0xcfc, 4)).toBe(0x12378086);
    expect([ports.read(0xcfc, 2), ports.read(0xcfe, 2), ports.read(0xcff, 1)]).toEqual([0x8086, 0x1237, 0x12]);
    select(0, 8);
    expect(ports.read(0xcfe, 2)).toBe(0x0600);
  });

  it('changes only what is writable', () => {
    const { ports, select } = bus();
    select(0, 0);
    ports.write(0xcfc, 4, 0xffffffff);
    expect(ports.read(0xcfc, 4)).toBe(0x12378086);
    select(0, 0x0c);
    ports.write(0xcfd, 1, 0xff);
    expect(ports.read(0xcfc, 4)).toBe(0xf800);
  });

  it('reads all ones where nothing is: other slots, functions, buses, or configuration off', () => {
    const { ports, select } = bus();
    for (const address of [0x80000800, 0x80000100, 0x80010000, 0x00000000]) {
      ports.write(0xcf8, 4, address);
      expect(ports.read(0xcfc, 4)).toBe(0xffffffff);
      ports.write(0xcfc, 4, 0);
    }
    select(0, 0);
    expect(ports.read(0xcfc, 4)).toBe(0x12378086);
  });

  it('leaves byte accesses of 0xCF9 to the reset register', () => {
    const { ports, resets } = bus();
    ports.write(0xcf9, 1, 6);
    expect(resets).toEqual([6]);
    expect(ports.read(0xcf9, 1)).toBe(0x5a);
    expect(ports.read(0xcf8, 4)).toBe(0);
  });
});
