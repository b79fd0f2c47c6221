// Debug information so that gdb, addr2line and objdump -l show source lines: a line table and one compilation unit with a
// subprogram for each function (DWARF 2, sections 3.1, 3.3 and 6.2). Rows must come in address order; a lower address
// begins a new sequence.
import { below, put16, put32, putSleb, putString, putUleb, set32 } from "./format.ts";

const LINE_BASE: i32 = -3;
const LINE_RANGE: i32 = 12;
const OPCODE_BASE: i32 = 10;
const OPERAND_COUNTS: i32[] = [0, 1, 1, 1, 1, 0, 0, 0, 1];

const DW_LNS_COPY: i32 = 1;
const DW_LNS_ADVANCE_PC: i32 = 2;
const DW_LNS_ADVANCE_LINE: i32 = 3;
const DW_LNS_SET_FILE: i32 = 4;
const DW_LNE_END_SEQUENCE: i32 = 1;
const DW_LNE_SET_ADDRESS: i32 = 2;

const DW_TAG_COMPILE_UNIT: i32 = 0x11;
const DW_TAG_SUBPROGRAM: i32 = 0x2E;
const DW_AT_NAME: i32 = 0x03;
const DW_AT_STMT_LIST: i32 = 0x10;
const DW_AT_LOW_PC: i32 = 0x11;
const DW_AT_HIGH_PC: i32 = 0x12;
const DW_AT_LANGUAGE: i32 = 0x13;
const DW_FORM_ADDR: i32 = 0x01;
const DW_FORM_DATA1: i32 = 0x0B;
const DW_FORM_DATA4: i32 = 0x06;
const DW_FORM_STRING: i32 = 0x08;
const DW_LANG_C: i32 = 2;

/** Address to source position, collected in address order. */
export class LineTable {
  private files: string[] = [];
  private fileNumbers: Map<string, i32> = new Map<string, i32>();
  private lastFile: string = "";
  private lastNumber: i32 = 0;
  private addresses: i32[] = [];
  private fileOf: i32[] = [];
  private lines: i32[] = [];
  // state of the line number program while it is written
  private address: i32 = 0;
  private file: i32 = 1;
  private line: i32 = 1;

  /** The code at `address` comes from this line. Rows that repeat the last position are dropped. */
  add(address: i32, file: string, line: i32): void {
    const number = this.fileNumber(file);
    const last = this.lines.length - 1;
    if (last >= 0 && this.lines[last] == line && this.fileOf[last] == number && !below(address, this.addresses[last])) return;
    this.addresses.push(address);
    this.fileOf.push(number);
    this.lines.push(line);
  }

  isEmpty(): bool {
    return this.lines.length == 0;
  }

  private fileNumber(file: string): i32 {
    if (file == this.lastFile && this.lastNumber > 0) return this.lastNumber;
    if (!this.fileNumbers.has(file)) {
      this.files.push(file);
      this.fileNumbers.set(file, this.files.length);
    }
    this.lastFile = file;
    this.lastNumber = this.fileNumbers.get(file)!;
    return this.lastNumber;
  }

  /** Contents of .debug_line; `end` is the first address after the code. */
  write(end: i32): u8[] {
    const out: u8[] = [];
    this.header(out);
    for (let i: i32 = 0; i < this.lines.length; i++) {
      const address = this.addresses[i];
      if (i == 0) {
        this.begin(out, address);
      } else if (below(address, this.address)) {
        this.finish(out, this.address);
        this.begin(out, address);
      }
      this.row(out, address, this.fileOf[i], this.lines[i]);
    }
    this.finish(out, end);
    set32(out, 0, out.length - 4);
    return out;
  }

  private header(out: u8[]): void {
    put32(out, 0);
    put16(out, 2);
    put32(out, 0);
    out.push(1);
    out.push(1);
    out.push((LINE_BASE & 255) as u8);
    out.push(LINE_RANGE as u8);
    out.push(OPCODE_BASE as u8);
    for (const count of OPERAND_COUNTS) out.push(count as u8);
    out.push(0);
    for (const file of this.files) {
      putString(out, file);
      out.push(0);
      out.push(0);
      out.push(0);
    }
    out.push(0);
    set32(out, 6, out.length - 10);
  }

  private begin(out: u8[], address: i32): void {
    out.push(0);
    out.push(5);
    out.push(DW_LNE_SET_ADDRESS as u8);
    put32(out, address);
    this.address = address;
    this.file = 1;
    this.line = 1;
  }

  private finish(out: u8[], end: i32): void {
    if (this.address != end) {
      out.push(DW_LNS_ADVANCE_PC as u8);
      putUleb(out, (end - this.address) | 0);
    }
    out.push(0);
    out.push(1);
    out.push(DW_LNE_END_SEQUENCE as u8);
  }

  private row(out: u8[], address: i32, file: i32, line: i32): void {
    if (file != this.file) {
      out.push(DW_LNS_SET_FILE as u8);
      putUleb(out, file);
    }
    this.step(out, (address - this.address) | 0, line - this.line);
    this.address = address;
    this.file = file;
    this.line = line;
  }

  /** Advances both registers and emits a row, in one special opcode where it fits. */
  private step(out: u8[], distance: i32, lines: i32): void {
    let byLine = lines;
    if (byLine < LINE_BASE || byLine >= LINE_BASE + LINE_RANGE) {
      out.push(DW_LNS_ADVANCE_LINE as u8);
      putSleb(out, byLine);
      byLine = 0;
    }
    const room = ((255 - OPCODE_BASE - (byLine - LINE_BASE)) / LINE_RANGE) | 0;
    if (distance > room || distance < 0) {
      out.push(DW_LNS_ADVANCE_PC as u8);
      putUleb(out, distance);
      if (byLine == 0) out.push(DW_LNS_COPY as u8);
      else out.push((byLine - LINE_BASE + OPCODE_BASE) as u8);
    } else {
      out.push((byLine - LINE_BASE + distance * LINE_RANGE + OPCODE_BASE) as u8);
    }
  }
}

function abbreviation(out: u8[], code: i32, tag: i32, children: i32, pairs: i32[]): void {
  putUleb(out, code);
  putUleb(out, tag);
  out.push(children as u8);
  for (const value of pairs) putUleb(out, value);
  putUleb(out, 0);
  putUleb(out, 0);
}

/** Contents of .debug_abbrev. */
export function abbreviations(): u8[] {
  const out: u8[] = [];
  const unit: i32[] = [
    DW_AT_NAME, DW_FORM_STRING, DW_AT_LANGUAGE, DW_FORM_DATA1, DW_AT_LOW_PC, DW_FORM_ADDR, DW_AT_HIGH_PC, DW_FORM_ADDR,
    DW_AT_STMT_LIST, DW_FORM_DATA4,
  ];
  const fn: i32[] = [DW_AT_NAME, DW_FORM_STRING, DW_AT_LOW_PC, DW_FORM_ADDR, DW_AT_HIGH_PC, DW_FORM_ADDR];
  abbreviation(out, 1, DW_TAG_COMPILE_UNIT, 1, unit);
  abbreviation(out, 2, DW_TAG_SUBPROGRAM, 0, fn);
  putUleb(out, 0);
  return out;
}

/** Contents of .debug_info, being built: one unit that covers the code from `low` up to `high`. */
export class DebugInfo {
  private out: u8[] = [];

  constructor(name: string, low: i32, high: i32) {
    put32(this.out, 0);
    put16(this.out, 2);
    put32(this.out, 0);
    this.out.push(4);
    putUleb(this.out, 1);
    putString(this.out, name);
    this.out.push(DW_LANG_C as u8);
    put32(this.out, low);
    put32(this.out, high);
    put32(this.out, 0);
  }

  addFunction(name: string, low: i32, high: i32): void {
    putUleb(this.out, 2);
    putString(this.out, name);
    put32(this.out, low);
    put32(this.out, high);
  }

  finish(): u8[] {
    this.out.push(0);
    set32(this.out, 0, this.out.length - 4);
    return this.out;
  }
}
