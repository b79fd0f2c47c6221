// Loading a Multiboot 1 kernel (specification 0.6.96): find the header in the first 8 KiB, place the segments of an ELF32
// file or of the a.out-kludge addresses into RAM, and build the information record that ebx points to: memory sizes, the
// memory map, the command line, modules and the loader's name. A file that is no kernel gives a LoadError that names what
// was found and what was expected; RAM may be partly written then.

import { LoadError } from './load-error.ts';
import { findMultibootHeader } from './multiboot-header.ts';
import { whatIs } from './sniff.ts';
import { FIRMWARE_BYTES, LOWER_BYTES, memoryMap } from './memory-map.ts';

export const LOADER_MAGIC = 0x2badb002;
const PAGE = 4096;
/** The information record with the memory map; the modules' records and all texts follow. */
const RECORD_BYTES = 0x200;
/**
 * Where they begin unless the kernel is there: in low memory, which kernels keep mapped, and out of the way of those that
 * take what is behind their end. A record that does not fit there goes behind kernel and modules.
 */
const LOW_RECORD = 0x9500;
const LOW_END = 0x80000;
/** The boot device: BIOS drive 0x80, no partition. */
const FIRST_DISK = 0x80ffffff;
const LOADER_NAME = 'damselfly';

/** A file handed to the kernel beside itself. */
export interface BootModule {
  readonly bytes: Uint8Array;
  readonly commandLine: string;
}

export interface BootState {
  /** Initial eip and ebx. */
  readonly entry: number;
  readonly info: number;
}

interface Segment {
  readonly offset: number;
  readonly fileBytes: number;
  readonly address: number;
  readonly memoryBytes: number;
}

/**
 * Places `image` and its modules into `ram`.
 * @param name how messages call the file
 */
export function loadMultiboot(ram: Uint8Array, image: Uint8Array, name: string, commandLine: string, modules: readonly BootModule[]): BootState {
  const header = findMultibootHeader(image);
  if (header < 0) throw new LoadError(`${name}: ${whatIs(image)}; expected a Multiboot 1 kernel (magic 0x1badb002 in the first 8 KiB) or a Linux bzImage (HdrS at offset 514)`);
  const view = viewOf(image);
  const flags = view.getUint32(header + 4, true);
  if (flags & 0xfff8) throw new LoadError(`${name}: Multiboot header at offset ${header} requires features 0x${(flags & 0xfff8).toString(16)}; expected only page alignment, memory information and video mode`);
  const { segments, entry } = flags & 0x10000 ? kludgeSegments(view, header, image, name) : elfSegments(view, image, name);
  let end = 0;
  for (const segment of segments) {
    place(ram, image, segment, name);
    end = Math.max(end, segment.address + segment.memoryBytes);
  }
  return { entry, info: writeInfo(ram, segments, end, `${name} ${commandLine}`.trim(), modules, name) };
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function elfSegments(view: DataView, image: Uint8Array, name: string): { segments: Segment[]; entry: number } {
  if (image.length < 52 || view.getUint32(0, true) !== 0x464c457f) throw new LoadError(`${name}: a Multiboot header without load addresses in a file that is not ELF; expected an ELF32 file`);
  if (image[4] !== 1 || image[5] !== 1) throw new LoadError(`${name}: ELF class ${image[4]}, byte order ${image[5]} at offset 4; expected 32-bit little endian (1, 1)`);
  const machine = view.getUint16(18, true);
  if (machine !== 3) throw new LoadError(`${name}: ELF machine ${machine} at offset 18; expected 3 (i386)`);
  const phoff = view.getUint32(28, true);
  const phentsize = view.getUint16(42, true);
  const phnum = view.getUint16(44, true);
  if (phentsize < 32 || phoff + phnum * phentsize > image.length) throw new LoadError(`${name}: program headers at offset ${phoff} (${phnum} of ${phentsize} bytes) do not lie in the file's ${image.length} bytes`);
  const segments: Segment[] = [];
  let entry = view.getUint32(24, true);
  for (let i = 0; i < phnum; i++) {
    const at = phoff + i * phentsize;
    if (view.getUint32(at, true) !== 1) continue;
    const virtual = view.getUint32(at + 8, true);
    const segment = { offset: view.getUint32(at + 4, true), address: view.getUint32(at + 12, true), fileBytes: view.getUint32(at + 16, true), memoryBytes: view.getUint32(at + 20, true) };
    const given = view.getUint32(24, true);
    // An entry point given as a virtual address means the physical place of the same byte.
    if (segment.address !== virtual && given >= virtual && given < virtual + segment.memoryBytes) entry = given - virtual + segment.address;
    segments.push(segment);
  }
  if (!segments.length) throw new LoadError(`${name}: no loadable segment; expected at least one PT_LOAD`);
  return { segments, entry };
}

function kludgeSegments(view: DataView, header: number, image: Uint8Array, name: string): { segments: Segment[]; entry: number } {
  if (header + 32 > image.length) throw new LoadError(`${name}: the file ends inside its Multiboot header at offset ${header}`);
  const headerAddress = view.getUint32(header + 12, true);
  const load = view.getUint32(header + 16, true);
  const loadEnd = view.getUint32(header + 20, true);
  const bssEnd = view.getUint32(header + 24, true);
  const offset = header - (headerAddress - load);
  const fileBytes = loadEnd ? loadEnd - load : image.length - offset;
  if (offset < 0 || fileBytes < 0) throw new LoadError(`${name}: load addresses in the Multiboot header at offset ${header} contradict each other`);
  return { segments: [{ offset, fileBytes, address: load, memoryBytes: Math.max(fileBytes, bssEnd - load) }], entry: view.getUint32(header + 28, true) };
}

function place(ram: Uint8Array, image: Uint8Array, segment: Segment, name: string): void {
  const { offset, fileBytes, address, memoryBytes } = segment;
  if (offset + fileBytes > image.length) throw new LoadError(`${name}: segment at offset ${offset} needs ${fileBytes} bytes; the file has ${image.length}`);
  if (fileBytes > memoryBytes) throw new LoadError(`${name}: segment at offset ${offset} has ${fileBytes} bytes in the file and ${memoryBytes} in memory`);
  if (address + memoryBytes > ram.length) throw new LoadError(`${name}: segment 0x${address.toString(16)}-0x${(address + memoryBytes).toString(16)} lies beyond the ${ram.length >>> 20} MiB of memory (-m gives more)`);
  ram.set(image.subarray(offset, offset + fileBytes), address);
  ram.fill(0, address + fileBytes, address + memoryBytes);
}

/** Lays out modules on pages after `end`, and the information record; returns its address. */
function writeInfo(ram: Uint8Array, segments: readonly Segment[], end: number, commandLine: string, modules: readonly BootModule[], name: string): number {
  let at = align(Math.max(end, 0x100000));
  const placed = modules.map((module) => {
    const start = at;
    if (start + module.bytes.length + PAGE > ram.length) throw new LoadError(`${name}: the modules do not fit into ${ram.length >>> 20} MiB of memory (-m gives more)`);
    ram.set(module.bytes, start);
    at = align(start + module.bytes.length);
    return { start, end: start + module.bytes.length, commandLine: module.commandLine };
  });
  const texts = commandLine.length + name.length + modules.reduce((sum, module) => sum + module.commandLine.length + 1, 0);
  const bytes = RECORD_BYTES + 16 * placed.length + texts + LOADER_NAME.length + 3;
  const low = LOW_RECORD + bytes <= LOW_END && !segments.some(({ address, memoryBytes }) => address < LOW_RECORD + bytes && address + memoryBytes > LOW_RECORD);
  const info = low ? LOW_RECORD : at;
  if (info + bytes > ram.length) throw new LoadError(`${name}: the boot information does not fit behind the kernel's end at 0x${end.toString(16)} into ${ram.length >>> 20} MiB of memory (-m gives more)`);
  ram.fill(0, info, info + RECORD_BYTES);
  let strings = info + RECORD_BYTES + placed.length * 16;
  const text = (value: string): number => {
    const start = strings;
    for (const c of value) ram[strings++] = c.charCodeAt(0);
    ram[strings++] = 0;
    return start;
  };
  const view = viewOf(ram);
  const put = (offset: number, value: number) => view.setUint32(info + offset, value, true);
  put(0, 0x1 | 0x2 | 0x4 | 0x8 | 0x40 | 0x200);
  put(4, LOWER_BYTES >>> 10);
  put(8, (ram.length - 0x100000 - FIRMWARE_BYTES) >>> 10);
  put(12, FIRST_DISK);
  put(16, text(commandLine));
  put(20, placed.length);
  put(24, info + RECORD_BYTES);
  placed.forEach((module, i) => {
    put(0x200 + 16 * i, module.start);
    put(0x204 + 16 * i, module.end);
    put(0x208 + 16 * i, text(module.commandLine));
  });
  const map = memoryMap(ram.length);
  put(44, map.length * 24);
  put(48, info + 0x100);
  map.forEach(({ base, length, type }, i) => {
    const entry = 0x100 + 24 * i;
    put(entry, 20);
    put(entry + 4, base);
    put(entry + 12, length);
    put(entry + 20, type);
  });
  put(64, text(LOADER_NAME));
  return info;
}

function align(address: number): number {
  return (address + PAGE - 1) & ~(PAGE - 1);
}
