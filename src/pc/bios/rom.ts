// The BIOS: services of real mode for systems that want them, as our own guest code, in the segment F000. Assembled once,
// then completed for a machine by tables of its memory, its drives and what it boots. The interrupt vectors and the data
// area (bios-data.ts) are as they are when a BIOS has tested and found everything; only what a system must see happen is done
// by code: see boot.ts.

import { assemble, AsmEnv } from '../../asm/assemble.ts';
import type { DiskImage } from '../../devices/ata.ts';
import { little } from '../bytes.ts';
import { memoryMap } from '../memory-map.ts';
import { BOOTING } from './boot.ts';
import { CD_DRIVE, CD_ROM, DISK, DRIVE, DRIVES, FIRST_DISK, HARD_DISK } from './disk.ts';
import { ENDS } from './frame.ts';
import { KEYBOARD } from './keyboard.ts';
import { SYSTEM } from './system.ts';
import { VIDEO } from './video.ts';

const [ROM, ROM_SEGMENT, RESET_OFFSET] = [0xf0000, 0xf000, 0xfff0];
/** Where the firmware's other tables begin (acpi-tables.ts, mp-table.ts). */
const MOST_BYTES = 0x5000;
const MOST_RANGES = 8;
const RANGE_BYTES = 20;

const TABLES = `
serial_console: .byte 0
boot_drive: .byte 0
kernel_segment: .word 0
kernel_stack: .word 0
memory_kib: .word 0
memory_to_16: .word 0
memory_above_16: .word 0
map_entries: .word 0
memory_map: .space ${MOST_RANGES * RANGE_BYTES}
cd_image: .long 0
  .align 16
drives: .space ${(DRIVES - 1) * DRIVE.bytes}
cd_record: .space ${DRIVE.bytes}
`;

/** The interrupts that are answered, by their handlers' labels. */
const HANDLERS: Readonly<Record<number, string>> = {
  0x08: 'int08', 0x09: 'int09', 0x10: 'int10', 0x11: 'int11', 0x12: 'int12', 0x13: 'int13', 0x15: 'int15', 0x16: 'int16', 0x18: 'int18', 0x19: 'int19', 0x1a: 'int1a',
};

/** What a machine boots, and who sees it. */
export interface Firmware {
  readonly disks: readonly (DiskImage | null)[];
  /** The hard disk or the CD-ROM, when no kernel is given. */
  readonly boot?: 'disk' | 'cdrom';
  /** The real-mode segment of a loaded Linux kernel, and where its stack begins in it. */
  readonly kernel?: { readonly segment: number; readonly stack: number };
  /** What systems write goes to COM1 too, and what is typed there are keys. */
  readonly serialConsole: boolean;
}

interface Code {
  readonly bytes: readonly number[];
  readonly labels: ReadonlyMap<string, number>;
}

let code: Code | null = null;

function assembled(): Code {
  const env = new AsmEnv();
  env.code16 = true;
  env.hasOrigin = true;
  const { bytes, labels, errors } = assemble([BOOTING, VIDEO, DISK, KEYBOARD, SYSTEM, ENDS, TABLES].join('\n'), env);
  if (errors.length || bytes.length > MOST_BYTES) throw new Error(`the BIOS: ${errors.length ? `line ${errors[0]!.line}: ${errors[0]!.message}` : `${bytes.length} bytes`}`);
  return { bytes, labels: new Map(labels.map(({ name, offset }) => [name, offset])) };
}

/** Cylinders, heads and sectors as systems of real mode are told: as many heads as 1024 cylinders need. */
export function geometryOf(sectors: number): { cylinders: number; heads: number; spt: number } {
  const spt = 63;
  const heads = [16, 32, 64, 128].find((count) => sectors <= 1024 * count * spt) ?? 255;
  return { cylinders: Math.max(1, Math.min(1024, Math.floor(sectors / (heads * spt)))), heads, spt };
}

/** A record of the drive table (disk.ts). */
function driveRecord(disk: DiskImage, place: number): number[] {
  const base = place < 2 ? 0x1f0 : 0x170;
  const slave = (place & 1) << 4;
  if (disk.cdrom) return [...little(base, 2), 0xa0 | slave, CD_ROM, ...little(Math.floor(disk.sectors / 4), 4)];
  const { cylinders, heads, spt } = geometryOf(disk.sectors);
  return [...little(base, 2), 0xe0 | slave, HARD_DISK, ...little(disk.sectors, 4), ...[cylinders, heads, spt].flatMap((value) => little(value, 2))];
}

/** Puts code, tables and interrupt vectors into memory. A processor that is reset starts the BIOS then. */
export function writeBios(ram: Uint8Array, { disks, boot, kernel, serialConsole }: Firmware): void {
  code ??= assembled();
  const { bytes, labels } = code;
  const at = (label: string) => labels.get(label)!;
  const put = (label: string, values: readonly number[], offset = 0) => ram.set(values, ROM + at(label) + offset);
  ram.set(bytes, ROM);
  put('serial_console', [serialConsole ? 1 : 0]);
  put('boot_drive', [boot === 'cdrom' ? CD_DRIVE : FIRST_DISK]);
  put('kernel_segment', [...little(kernel?.segment ?? 0, 2), ...little(kernel?.stack ?? 0, 2)]);
  writeMemoryTables(ram, put);
  let hardDisks = 0;
  disks.forEach((disk, place) => {
    if (disk) put('drives', driveRecord(disk, place), (disk.cdrom ? DRIVES - 1 : hardDisks++) * DRIVE.bytes);
  });
  const vector = (number: number, label: string) => ram.set([...little(at(label), 2), ...little(ROM_SEGMENT, 2)], 4 * number);
  for (let number = 0; number < 256; number++) vector(number, HANDLERS[number] ?? (number >= 0x0a && number < 0x10 ? 'end_of_master' : number >= 0x70 && number < 0x78 ? 'end_of_slave' : 'nothing'));
  ram.set([0xea, ...little(at('post'), 2), ...little(ROM_SEGMENT, 2)], ROM + RESET_OFFSET);
  ram[ROM + 0xfffe] = 0xfc;                      // an AT
}

function writeMemoryTables(ram: Uint8Array, put: (label: string, values: readonly number[]) => void): void {
  const map = memoryMap(ram.length);
  const usable = map.find(({ base }) => base === 0x100000)!.length;
  put('map_entries', little(map.length, 2));
  put('memory_map', map.flatMap(({ base, length, type }) => [...little(base, 8), ...little(length, 8), ...little(type, 4)]));
  put('memory_kib', little(Math.min(0xfc00, usable >>> 10), 2));
  put('memory_to_16', little(Math.min(0x3c00, usable >>> 10), 2));
  put('memory_above_16', little(Math.max(0, usable - 0xf00000) >>> 16, 2));
}
