// Writes ELF32 executables: the caller places sections at addresses and groups them into loadable segments; headers,
// file offsets, string tables, symbols and debug sections follow from that. The same calls give the same bytes.
// File layout: ELF header, program headers, segments (file offset = address modulo the page size), debug sections,
// symbol and string tables, section headers.
import { abbreviations, DebugInfo, LineTable } from "./dwarf.ts";
import {
  EHDR_BYTES, EM_386, ET_EXEC, PAGE, PHDR_BYTES, PT_LOAD, put16, put32, putString, SHDR_BYTES, SHF_ALLOC, SHF_EXECINSTR,
  SHT_NOBITS, SHT_PROGBITS, SHT_STRTAB, SHT_SYMTAB, STB_GLOBAL, STT_FUNC, SYM_BYTES,
} from "./format.ts";

/** One section; `size` counts also where there are no bytes (NOBITS). */
class ImageSection {
  name: string = "";
  nameAt: i32 = 0;
  type: i32 = 0;
  flags: i32 = 0;
  addr: i32 = 0;
  bytes: u8[] = [];
  size: i32 = 0;
  offset: i32 = 0;
  link: i32 = 0;
  info: i32 = 0;
  align: i32 = 1;
  entrySize: i32 = 0;
}

class ImageSegment {
  flags: i32 = 0;
  first: i32 = 0;
  last: i32 = 0;
  headers: bool = false;
  addr: i32 = 0;
  offset: i32 = 0;
  fileSize: i32 = 0;
  memSize: i32 = 0;
}

class ImageSymbol {
  name: string = "";
  addr: i32 = 0;
  size: i32 = 0;
  type: i32 = 0;
  section: i32 = 0;
}

/** An executable under construction. */
export class ElfImage {
  entry: i32 = 0;              // as stored: physical where physOffset is set and the loader starts without paging
  physOffset: i32 = 0;         // p_paddr = p_vaddr - physOffset
  unitName: string = "program";
  private sections: ImageSection[] = [];
  private segments: ImageSegment[] = [];
  private symbols: ImageSymbol[] = [];
  private lines: LineTable = new LineTable();

  constructor() {
    this.sections.push(new ImageSection());
  }

  /** Bytes of ELF and program headers, which the first segment may begin with. */
  headerBytes(segments: i32): i32 {
    return EHDR_BYTES + PHDR_BYTES * segments;
  }

  /** Adds a section with contents; returns its index. Sections of a segment are added in address order. */
  addSection(name: string, type: i32, flags: i32, addr: i32, align: i32, bytes: u8[]): i32 {
    const section = new ImageSection();
    section.name = name;
    section.type = type;
    section.flags = flags;
    section.addr = addr;
    section.align = align;
    section.bytes = bytes;
    section.size = bytes.length;
    this.sections.push(section);
    return this.sections.length - 1;
  }

  /** Adds a section that is all zero and takes no room in the file; the last of its segment. */
  addNobits(name: string, flags: i32, addr: i32, align: i32, size: i32): i32 {
    const none: u8[] = [];
    const index = this.addSection(name, SHT_NOBITS, flags, addr, align, none);
    this.sections[index].size = size;
    return index;
  }

  /**
   * Adds a loadable segment of sections first..last. With `headers` it also covers the headers at the start of the file,
   * and its address is first's page; the first section must leave headerBytes() room there.
   */
  addSegment(flags: i32, first: i32, last: i32, headers: bool): void {
    const segment = new ImageSegment();
    segment.flags = flags;
    segment.first = first;
    segment.last = last;
    segment.headers = headers;
    this.segments.push(segment);
  }

  /** Adds a global symbol; `section` is an index that addSection returned, or SHN_ABS. */
  addSymbol(name: string, addr: i32, size: i32, type: i32, section: i32): void {
    const symbol = new ImageSymbol();
    symbol.name = name;
    symbol.addr = addr;
    symbol.size = size;
    symbol.type = type;
    symbol.section = section;
    this.symbols.push(symbol);
  }

  /** The code at `addr` comes from this source line. Call in address order. */
  addLine(addr: i32, file: string, line: i32): void {
    this.lines.add(addr, file, line);
  }

  /** The whole file, in parts of which some are the sections' own lists. */
  write(): u8[][] {
    if (!this.lines.isEmpty()) this.addDebugSections();
    this.addTables();
    const end = this.place();
    const parts: u8[][] = [];
    let out: u8[] = [];
    this.writeHeader(out, end);
    for (const segment of this.segments) this.writeSegment(out, segment);
    let at = out.length;
    for (const section of this.sections) {
      if (section.bytes.length == 0) continue;
      pad(out, section.offset - at);
      parts.push(out);
      parts.push(section.bytes);
      out = [];
      at = section.offset + section.bytes.length;
    }
    pad(out, end - at);
    for (const section of this.sections) writeSectionHeader(out, section);
    parts.push(out);
    return parts;
  }

  private addDebugSections(): void {
    let low: i32 = 0;
    let high: i32 = 0;
    for (const section of this.sections) {
      if ((section.flags & SHF_EXECINSTR) == 0) continue;
      if (high == 0) low = section.addr;
      high = (section.addr + section.size) | 0;
    }
    const info = new DebugInfo(this.unitName, low, high);
    for (const symbol of this.symbols) {
      if (symbol.type == STT_FUNC) info.addFunction(symbol.name, symbol.addr, (symbol.addr + symbol.size) | 0);
    }
    this.addSection(".debug_line", SHT_PROGBITS, 0, 0, 1, this.lines.write(high));
    this.addSection(".debug_info", SHT_PROGBITS, 0, 0, 1, info.finish());
    this.addSection(".debug_abbrev", SHT_PROGBITS, 0, 0, 1, abbreviations());
  }

  private addTables(): void {
    const names: u8[] = [0];
    const table: u8[] = [];
    for (let i: i32 = 0; i < SYM_BYTES; i++) table.push(0);
    for (const symbol of this.symbols) {
      put32(table, names.length);
      put32(table, symbol.addr);
      put32(table, symbol.size);
      table.push((STB_GLOBAL << 4 | symbol.type) as u8);
      table.push(0);
      put16(table, symbol.section);
      putString(names, symbol.name);
    }
    const symtab = this.addSection(".symtab", SHT_SYMTAB, 0, 0, 4, table);
    this.sections[symtab].link = symtab + 1;
    this.sections[symtab].info = 1;
    this.sections[symtab].entrySize = SYM_BYTES;
    this.addSection(".strtab", SHT_STRTAB, 0, 0, 1, names);
    this.addSectionNames();
  }

  private addSectionNames(): void {
    const names: u8[] = [];
    const none: u8[] = [];
    const index = this.addSection(".shstrtab", SHT_STRTAB, 0, 0, 1, none);
    for (const section of this.sections) {
      section.nameAt = names.length;
      putString(names, section.name);
    }
    this.sections[index].bytes = names;
    this.sections[index].size = names.length;
  }

  /** Gives everything its file offset; returns that of the section headers. */
  private place(): i32 {
    let offset = this.headerBytes(this.segments.length);
    for (const segment of this.segments) offset = this.placeSegment(segment, offset);
    for (const section of this.sections) {
      if ((section.flags & SHF_ALLOC) != 0 || section.type == 0) continue;
      section.offset = roundUp(offset, section.align);
      offset = section.offset + section.size;
    }
    return roundUp(offset, 4);
  }

  private placeSegment(segment: ImageSegment, from: i32): i32 {
    const first = this.sections[segment.first];
    segment.addr = segment.headers ? first.addr & -PAGE : first.addr;
    segment.offset = segment.headers ? 0 : from + ((first.addr - from) & (PAGE - 1));
    for (let i = segment.first; i <= segment.last; i++) {
      const section = this.sections[i];
      section.offset = (segment.offset + section.addr - segment.addr) | 0;
      segment.memSize = (section.addr + section.size - segment.addr) | 0;
      if (section.type != SHT_NOBITS) segment.fileSize = segment.memSize;
    }
    return segment.offset + segment.fileSize;
  }

  private writeHeader(out: u8[], sectionsAt: i32): void {
    const ident: i32[] = [0x7F, 0x45, 0x4C, 0x46, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    for (const byte of ident) out.push(byte as u8);
    put16(out, ET_EXEC);
    put16(out, EM_386);
    put32(out, 1);
    put32(out, this.entry);
    put32(out, EHDR_BYTES);
    put32(out, sectionsAt);
    put32(out, 0);
    put16(out, EHDR_BYTES);
    put16(out, PHDR_BYTES);
    put16(out, this.segments.length);
    put16(out, SHDR_BYTES);
    put16(out, this.sections.length);
    put16(out, this.sections.length - 1);
  }

  private writeSegment(out: u8[], segment: ImageSegment): void {
    put32(out, PT_LOAD);
    put32(out, segment.offset);
    put32(out, segment.addr);
    put32(out, (segment.addr - this.physOffset) | 0);
    put32(out, segment.fileSize);
    put32(out, segment.memSize);
    put32(out, segment.flags);
    put32(out, PAGE);
  }
}

function roundUp(offset: i32, align: i32): i32 {
  return (offset + align - 1) & -align;
}

function pad(out: u8[], bytes: i32): void {
  for (let i: i32 = 0; i < bytes; i++) out.push(0);
}

function writeSectionHeader(out: u8[], section: ImageSection): void {
  put32(out, section.nameAt);
  put32(out, section.type);
  put32(out, section.flags);
  put32(out, section.addr);
  put32(out, section.offset);
  put32(out, section.size);
  put32(out, section.link);
  put32(out, section.info);
  put32(out, section.type == 0 ? 0 : section.align);
  put32(out, section.entrySize);
}
