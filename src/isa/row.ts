// The lines of the instruction table as records, each parsed when it is first asked for. Row i belongs to line i of ROW_TEXT,
// and row numbers are what decoders, assemblers and engines exchange. Parsing trusts the table; a test checks its grammar.
import { ROW_TEXT } from "./table.ts";

/** Where an operand lives. */
export enum Kind {
  RM, MEM, REG, OPREG, RMREG, SREG, CREG, DREG, IMM, IMM2, SIMM, REL, FAR, MOFFS, SRC, DST, XLAT, FIXED, FIXEDSEG, ONE,
  ST0, STI,
}

/** Operand sizes that depend on the operand size: v, selector:v, pair of v. */
export const SIZE_V: i32 = -1;
export const SIZE_P: i32 = -2;
export const SIZE_A: i32 = -3;

/** One operand notation of the manual ("Eb"): kind, size as a register or value, size in memory, fixed register number. */
export class Arg {
  name: string = "";
  kind: i32 = 0;
  size: i32 = 0;
  memSize: i32 = 0;
  number: i32 = 0;
}

/** What follows opcode and ModRM: an immediate, a relative target, a far pointer, an offset. */
export enum Tail { NONE = 0, IB, IW, IZ, IBS, CB, CZ, CP, MO }

/** Attribute bits, see table.ts. */
export const ATTR_LOCK: i32 = 1;
export const ATTR_BRANCH: i32 = 2;
export const ATTR_FAR: i32 = 4;
export const ATTR_PRIV: i32 = 8;
export const ATTR_IO: i32 = 16;
export const ATTR_IOPL: i32 = 32;
export const ATTR_REP: i32 = 64;
export const ATTR_REPE: i32 = 128;
export const ATTR_FPU: i32 = 256;
export const ATTR_NOWAIT: i32 = 512;
export const ATTR_POP: i32 = 1024;
export const ATTR_POP2: i32 = 2048;
export const ATTR_ASIZE: i32 = 4096;
export const ATTR_UNDOC: i32 = 8192;

/** How the ModRM byte is used: absent, a fixed reg digit, all registers, an exact byte, an exact byte plus ST(i). */
export enum Mod { NONE = 0, DIGIT, REG, BYTE, PLUS_I }

/** One encoding. Flag columns are EFLAGS masks. `opcode` is 0..0xFF, or 0x100..0x1FF for those after 0F. */
export class Row {
  encoding: string = "";
  name16: string = "";
  name32: string = "";
  operands: string = "";
  does: string = "";
  sets: i32 = 0;
  uses: i32 = 0;
  undef: i32 = 0;
  attrs: i32 = 0;
  args: Arg[] = [];
  opcode: i32 = 0;
  prefix: i32 = 0;       // F3 of PAUSE, else 0
  plusReg: bool = false;
  mod: i32 = 0;          // a Mod
  modByte: i32 = 0;      // DIGIT: the digit; BYTE, PLUS_I: the byte
  tail: i32 = 0;         // a Tail
  tail2: i32 = 0;        // IB of ENTER
  inMemory: bool = false;   // the ModRM operand may be memory
  inRegister: bool = false; // the ModRM operand may be a register
  ignoresMod: bool = false; // it is a register whatever mod says
  regs: i32 = 0xFF;         // ModRM.reg values that exist, as a mask: six segments, CS not to be loaded, CR0 CR2 CR3 CR4
}

//  name    kind     size mem number
const ARG_TEXT: string[] = [
  "Eb      RM       1 1 0", "Ew      RM       2 2 0", "Ev      RM       v v 0", "Rv/Mw   RM       v 2 0",
  "Gb      REG      1 0 0", "Gw      REG      2 0 0", "Gv      REG      v 0 0",
  "Zb      OPREG    1 0 0", "Zv      OPREG    v 0 0", "Rd      RMREG    4 0 0",
  "Sw      SREG     2 0 0", "Cd      CREG     4 0 0", "Dd      DREG     4 0 0",
  "M       MEM      0 0 0", "Mb      MEM      1 1 0", "Mw      MEM      2 2 0", "Mq      MEM      8 8 0",
  "Ma      MEM      a a 0", "Mp      MEM      p p 0", "Ms      MEM      0 0 0",
  "M32fp   MEM      4 4 0", "M64fp   MEM      8 8 0", "M80fp   MEM      t t 0", "M80bcd  MEM      t t 0",
  "M16int  MEM      2 2 0", "M32int  MEM      4 4 0", "M64int  MEM      8 8 0",
  "Ib      IMM      1 0 0", "Iw      IMM      2 0 0", "Iv      IMM      v 0 0", "Ib2     IMM2     1 0 0",
  "Ibs     SIMM     v 0 0", "Jb      REL      1 0 0", "Jv      REL      v 0 0", "Ap      FAR      p 0 0",
  "Ob      MOFFS    1 1 0", "Ov      MOFFS    v v 0", "Xal     XLAT     1 1 0",
  "Xb      SRC      1 1 0", "Xv      SRC      v v 0", "Yb      DST      1 1 0", "Yv      DST      v v 0",
  "AL      FIXED    1 0 0", "CL      FIXED    1 0 1", "AX      FIXED    2 0 0", "DX      FIXED    2 0 2",
  "eAX     FIXED    v 0 0",
  "ES      FIXEDSEG 2 0 0", "CS      FIXEDSEG 2 0 1", "SS      FIXEDSEG 2 0 2", "DS      FIXEDSEG 2 0 3",
  "FS      FIXEDSEG 2 0 4", "GS      FIXEDSEG 2 0 5",
  "1       ONE      1 0 0", "ST0     ST0      0 0 0", "STi     STI      0 0 0",
];

const KIND_NAMES: string[] = [
  "RM", "MEM", "REG", "OPREG", "RMREG", "SREG", "CREG", "DREG", "IMM", "IMM2", "SIMM", "REL", "FAR", "MOFFS", "SRC",
  "DST", "XLAT", "FIXED", "FIXEDSEG", "ONE", "ST0", "STI",
];
const TAIL_NAMES: string[] = ["", "ib", "iw", "iz", "", "cb", "cz", "cp", "mo"];
const ATTR_NAMES: string[] = [
  "lock", "branch", "far", "priv", "io", "iopl", "rep", "repe", "fpu", "nowait", "pop", "pop2", "asize", "undoc",
];
/** Where the columns of a line of the table start. */
const MNEMONIC_AT: i32 = 14;
const OPERANDS_AT: i32 = 33;
const DOES_AT: i32 = 47;
const SETS_AT: i32 = 59;
const USES_AT: i32 = 71;
const UNDEF_AT: i32 = 83;
const ATTRS_AT: i32 = 91;
const BAR: i32 = 2;                // characters of "| " between them
const FLAG_LETTERS: string = "cpazstido";
const FLAG_BITS: i32[] = [0x1, 0x4, 0x10, 0x40, 0x80, 0x100, 0x200, 0x400, 0x800];

/** The words of `text`: what runs of spaces separate. */
export function splitWords(text: string): string[] {
  const words: string[] = [];
  let from: i32 = -1;
  for (let i: i32 = 0; i <= text.length; i++) {
    const space = i == text.length || text.charCodeAt(i) == 32;
    if (!space && from < 0) from = i;
    if (space && from >= 0) {
      words.push(text.substring(from, i));
      from = -1;
    }
  }
  return words;
}

/** The characters of `text` in a range, without surrounding spaces. */
function trimmed(text: string, from: i32, to: i32): string {
  let a = from;
  let b = to;
  while (a < b && text.charCodeAt(a) == 32) a++;
  while (b > a && text.charCodeAt(b - 1) == 32) b--;
  return a == b ? "" : text.substring(a, b);
}

/** Value of a hexadecimal digit, or -1. */
export function hexDigit(c: i32): i32 {
  if (c >= 48 && c <= 57) return c - 48;
  if (c >= 65 && c <= 70) return c - 55;
  if (c >= 97 && c <= 102) return c - 87;
  return -1;
}

function hexByte(text: string, at: i32): i32 {
  return hexDigit(text.charCodeAt(at)) * 16 + hexDigit(text.charCodeAt(at + 1));
}

/** EFLAGS mask of the letters in a range of `text`. */
function flagMask(text: string, from: i32, to: i32): i32 {
  let mask: i32 = 0;
  for (let i = from; i < to; i++) {
    const letter = text.charCodeAt(i);
    if (letter == 32) continue;
    for (let k: i32 = 0; k < FLAG_BITS.length; k++) if (FLAG_LETTERS.charCodeAt(k) == letter) mask = mask | FLAG_BITS[k];
  }
  return mask;
}

function attrMask(text: string): i32 {
  let mask: i32 = 0;
  if (text.length == 0) return mask;
  for (const word of splitWords(text)) mask = mask | (1 << ATTR_NAMES.indexOf(word));
  return mask;
}

function sizeCode(word: string): i32 {
  switch (word) {
    case "v": return SIZE_V;
    case "p": return SIZE_P;
    case "a": return SIZE_A;
    case "t": return 10;
    default: return word.charCodeAt(0) - 48;
  }
}

const notation: Map<string, Arg> = new Map<string, Arg>();

/** The operand notation of this name; every use of it is the same record. */
function argNamed(name: string): Arg {
  if (!notation.has(name)) notation.set(name, parseArg(name));
  return notation.get(name)!;
}

function parseArg(name: string): Arg {
  const arg = new Arg();
  arg.name = name;
  for (const text of ARG_TEXT) {
    if (text.charCodeAt(0) != name.charCodeAt(0) || !text.startsWith(name) || text.charCodeAt(name.length) != 32) continue;
    const words = splitWords(text);
    arg.kind = KIND_NAMES.indexOf(words[1]);
    arg.size = sizeCode(words[2]);
    arg.memSize = sizeCode(words[3]);
    arg.number = words[4].charCodeAt(0) - 48;
  }
  return arg;
}

/** The operands of a row: notations between commas. */
function parseArgs(row: Row): void {
  const text = row.operands;
  if (text.length == 0) return;
  let from: i32 = 0;
  for (let i: i32 = 0; i <= text.length; i++) {
    if (i < text.length && text.charCodeAt(i) != 44) continue;
    row.args.push(argNamed(trimmed(text, from, i)));
    from = i + 1;
  }
}

/** Reads "0F BA /4 ib" and the like into the row's encoding fields. */
function parseEncoding(row: Row): void {
  const text = row.encoding;
  let at: i32 = 0;
  if (text.startsWith("0F ")) {
    row.opcode = 0x100;
    at = 3;
  } else if (text.startsWith("F3 ")) {
    row.prefix = 0xF3;
    at = 3;
  }
  row.opcode = row.opcode | hexByte(text, at);
  row.plusReg = text.startsWith("+r", at + 2);
  for (at = at + 2; at < text.length; at++) if (text.charCodeAt(at - 1) == 32) parsePart(row, text, at);
}

/** One of its words behind the opcode. */
function parsePart(row: Row, text: string, at: i32): void {
  const c = text.charCodeAt(at);
  if (c >= 97) {
    const tail = TAIL_NAMES.indexOf(text.substring(at, at + 2));
    if (row.tail == Tail.NONE) row.tail = tail;
    else row.tail2 = tail;
  } else if (c != 47) {
    row.mod = text.startsWith("+i", at + 2) ? Mod.PLUS_I : Mod.BYTE;
    row.modByte = hexByte(text, at);
  } else if (text.charCodeAt(at + 1) == 114) {
    row.mod = Mod.REG;
  } else {
    row.mod = Mod.DIGIT;
    row.modByte = text.charCodeAt(at + 1) - 48;
  }
}

/** Which ModRM forms and reg values the operands allow, and the immediate that Ibs turns into a sign-extended one. */
function settleForms(row: Row): void {
  row.inRegister = row.mod != Mod.NONE;
  for (const arg of row.args) {
    if (arg.kind == Kind.RM) row.inMemory = true;
    if (arg.kind == Kind.MEM) {
      row.inMemory = true;
      row.inRegister = false;
    }
    if (arg.kind == Kind.RMREG) row.ignoresMod = true;
    if (arg.kind == Kind.SREG) row.regs = row.args[0] == arg ? 0x3D : 0x3F;
    if (arg.kind == Kind.CREG) row.regs = 0x1D;
    if (arg.kind == Kind.SIMM) row.tail = Tail.IBS;
  }
}

/** How a row is written and encoded. */
function parseRow(text: string): Row {
  const row = new Row();
  row.encoding = trimmed(text, 0, MNEMONIC_AT - BAR);
  const names = trimmed(text, MNEMONIC_AT, OPERANDS_AT - BAR);
  const slash = names.indexOf("/");
  row.name16 = slash < 0 ? names : names.substring(0, slash);
  row.name32 = slash < 0 ? names : names.substring(slash + 1, names.length);
  row.operands = trimmed(text, OPERANDS_AT, DOES_AT - BAR);
  row.attrs = attrMask(trimmed(text, ATTRS_AT, text.length));
  parseArgs(row);
  parseEncoding(row);
  settleForms(row);
  return row;
}

/** What a row does: the fields does, sets, uses and undef, which `rowAt` leaves empty. */
export function readEffects(row: Row, n: i32): void {
  const text = ROW_TEXT[n];
  row.does = trimmed(text, DOES_AT, SETS_AT - BAR);
  row.sets = flagMask(text, SETS_AT, USES_AT - BAR);
  row.uses = flagMask(text, USES_AT, UNDEF_AT - BAR);
  row.undef = flagMask(text, UNDEF_AT, ATTRS_AT - 1);
}

const parsed: (Row | null)[] = [];

/** Number of rows. */
export function rowCount(): i32 {
  return ROW_TEXT.length;
}

/** Row number `n`, 0 to rowCount() - 1, without its effects; the same record every time. */
export function rowAt(n: i32): Row {
  while (parsed.length <= n) parsed.push(null);
  const known = parsed[n];
  if (known != null) return known;
  const row = parseRow(ROW_TEXT[n]);
  parsed[n] = row;
  return row;
}

/** The letter that the mnemonics of row `n` start with. */
export function firstLetter(n: i32): i32 {
  return ROW_TEXT[n].charCodeAt(MNEMONIC_AT);
}

/** Whether `name` is one of the mnemonics of row `n`, perhaps with a letter more. */
export function mayBeNamed(n: i32, name: string): bool {
  const text = ROW_TEXT[n];
  let at = MNEMONIC_AT;
  while (true) {
    let same: i32 = 0;
    while (same < name.length && text.charCodeAt(at + same) == name.charCodeAt(same)) same++;
    at += same;
    let c = text.charCodeAt(at);
    if ((c == 32 || c == 47) && same >= name.length - 1) return true;
    while (c != 32 && c != 47) {
      at++;
      c = text.charCodeAt(at);
    }
    if (c == 32) return false;
    at++;
  }
}

/** Bytes of a size code at an operand size of 2 or 4. */
export function bytesOf(size: i32, opSize: i32): i32 {
  if (size == SIZE_V) return opSize;
  if (size == SIZE_P) return opSize + 2;
  if (size == SIZE_A) return opSize * 2;
  return size;
}

/** Whether this is LOOP, LOOPE, LOOPNE or JCXZ: they count in eCX by the address size and jump by the operand size. */
export function isLoop(row: Row): bool {
  return row.tail == Tail.CB && !namedBySuffix(row);
}

/** Whether 16-bit form is named by a w after the 32-bit name (ret, retw), as opposed to two names (cbw, cwde). */
export function namedBySuffix(row: Row): bool {
  return row.name16 == row.name32 + "w";
}
