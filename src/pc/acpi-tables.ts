// ACPI's tables (revision 1.0): the root pointer in the BIOS area; at the end of memory, in the range that the memory map
// calls ACPI data, the root table, the fixed description, the interrupt controllers and the namespace; and behind it, in
// reserved memory, the firmware control structure. The namespace has the PCI root with its windows, the devices of the ISA
// bus, and soft off as the only sleep.

import { ACPI_DISABLE, ACPI_ENABLE, PM_BASE, PM_CONTROL, PM_TIMER, SCI_IRQ, SMI_COMMAND } from '../devices/acpi.ts';
import { IO_APIC, IO_APIC_ID } from '../devices/io-apic.ts';
import { LOCAL_APIC } from '../devices/local-apic.ts';
import { busRange, device, eisaId, integer, irq, memoryRange, named, pack, portRange, ports, resources, scope } from './aml.ts';
import { ascii, little, summed } from './bytes.ts';
import { ACPI_BYTES, firmwareStart } from './memory-map.ts';

const ROOT_POINTER = 0xf5000;
const [HEADER_BYTES, FACS_BYTES] = [36, 64];
const ALIGNMENT = 64;
/** Where memory-mapped devices may be: up to the I/O APIC. */
const DEVICE_END = 0xfebfffff;
/** WBINVD works; C1 is there; no sleep button; waking by RTC is not in the fixed registers. */
const FLAGS = 0x01 | 0x04 | 0x20 | 0x40;

function table(signature: string, body: readonly number[]): number[] {
  const header = [...ascii(signature), ...little(HEADER_BYTES + body.length, 4), 1, 0, ...ascii('DAMSELPC      '), ...little(1, 4), ...ascii('DAMS'), ...little(1, 4)];
  return summed([...header, ...body], 9);
}

function fixedDescription(facs: number, dsdt: number): number[] {
  const dwords = (...values: number[]) => values.flatMap((value) => little(value, 4));
  return table('FACP', [
    ...dwords(facs, dsdt), 1, 0, ...little(SCI_IRQ, 2), ...dwords(SMI_COMMAND), ACPI_ENABLE, ACPI_DISABLE, 0, 0,
    ...dwords(PM_BASE, 0, PM_BASE + PM_CONTROL, 0, 0, PM_BASE + PM_TIMER, 0, 0),
    4, 2, 0, 4, 0, 0, 0, 0,                      // lengths of event block, control, control 2, timer, general-purpose blocks
    ...little(0xfff, 2), ...little(0xfff, 2),    // C2 and C3 are not there
    0, 0, 0, 0, 0, 0, 0, 0, 0x32, 0, 0, 0,       // the century is byte 0x32 of the clock's memory
    ...dwords(FLAGS),
  ]);
}

function interruptControllers(): number[] {
  const override = (source: number, input: number, flags: number) => [2, 10, 0, source, ...little(input, 4), ...little(flags, 2)];
  return table('APIC', [
    ...little(LOCAL_APIC, 4), ...little(1, 4),
    0, 8, 0, 0, ...little(1, 4),
    1, 12, IO_APIC_ID, 0, ...little(IO_APIC, 4), ...little(0, 4),
    ...override(0, 2, 0),
    ...override(SCI_IRQ, SCI_IRQ, 0x0d),         // active high, level
    4, 6, 0xff, 0, 0, 1,                         // NMI at LINT1
  ]);
}

function isaDevice(name: string, id: string, unique: number, ...descriptors: readonly number[][]): number[] {
  return device(name, named('_HID', eisaId(id)), named('_UID', integer(unique)), named('_CRS', resources(...descriptors)));
}

function namespace(ramBytes: number): number[] {
  const bridge = device('ISA', named('_ADR', integer(0x10000)),
    isaDevice('RTC', 'PNP0B00', 0, ports(0x70, 2), irq(8)),
    isaDevice('KBD', 'PNP0303', 0, ports(0x60, 1), ports(0x64, 1), irq(1)),
    isaDevice('COM1', 'PNP0501', 1, ports(0x3f8, 8), irq(4)),
    isaDevice('COM2', 'PNP0501', 2, ports(0x2f8, 8), irq(3)));
  const windows = resources(busRange(0, 0xff), ports(0xcf8, 8), portRange(0, 0xcf7), portRange(0xd00, 0xffff), memoryRange(0xa0000, 0xbffff), memoryRange(ramBytes, DEVICE_END));
  const power = pack(integer(0x1ffff), integer(0), integer(0), integer(SCI_IRQ));
  return table('DSDT', [
    ...scope('\\_SB', device('PCI0', named('_HID', eisaId('PNP0A03')), named('_ADR', integer(0)), named('_UID', integer(0)), named('_CRS', windows), named('_PRT', pack(power)), bridge)),
    ...named('\\_S5', pack(integer(0), integer(0), integer(0), integer(0))),
  ]);
}

/** Puts the tables into memory. */
export function writeAcpiTables(ram: Uint8Array): void {
  let at = firmwareStart(ram.length);
  const put = (bytes: readonly number[]): number => {
    const start = at;
    ram.set(bytes, start);
    at = Math.ceil((start + bytes.length) / ALIGNMENT) * ALIGNMENT;
    return start;
  };
  const facs = at + ACPI_BYTES;
  ram.fill(0, facs, facs + FACS_BYTES);
  ram.set([...ascii('FACS'), ...little(FACS_BYTES, 4)], facs);
  const tables = [put(fixedDescription(facs, put(namespace(ram.length)))), put(interruptControllers())];
  const root = put(table('RSDT', tables.flatMap((address) => little(address, 4))));
  ram.set(summed([...ascii('RSD PTR '), 0, ...ascii('DAMSEL'), 0, ...little(root, 4)], 8), ROOT_POINTER);
}
