// What a file is, from its first bytes: whether a kernel is loaded from it or the BIOS boots from it; and what it looks like to
// a person, for messages that say what was found where a kernel was expected.

import { isLinux } from './linux.ts';
import { findMultibootHeader } from './multiboot-header.ts';

const SECTOR_BYTES = 512;
/** Where an ISO 9660 volume descriptor has its name, and where a file system of the ext family has its magic number. */
const [ISO_AT, EXT_AT] = [0x8001, 0x438];
const FLOPPY_BYTES = [163840, 184320, 327680, 368640, 737280, 1228800, 1474560, 2949120];

function text(image: Uint8Array, at: number, length: number): string {
  return String.fromCharCode(...image.subarray(at, at + length));
}

function bootSector(image: Uint8Array): string {
  const floppy = FLOPPY_BYTES.includes(image.length) || image.length === SECTOR_BYTES;
  return `a ${floppy ? 'floppy' : 'disk'} image with a boot sector, from which the BIOS boots (without -kernel)`;
}

/** As many bytes of a file as are looked at. */
export const SNIFFED_BYTES = 0x9000;

/** What to do with a file that somebody wants to boot. */
export function bootsAs(image: Uint8Array): 'kernel' | 'disk' | 'cdrom' {
  if (text(image, 0, 4) === '\x7fELF' || text(image, 0, 2) === '\x1f\x8b' || isLinux(image) || findMultibootHeader(image) >= 0) return 'kernel';
  if (text(image, ISO_AT, 5) === 'CD001') return 'cdrom';
  return image[510] === 0x55 && image[511] === 0xaa ? 'disk' : 'kernel';
}

/** A noun phrase. */
export function whatIs(image: Uint8Array): string {
  const head = text(image, 0, 4);
  if (image.length === 0) return 'an empty file';
  if (head === '\x7fELF') return image[4] === 2 ? 'a 64-bit ELF file without a Multiboot header' : 'an ELF file without a Multiboot header';
  if (head.startsWith('#!')) return 'a script';
  if (head.startsWith('MZ')) return 'a DOS or Windows executable';
  if (head.startsWith('\x1f\x8b')) return 'a gzip file';
  if (text(image, ISO_AT, 5) === 'CD001') return 'an ISO 9660 image, from which the BIOS boots (without -kernel)';
  if (image[510] === 0x55 && image[511] === 0xaa) return bootSector(image);
  if (image[EXT_AT] === 0x53 && image[EXT_AT + 1] === 0xef) return 'an ext2 file system (-hda attaches it)';
  return `not a kernel (it begins with ${[...image.subarray(0, 4)].map((b) => b.toString(16).padStart(2, '0')).join(' ')})`;
}
