// ACPI machine language, as much of it as describes fixed hardware: names, integers, packages, buffers, devices, and the
// resource descriptors inside buffers. Every function returns the bytes of one term. (ACPI 1.0, chapters 15 and 6.4.)

import { ascii, little } from './bytes.ts';

const [NAME, SCOPE, BUFFER, PACKAGE] = [0x08, 0x10, 0x11, 0x12];
const DEVICE = [0x5b, 0x82];
const [ZERO, ONE, BYTE, WORD, DWORD] = [0x00, 0x01, 0x0a, 0x0b, 0x0c];
const MOST_SHORT = 0x3f;

/** A name of up to four letters, or of two levels with a root. */
function nameString(path: string): number[] {
  const root = path.startsWith('\\');
  return [...(root ? ascii('\\') : []), ...ascii(path.slice(root ? 1 : 0).padEnd(4, '_'))];
}

/** The length of a term, its own bytes included, and the term. */
function withLength(body: readonly number[]): number[] {
  const short = body.length + 1;
  if (short <= MOST_SHORT) return [short, ...body];
  const long = body.length + 2;
  return [0x40 | (long & 15), long >> 4, ...body];
}

export function integer(value: number): number[] {
  if (value === 0) return [ZERO];
  if (value === 1) return [ONE];
  if (value < 0x100) return [BYTE, value];
  return value < 0x10000 ? [WORD, ...little(value, 2)] : [DWORD, ...little(value, 4)];
}

/** Name (path, value) */
export function named(path: string, value: readonly number[]): number[] {
  return [NAME, ...nameString(path), ...value];
}

export function scope(path: string, ...terms: readonly number[][]): number[] {
  return [SCOPE, ...withLength([...nameString(path), ...terms.flat()])];
}

export function device(name: string, ...terms: readonly number[][]): number[] {
  return [...DEVICE, ...withLength([...nameString(name), ...terms.flat()])];
}

export function pack(...elements: readonly number[][]): number[] {
  return [PACKAGE, ...withLength([elements.length, ...elements.flat()])];
}

/** A compressed identifier such as PNP0A03. */
export function eisaId(text: string): number[] {
  const [a, b, c] = ascii(text).map((letter) => letter - 0x40) as [number, number, number];
  const maker = (a << 10) | (b << 5) | c;
  const product = parseInt(text.slice(3), 16);
  return [DWORD, maker >> 8, maker & 0xff, product >> 8, product & 0xff];
}

/** A resource template: descriptors and their end tag. */
export function resources(...descriptors: readonly number[][]): number[] {
  const bytes = [...descriptors.flat(), 0x79, 0];
  return [BUFFER, ...withLength([...integer(bytes.length), ...bytes])];
}

/** Ports that a device decodes with 16 bits. */
export function ports(first: number, count: number): number[] {
  return [0x47, 1, ...little(first, 2), ...little(first, 2), 1, count];
}

/** An edge-triggered interrupt request that is active high. */
export function irq(line: number): number[] {
  return [0x22, ...little(1 << line, 2)];
}

const FIXED = 0x0c;
const [MEMORY_RANGE, IO_RANGE, BUS_RANGE] = [0, 1, 2];

function wordRange(type: number, flags: number, first: number, last: number): number[] {
  return [0x88, 13, 0, type, FIXED, flags, ...[0, first, last, 0, last - first + 1].flatMap((value) => little(value, 2))];
}

/** PCI buses behind a bridge. */
export function busRange(first: number, last: number): number[] {
  return wordRange(BUS_RANGE, 0, first, last);
}

/** Ports that a bridge passes on. */
export function portRange(first: number, last: number): number[] {
  return wordRange(IO_RANGE, 3, first, last);
}

/** Memory that a bridge passes on, writable and not cached. */
export function memoryRange(first: number, last: number): number[] {
  return [0x87, 23, 0, MEMORY_RANGE, FIXED, 1, ...[0, first, last, 0, last - first + 1].flatMap((value) => little(value, 4))];
}
