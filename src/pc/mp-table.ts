// The tables of Intel's MultiProcessor Specification 1.4, by which kernels find the local and the I/O APIC: a floating
// pointer in the BIOS area and, behind it, one processor, the ISA bus, the I/O APIC and its inputs. Kernels that were loaded
// by Multiboot get them; a processor without the CPUID bit makes Linux use the 8259A anyway.

import { IO_APIC, IO_APIC_ID } from '../devices/io-apic.ts';
import { LOCAL_APIC } from '../devices/local-apic.ts';
import { ascii, little, summed } from './bytes.ts';

const POINTER = 0xf6000;
const TABLE = POINTER + 16;
const [PROCESSOR, BUS, IO_APIC_ENTRY, INTERRUPT, LOCAL_INTERRUPT] = [0, 1, 2, 3, 4];
const [VECTORED, NON_MASKABLE, EXTERNAL] = [0, 1, 3];
const SIGNATURE = [0x73, 0x06, 0, 0];

function words(...values: number[]): number[] {
  return values.flatMap((value) => little(value, 4));
}

function entries(): number[][] {
  const pins = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15];
  return [
    [PROCESSOR, 0, 0x14, 3, ...SIGNATURE, ...words(1, 0, 0)],
    [BUS, 0, ...ascii('ISA   ')],
    [IO_APIC_ENTRY, IO_APIC_ID, 0x11, 1, ...words(IO_APIC)],
    ...pins.map((pin) => [INTERRUPT, VECTORED, 0, 0, 0, pin === 2 ? 0 : pin, IO_APIC_ID, pin]),
    [LOCAL_INTERRUPT, EXTERNAL, 0, 0, 0, 0, 0xff, 0],
    [LOCAL_INTERRUPT, NON_MASKABLE, 0, 0, 0, 0, 0xff, 1],
  ];
}

/** Puts the tables into the BIOS area. */
export function writeMpTable(ram: Uint8Array): void {
  const list = entries();
  const body = list.flat();
  const length = 44 + body.length;
  const header = [...ascii('PCMP'), length & 255, length >> 8, 4, 0, ...ascii('DAMSELFL'), ...ascii('PC          '), ...words(0), 0, 0, list.length, 0, ...words(LOCAL_APIC), 0, 0, 0, 0];
  ram.set(summed([...header, ...body], 7), TABLE);
  ram.set(summed([...ascii('_MP_'), ...words(TABLE), 1, 4, 0, 0, 0, 0, 0, 0], 10), POINTER);
}
