// Loading a Linux bzImage by the boot protocol 2.02 or later: check the setup header of the real-mode part and put the
// protected-mode part at its load address. By the 32-bit protocol the zero page is filled in (setup header, screen, memory
// map, command line, initial RAM disk) with a descriptor table of flat segments 0x10 and 0x18, and the real-mode part is never
// run; by the 16-bit protocol that part begins, and asks the BIOS. Files that are no such kernel, or do not fit, give a
// LoadError with offset and expectation; RAM may be partly written then.

import { LoadError } from './load-error.ts';
import { memoryMap } from './memory-map.ts';

/** Where the pieces lie below 1 MiB. */
const GDT = 0x1000;
const ZERO_PAGE = 0x10000;
const COMMAND_LINE = 0x20000;
const COMMAND_LINE_ROOM = 0x10000;
/** By the 16-bit protocol the real-mode part is where else the zero page is, with the stack at the end of its 64 KiB. */
const REAL_MODE_PART = ZERO_PAGE;
const STACK = 0xfff0;
const HEAP_END = 0xfe00;
const HEADER = 0x1f1;
const PAGE = 4096;
const HIGH = 0x100000;

export const LINUX_CODE_SELECTOR = 0x10;
export const LINUX_DATA_SELECTOR = 0x18;

export interface LinuxState {
  readonly entry: number;
  /** Initial esi. */
  readonly zeroPage: number;
  readonly gdt: number;
  readonly gdtLimit: number;
}

interface SetupHeader {
  readonly setupBytes: number;
  readonly loadAddress: number;
  readonly initrdLimit: number;
  readonly commandLineBytes: number;
  readonly kernelEnd: number;
}

/** Says whether a file claims to be a Linux kernel with a setup header. */
export function isLinux(image: Uint8Array): boolean {
  return image.length >= 0x206 && String.fromCharCode(...image.subarray(0x202, 0x206)) === 'HdrS';
}

/**
 * Says whether a kernel shall begin in real mode: it has code behind the setup header. Linux asks the BIOS what machine it is
 * on there, and refuses those that it cannot run on; other systems in this format have no other beginning.
 */
export function hasRealModePart(image: Uint8Array): boolean {
  const sectors = image[HEADER] || 4;
  return image.subarray(Math.max(0x202 + image[0x201]!, 0x268), (sectors + 1) * 512).some((byte) => byte !== 0);
}

/**
 * Places a kernel, its command line and its initial RAM disk (which may be empty) into `ram`, to be entered in protected mode.
 * @param name how messages call the file
 */
export function loadLinux(ram: Uint8Array, image: Uint8Array, name: string, commandLine: string, initrd: Uint8Array): LinuxState {
  const { header, initrdAt } = placeKernel(ram, image, name, commandLine, initrd, false);
  writeZeroPage(ram, image, initrdAt, initrd.length);
  writeGdt(ram);
  return { entry: header.loadAddress, zeroPage: ZERO_PAGE, gdt: GDT, gdtLimit: 31 };
}

/** The same to be entered in real mode: the segment of its real-mode part, and where the stack begins in it. */
export function loadRealModeLinux(ram: Uint8Array, image: Uint8Array, name: string, commandLine: string, initrd: Uint8Array): { segment: number; stack: number } {
  const { header, initrdAt } = placeKernel(ram, image, name, commandLine, initrd, true);
  ram.set(image.subarray(0, header.setupBytes), REAL_MODE_PART);
  const view = new DataView(ram.buffer, ram.byteOffset + REAL_MODE_PART, PAGE);
  view.setUint8(0x210, 0xff);                    // a loader without a number
  view.setUint8(0x211, view.getUint8(0x211) & ~0x20 | 0x80); // CAN_USE_HEAP; not quiet
  view.setUint16(0x224, HEAP_END - 0x200, true);
  view.setUint32(0x218, initrdAt, true);
  view.setUint32(0x21c, initrd.length, true);
  view.setUint32(0x228, COMMAND_LINE, true);
  return { segment: REAL_MODE_PART >>> 4, stack: STACK };
}

function placeKernel(ram: Uint8Array, image: Uint8Array, name: string, commandLine: string, initrd: Uint8Array, realMode: boolean): { header: SetupHeader; initrdAt: number } {
  const view = new DataView(image.buffer, image.byteOffset, image.byteLength);
  const header = readHeader(view, image, name, realMode);
  const body = image.subarray(header.setupBytes);
  const end = Math.max(header.loadAddress + body.length, header.kernelEnd);
  if (end > ram.length) throw tooLarge(name, header.loadAddress, end, ram);
  if (commandLine.length > Math.min(header.commandLineBytes, COMMAND_LINE_ROOM - 1)) throw new LoadError(`${name}: the command line has ${commandLine.length} characters; this kernel takes ${header.commandLineBytes}`);
  ram.set(body, header.loadAddress);
  const initrdAt = placeInitrd(ram, header, name, initrd, end);
  for (let i = 0; i < commandLine.length; i++) ram[COMMAND_LINE + i] = commandLine.charCodeAt(i);
  ram[COMMAND_LINE + commandLine.length] = 0;
  return { header, initrdAt };
}

function readHeader(view: DataView, image: Uint8Array, name: string, realMode: boolean): SetupHeader {
  const version = image.length >= 0x208 ? view.getUint16(0x206, true) : 0;
  if (version < 0x202) throw new LoadError(`${name}: boot protocol ${version >> 8}.${version & 0xff} at offset 518; expected 2.2 or later`);
  if (image.length < 0x268) throw new LoadError(`${name}: the file ends inside its setup header, after ${image.length} bytes; expected at least 616`);
  if (view.getUint16(0x1fe, true) !== 0xaa55) throw new LoadError(`${name}: boot flag 0x${view.getUint16(0x1fe, true).toString(16)} at offset 510; expected 0xaa55`);
  if (!(image[0x211]! & 1)) throw new LoadError(`${name}: load flags 0x${image[0x211]!.toString(16)} at offset 529 ask for loading below 1 MiB (a zImage); expected a bzImage`);
  const setupBytes = ((image[0x1f1]! || 4) + 1) * 512;
  if (setupBytes >= image.length) throw new LoadError(`${name}: ${image[0x1f1]} setup sectors at offset 497 reach to offset ${setupBytes}; the file has ${image.length} bytes`);
  const paragraphs = version >= 0x204 ? view.getUint32(0x1f4, true) : view.getUint16(0x1f4, true);
  if (setupBytes + paragraphs * 16 > roundUp(image.length, 16)) throw new LoadError(`${name}: the kernel's ${paragraphs * 16} bytes after offset ${setupBytes} (length at offset 500) are not all there; the file has ${image.length} bytes`);
  const loadAddress = realMode ? HIGH : view.getUint32(0x214, true);
  if (loadAddress < HIGH) throw new LoadError(`${name}: entry point 0x${loadAddress.toString(16)} at offset 532; expected an address of at least 1 MiB (this one begins in real mode)`);
  return {
    setupBytes, loadAddress,
    initrdLimit: version >= 0x203 ? view.getUint32(0x22c, true) : 0x37ffffff,
    commandLineBytes: version >= 0x206 ? view.getUint32(0x238, true) : 255,
    kernelEnd: version >= 0x20a ? preferredEnd(view, loadAddress) : loadAddress,
  };
}

/** Where the unpacked kernel ends: `init_size` bytes from its preferred address, or from where it was loaded if that is higher. */
function preferredEnd(view: DataView, loadAddress: number): number {
  const preferred = view.getUint32(0x258, true) + view.getUint32(0x25c, true) * 2 ** 32;
  return Math.max(preferred, loadAddress) + view.getUint32(0x260, true);
}

function tooLarge(name: string, start: number, end: number, ram: Uint8Array): LoadError {
  return new LoadError(`${name}: the kernel needs memory 0x${start.toString(16)}-0x${end.toString(16)}, beyond the ${ram.length >>> 20} MiB there are (-m gives more)`);
}

/** As high as the kernel and memory allow; its address, or 0 when there is none. */
function placeInitrd(ram: Uint8Array, header: SetupHeader, name: string, initrd: Uint8Array, lowest: number): number {
  if (!initrd.length) return 0;
  const usable = memoryMap(ram.length).find(({ base }) => base === HIGH)!;
  const end = Math.min(usable.base + usable.length, header.initrdLimit + 1);
  const at = (end - initrd.length) & ~(PAGE - 1);
  if (at < lowest) throw new LoadError(`${name}: an initial RAM disk of ${initrd.length} bytes does not fit between 0x${lowest.toString(16)} and 0x${end.toString(16)} (-m gives more)`);
  ram.set(initrd, at);
  return at;
}

function writeZeroPage(ram: Uint8Array, image: Uint8Array, initrd: number, initrdBytes: number): void {
  ram.fill(0, ZERO_PAGE, ZERO_PAGE + PAGE);
  const headerEnd = Math.min(0x202 + image[0x201]!, 0x290);
  ram.set(image.subarray(HEADER, headerEnd), ZERO_PAGE + HEADER);
  const view = new DataView(ram.buffer, ram.byteOffset + ZERO_PAGE, PAGE);
  ram.set([0, 0], ZERO_PAGE);                    // cursor column and row
  view.setUint8(0x06, 3);                        // text mode 3
  view.setUint8(0x07, 80);
  view.setUint8(0x0e, 25);
  view.setUint8(0x0f, 1);                        // VGA
  view.setUint16(0x10, 16, true);                // font height
  view.setUint16(0x02, Math.min(0xffff, (ram.length - HIGH) >>> 10), true);
  view.setUint32(0x1e0, (ram.length - HIGH) >>> 10, true);
  view.setUint16(0x1fa, 0xffff, true);           // normal video mode
  view.setUint8(0x210, 0xff);                    // a loader without a number
  view.setUint8(0x211, view.getUint8(0x211) & ~0x20 | 0x80); // CAN_USE_HEAP; not quiet
  view.setUint16(0x224, 0xde00, true);           // heap end
  view.setUint32(0x218, initrd, true);
  view.setUint32(0x21c, initrdBytes, true);
  view.setUint32(0x228, COMMAND_LINE, true);
  const map = memoryMap(ram.length);
  view.setUint8(0x1e8, map.length);
  map.forEach(({ base, length, type }, i) => {
    view.setUint32(0x2d0 + 20 * i, base, true);
    view.setUint32(0x2d8 + 20 * i, length, true);
    view.setUint32(0x2e0 + 20 * i, type, true);
  });
}

function writeGdt(ram: Uint8Array): void {
  const view = new DataView(ram.buffer, ram.byteOffset + GDT, 32);
  [0, 0, 0, 0, 0x0000ffff, 0x00cf9b00, 0x0000ffff, 0x00cf9300].forEach((word, i) => view.setUint32(4 * i, word, true));
}

function roundUp(value: number, unit: number): number {
  return Math.ceil(value / unit) * unit;
}
