// Operands of assembly statements as records: registers, immediates, memory, far pointers. A bare symbol is its address
// as an immediate; memory is written in brackets or after a segment (ds:0x10). Expressions are sums of numbers and
// symbols, at most one symbol added and one subtracted.
import { lowerCase, Scanner, Token } from "./scan.ts";

export enum Form { REG, SREG, CREG, DREG, ST, IMM, MEM, FAR }

/** plus - minus + value; empty names are absent. */
export class Expr {
  value: i32 = 0;
  plus: string = "";
  minus: string = "";
}

export function isConstant(e: Expr): bool {
  return e.plus.length == 0 && e.minus.length == 0;
}

/**
 * One operand. For ST, `reg` is i. For MEM, `size` 0 means not stated, `far` a far pointer of operand size, `index` 4 is the absent
 * index that objdump calls eiz.
 */
export class Operand {
  form: i32 = 0;             // a Form
  size: i32 = 0;             // bytes; REG, MEM
  far: bool = false;         // MEM
  reg: i32 = 0;
  expr: Expr = new Expr();   // IMM value, MEM displacement, FAR offset
  selector: Expr = new Expr();
  seg: i32 = -1;
  base: i32 = -1;
  index: i32 = -1;
  scale: i32 = 0;
  addrSize: i32 = 0;         // 0: has no registers
}

const REGISTERS: string[] = [
  "al", "cl", "dl", "bl", "ah", "ch", "dh", "bh",
  "ax", "cx", "dx", "bx", "sp", "bp", "si", "di",
  "eax", "ecx", "edx", "ebx", "esp", "ebp", "esi", "edi",
];
const SEGMENTS: string[] = ["es", "cs", "ss", "ds", "fs", "gs"];
const SIZES: string[] = ["byte", "word", "dword", "fword", "qword", "tbyte"];
const SIZE_BYTES: i32[] = [1, 2, 4, 6, 8, 10];

/** What a register-like word stands for, or null. */
function registerNamed(word: string): Operand | null {
  if (word.length < 2 || word.length > 3) return null;
  const name = lowerCase(word);
  const at = REGISTERS.indexOf(name);
  if (at >= 0) return register(Form.REG, at & 7, 1 << (at >> 3));
  const segment = SEGMENTS.indexOf(name);
  if (segment >= 0) return register(Form.SREG, segment, 2);
  if (name == "st") return register(Form.ST, 0, 10);
  if (name.length != 3) return null;
  const digit = name.charCodeAt(2) - 48;
  if (digit < 0 || digit > 7) return null;
  if (name.startsWith("cr")) return register(Form.CREG, digit, 4);
  if (name.startsWith("dr") || name.startsWith("db")) return register(Form.DREG, digit, 4);
  return null;
}

function register(form: i32, number: i32, size: i32): Operand {
  const operand = new Operand();
  operand.form = form;
  operand.reg = number;
  operand.size = size;
  return operand;
}

/** Reads operands from a scanner. After an error `error` says what is wrong; the results are then meaningless. */
export class OperandReader {
  scan: Scanner;
  error: string = "";

  constructor(scan: Scanner) {
    this.scan = scan;
  }

  fail(message: string): void {
    if (this.error.length == 0) this.error = message;
  }

  next(): void {
    this.scan.next();
    if (this.scan.bad.length > 0) this.fail(this.scan.bad);
  }

  /** operand = ["far" "ptr"] one of the following */
  operand(): Operand {
    if (!this.atFarPtr()) return this.nearOperand();
    this.next();
    this.next();
    const operand = this.nearOperand();
    if (operand.form != Form.MEM || operand.size != 0) this.fail("after far ptr comes memory without another size");
    operand.far = true;
    return operand;
  }

  /** Whether here stands far ptr. A symbol may be called far. */
  private atFarPtr(): bool {
    if (this.scan.kind != Token.NAME || this.scan.name.length != 3) return false;
    return (this.scan.name.charCodeAt(0) | 32) == 102 && lowerCase(this.scan.name) == "far" && this.scan.isBefore("ptr");
  }

  /** [size "ptr"] (register | "st(" n ")" | [seg ":"] memory | expr [":" expr]) */
  private nearOperand(): Operand {
    const size = this.sizePrefix();
    if (this.scan.is(91)) return this.sized(this.memory(), size);
    if (this.scan.kind == Token.NAME) {
      const named = registerNamed(this.scan.name);
      if (named != null) return this.sized(this.afterRegister(named), size);
      if (lowerCase(this.scan.name) == "offset") this.next();
    }
    const operand = new Operand();
    operand.form = Form.IMM;
    operand.expr = this.expression();
    if (this.scan.is(58)) {
      this.next();
      operand.form = Form.FAR;
      operand.selector = operand.expr;
      operand.expr = this.expression();
    } else if (size != 0) {
      this.fail("memory is written in brackets");
    }
    return operand;
  }

  /** Takes "dword ptr" and the like; of several the first counts, so that one can stand before an operand that has its own. */
  private sizePrefix(): i32 {
    let size: i32 = 0;
    while (this.scan.kind == Token.NAME && this.scan.name.length > 3) {
      const at = SIZES.indexOf(lowerCase(this.scan.name));
      if (at < 0) return size;
      if (size == 0) size = SIZE_BYTES[at];
      this.next();
      if (this.scan.kind == Token.NAME && lowerCase(this.scan.name) == "ptr") this.next();
    }
    return size;
  }

  private sized(operand: Operand, size: i32): Operand {
    if (operand.form == Form.MEM) {
      if (size != 0) operand.size = size;
    } else if (size != 0) {
      this.fail("a size belongs before a memory operand");
    }
    return operand;
  }

  private afterRegister(named: Operand): Operand {
    this.next();
    if (named.form == Form.ST && this.scan.is(40)) return this.stackRegister(named);
    if (named.form != Form.SREG || !this.scan.is(58)) return named;
    this.next();
    const memory = this.scan.is(91) ? this.memory() : this.absolute();
    memory.seg = named.reg;
    return memory;
  }

  private stackRegister(named: Operand): Operand {
    this.next();
    if (this.scan.kind != Token.NUMBER || this.scan.value < 0 || this.scan.value > 7) this.fail("st(0) to st(7) exist");
    named.reg = this.scan.value & 7;
    this.next();
    this.expect(41, ")");
    return named;
  }

  private absolute(): Operand {
    const operand = new Operand();
    operand.form = Form.MEM;
    operand.expr = this.expression();
    return operand;
  }

  private expect(c: i32, text: string): void {
    if (this.scan.is(c)) this.next();
    else this.fail("expected " + text);
  }

  /** memory = "[" [seg ":"] term {("+" | "-") term} "]", term = register ["*" scale] | scale "*" register | number | symbol */
  private memory(): Operand {
    const operand = new Operand();
    operand.form = Form.MEM;
    this.next();
    let sign: i32 = 1;
    while (true) {
      this.addressTerm(operand, sign);
      if (this.error.length > 0) return operand;
      if (this.scan.is(43)) sign = 1;
      else if (this.scan.is(45)) sign = -1;
      else break;
      this.next();
    }
    this.expect(93, "]");
    this.settleRegisters(operand);
    return operand;
  }

  private addressTerm(operand: Operand, sign: i32): void {
    if (this.scan.kind == Token.NAME) {
      const word = lowerCase(this.scan.name);
      const named = registerNamed(word);
      if (named != null && named.form == Form.SREG) {
        this.segmentInside(operand, named.reg);
        return;
      }
      if (word == "eiz" || (named != null && named.form == Form.REG)) {
        this.next();
        if (sign < 0) this.fail("a register cannot be subtracted");
        this.addRegister(operand, named, this.scaleAfter());
        return;
      }
    }
    const first = this.scan.kind == Token.NUMBER ? this.scan.value : 0;
    if (this.scan.kind != Token.NUMBER) {
      this.term(operand.expr, sign);
      return;
    }
    this.next();
    if (!this.scan.is(42)) {
      operand.expr.value = (operand.expr.value + Math.imul(first, sign)) | 0;
      return;
    }
    this.next();
    const named = this.registerHere();
    this.next();
    if (named == null || named.form != Form.REG) this.fail("expected a register after *");
    else this.addRegister(operand, named, first);
  }

  private registerHere(): Operand | null {
    return this.scan.kind == Token.NAME ? registerNamed(this.scan.name) : null;
  }

  private segmentInside(operand: Operand, seg: i32): void {
    operand.seg = seg;
    this.next();
    this.expect(58, ":");
    this.addressTerm(operand, 1);
  }

  /** The scale of "*4", or 0 when there is none. */
  private scaleAfter(): i32 {
    if (!this.scan.is(42)) return 0;
    this.next();
    const scale = this.scan.kind == Token.NUMBER ? this.scan.value : 0;
    if (scale == 0) this.fail("scale is 1, 2, 4 or 8");
    this.next();
    return scale;
  }

  private addRegister(operand: Operand, named: Operand | null, scale: i32): void {
    const number: i32 = named == null ? 4 : named.reg;
    const size: i32 = named == null ? 4 : named.size;
    if (size == 1) {
      this.fail("an address register has 16 or 32 bits");
      return;
    }
    if (operand.addrSize != 0 && operand.addrSize != size) {
      this.fail("16- and 32-bit registers in one address");
      return;
    }
    operand.addrSize = size;
    if (scale == 0 && operand.base < 0 && named != null) {
      operand.base = number;
      return;
    }
    if (operand.index >= 0) {
      this.fail("too many registers in an address");
      return;
    }
    operand.index = number;
    if (scale == 0 || scale == 1) operand.scale = 0;
    else if (scale == 2) operand.scale = 1;
    else if (scale == 4) operand.scale = 2;
    else if (scale == 8) operand.scale = 3;
    else this.fail("scale is 1, 2, 4 or 8");
    if (named != null && number == 4 && size == 4) this.stackIndex(operand, scale);
  }

  /** esp cannot be an index, but it can change places with an unscaled base. */
  private stackIndex(operand: Operand, scale: i32): void {
    if (scale > 0 || operand.base == 4 || operand.base < 0) {
      this.fail("esp cannot be an index");
      return;
    }
    operand.index = operand.base;
    operand.base = 4;
  }

  private settleRegisters(operand: Operand): void {
    if (operand.addrSize != 2) return;
    if (operand.scale != 0) this.fail("16-bit addresses have no scale");
    if (operand.index == 3 || operand.index == 5) {
      const other = operand.index;
      operand.index = operand.base;
      operand.base = other;
    }
    const base = operand.base;
    const index = operand.index;
    const pair = (base == 3 || base == 5) && (index == 6 || index == 7);
    const single = index < 0 && (base == 3 || base == 5 || base == 6 || base == 7);
    if (!pair && !single) this.fail("no such 16-bit address");
  }

  /** expr = ["-" | "+"] term {("+" | "-") term} */
  expression(): Expr {
    const sum = new Expr();
    let sign: i32 = 1;
    while (this.scan.is(45) || this.scan.is(43)) {
      if (this.scan.is(45)) sign = -sign | 0;
      this.next();
    }
    while (true) {
      this.term(sum, sign);
      if (this.scan.is(43)) sign = 1;
      else if (this.scan.is(45)) sign = -1;
      else return sum;
      this.next();
    }
  }

  private term(sum: Expr, sign: i32): void {
    if (this.scan.kind == Token.NUMBER) {
      sum.value = (sum.value + Math.imul(this.scan.value, sign)) | 0;
    } else if (this.scan.kind == Token.NAME || this.scan.kind == Token.STRING) {
      this.symbol(sum, this.scan.name, sign);
    } else {
      this.fail("expected a number or a name");
      return;
    }
    this.next();
  }

  private symbol(sum: Expr, name: string, sign: i32): void {
    if (registerNamed(name) != null && this.scan.kind == Token.NAME) {
      this.fail("a register is not allowed here");
      return;
    }
    if (sign > 0 && sum.plus.length == 0) sum.plus = name;
    else if (sign < 0 && sum.minus.length == 0) sum.minus = name;
    else this.fail("too many symbols in an expression");
  }
}
