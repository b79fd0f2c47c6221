// One statement to machine code: of all rows and sizes that its operands fit, the shortest documented encoding. Nothing
// here knows an instruction: `Matcher` compares operands with a row's notation, `emit` writes what the row says.
import { ATTR_ASIZE, ATTR_LOCK, ATTR_REP, ATTR_REPE, ATTR_UNDOC, bytesOf, isLoop, Kind, Mod, rowAt, SIZE_P, SIZE_V, Tail } from "../isa/row.ts";
import type { Arg, Row } from "../isa/row.ts";
import { Form, isConstant } from "./operand.ts";
import type { Expr, Operand } from "./operand.ts";
import { readingsOf } from "./names.ts";
import type { Reading } from "./names.ts";

/** A field whose value is known later: `size` bytes at `at`; relative ones count from the end of the field. */
export class Fixup {
  at: i32 = 0;
  size: i32 = 4;
  relative: bool = false;
  expr: Expr;

  constructor(at: i32, size: i32, relative: bool, expr: Expr) {
    this.at = at;
    this.size = size;
    this.relative = relative;
    this.expr = expr;
  }
}

/** An instruction as written. */
export class Statement {
  name: string = "";
  lock: bool = false;
  rep: i32 = 0;
  opSize: i32 = 0;       // of data16, data32, or 0
  addrSize: i32 = 0;     // of addr16, addr32, or 0
  operands: Operand[] = [];
}

/** Encoded bytes with their fixups. */
export class Encoding {
  bytes: u8[] = [];
  fixups: Fixup[] = [];
  undocumented: bool = false;
  row: i32 = -1;
}

/** Puts the low `size` bytes of value at the end of bytes, little-endian. */
export function append(bytes: u8[], value: i32, size: i32): void {
  for (let i: i32 = 0; i < size; i++) bytes.push(((value >> (i * 8)) & 255) as u8);
}

/** Whether value fits `size` bytes, as a signed or as an unsigned number. */
export function fits(value: i32, size: i32): bool {
  if (size == 1) return value >= -128 && value <= 255;
  if (size == 2) return value >= -32768 && value <= 65535;
  return true;
}

/** Encodes statements for a default size of 16 or 32 bits. */
export class Encoder {
  big: bool = true;
  error: string = "";
  // of the match in progress
  private opSize: i32 = 4;
  private fixed: bool = false;     // an operand fixes the operand size
  private guess: i32 = 0;          // bytes of a memory operand whose size was not written, or 0
  private memory: Operand | null = null;
  private modrmReg: i32 = 0;
  private modrmRm: i32 = 0;
  private opcodeReg: i32 = 0;
  private immediate: Expr | null = null;
  private second: Expr | null = null;

  /**
   * The shortest encoding of a statement; null after an error, which `error` tells. `jump` restricts relative jumps:
   * 1 to a displacement of one byte, 2 to one of operand size, 0 not at all.
   */
  encode(s: Statement, jump: i32): Encoding | null {
    this.error = "";
    const readings = readingsOf(s.name);
    if (readings.length == 0) return this.fail("unknown instruction " + s.name);
    let best: Encoding | null = null;
    let guess: i32 = 0;
    for (const reading of readings) {
      for (let turn: i32 = 0; turn < 2; turn++) {
        const size: i32 = (turn == 0) == this.big ? 4 : 2;
        if (!this.matches(s, reading, size, jump)) continue;
        if (guess != 0 && this.guess != 0 && this.guess != guess) {
          return this.fail("size of the memory operand is not known: write byte, word or dword ptr before it");
        }
        if (this.guess != 0) guess = this.guess;
        const found = this.emit(s, reading, size);
        if (best == null || better(found, best)) best = found;
      }
    }
    if (best == null) return this.fail(s.name + " does not take these operands");
    return this.prefixesAllowed(s, best) ? best : null;
  }

  private fail(message: string): Encoding | null {
    this.error = message;
    return null;
  }

  private prefixesAllowed(s: Statement, e: Encoding): bool {
    const attrs = rowAt(e.row).attrs;
    if (s.lock && ((attrs & ATTR_LOCK) == 0 || s.operands.length == 0 || s.operands[0].form != Form.MEM)) {
      this.error = "LOCK is not allowed here";
      return false;
    }
    if (s.rep != 0 && (attrs & (ATTR_REP | ATTR_REPE)) == 0) {
      this.error = "REP is not allowed here";
      return false;
    }
    return true;
  }

  private matches(s: Statement, reading: Reading, opSize: i32, jump: i32): bool {
    const row = rowAt(reading.row);
    const byAddress = (row.attrs & ATTR_ASIZE) != 0;
    const wanted = byAddress ? 0 : reading.size;
    if (wanted != 0 && wanted != opSize) return false;
    if (s.opSize != 0 && s.opSize != opSize) return false;
    this.opSize = opSize;
    this.fixed = wanted != 0 || s.opSize != 0 || reading.implied == opSize;
    this.guess = 0;
    this.memory = null;
    this.immediate = null;
    this.second = null;
    this.modrmReg = row.mod == Mod.DIGIT ? row.modByte : 0;
    this.modrmRm = 0;
    this.opcodeReg = 0;
    if (!this.operandsMatch(s, row, reading, jump)) return false;
    if (s.addrSize != 0 && !this.addressMatches(s.addrSize, row, reading)) return false;
    return this.fixed || (opSize == 4) == this.big;
  }

  /** Whether addr16 or addr32 agrees with what the statement has of addresses. */
  private addressMatches(size: i32, row: Row, reading: Reading): bool {
    if ((row.attrs & ATTR_ASIZE) != 0) return reading.size == size;
    const m = this.memory;
    if (m == null) return isLoop(row) || reading.implied != 0;
    if (m.addrSize != 0) return m.addrSize == size;
    return !isConstant(m.expr) || fits(m.expr.value, size);
  }

  private operandsMatch(s: Statement, row: Row, reading: Reading, jump: i32): bool {
    const given = s.operands.length;
    if (reading.implied != 0) return given == 0;
    if (given != row.args.length) return given == 0 && this.impliedStack(row);
    for (let i: i32 = 0; i < given; i++) {
      if (!this.operandMatches(s.operands[i], row.args[i], i == 0, row, jump)) return false;
    }
    return true;
  }

  /** faddp, fxch and the like without operands mean st(1). */
  private impliedStack(row: Row): bool {
    for (const arg of row.args) if (arg.kind != Kind.ST0 && arg.kind != Kind.STI) return false;
    this.modrmRm = 1;
    return row.mod == Mod.PLUS_I;
  }

  private operandMatches(o: Operand, arg: Arg, first: bool, row: Row, jump: i32): bool {
    if (o.far && arg.kind != Kind.MEM) return false;
    switch (arg.kind) {
      case Kind.RM: return o.form == Form.MEM ? this.takeMemory(o, arg, row) : this.takeRm(o, arg, first);
      case Kind.MEM: return o.form == Form.MEM && this.takeMemory(o, arg, row);
      case Kind.REG: return this.registerFits(o, arg) && this.setReg(o.reg);
      case Kind.RMREG: return this.registerFits(o, arg) && this.setRm(o.reg);
      case Kind.OPREG: return this.registerFits(o, arg) && this.setOpcodeReg(o.reg);
      case Kind.FIXED: return this.registerFits(o, arg) && o.reg == arg.number;
      case Kind.SREG: return o.form == Form.SREG && this.setReg(o.reg);
      case Kind.CREG: return o.form == Form.CREG && this.setReg(o.reg);
      case Kind.DREG: return o.form == Form.DREG && this.setReg(o.reg);
      case Kind.FIXEDSEG: return o.form == Form.SREG && o.reg == arg.number;
      case Kind.ST0: return o.form == Form.ST && o.reg == 0;
      case Kind.STI: return o.form == Form.ST && this.setRm(o.reg);
      case Kind.ONE: return o.form == Form.IMM && isConstant(o.expr) && o.expr.value == 1;
      case Kind.MOFFS: return this.takeOffset(o, arg);
      case Kind.SRC: return this.takeText(o, arg, 6, 3);
      case Kind.DST: return this.takeText(o, arg, 7, 0);
      case Kind.XLAT: return this.takeText(o, arg, 3, 3);
      case Kind.FAR: return o.form == Form.FAR && this.takeFar(o);
      case Kind.REL: return o.form == Form.IMM && this.takeRelative(o.expr, arg, jump);
      default: return o.form == Form.IMM && this.takeImmediate(o.expr, arg);
    }
  }

  private setReg(number: i32): bool {
    this.modrmReg = number;
    return true;
  }

  private setRm(number: i32): bool {
    this.modrmRm = number;
    return true;
  }

  private setOpcodeReg(number: i32): bool {
    this.opcodeReg = number;
    return true;
  }

  private registerFits(o: Operand, arg: Arg): bool {
    if (o.form != Form.REG || o.size != bytesOf(arg.size, this.opSize)) return false;
    if (arg.size == SIZE_V) this.fixed = true;
    return true;
  }

  /** A register as E operand. Where memory would have 16 bits (mov ds, ax) a source register may have any wider size. */
  private takeRm(o: Operand, arg: Arg, first: bool): bool {
    const loose = !first && arg.size == SIZE_V && arg.memSize == 2;
    if (loose) {
      if (o.form != Form.REG || o.size == 1) return false;
    } else if (!this.registerFits(o, arg)) {
      return false;
    }
    return this.setRm(o.reg);
  }

  private takeMemory(o: Operand, arg: Arg, row: Row): bool {
    const size = bytesOf(arg.memSize, this.opSize);
    if (o.size != 0 && size != 0 && o.size != size) return false;
    if (o.far != (o.size == 0 && arg.memSize == SIZE_P && row.mod == Mod.DIGIT)) return false;
    if (o.size == 0) this.guess = size;
    else if (arg.memSize < 0) this.fixed = true;
    this.memory = o;
    return true;
  }

  private takeOffset(o: Operand, arg: Arg): bool {
    if (o.form != Form.MEM || o.base >= 0 || o.index >= 0) return false;
    if (o.size != 0 && o.size != bytesOf(arg.memSize, this.opSize)) return false;
    this.memory = o;
    return true;
  }

  /** String operands: es:[edi], ds:[esi], ds:[ebx], whose address size may differ from the default. */
  private takeText(o: Operand, arg: Arg, base: i32, seg: i32): bool {
    if (o.form != Form.MEM || o.base != base || o.index >= 0 || o.expr.value != 0 || !isConstant(o.expr)) return false;
    if (o.size != 0 && o.size != bytesOf(arg.memSize, this.opSize)) return false;
    if (arg.kind == Kind.DST && o.seg > 0) return false;
    if (arg.memSize == SIZE_V && o.size != 0) this.fixed = true;
    if (o.size == 0) this.guess = bytesOf(arg.memSize, this.opSize);
    if (this.memory == null || o.seg > 0) this.memory = o;
    return seg == 3 || o.seg <= 0;
  }

  private takeFar(o: Operand): bool {
    if (!isConstant(o.selector) || !fits(o.selector.value, 2)) return false;
    this.immediate = o.expr;
    this.second = o.selector;
    return true;
  }

  private takeRelative(e: Expr, arg: Arg, jump: i32): bool {
    this.immediate = e;
    return jump == 0 || (arg.size == 1) == (jump == 1);
  }

  private takeImmediate(e: Expr, arg: Arg): bool {
    if (arg.kind == Kind.IMM2) this.second = e;
    else this.immediate = e;
    if (arg.kind == Kind.SIMM) return isConstant(e) && this.signedByte(e.value);
    const size = bytesOf(arg.size, this.opSize);
    return isConstant(e) ? fits(e.value, size) : size == 4 || (size == 2 && !this.big);
  }

  /** Whether a byte sign-extended to the operand size is this value. */
  private signedByte(value: i32): bool {
    if (value >= -128 && value <= 127) return true;
    return this.opSize == 2 && value >= 0xFF80 && value <= 0xFFFF;
  }

  private emit(s: Statement, reading: Reading, opSize: i32): Encoding {
    const row = rowAt(reading.row);
    const e = new Encoding();
    e.row = reading.row;
    e.undocumented = (row.attrs & ATTR_UNDOC) != 0;
    if (reading.wait) e.bytes.push(0x9B);
    const addrSize = this.addressSize(s, row, reading);
    this.emitPrefixes(e, s, row, opSize, addrSize);
    if (row.opcode >= 0x100) e.bytes.push(0x0F);
    e.bytes.push(((row.opcode & 255) + this.opcodeReg) as u8);
    if (row.mod != Mod.NONE) this.emitModrm(e, row, addrSize);
    this.emitTail(e, row.tail, this.immediate, addrSize);
    if (row.tail2 != Tail.NONE) this.emitTail(e, row.tail2, this.second, addrSize);
    return e;
  }

  private addressSize(s: Statement, row: Row, reading: Reading): i32 {
    if ((row.attrs & ATTR_ASIZE) != 0) return reading.size;
    const m = this.memory;
    if (m != null && m.addrSize != 0) return m.addrSize;
    if (s.addrSize != 0) return s.addrSize;
    if (m != null && isConstant(m.expr) && !fits(m.expr.value, 2)) return 4;
    return this.big ? 4 : 2;
  }

  private emitPrefixes(e: Encoding, s: Statement, row: Row, opSize: i32, addrSize: i32): void {
    if (s.lock) e.bytes.push(0xF0);
    if (s.rep != 0) e.bytes.push(s.rep as u8);
    const m = this.memory;
    if (m != null && m.seg >= 0 && m.seg != defaultSegment(m) && !alwaysExtra(row)) e.bytes.push(segmentPrefix(m.seg) as u8);
    if (addrSize != (this.big ? 4 : 2)) e.bytes.push(0x67);
    if (opSize != (this.big ? 4 : 2)) e.bytes.push(0x66);
    if (row.prefix != 0) e.bytes.push(row.prefix as u8);
  }

  private emitModrm(e: Encoding, row: Row, addrSize: i32): void {
    if (row.mod == Mod.BYTE || row.mod == Mod.PLUS_I) {
      e.bytes.push((row.modByte + this.modrmRm) as u8);
    } else if (this.memory == null) {
      e.bytes.push((0xC0 | (this.modrmReg << 3) | this.modrmRm) as u8);
    } else if (addrSize == 2) {
      this.emitAddress16(e, this.memory);
    } else {
      this.emitAddress32(e, this.memory);
    }
  }

  private emitAddress16(e: Encoding, m: Operand): void {
    const value = m.expr.value;
    const symbolic = !isConstant(m.expr);
    if (m.base < 0) {
      e.bytes.push((this.modrmReg << 3 | 6) as u8);
      this.emitField(e, m.expr, 2, false);
      return;
    }
    const mod = symbolic ? 2 : value == 0 && m.base != 5 ? 0 : value == 0 && m.index >= 0 ? 0 : value >= -128 && value <= 127 ? 1 : 2;
    e.bytes.push((mod << 6 | this.modrmReg << 3 | rm16(m)) as u8);
    if (mod != 0) this.emitField(e, m.expr, mod, false);
  }

  private emitAddress32(e: Encoding, m: Operand): void {
    const value = m.expr.value;
    const byte = isConstant(m.expr) && value >= -128 && value <= 127;
    let mod: i32 = byte ? 1 : 2;
    if (m.base < 0 || (isConstant(m.expr) && value == 0 && m.base != 5)) mod = 0;
    if (m.index < 0 && m.base != 4) {
      e.bytes.push((mod << 6 | this.modrmReg << 3 | (m.base < 0 ? 5 : m.base)) as u8);
    } else {
      const base = m.base < 0 ? 5 : m.base;
      const index = m.index < 0 ? 4 : m.index;
      e.bytes.push((mod << 6 | this.modrmReg << 3 | 4) as u8);
      e.bytes.push((m.scale << 6 | index << 3 | base) as u8);
    }
    if (mod == 1) this.emitField(e, m.expr, 1, false);
    else if (mod == 2 || m.base < 0) this.emitField(e, m.expr, 4, false);
  }

  private emitTail(e: Encoding, tail: i32, value: Expr | null, addrSize: i32): void {
    const m = this.memory;
    switch (tail) {
      case Tail.NONE: break;
      case Tail.IW: this.emitField(e, value!, 2, false); break;
      case Tail.IZ: this.emitField(e, value!, this.opSize, false); break;
      case Tail.CB: this.emitField(e, value!, 1, true); break;
      case Tail.CZ: this.emitField(e, value!, this.opSize, true); break;
      case Tail.MO: this.emitField(e, m!.expr, addrSize, false); break;
      case Tail.CP:
        this.emitField(e, value!, this.opSize, false);
        this.emitField(e, this.second!, 2, false);
        break;
      default: this.emitField(e, value!, 1, false); break;
    }
  }

  private emitField(e: Encoding, value: Expr, size: i32, relative: bool): void {
    if (relative || !isConstant(value)) e.fixups.push(new Fixup(e.bytes.length, size, relative, value));
    append(e.bytes, value.value, size);
  }
}

function better(a: Encoding, b: Encoding): bool {
  if (a.undocumented != b.undocumented) return b.undocumented;
  return a.bytes.length < b.bytes.length;
}

function defaultSegment(m: Operand): i32 {
  return m.base == 5 || (m.base == 4 && m.addrSize == 4) ? 2 : 3;
}

/** Rows whose memory operands are all in ES, which no prefix changes. */
function alwaysExtra(row: Row): bool {
  let extra = false;
  for (const arg of row.args) {
    if (arg.kind == Kind.DST) extra = true;
    if (arg.kind == Kind.SRC) return false;
  }
  return extra;
}

function segmentPrefix(seg: i32): i32 {
  return seg < 4 ? 0x26 + seg * 8 : 0x60 + seg;
}

function rm16(m: Operand): i32 {
  if (m.index >= 0) return (m.base == 5 ? 2 : 0) + (m.index == 7 ? 1 : 0);
  if (m.base == 6) return 4;
  if (m.base == 7) return 5;
  return m.base == 5 ? 6 : 7;
}
