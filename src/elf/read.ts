// Reads ELF32 i386 files: header, segments, sections, symbols. It never looks outside the bytes it is given: a file that
// is damaged or something else yields an `error` in words and no contents.
import { below, EHDR_BYTES, EM_386, get16, get32, PHDR_BYTES, SHDR_BYTES, SHT_NOBITS, SHT_SYMTAB, SYM_BYTES } from "./format.ts";

export class ElfSegment {
  type: i32 = 0;
  offset: i32 = 0;
  vaddr: i32 = 0;
  paddr: i32 = 0;
  fileSize: i32 = 0;
  memSize: i32 = 0;
  flags: i32 = 0;
  align: i32 = 0;
}

export class ElfSection {
  name: string = "";
  type: i32 = 0;
  flags: i32 = 0;
  addr: i32 = 0;
  offset: i32 = 0;
  size: i32 = 0;
  link: i32 = 0;
}

export class ElfSymbol {
  name: string = "";
  addr: i32 = 0;
  size: i32 = 0;
  type: i32 = 0;     // STT_
  section: i32 = 0;
}

export class ElfFile {
  error: string = "";
  type: i32 = 0;
  entry: i32 = 0;
  segments: ElfSegment[] = [];
  sections: ElfSection[] = [];
  symbols: ElfSymbol[] = [];
}

/** Whether count records of `size` bytes at `at` lie within the file. */
function inside(bytes: ByteArray, at: i32, count: i32, size: i32): bool {
  if (count == 0) return true;
  if (at < 0 || count < 0 || at > bytes.length) return false;
  return count <= (((bytes.length - at) / size) | 0);
}

/** The NUL-terminated text at `at`; it ends with the file at the latest. */
function text(bytes: ByteArray, at: i32): string {
  let s: string = "";
  for (let i = at; i >= 0 && i < bytes.length && bytes[i] != 0; i++) s = s + String.fromCharCode(bytes[i]);
  return s;
}

/** Reads headers and segments, and with `symbols` also sections and symbols. */
export function readElf(bytes: ByteArray, symbols: bool): ElfFile {
  const file = new ElfFile();
  file.error = checkHeader(bytes);
  if (file.error.length > 0) return file;
  file.type = get16(bytes, 16);
  file.entry = get32(bytes, 24);
  readSegments(bytes, file);
  if (symbols && file.error.length == 0) readSections(bytes, file);
  if (symbols && file.error.length == 0) readSymbols(bytes, file);
  return file;
}

function checkHeader(bytes: ByteArray): string {
  if (bytes.length < 4 || get32(bytes, 0) != 0x464C457F) return "not an ELF file";
  if (bytes.length < EHDR_BYTES) return "the ELF header is cut off";
  if (bytes[4] != 1 || bytes[5] != 1) return "not a 32-bit little-endian ELF file";
  if (get16(bytes, 18) != EM_386) return "an ELF file for another machine than i386";
  return "";
}

function readSegments(bytes: ByteArray, file: ElfFile): void {
  const at = get32(bytes, 28);
  const count = get16(bytes, 44);
  if (count > 0 && get16(bytes, 42) < PHDR_BYTES) file.error = "bad program header size";
  else if (!inside(bytes, at, count, get16(bytes, 42))) file.error = "program headers lie outside the file";
  for (let i: i32 = 0; i < count && file.error.length == 0; i++) {
    const segment = readSegment(bytes, at + i * get16(bytes, 42));
    if (segment.type == 1 && !inside(bytes, segment.offset, segment.fileSize, 1)) file.error = "a segment lies outside the file";
    else if (segment.type == 1 && below(segment.memSize, segment.fileSize)) file.error = "a segment is larger in the file than in memory";
    file.segments.push(segment);
  }
}

function readSegment(bytes: ByteArray, at: i32): ElfSegment {
  const segment = new ElfSegment();
  segment.type = get32(bytes, at);
  segment.offset = get32(bytes, at + 4);
  segment.vaddr = get32(bytes, at + 8);
  segment.paddr = get32(bytes, at + 12);
  segment.fileSize = get32(bytes, at + 16);
  segment.memSize = get32(bytes, at + 20);
  segment.flags = get32(bytes, at + 24);
  segment.align = get32(bytes, at + 28);
  return segment;
}

function readSections(bytes: ByteArray, file: ElfFile): void {
  const at = get32(bytes, 32);
  const count = get16(bytes, 48);
  if (count > 0 && (get16(bytes, 46) != SHDR_BYTES || !inside(bytes, at, count, SHDR_BYTES))) {
    file.error = "section headers lie outside the file";
    return;
  }
  const names = get16(bytes, 50);
  const namesAt = names < count ? get32(bytes, at + names * SHDR_BYTES + 16) : -1;
  for (let i: i32 = 0; i < count; i++) file.sections.push(readSection(bytes, at + i * SHDR_BYTES, namesAt));
}

function readSection(bytes: ByteArray, at: i32, namesAt: i32): ElfSection {
  const section = new ElfSection();
  section.name = namesAt < 0 ? "" : text(bytes, (namesAt + get32(bytes, at)) | 0);
  section.type = get32(bytes, at + 4);
  section.flags = get32(bytes, at + 8);
  section.addr = get32(bytes, at + 12);
  section.offset = get32(bytes, at + 16);
  section.size = get32(bytes, at + 20);
  section.link = get32(bytes, at + 24);
  if (section.type != SHT_NOBITS && section.type != 0 && !inside(bytes, section.offset, section.size, 1)) section.size = 0;
  return section;
}

function readSymbols(bytes: ByteArray, file: ElfFile): void {
  for (const table of file.sections) {
    if (table.type != SHT_SYMTAB || table.link < 0 || table.link >= file.sections.length) continue;
    const names = file.sections[table.link].offset;
    for (let at = SYM_BYTES; at + SYM_BYTES <= table.size; at = at + SYM_BYTES) {
      file.symbols.push(readSymbol(bytes, table.offset + at, names));
    }
  }
}

function readSymbol(bytes: ByteArray, at: i32, names: i32): ElfSymbol {
  const symbol = new ElfSymbol();
  symbol.name = text(bytes, (names + get32(bytes, at)) | 0);
  symbol.addr = get32(bytes, at + 4);
  symbol.size = get32(bytes, at + 8);
  symbol.type = bytes[at + 12] & 15;
  symbol.section = get16(bytes, at + 14);
  return symbol;
}

/** The section with this name, or null. */
export function sectionNamed(file: ElfFile, name: string): ElfSection | null {
  for (const section of file.sections) if (section.name == name) return section;
  return null;
}
