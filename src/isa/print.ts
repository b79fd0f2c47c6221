// The disassembler: a decoded instruction as Intel-syntax text, derived from its table row. Where GNU objdump -M intel
// knows the instruction and its text is not ambiguous the text is objdump's; our assembler reads all of it back to the
// same instruction with the same operand and address size.
import { dataSegment } from "./decode.ts";
import type { Insn } from "./decode.ts";
import { ATTR_ASIZE, ATTR_BRANCH, ATTR_FAR, ATTR_REP, ATTR_REPE, bytesOf, isLoop, Kind, namedBySuffix, ROWS, Tail } from "./rows.ts";
import type { Arg, Row } from "./rows.ts";

const REG8: string[] = ["al", "cl", "dl", "bl", "ah", "ch", "dh", "bh"];
const REG16: string[] = ["ax", "cx", "dx", "bx", "sp", "bp", "si", "di"];
const REG32: string[] = ["eax", "ecx", "edx", "ebx", "esp", "ebp", "esi", "edi"];
const SEGMENT_NAMES: string[] = ["es", "cs", "ss", "ds", "fs", "gs"];
const HEX: string = "0123456789abcdef";

/** 0x and the shortest unsigned hexadecimal digits of a 32-bit value. */
export function hex(value: i32): string {
  let text: string = "0x";
  let started = false;
  for (let shift: i32 = 28; shift >= 0; shift = shift - 4) {
    const digit = (value >> shift) & 15;
    if (digit != 0 || shift == 0) started = true;
    if (started) text = text + HEX.substring(digit, digit + 1);
  }
  return text;
}

/** Name of a general register of 1, 2 or 4 bytes. */
export function registerName(number: i32, size: i32): string {
  if (size == 1) return REG8[number];
  return size == 2 ? REG16[number] : REG32[number];
}

/** Text of an instruction at `address` in a code segment with D bit `big`. */
export function printInsn(insn: Insn, address: i32, big: bool): string {
  const row = ROWS[insn.row];
  let text = prefixText(insn, row) + sizePrefixes(insn, row, big) + mnemonic(insn, row, big);
  if (insn.opcode == 0x90 && insn.opSize == (big ? 2 : 4) && insn.rep == 0) return big ? "xchg   ax,ax" : "xchg   eax,eax";
  if (row.args.length == 0) return text;
  while (text.length < 6) text = text + " ";
  let separator: string = " ";
  for (const arg of row.args) {
    text = text + separator + operandText(insn, arg, address, row);
    separator = ",";
  }
  return text;
}

function prefixText(insn: Insn, row: Row): string {
  if (insn.lock) return "lock ";
  if (insn.rep == 0 || (row.attrs & (ATTR_REP | ATTR_REPE)) == 0) return "";
  if (insn.rep == 0xF2) return "repnz ";
  return (row.attrs & ATTR_REPE) != 0 ? "repz " : "rep ";
}

/** Prefixes of the other address and operand size, as words, where nothing else in the text tells them. */
function sizePrefixes(insn: Insn, row: Row, big: bool): string {
  let text: string = "";
  const usual: i32 = big ? 4 : 2;
  if (insn.addrSize != usual && hidesAddressSize(insn, row)) text = big ? "addr16 " : "addr32 ";
  if (insn.opSize != usual && hidesOperandSize(insn, row)) text = text + (big ? "data16 " : "data32 ");
  return text;
}

/** Addresses without registers, and the counts of LOOP. */
function hidesAddressSize(insn: Insn, row: Row): bool {
  if (isLoop(row)) return (row.attrs & ATTR_ASIZE) == 0;
  return row.tail == Tail.MO || (hasMemory(insn, row) && !namesRegisters(insn));
}

/** LOOP and JCXZ, and jumps through four bytes in memory: a near pointer of 32 bits, or a far one of 16:16. */
function hidesOperandSize(insn: Insn, row: Row): bool {
  if (isLoop(row)) return true;
  return (row.attrs & ATTR_BRANCH) != 0 && hasMemory(insn, row) && bytesOf(row.args[0].memSize, insn.opSize) == 4;
}

function hasMemory(insn: Insn, row: Row): bool {
  return row.inMemory && insn.mod != 3;
}

function mnemonic(insn: Insn, row: Row, big: bool): string {
  if (!namedBySuffix(row)) {
    const size = (row.attrs & ATTR_ASIZE) != 0 ? insn.addrSize : insn.opSize;
    return size == 2 ? row.name16 : row.name32;
  }
  if ((insn.opSize == 4) == big) return row.name32;
  return row.name32 + (big ? "w" : "d");
}

function operandText(insn: Insn, arg: Arg, address: i32, row: Row): string {
  switch (arg.kind) {
    case Kind.RM: case Kind.MEM: return insn.mod == 3 ? registerName(insn.rm, bytesOf(arg.size, insn.opSize)) : memory(insn, arg, row);
    case Kind.REG: return registerName(insn.reg, bytesOf(arg.size, insn.opSize));
    case Kind.RMREG: return registerName(insn.rm, 4);
    case Kind.OPREG: return registerName(insn.rm, bytesOf(arg.size, insn.opSize));
    case Kind.FIXED: return registerName(arg.number, bytesOf(arg.size, insn.opSize));
    case Kind.SREG: return SEGMENT_NAMES[insn.reg];
    case Kind.FIXEDSEG: return SEGMENT_NAMES[arg.number];
    case Kind.CREG: return `cr${insn.reg}`;
    case Kind.DREG: return `dr${insn.reg}`;
    case Kind.ST0: return "st";
    case Kind.STI: return `st(${insn.rm})`;
    case Kind.ONE: return "1";
    case Kind.IMM2: return hex(insn.imm2);
    case Kind.REL: return hex(target(insn, address));
    case Kind.FAR: return hex(insn.imm2) + ":" + hex(insn.imm);
    case Kind.SRC: return sized(insn, arg) + SEGMENT_NAMES[dataSegment(insn)] + ":[" + registerName(6, insn.addrSize) + "]";
    case Kind.DST: return sized(insn, arg) + "es:[" + registerName(7, insn.addrSize) + "]";
    case Kind.XLAT: return "BYTE PTR " + SEGMENT_NAMES[dataSegment(insn)] + ":[" + registerName(3, insn.addrSize) + "]";
    case Kind.MOFFS: return SEGMENT_NAMES[dataSegment(insn)] + ":" + hex(insn.disp);
    default: return hex(immediate(insn, row));
  }
}

/** The immediate as the operation sees it: sign-extended bytes cut to the operand size. */
function immediate(insn: Insn, row: Row): i32 {
  return row.tail == Tail.IBS && insn.opSize == 2 ? insn.imm & 0xFFFF : insn.imm;
}

function target(insn: Insn, address: i32): i32 {
  const to = (address + insn.length + insn.imm) | 0;
  return insn.opSize == 2 ? to & 0xFFFF : to;
}

function sized(insn: Insn, arg: Arg): string {
  switch (bytesOf(arg.memSize, insn.opSize)) {
    case 1: return "BYTE PTR ";
    case 2: return "WORD PTR ";
    case 4: return "DWORD PTR ";
    case 6: return "FWORD PTR ";
    case 8: return "QWORD PTR ";
    case 10: return "TBYTE PTR ";
    default: return "";
  }
}

function memory(insn: Insn, arg: Arg, row: Row): string {
  const size = (row.attrs & ATTR_FAR) != 0 && insn.opSize == 2 ? "FAR PTR " : sized(insn, arg);
  if (!namesRegisters(insn)) return size + SEGMENT_NAMES[dataSegment(insn)] + ":" + hex(insn.disp);
  let text = size;
  if (insn.seg >= 0) text = text + SEGMENT_NAMES[insn.seg] + ":";
  text = text + "[" + registers(insn);
  if (insn.mod != 0 || insn.base < 0) text = text + (insn.disp < 0 ? "-" + hex(-insn.disp | 0) : "+" + hex(insn.disp));
  return text + "]";
}

function namesRegisters(insn: Insn): bool {
  return insn.base >= 0 || insn.index >= 0 || hasEmptyIndex(insn);
}

/** A SIB byte without index where none was needed. */
function hasEmptyIndex(insn: Insn): bool {
  return insn.addrSize == 4 && insn.rm == 4 && insn.index < 0 && (insn.base != 4 || insn.scale != 0);
}

function registers(insn: Insn): string {
  let text: string = "";
  if (insn.base >= 0) text = registerName(insn.base, insn.addrSize);
  if (insn.index < 0 && !hasEmptyIndex(insn)) return text;
  if (insn.base >= 0) text = text + "+";
  if (insn.addrSize == 2) return text + registerName(insn.index, 2);
  const name = insn.index < 0 ? "eiz" : REG32[insn.index];
  return text + name + `*${1 << insn.scale}`;
}
