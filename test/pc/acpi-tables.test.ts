// ACPI's tables as systems read them: from the root pointer through checksums to the registers and the sleep type, by a
// reader of this test's own.
import { describe, expect, it } from 'vitest';
import { Machine } from '../../src/pc/machine.ts';
import { memoryMap } from '../../src/pc/memory-map.ts';
import { linuxKernel, multibootKernel } from './images.ts';

const MEMORY = 8 << 20;

interface Table {
  readonly at: number;
  readonly signature: string;
  readonly bytes: Uint8Array;
}

const sum = (bytes: Uint8Array) => bytes.reduce((a, b) => a + b, 0) & 0xff;
const text = (bytes: Uint8Array) => String.fromCharCode(...bytes);
const word = (bytes: Uint8Array, at: number, count = 4) => bytes.subarray(at, at + count).reduceRight((value, byte) => value * 256 + byte, 0);

function machineWith(kernel: Uint8Array, acpi = true): Machine {
  const machine = new Machine({ memory: MEMORY, acpi });
  machine.loadKernel(kernel, 'k');
  return machine;
}

/** Every 16 bytes of the BIOS area that look like a root pointer. */
function rootPointers(ram: Uint8Array): number[] {
  const found: number[] = [];
  for (let at = 0xe0000; at < 0x100000; at += 16) if (text(ram.subarray(at, at + 8)) === 'RSD PTR ' && sum(ram.subarray(at, at + 20)) === 0) found.push(at);
  return found;
}

function tables(ram: Uint8Array): Map<string, Table> {
  const found = new Map<string, Table>();
  const add = (at: number) => {
    const bytes = ram.subarray(at, at + word(ram, at + 4));
    found.set(text(bytes.subarray(0, 4)), { at, signature: text(bytes.subarray(0, 4)), bytes });
    return bytes;
  };
  const root = add(word(ram, rootPointers(ram)[0]! + 16));
  for (let at = 36; at < root.length; at += 4) add(word(root, at));
  const fixed = found.get('FACP')!.bytes;
  add(word(fixed, 36));
  add(word(fixed, 40));
  return found;
}

/** Objects of AML by path: the bytes behind each Name, and nothing else of the language than these tables use. */
function objects(bytes: Uint8Array, at: number, end: number, path: string, found = new Map<string, number>()): Map<string, number> {
  const length = (place: number): [number, number] => (bytes[place]! >> 6 ? [(bytes[place]! & 15) | (bytes[place + 1]! << 4), place + 2] : [bytes[place]!, place + 1]);
  const name = (place: number): [string, number] => {
    const root = bytes[place] === 0x5c ? 1 : 0;
    return [`${root ? '' : path}${text(bytes.subarray(place + root, place + root + 4))}`, place + root + 4];
  };
  const skip = (place: number): number => {
    const op = bytes[place]!;
    if (op <= 1) return place + 1;
    if (op >= 0x0a && op <= 0x0c) return place + 1 + [1, 2, 4][op - 0x0a]!;
    expect([0x11, 0x12]).toContain(op);
    return place + 1 + length(place + 1)[0];
  };
  while (at < end) {
    const op = bytes[at]!;
    if (op === 0x08) {
      const [called, value] = name(at + 1);
      found.set(called, value);
      at = skip(value);
    } else {
      const start = op === 0x5b ? at + 2 : at + 1;
      expect(op === 0x10 || (op === 0x5b && bytes[at + 1] === 0x82), `opcode ${op} at ${at}`).toBe(true);
      const [size, inner] = length(start);
      const [called, body] = name(inner);
      objects(bytes, body, start + size, `${called}.`, found);
      at = start + size;
    }
  }
  expect(at).toBe(end);
  return found;
}

describe('ACPI tables', () => {
  it.each([['Multiboot', multibootKernel()], ['Linux', linuxKernel()]])('are there for %s, whole, in the ranges of the memory map', (_name, kernel) => {
    const { ram } = machineWith(kernel).cpu;
    expect(rootPointers(ram)).toHaveLength(1);
    const found = tables(ram);
    expect([...found.keys()].sort()).toEqual(['APIC', 'DSDT', 'FACP', 'FACS', 'RSDT']);
    for (const { at, signature, bytes } of found.values()) {
      const range = memoryMap(MEMORY).find(({ base, length }) => at >= base && at + bytes.length <= base + length);
      expect(range?.type, signature).toBe(signature === 'FACS' ? 2 : 3);
      if (signature !== 'FACS') expect(sum(bytes), signature).toBe(0);
    }
    expect(found.get('FACS')!.at % 64).toBe(0);
  });

  it('are left out when nobody wants them', () => expect(rootPointers(machineWith(multibootKernel(), false).cpu.ram)).toEqual([]));

  it('lead to the registers', () => {
    const machine = machineWith(multibootKernel());
    const fixed = tables(machine.cpu.ram).get('FACP')!.bytes;
    const { ports } = machine;
    const [control, timer] = [word(fixed, 64), word(fixed, 76)];
    ports.write(word(fixed, 48), 1, fixed[52]!);
    expect(ports.read(control, 2) & 1).toBe(1);
    machine.clock.skip(machine.clock.hertz);
    expect(ports.read(timer, 4)).toBe(3_579_545);
    ports.write(word(fixed, 56) + 2, 2, 0x100);
    machine.pressPower();
    expect(machine.pic.registers()[1]!.request).toBe(1 << (word(fixed, 46, 2) - 8));
  });

  it('name the devices and the way to soft off, which works', () => {
    const machine = machineWith(multibootKernel());
    const found = tables(machine.cpu.ram);
    const dsdt = found.get('DSDT')!.bytes;
    const names = objects(dsdt, 36, dsdt.length, '\\');
    expect([...names.keys()]).toEqual(expect.arrayContaining(['_SB_.PCI0._CRS', '_SB_.PCI0._PRT', '_SB_.PCI0.ISA_.KBD_._HID', '_SB_.PCI0.ISA_.COM1._CRS', '_S5_']));
    expect([...dsdt.subarray(names.get('_SB_.PCI0.ISA_.KBD_._HID')!).subarray(0, 5)]).toEqual([0x0c, 0x41, 0xd0, 0x03, 0x03]);
    const sleep = names.get('_S5_')!;
    expect([...dsdt.subarray(sleep, sleep + 4)]).toEqual([0x12, 6, 4, 0]);
    const control = word(found.get('FACP')!.bytes, 64);
    machine.ports.write(control, 2, 0x2000 | (dsdt[sleep + 3]! << 10));
    expect(machine.run(1, true)).toEqual({ kind: 'off' });
  });

  it('describe the interrupt controllers', () => {
    const { bytes } = tables(machineWith(multibootKernel()).cpu.ram).get('APIC')!;
    const entries: number[][] = [];
    for (let at = 44; at < bytes.length; at += bytes[at + 1]!) entries.push([...bytes.subarray(at, at + bytes[at + 1]!)]);
    expect(word(bytes, 36)).toBe(0xfee00000);
    expect(entries.map(([type]) => type)).toEqual([0, 1, 2, 2, 4]);
    expect(entries[1]!.slice(4, 8)).toEqual([0, 0, 0xc0, 0xfe]);
    expect(entries[2]!.slice(3, 5)).toEqual([0, 2]);
  });
});
