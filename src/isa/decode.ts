// Instruction bytes to fields: `decode` fills a caller's Insn and allocates nothing. It answers from flat tables built
// once from ROWS: an opcode leads to a row, or to a group of 72 slots, 8 for memory operands by ModRM.reg and 64 for the
// register ModRM bytes C0..FF. Every byte string has one answer; prefixes may come in any order and number up to 15 bytes.
import { ATTR_LOCK, Mod, ROWS, Tail } from "./rows.ts";
import type { Row } from "./rows.ts";

/** Answers of decode that are not a length. */
export const NEEDS_MORE: i32 = 0;
export const INVALID: i32 = -1;
export const TOO_LONG: i32 = -2;
export const BAD_LOCK: i32 = -3;

/** One decoded instruction. Registers are numbered as in the manual, segments es cs ss ds fs gs. */
export class Insn {
  row: i32 = 0;          // index into ROWS
  length: i32 = 0;       // bytes, prefixes included
  opcode: i32 = 0;       // 0..0xFF, or 0x100..0x1FF after 0F
  opSize: i32 = 4;       // 2 or 4
  addrSize: i32 = 4;     // 2 or 4
  seg: i32 = -1;         // override, or -1
  rep: i32 = 0;          // 0, 0xF2, 0xF3
  lock: bool = false;
  modrm: i32 = -1;       // the byte, or -1
  mod: i32 = 0;          // 3: the E operand is register rm
  reg: i32 = 0;
  rm: i32 = 0;           // without ModRM: the register in the opcode
  base: i32 = -1;        // base register of the memory operand, or -1
  index: i32 = -1;       // index register, or -1
  scale: i32 = 0;        // index is shifted left by this
  disp: i32 = 0;         // sign-extended; a 16-bit one without registers, and moffs, zero-extended
  imm: i32 = 0;          // Ibs and relative: sign-extended; others zero-extended; far pointer: offset
  imm2: i32 = 0;         // far pointer: selector; ENTER: level
}

const GROUP_SLOTS: i32 = 72;

/** By opcode: a row, -1 for none, or -2 - g for group g of GROUPS. */
const OPCODES: i32[] = [];
const GROUPS: i32[] = [];
/** By row: forms that the hot path needs. */
const TAILS: i32[] = [];
const TAILS2: i32[] = [];
const LOCKABLE: bool[] = [];
const REGISTER_ONLY: bool[] = [];
/** By byte: 0 none, 1 operand size, 2 address size, 3 lock, 4 rep, 8 + segment. */
const PREFIXES: i32[] = [];
/** The row of PAUSE, which shares its opcode with NOP. Its initialiser builds the tables above. */
const PAUSE_ROW: i32 = buildTables();

function groupOf(opcode: i32): i32 {
  if (OPCODES[opcode] < -1) return -2 - OPCODES[opcode];
  const group = (GROUPS.length / GROUP_SLOTS) | 0;
  for (let i: i32 = 0; i < GROUP_SLOTS; i++) GROUPS.push(-1);
  OPCODES[opcode] = -2 - group;
  return group;
}

function matchesModrm(row: Row, modrm: i32): bool {
  if ((row.regs >> ((modrm >> 3) & 7) & 1) == 0) return false;
  switch (row.mod) {
    case Mod.DIGIT: return ((modrm >> 3) & 7) == row.modByte;
    case Mod.BYTE: return modrm == row.modByte;
    case Mod.PLUS_I: return (modrm & 0xF8) == row.modByte;
    default: return true;
  }
}

function fillGroup(row: Row, number: i32): void {
  const first = groupOf(row.opcode) * GROUP_SLOTS;
  for (let reg: i32 = 0; reg < 8; reg++) {
    if ((row.inMemory || row.ignoresMod) && matchesModrm(row, reg << 3)) GROUPS[first + reg] = number;
  }
  if (!row.inRegister) return;
  for (let modrm: i32 = 0xC0; modrm < 0x100; modrm++) {
    if (matchesModrm(row, modrm)) GROUPS[first + 8 + modrm - 0xC0] = number;
  }
}

function fillOpcodes(row: Row, number: i32): void {
  const count = row.plusReg ? 8 : 1;
  for (let i: i32 = 0; i < count; i++) {
    if (OPCODES[row.opcode + i] == -1) OPCODES[row.opcode + i] = number;
  }
}

function fillPrefixes(): void {
  for (let i: i32 = 0; i < 256; i++) PREFIXES.push(0);
  PREFIXES[0x66] = 1;
  PREFIXES[0x67] = 2;
  PREFIXES[0xF0] = 3;
  PREFIXES[0xF2] = 4;
  PREFIXES[0xF3] = 4;
  PREFIXES[0x26] = 8;
  PREFIXES[0x2E] = 9;
  PREFIXES[0x36] = 10;
  PREFIXES[0x3E] = 11;
  PREFIXES[0x64] = 12;
  PREFIXES[0x65] = 13;
}

/** Builds the lookup tables; returns the row of PAUSE. */
function buildTables(): i32 {
  let pause: i32 = -1;
  fillPrefixes();
  for (let i: i32 = 0; i < 512; i++) OPCODES.push(-1);
  for (let i: i32 = 0; i < ROWS.length; i++) {
    const row = ROWS[i];
    TAILS.push(row.tail);
    TAILS2.push(row.tail2);
    LOCKABLE.push((row.attrs & ATTR_LOCK) != 0);
    REGISTER_ONLY.push(row.ignoresMod);
    if (row.prefix != 0) pause = i;
    else if (row.mod == Mod.NONE) fillOpcodes(row, i);
    else fillGroup(row, i);
  }
  return pause;
}

/** 1 when the instruction may reach to `end`, else NEEDS_MORE or TOO_LONG. */
function reaches(end: i32, at: i32, limit: i32): i32 {
  if (end - at > 15) return TOO_LONG;
  return end > limit ? NEEDS_MORE : 1;
}

function signed8(code: ByteArray, at: i32): i32 {
  return (code[at] << 24) >> 24;
}

function word16(code: ByteArray, at: i32): i32 {
  return code[at] | (code[at + 1] << 8);
}

function word32(code: ByteArray, at: i32): i32 {
  return code[at] | (code[at + 1] << 8) | (code[at + 2] << 16) | (code[at + 3] << 24);
}

/**
 * Decodes the instruction at code[at], not looking at code[limit] or beyond; `big` is the D bit of the code segment.
 * Returns its length, NEEDS_MORE, INVALID (#UD: no such encoding, a register where memory is needed), BAD_LOCK (#UD: LOCK
 * where it is not allowed) or TOO_LONG (#GP: more than 15 bytes). `out` is meaningful with a length and with BAD_LOCK.
 * Intel manual, volume 2, chapter 2.
 */
export function decode(code: ByteArray, at: i32, limit: i32, big: bool, out: Insn): i32 { // hot
  clear(out, big);
  let pos = prefixes(code, at, limit, big, out);
  if (pos <= at) return pos - at;
  let opcode: i32 = code[pos - 1];
  if (opcode == 0x0F) {
    const more = reaches(pos + 1, at, limit);
    if (more <= 0) return more;
    opcode = 0x100 | code[pos];
    pos++;
  }
  out.opcode = opcode;
  let row = OPCODES[opcode];
  if (row == -1) return INVALID;
  if (row < -1) {
    const more = reaches(pos + 1, at, limit);
    if (more <= 0) return more;
    const modrm: i32 = code[pos];
    setModrm(out, modrm);
    row = GROUPS[(-2 - row) * GROUP_SLOTS + (modrm < 0xC0 ? out.reg : modrm - 0xB8)];
    if (row < 0) return INVALID;
    if (REGISTER_ONLY[row]) out.mod = 3;
    const end = out.mod == 3 ? pos + 1 : address(code, pos + 1, at, limit, out);
    if (end <= at) return end - at;
    pos = end;
  } else {
    out.rm = opcode & 7;
    if (opcode == 0x90 && out.rep == 0xF3) row = PAUSE_ROW;
  }
  out.row = row;
  const end = TAILS[row] == Tail.NONE ? pos : tails(code, pos, at, limit, row, out);
  if (end <= at) return end - at;
  out.length = end - at;
  return out.lock && (!LOCKABLE[row] || out.mod == 3) ? BAD_LOCK : out.length;
}

function clear(out: Insn, big: bool): void {
  out.opSize = big ? 4 : 2;
  out.addrSize = out.opSize;
  out.seg = -1;
  out.rep = 0;
  out.lock = false;
  out.modrm = -1;
  out.mod = 0;
  out.reg = 0;
  out.rm = 0;
  out.base = -1;
  out.index = -1;
  out.scale = 0;
  out.disp = 0;
  out.imm = 0;
  out.imm2 = 0;
}

/** Takes prefixes and the first opcode byte; returns the position after it, or `at` plus a failure. */
function prefixes(code: ByteArray, at: i32, limit: i32, big: bool, out: Insn): i32 {
  let pos = at;
  while (true) {
    const more = reaches(pos + 1, at, limit);
    if (more <= 0) return at + more;
    const byte: i32 = code[pos];
    pos++;
    const prefix = PREFIXES[byte];
    if (prefix == 0) return pos;
    if (prefix == 1) out.opSize = big ? 2 : 4;
    else if (prefix == 2) out.addrSize = big ? 2 : 4;
    else if (prefix == 3) out.lock = true;
    else if (prefix == 4) out.rep = byte;
    else out.seg = prefix - 8;
  }
}

function setModrm(out: Insn, modrm: i32): void {
  out.modrm = modrm;
  out.mod = modrm >> 6;
  out.reg = (modrm >> 3) & 7;
  out.rm = modrm & 7;
}

/** Takes SIB and displacement of a memory operand; returns the position after them, or `at` plus a failure. */
function address(code: ByteArray, from: i32, at: i32, limit: i32, out: Insn): i32 {
  if (out.addrSize == 2) return address16(code, from, at, limit, out);
  let pos = from;
  let base = out.rm;
  if (base == 4) {
    const more = reaches(pos + 1, at, limit);
    if (more <= 0) return at + more;
    const sib: i32 = code[pos];
    pos++;
    base = sib & 7;
    out.scale = sib >> 6;
    out.index = ((sib >> 3) & 7) == 4 ? -1 : (sib >> 3) & 7;
  }
  let bytes: i32 = out.mod == 2 ? 4 : out.mod;
  if (out.mod == 0 && base == 5) {
    bytes = 4;
    base = -1;
  }
  out.base = base;
  const more = reaches(pos + bytes, at, limit);
  if (more <= 0) return at + more;
  if (bytes == 1) out.disp = signed8(code, pos);
  else if (bytes == 4) out.disp = word32(code, pos);
  return pos + bytes;
}

const BASE16: i32[] = [3, 3, 5, 5, 6, 7, 5, 3];
const INDEX16: i32[] = [6, 7, 6, 7, -1, -1, -1, -1];

function address16(code: ByteArray, pos: i32, at: i32, limit: i32, out: Insn): i32 {
  const direct = out.mod == 0 && out.rm == 6;
  const bytes = direct ? 2 : out.mod;
  const more = reaches(pos + bytes, at, limit);
  if (more <= 0) return at + more;
  out.base = direct ? -1 : BASE16[out.rm];
  out.index = direct ? -1 : INDEX16[out.rm];
  if (bytes == 1) out.disp = signed8(code, pos);
  else if (direct) out.disp = word16(code, pos);
  else if (bytes == 2) out.disp = (word16(code, pos) << 16) >> 16;
  return pos + bytes;
}

/** Bytes that a tail takes. */
export function tailBytes(tail: i32, opSize: i32, addrSize: i32): i32 {
  switch (tail) {
    case Tail.NONE: return 0;
    case Tail.IW: return 2;
    case Tail.IZ: case Tail.CZ: return opSize;
    case Tail.CP: return opSize + 2;
    case Tail.MO: return addrSize;
    default: return 1;
  }
}

/** Takes immediates; returns the position after them, or `at` plus a failure. */
function tails(code: ByteArray, pos: i32, at: i32, limit: i32, row: i32, out: Insn): i32 {
  const tail = TAILS[row];
  const bytes = tailBytes(tail, out.opSize, out.addrSize);
  const end = pos + bytes + (TAILS2[row] == Tail.NONE ? 0 : 1);
  const more = reaches(end, at, limit);
  if (more <= 0) return at + more;
  switch (tail) {
    case Tail.IB: out.imm = code[pos]; break;
    case Tail.IBS: case Tail.CB: out.imm = signed8(code, pos); break;
    case Tail.CZ: out.imm = bytes == 4 ? word32(code, pos) : (word16(code, pos) << 16) >> 16; break;
    case Tail.MO: out.disp = bytes == 4 ? word32(code, pos) : word16(code, pos); break;
    case Tail.CP:
      out.imm = out.opSize == 4 ? word32(code, pos) : word16(code, pos);
      out.imm2 = word16(code, pos + out.opSize);
      break;
    default: out.imm = bytes == 4 ? word32(code, pos) : word16(code, pos); break;
  }
  if (TAILS2[row] != Tail.NONE) out.imm2 = code[pos + bytes];
  return end;
}

/** Segment of the memory operand: the override, else SS for bases eBP and eSP, else DS. */
export function dataSegment(insn: Insn): i32 {
  if (insn.seg >= 0) return insn.seg;
  return insn.base == 4 || insn.base == 5 ? 2 : 3;
}
