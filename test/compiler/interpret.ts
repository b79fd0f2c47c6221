// Executes an IrModule directly: the arbiter between front end and back end. A front-end test runs here without any
// machine code; a program that gives different results here and as machine code has found a bug of the back end.

import {
  Cond, Op, SEC_BSS, T_F64, T_I64, type IrFunc, type IrInst, type IrModule,
} from "../../src/compiler/ir.ts";

type Value = number | bigint;

const BASE = 0x10000;
const SIZE = 64 << 20;
const CODE = 0x1000000;

/** A machine that holds the data of a module and calls its functions. I32 values are signed numbers, I64 bigints. */
export class Interpreter {
  readonly memory = new DataView(new ArrayBuffer(SIZE));
  private readonly symbols = new Map<string, number>();
  private readonly funcs: IrFunc[] = [];
  private readonly byName = new Map<string, IrFunc>();
  private stack = SIZE - 16;
  private heap = 0;
  steps = 0;

  /** `natives` replace the guest functions of those names. */
  constructor(m: IrModule, private readonly natives: Record<string, (...args: number[]) => number> = {}) {
    let at = BASE;
    for (const f of m.funcs) {
      this.byName.set(f.name, f);
      this.symbols.set(f.name, CODE + this.funcs.length * 16);
      this.funcs.push(f);
    }
    this.symbols.set("_text", BASE - 4096);
    for (const d of m.data) {
      at = (at + d.align - 1) & -d.align;
      this.symbols.set(d.name, at);
      for (let i = 0; i < d.bytes.length; i++) this.memory.setUint8(at + i, d.bytes[i]!);
      at += d.section === SEC_BSS ? d.size : d.bytes.length;
    }
    this.symbols.set("_end", at);
    this.heap = (at + 15) & -16;
    for (const d of m.data) {
      for (const r of d.relocs) {
        this.memory.setInt32(this.address(d.name) + r.offset, (this.address(r.sym) + r.addend) | 0, true);
      }
    }
  }

  private address(sym: string): number {
    const a = this.symbols.get(sym);
    if (a === undefined) throw new Error(`no symbol ${sym}`);
    return a;
  }

  /** Memory behind the program's own that is never given back. */
  allocate(bytes: number): number {
    const at = this.heap;
    this.heap = (at + bytes + 7) & -8;
    if (this.heap > this.stack - 65536) throw new Error("out of memory");
    return at;
  }

  /** A new guest string. */
  string(text: string): number {
    const at = this.allocate(text.length + 5);
    this.memory.setInt32(at, text.length, true);
    for (let i = 0; i < text.length; i++) this.memory.setUint8(at + 4 + i, text.charCodeAt(i));
    this.memory.setUint8(at + 4 + text.length, 0);
    return at;
  }

  /** The text of a string reference. */
  text(ref: number): string {
    let s = "";
    const n = this.memory.getInt32(ref, true);
    for (let i = 0; i < n; i++) s += String.fromCharCode(this.memory.getUint8(ref + 4 + i));
    return s;
  }

  call(name: string, ...args: Value[]): Value {
    const f = this.byName.get(name);
    if (f === undefined) throw new Error(`no function ${name}`);
    return this.run(f, args);
  }

  private run(f: IrFunc, args: Value[]): Value {
    const native = this.natives[f.name];
    if (native !== undefined) return native(...(args as number[]));
    const saved = this.stack;
    const v: Value[] = f.vregs.map((t) => (t === T_I64 ? 0n : 0));
    f.params.forEach((p, i) => { v[p] = args[i]!; });
    const slots = f.slots.map((s) => {
      this.stack = (this.stack - s.size) & -Math.max(4, s.align);
      return this.stack;
    });
    let block = 0;
    while (true) {
      for (const i of f.blocks[block]!.insts) {
        if (++this.steps > 2_000_000_000) throw new Error("endless");
        if (i.op < Op.JMP) {
          this.step(i, v, slots);
          continue;
        }
        if (i.op === Op.JMP) block = i.target0;
        else if (i.op === Op.BR) block = this.compare(i, v) ? i.target0 : i.target1;
        else if (i.op === Op.SWITCH) {
          const k = ((v[i.a] as number) - i.imm) | 0;
          block = k >= 0 && k < i.cases!.length ? i.cases![k]! : i.target0;
        } else if (i.op === Op.RET) {
          this.stack = saved;
          return i.a < 0 ? 0 : v[i.a]!;
        } else throw new Error(`trap in ${f.name}`);
        break;
      }
    }
  }

  private right(i: IrInst, v: Value[]): Value {
    if (!i.useImm) return v[i.b]!;
    if (i.type === T_I64 && i.op !== Op.SHL && i.op !== Op.SHRS && i.op !== Op.SHRU) return wide(i.imm, i.imm2);
    return i.imm;
  }

  private compare(i: IrInst, v: Value[]): boolean {
    let a = v[i.a]!;
    let b = this.right(i, v);
    if (i.cond >= Cond.ULT) {
      a = typeof a === "bigint" ? BigInt.asUintN(64, a) : a >>> 0;
      b = typeof b === "bigint" ? BigInt.asUintN(64, b) : b >>> 0;
    }
    switch (i.cond) {
      case Cond.EQ: return a === b;
      case Cond.NE: return a !== b;
      case Cond.LT: case Cond.ULT: return a < b;
      case Cond.LE: case Cond.ULE: return a <= b;
      case Cond.GT: case Cond.UGT: return a > b;
      default: return a >= b;
    }
  }

  private place(i: IrInst, v: Value[], slots: number[]): number {
    let a = i.disp;
    if (i.base >= 0) a += v[i.base] as number;
    if (i.index >= 0) a += Math.imul(v[i.index] as number, i.scale);
    if (i.slot >= 0) a += slots[i.slot]!;
    if (i.sym !== "") a += this.address(i.sym);
    return a | 0;
  }

  private step(i: IrInst, v: Value[], slots: number[]): void {
    const a = i.a >= 0 ? v[i.a]! : 0;
    switch (i.op) {
      case Op.CONST: v[i.dst] = i.type === T_F64 ? double(i.imm, i.imm2) : i.type === T_I64 ? wide(i.imm, i.imm2) : i.imm; return;
      case Op.MOV: v[i.dst] = a; return;
      case Op.NEG: v[i.dst] = i.type === T_I64 ? cut(-(a as bigint)) : i.type === T_F64 ? -(a as number) : -(a as number) | 0; return;
      case Op.NOT: v[i.dst] = i.type === T_I64 ? ~(a as bigint) : ~(a as number); return;
      case Op.CMP: v[i.dst] = this.compare(i, v) ? 1 : 0; return;
      case Op.SEXT8: v[i.dst] = ((a as number) << 24) >> 24; return;
      case Op.SEXT16: v[i.dst] = ((a as number) << 16) >> 16; return;
      case Op.ZEXT8: v[i.dst] = (a as number) & 0xff; return;
      case Op.ZEXT16: v[i.dst] = (a as number) & 0xffff; return;
      case Op.EXTS: v[i.dst] = BigInt(a); return;
      case Op.EXTU: v[i.dst] = BigInt((a as number) >>> 0); return;
      case Op.WRAP: v[i.dst] = Number(BigInt.asIntN(32, a as bigint)); return;
      case Op.I2F: v[i.dst] = a; return;
      case Op.U2F: v[i.dst] = (a as number) >>> 0; return;
      case Op.L2F: v[i.dst] = Number(a); return;
      case Op.F2I: v[i.dst] = Math.trunc(a as number) | 0; return;
      case Op.F2L: v[i.dst] = cut(BigInt(Math.trunc(a as number))); return;
      case Op.SQRT: v[i.dst] = Math.sqrt(a as number); return;
      case Op.BITS2F: v[i.dst] = double(Number(BigInt.asIntN(32, a as bigint)), Number((a as bigint) >> 32n)); return;
      case Op.F2BITS: v[i.dst] = bits(a as number); return;
      case Op.LOAD: v[i.dst] = this.load(i, this.place(i, v, slots)); return;
      case Op.STORE: this.store(i, this.place(i, v, slots), i.useImm ? i.imm : a); return;
      case Op.LEA: v[i.dst] = this.place(i, v, slots); return;
      case Op.CALL: case Op.CALLI: {
        const f = i.op === Op.CALL ? this.byName.get(i.sym) : this.funcs[((a as number) - CODE) / 16];
        if (f === undefined) throw new Error(`call of ${i.sym || a}`);
        const r = this.run(f, (i.args ?? []).map((k) => v[k]!));
        if (i.dst >= 0) v[i.dst] = r;
        return;
      }
      case Op.COPY: case Op.FILL: {
        const [to, from, n] = i.args!.map((k) => v[k] as number) as [number, number, number];
        const bytes = new Uint8Array(this.memory.buffer);
        if (i.op === Op.COPY) bytes.copyWithin(to, from, from + n);
        else bytes.fill(from, to, to + n);
        return;
      }
      case Op.ASM: {
        if (i.asm!.pieces.join("").includes("ud2")) throw new Error("panic: " + this.text(v[i.asm!.operands[0]!.vreg] as number));
        throw new Error("asm is for machines");
      }
      default: v[i.dst] = arithmetic(i, a, this.right(i, v));
    }
  }

  private load(i: IrInst, at: number): Value {
    if (at < BASE || at >= SIZE) throw new Error(`load at ${at}`);
    if (i.type === T_F64) return this.memory.getFloat64(at, true);
    switch (i.width) {
      case 1: return i.signed ? this.memory.getInt8(at) : this.memory.getUint8(at);
      case 2: return i.signed ? this.memory.getInt16(at, true) : this.memory.getUint16(at, true);
      case 4: return this.memory.getInt32(at, true);
      default: return this.memory.getBigInt64(at, true);
    }
  }

  private store(i: IrInst, at: number, value: Value): void {
    if (at < BASE || at >= SIZE) throw new Error(`store at ${at}`);
    if (i.type === T_F64) return this.memory.setFloat64(at, value as number, true);
    switch (i.width) {
      case 1: return this.memory.setInt8(at, value as number);
      case 2: return this.memory.setInt16(at, value as number, true);
      case 4: return this.memory.setInt32(at, value as number, true);
      default: return this.memory.setBigInt64(at, value as bigint, true);
    }
  }
}

function cut(x: bigint): bigint {
  return BigInt.asIntN(64, x);
}

function wide(lo: number, hi: number): bigint {
  return (BigInt(hi) << 32n) | BigInt(lo >>> 0);
}

const scratch = new DataView(new ArrayBuffer(8));

function double(lo: number, hi: number): number {
  scratch.setInt32(0, lo, true);
  scratch.setInt32(4, hi, true);
  return scratch.getFloat64(0, true);
}

function bits(x: number): bigint {
  scratch.setFloat64(0, x, true);
  return scratch.getBigInt64(0, true);
}

function arithmetic(i: IrInst, a: Value, b: Value): Value {
  if (i.type === T_F64) return floating(i.op, a as number, b as number);
  if (i.type === T_I64) return cut(long(i.op, a as bigint, b));
  return word(i.op, a as number, b as number) | 0;
}

function floating(op: number, a: number, b: number): number {
  switch (op) {
    case Op.ADD: return a + b;
    case Op.SUB: return a - b;
    case Op.MUL: return a * b;
    default: return a / b;
  }
}

function word(op: number, a: number, b: number): number {
  switch (op) {
    case Op.ADD: return a + b;
    case Op.SUB: return a - b;
    case Op.MUL: return Math.imul(a, b);
    case Op.AND: return a & b;
    case Op.OR: return a | b;
    case Op.XOR: return a ^ b;
    case Op.DIVS: return a / b;
    case Op.DIVU: return Math.floor((a >>> 0) / (b >>> 0));
    case Op.REMS: return a % b;
    case Op.REMU: return (a >>> 0) % (b >>> 0);
    case Op.SHL: return a << b;
    case Op.SHRS: return a >> b;
    case Op.SHRU: return a >>> b;
    default: throw new Error(`operation ${op}`);
  }
}

function long(op: number, a: bigint, b: Value): bigint {
  const count = typeof b === "number" ? BigInt(b & 63) : 0n;
  const c = typeof b === "bigint" ? b : 0n;
  const u = (x: bigint): bigint => BigInt.asUintN(64, x);
  switch (op) {
    case Op.ADD: return a + c;
    case Op.SUB: return a - c;
    case Op.MUL: return a * c;
    case Op.AND: return a & c;
    case Op.OR: return a | c;
    case Op.XOR: return a ^ c;
    case Op.DIVS: return a / c;
    case Op.DIVU: return u(a) / u(c);
    case Op.REMS: return a % c;
    case Op.REMU: return u(a) % u(c);
    case Op.SHL: return a << count;
    case Op.SHRS: return a >> count;
    case Op.SHRU: return u(a) >> count;
    default: throw new Error(`operation ${op}`);
  }
}
