// The forward pass over extended basic blocks: copies and constants go to their uses, operations on constants are done,
// address arithmetic moves into loads and stores, repeated computations and loads reuse the first result, and calls become
// pushed arguments followed by the bare call (COPY and FILL too, as calls of the run-time functions).
// What is known about a register holds for one version of it; every assignment makes a new version.
import { Cond, Op, T_F64, T_I32 } from "./ir.ts";
import type { IrFunc, IrInst } from "./ir.ts";
import {
  becomeConst, becomeMove, copyAddress, hasAddress, isCommutative, log2, negated, newInst, refill, swapped, X_ADC, X_ADDC, X_ARG,
  X_BRC, X_CMPC, X_SBB, X_SETC, X_SUBC,
} from "./irpasses-ops.ts";
import { freshVreg } from "./irpasses.ts";
import { foldConstants, simplifyWithImm } from "./irpasses-fold.ts";
import { Fact, MemoryFacts, ValueTable } from "./irpasses-table.ts";

const NOTHING: i32 = 0;
const CONSTANT: i32 = 1;
const COPY: i32 = 2;
const COMPUTED: i32 = 3;

const FILL_LIMIT: i32 = 32;         // bytes stored one by one instead of by a call

export class LocalPass {
  private f!: IrFunc;
  private out: IrInst[] = [];
  private facts: Fact[] = [];       // by register
  private epoch: i32 = 0;
  private done: i32[] = [];         // by block
  private registers: i32 = 0;       // of the function
  private table: ValueTable = new ValueTable();
  private memory: MemoryFacts = new MemoryFacts();

  /** `edges`: by block, how many edges lead to it. */
  run(f: IrFunc, edges: i32[]): void {
    this.f = f;
    this.prepare();
    refill(this.done, f.blocks.length, 0);
    for (let b = 0; b < f.blocks.length; b++) {
      if (this.done[b] != 0 || edges[b] == 0) continue;
      this.reset();
      let next = b;
      while (next >= 0) {
        this.done[next] = 1;
        this.block(next);
        next = this.continuation(next, edges);
      }
    }
  }

  // ---- preparation ----

  private prepare(): void {
    this.registers = 0;
    while (this.registers < this.f.vregs.length) this.addRegister();
    for (const p of this.f.params) this.facts[p]!.defs = 1;
    this.countAll();
    this.findGlobals();
    this.memory.prepare(this.f);
  }

  /** Facts, versions and definitions of earlier functions are harmless: their epochs are over. */
  private addRegister(): void {
    const v = this.registers;
    this.registers++;
    if (v == this.facts.length) this.facts.push(new Fact());
    const fact = this.facts[v]!;
    fact.defs = 0;
    fact.uses = 0;
    fact.globalKind = NOTHING;
  }

  private countAll(): void {
    const facts = this.facts;
    for (const b of this.f.blocks) {
      for (const i of b.insts) {
        if (i.dst >= 0) facts[i.dst]!.defs++;
        if (i.dst2 >= 0) facts[i.dst2]!.defs++;
        if (i.a >= 0) facts[i.a]!.uses++;
        if (i.b >= 0) facts[i.b]!.uses++;
        if (i.base >= 0) facts[i.base]!.uses++;
        if (i.index >= 0) facts[i.index]!.uses++;
        if (i.args != null || i.asm != null) this.countLists(i);
      }
    }
  }

  private countLists(i: IrInst): void {
    const args = i.args;
    if (args != null) {
      for (let k = 0; k < args.length; k++) this.facts[args[k]!]!.uses++;
    }
    const asm = i.asm;
    if (asm == null) return;
    for (const o of asm.operands) {
      if (o.vreg >= 0) this.facts[o.vreg]!.defs = 1000;
    }
  }

  private findGlobals(): void {
    for (const b of this.f.blocks) {
      for (const i of b.insts) {
        if (i.op == Op.CONST) {
          if (i.dst >= 0 && i.type == T_I32) this.noteGlobal(i.dst, CONSTANT, i.imm);
        } else if (i.op == Op.MOV) {
          if (i.dst >= 0 && i.type == T_I32 && this.isParam(i.a)) this.noteGlobal(i.dst, COPY, i.a);
        }
      }
    }
  }

  private noteGlobal(v: i32, kind: i32, value: i32): void {
    const fact = this.facts[v]!;
    if (fact.defs != 1) return;
    fact.globalKind = kind;
    fact.globalValue = value;
  }

  private isParam(v: i32): bool {
    if (this.facts[v]!.defs != 1) return false;
    const params = this.f.params;
    for (let k = 0; k < params.length; k++) {
      if (params[k] == v) return true;
    }
    return false;
  }

  private reset(): void {
    this.epoch++;
    this.table.clear();
    this.memory.clear();
  }

  private continuation(b: i32, edges: i32[]): i32 {
    const insts = this.f.blocks[b]!.insts;
    const last = insts[insts.length - 1]!;
    let best = -1;
    for (let k = 0; k < 2; k++) {
      const t = k == 0 ? last.target0 : last.target1;
      if (t < 0 || this.done[t] != 0 || edges[t] != 1) continue;
      const code = this.f.blocks[t]!.insts;
      if (best < 0 || code[code.length - 1]!.op != Op.TRAP) best = t;
    }
    return best;
  }

  private block(b: i32): void {
    const block = this.f.blocks[b]!;
    const insts = block.insts;
    for (const i of insts) this.inst(i);
    block.insts = this.out;
    insts.length = 0;
    this.out = insts;
  }

  // ---- facts ----

  private isConst(v: i32): bool {
    if (v < 0) return false;
    const fact = this.facts[v]!;
    if (fact.globalKind != NOTHING) return fact.globalKind == CONSTANT;
    return fact.epoch == this.epoch && fact.kind == CONSTANT;
  }

  private valueOf(v: i32): i32 {
    const fact = this.facts[v]!;
    return fact.globalKind != NOTHING ? fact.globalValue : fact.value;
  }

  /** The register that v is a copy of, as long as that has not changed; else v. */
  private source(v: i32): i32 {
    if (v < 0) return v;
    const fact = this.facts[v]!;
    if (fact.globalKind != NOTHING) return fact.globalKind == COPY ? fact.globalValue : v;
    if (fact.epoch != this.epoch || fact.kind != COPY) return v;
    return this.facts[fact.value]!.version == fact.valueVersion ? fact.value : v;
  }

  /** The instruction that computed v, if its operands still hold what it read. */
  private definition(v: i32): IrInst | null {
    if (v < 0) return null;
    const fact = this.facts[v]!;
    if (fact.globalKind != NOTHING || fact.epoch != this.epoch || fact.kind != COMPUTED) return null;
    const d = fact.def;
    if (d == null) return null;
    if (d.a >= 0 && this.facts[d.a]!.version != fact.defA) return null;
    if (d.b >= 0 && this.facts[d.b]!.version != fact.defB) return null;
    return d;
  }

  /** Register v has a new value of which nothing is known. */
  private forget(v: i32): void {
    const fact = this.facts[v]!;
    fact.version++;
    fact.epoch = this.epoch;
    fact.kind = NOTHING;
  }

  private assign(v: i32, i: IrInst): void {
    const facts = this.facts;
    const fact = facts[v]!;
    fact.defA = i.a >= 0 ? facts[i.a]!.version : 0;
    fact.defB = i.b >= 0 ? facts[i.b]!.version : 0;
    fact.version++;
    fact.epoch = this.epoch;
    fact.kind = NOTHING;
    if (i.a == v || i.b == v || i.base == v || i.index == v) return;
    if (i.op == Op.CONST && i.type == T_I32) {
      fact.kind = CONSTANT;
      fact.value = i.imm;
    } else if (i.op == Op.MOV) {
      fact.kind = COPY;
      fact.value = i.a;
      fact.valueVersion = facts[i.a]!.version;
    } else {
      fact.kind = COMPUTED;
      fact.def = i;
    }
  }

  // ---- one instruction ----

  private make(op: i32, dst: i32, a: i32, line: i32): IrInst {
    const i = newInst(op, line);
    i.type = T_I32;
    i.dst = dst;
    i.a = a;
    return i;
  }

  /** A new instruction on the way: processed like those of the function. */
  private step(op: i32, a: i32, imm: i32, line: i32): i32 {
    const dst = freshVreg(this.f);
    this.addRegister();
    const i = this.make(op, dst, a, line);
    i.useImm = true;
    i.imm = imm;
    this.facts[dst]!.uses = 1;
    this.inst(i);
    return dst;
  }

  private inst(i: IrInst): void {
    switch (i.op) {
      case Op.CALL: case Op.CALLI: this.call(i); return;
      case Op.COPY: this.runtimeCall(i, "__memmove"); return;
      case Op.FILL: if (!this.smallFill(i)) this.runtimeCall(i, "__memset"); return;
      case Op.ASM: this.asm(i); return;
      default: break;
    }
    this.operands(i);
    if (i.type == T_I32) {
      this.constants(i);
      if (this.expandDivision(i)) return;
      this.simplify(i);
      if (i.op == Op.MOV) i.a = this.source(i.a);
    }
    if (hasAddress(i)) this.address(i);
    this.finish(i);
  }

  private finish(i: IrInst): void {
    if (i.op == Op.LOAD) this.load(i);
    else if (i.op == Op.STORE) this.store(i);
    else if (i.dst >= 0) this.reuse(i);
    this.out.push(i);
    if (i.dst >= 0) this.assign(i.dst, i);
    if (i.dst2 >= 0) this.forget(i.dst2);
    this.remember(i);
  }

  private operands(i: IrInst): void {
    i.a = this.source(i.a);
    i.b = this.source(i.b);
    i.base = this.source(i.base);
    i.index = this.source(i.index);
    if (i.op == Op.STORE && i.useImm) i.a = -1;
    if (i.useImm) i.b = -1;
  }

  /** Constant operands become immediates. */
  private constants(i: IrInst): void {
    if (i.op == Op.STORE || i.op == X_ARG) {
      if (i.a >= 0 && this.isConst(i.a)) {
        i.imm = this.valueOf(i.a);
        i.useImm = true;
        i.a = -1;
      }
      return;
    }
    if (i.b >= 0 && !i.useImm && this.isConst(i.b)) this.immediate(i, this.valueOf(i.b));
    if (i.a < 0 || !this.isConst(i.a)) return;
    if (i.op == Op.MOV) {
      becomeConst(i, this.valueOf(i.a));
    } else if (i.b >= 0 && (isCommutative(i.op) || i.op == X_ADDC || i.op == X_ADC)) {
      const k = this.valueOf(i.a);
      i.a = i.b;
      this.immediate(i, k);
    } else if (i.b >= 0 && (i.op == Op.CMP || i.op == Op.BR)) {
      const k = this.valueOf(i.a);
      i.a = i.b;
      i.cond = swapped(i.cond);
      this.immediate(i, k);
    }
    if (i.a >= 0 && this.isConst(i.a)) foldConstants(i, this.valueOf(i.a));
  }

  private immediate(i: IrInst, k: i32): void {
    switch (i.op) {
      case Op.ADD: case Op.SUB: case Op.MUL: case Op.AND: case Op.OR: case Op.XOR: case Op.DIVS: case Op.DIVU:
      case Op.REMS: case Op.REMU: case Op.SHL: case Op.SHRS: case Op.SHRU: case Op.CMP: case Op.BR:
      case X_ADDC: case X_SUBC: case X_ADC: case X_SBB: case X_CMPC: case X_BRC: case X_SETC:
        i.imm = k;
        i.useImm = true;
        i.b = -1;
        break;
      default:
        break;
    }
  }

  // ---- simplification ----

  private simplify(i: IrInst): void {
    if (i.useImm) simplifyWithImm(i);
    if (i.op == Op.ADD && !i.useImm) {
      const right = this.definition(i.b);
      if (right != null && right.op == Op.LEA && this.isFixed(right)) {
        this.becomeAddress(i, right, i.a);
        return;
      }
    }
    const d = this.definition(i.a);
    if (d == null || d.type != T_I32) {
      if (d != null) this.simplifyCompare(i, d);
      return;
    }
    switch (i.op) {
      case Op.ADD:
        if (d.op == Op.LEA && this.isFixed(d)) this.becomeAddress(i, d, i.b);
        else if (i.useImm && d.op == Op.ADD && d.useImm) {
          i.a = d.a;
          i.imm = (i.imm + d.imm) | 0;
          simplifyWithImm(i);
        }
        break;
      case Op.ZEXT8: case Op.ZEXT16: case Op.SEXT8: case Op.SEXT16:
        if (isExtended(d, i.op)) becomeMove(i, i.a);
        break;
      case Op.AND:
        if (i.useImm && ((d.op == Op.LOAD && d.width == 1 && !d.signed && (i.imm & 255) == 255) || (i.imm == 1 && d.op == Op.CMP))) becomeMove(i, i.a);
        break;
      case Op.STORE:
        if (i.width < 4 && d.a >= 0 && keepsLow(d, i.width)) i.a = d.a;
        break;
      default:
        this.simplifyCompare(i, d);
    }
  }

  /** The address of a symbol or slot plus a constant. */
  private isFixed(d: IrInst): bool {
    return d.base < 0 && d.index < 0;
  }

  /** Addition to a fixed address d. */
  private becomeAddress(i: IrInst, d: IrInst, other: i32): void {
    const imm = i.useImm ? i.imm : 0;
    const base = i.useImm ? -1 : other;
    becomeMove(i, -1);
    i.op = Op.LEA;
    copyAddress(i, d);
    i.width = 4;
    i.base = base;
    i.disp = (i.disp + imm) | 0;
  }

  /** Conditions of conditions. */
  private simplifyCompare(i: IrInst, d: IrInst): void {
    if (d.op != Op.CMP || !i.useImm) return;
    const orderedFloat = d.type == T_F64 && d.cond != Cond.EQ && d.cond != Cond.NE;
    const flips = (i.op == Op.XOR && i.imm == 1) || ((i.op == Op.CMP || i.op == Op.BR) && i.cond == Cond.EQ && i.imm == 0);
    const keeps = (i.op == Op.CMP || i.op == Op.BR) && i.cond == Cond.NE && i.imm == 0;
    if (!flips && !keeps) return;
    if (flips && orderedFloat) {
      if (i.op == Op.BR) this.flipBranch(i, d);
      return;
    }
    const cond = flips ? negated(d.cond) : d.cond;
    if (i.op == Op.XOR) i.op = Op.CMP;
    i.type = d.type;
    i.cond = cond;
    i.a = d.a;
    i.b = d.b;
    i.useImm = d.useImm;
    i.imm = d.imm;
  }

  private flipBranch(i: IrInst, d: IrInst): void {
    const t = i.target0;
    i.target0 = i.target1;
    i.target1 = t;
    i.type = d.type;
    i.cond = d.cond;
    i.a = d.a;
    i.b = d.b;
    i.useImm = false;
  }

  /** Signed division by a power of two as shifts; true when done. */
  private expandDivision(i: IrInst): bool {
    if (!i.useImm || i.imm < 2 || (i.op != Op.DIVS && i.op != Op.REMS)) return false;
    const k = log2(i.imm);
    if (k < 0) return false;
    const sign = k == 1 ? i.a : this.step(Op.SHRS, i.a, 31, i.line);
    const bias = this.step(Op.SHRU, sign, 32 - k, i.line);
    const sum = this.make(Op.ADD, freshVreg(this.f), i.a, i.line);
    this.addRegister();
    sum.b = bias;
    this.facts[sum.dst]!.uses = 1;
    this.inst(sum);
    if (i.op == Op.DIVS) {
      i.op = Op.SHRS;
      i.a = sum.dst;
      i.imm = k;
      this.finish(i);
      return true;
    }
    const whole = this.step(Op.AND, sum.dst, -i.imm, i.line);
    i.op = Op.SUB;
    i.useImm = false;
    i.b = whole;
    this.finish(i);
    return true;
  }

  // ---- addresses ----

  /** Move the arithmetic behind an address into the address. */
  private address(i: IrInst): void {
    for (let round = 0; round < 4; round++) {
      if (!this.foldBase(i) && !this.foldIndex(i)) return;
    }
  }

  private foldBase(i: IrInst): bool {
    if (i.base < 0) return false;
    if (this.isConst(i.base)) {
      i.disp = (i.disp + this.valueOf(i.base)) | 0;
      i.base = -1;
      return true;
    }
    const d = this.addressDefinition(i.base);
    if (d == null) return false;
    if (d.op == Op.ADD && d.useImm) {
      i.base = d.a;
      i.disp = (i.disp + d.imm) | 0;
      return true;
    }
    if (d.op == Op.ADD && i.index < 0 && this.facts[i.base]!.uses <= 2) {
      i.index = d.b;
      i.scale = 1;
      i.base = d.a;
      return true;
    }
    if (d.op == Op.SHL && d.useImm && d.imm <= 3) {
      if (i.index < 0) {
        i.index = d.a;
        i.scale = 1 << d.imm;
        i.base = -1;
        return true;
      }
      if (i.scale == 1) {
        const other = i.index;
        i.index = d.a;
        i.scale = 1 << d.imm;
        i.base = other;
        return true;
      }
    }
    return d.op == Op.LEA && this.foldLea(i, d);
  }

  private foldLea(i: IrInst, d: IrInst): bool {
    if (!this.leaHolds(d)) return false;
    if (d.sym != "" && i.sym != "") return false;
    if (d.slot >= 0 && (i.slot >= 0 || i.index >= 0 || d.index >= 0 || d.base >= 0)) return false;
    if (d.index >= 0 && i.index >= 0) return false;
    if (d.index >= 0 && this.facts[i.base]!.uses > 2) return false;
    i.base = d.base;
    if (d.index >= 0) {
      i.index = d.index;
      i.scale = d.scale;
    }
    if (d.slot >= 0) i.slot = d.slot;
    if (d.sym != "") i.sym = d.sym;
    i.disp = (i.disp + d.disp) | 0;
    return true;
  }

  /** An LEA's registers are not tracked by version: accept only those assigned once. */
  private leaHolds(d: IrInst): bool {
    return (d.base < 0 || this.facts[d.base]!.defs == 1) && (d.index < 0 || this.facts[d.index]!.defs == 1);
  }

  private foldIndex(i: IrInst): bool {
    if (i.index < 0) return false;
    if (this.isConst(i.index)) {
      i.disp = (i.disp + Math.imul(this.valueOf(i.index), i.scale)) | 0;
      i.index = -1;
      i.scale = 1;
      return true;
    }
    if (i.base < 0 && i.scale == 1) {
      i.base = i.index;
      i.index = -1;
      return true;
    }
    const d = this.addressDefinition(i.index);
    if (d == null || !d.useImm) return false;
    if (d.op == Op.ADD) {
      i.index = d.a;
      i.disp = (i.disp + Math.imul(d.imm, i.scale)) | 0;
      return true;
    }
    if (d.op == Op.SHL && d.imm <= 3 && (i.scale << d.imm) <= 8) {
      i.index = d.a;
      i.scale = i.scale << d.imm;
      return true;
    }
    return false;
  }

  private addressDefinition(v: i32): IrInst | null {
    const d = this.definition(v);
    return d != null && d.type == T_I32 ? d : null;
  }

  // ---- memory and values known already ----

  private load(i: IrInst): void {
    if (i.volatile) return;
    const known = this.memory.find(i, this.facts);
    if (known < 0) return;
    const type = i.type;
    becomeMove(i, known);
    i.type = type;
  }

  private store(i: IrInst): void {
    this.memory.kill(i, this.facts);
  }

  /** After an instruction is placed: what it makes known. */
  private remember(i: IrInst): void {
    if (i.volatile) return;
    if (i.op == Op.LOAD && i.dst != i.base && i.dst != i.index) this.memory.add(i, i.dst, this.facts);
    if (i.op == Op.STORE && i.a >= 0 && i.width >= 4) this.memory.add(i, i.a, this.facts);
  }

  private reuse(i: IrInst): void {
    if (!ValueTable.accepts(i)) return;
    const known = this.table.find(i, this.facts);
    if (known >= 0) {
      const type = this.f.vregs[i.dst]!;
      becomeMove(i, known);
      i.type = type;
      return;
    }
    if (i.a != i.dst && i.b != i.dst) this.table.add(i, this.facts);
  }

  // ---- calls ----

  private pushArgs(i: IrInst): i32 {
    const args = i.args!;
    let bytes = 0;
    for (let k = args.length - 1; k >= 0; k--) {
      const type = this.f.vregs[args[k]!]!;
      const arg = this.make(X_ARG, -1, this.source(args[k]!), i.line);
      arg.type = type == T_F64 ? T_F64 : T_I32;
      bytes += type == T_F64 ? 8 : 4;
      if (arg.type == T_I32) this.constants(arg);
      if (arg.a >= 0) this.symbolArg(arg);
      this.out.push(arg);
    }
    return bytes;
  }

  /** The address of a symbol is pushed as an immediate. */
  private symbolArg(arg: IrInst): void {
    const d = this.definition(arg.a);
    if (d == null || d.op != Op.LEA || d.sym == "" || d.base >= 0 || d.index >= 0 || d.slot >= 0) return;
    arg.useImm = true;
    arg.a = -1;
    arg.imm = d.disp;
    arg.sym = d.sym;
  }

  private call(i: IrInst): void {
    i.imm = this.pushArgs(i);
    i.args = null;
    i.a = this.source(i.a);
    this.memory.killAll();
    this.out.push(i);
    if (i.dst >= 0) this.forget(i.dst);
    if (i.dst2 >= 0) this.forget(i.dst2);
  }

  private runtimeCall(i: IrInst, sym: string): void {
    i.op = Op.CALL;
    i.type = 0;
    i.dst = -1;
    i.sym = sym;
    this.call(i);
  }

  /** memset of a few bytes as stores; true when done. */
  private smallFill(i: IrInst): bool {
    const args = i.args!;
    const size = args[2]!;
    if (!this.isConst(args[1]!) || !this.isConst(size) || this.valueOf(size) < 0 || this.valueOf(size) > FILL_LIMIT) return false;
    const bytes = this.valueOf(size);
    const fill = Math.imul(this.valueOf(args[1]!) & 255, 0x01010101);
    let at = 0;
    while (at < bytes) {
      const width = bytes - at >= 4 ? 4 : bytes - at >= 2 ? 2 : 1;
      const s = this.make(Op.STORE, -1, -1, i.line);
      s.base = args[0]!;
      s.disp = at;
      s.width = width;
      s.useImm = true;
      s.imm = fill;
      this.inst(s);
      at += width;
    }
    return true;
  }

  private asm(i: IrInst): void {
    this.memory.killAll();
    this.out.push(i);
    for (const o of i.asm!.operands) {
      if (o.vreg >= 0) this.forget(o.vreg);
    }
  }
}

/** Whether the result of d is already what the extension would make of it. */
function isExtended(d: IrInst, op: i32): bool {
  if (d.op == op) return true;
  if (d.op == Op.CMP || d.op == X_SETC) return true;
  const signed = op == Op.SEXT8 || op == Op.SEXT16;
  const width = op == Op.ZEXT8 || op == Op.SEXT8 ? 1 : 2;
  const limit = width == 1 ? (signed ? 127 : 255) : (signed ? 32767 : 65535);
  if (d.op == Op.LOAD) {
    if (d.width < width) return !d.signed || signed;
    return d.width == width && d.signed == signed;
  }
  if (d.op == Op.AND && d.useImm) return d.imm >= 0 && d.imm <= limit;
  if (d.op == Op.ZEXT8) return width == 2;
  if (d.op == Op.SHRU && d.useImm) return d.imm >= (width == 1 ? 24 : 16) + (signed ? 1 : 0);
  return false;
}

/** Whether d leaves the low `width` bytes of its operand alone. */
function keepsLow(d: IrInst, width: i32): bool {
  switch (d.op) {
    case Op.ZEXT8: case Op.SEXT8: return width == 1;
    case Op.ZEXT16: case Op.SEXT16: return true;
    case Op.AND: return d.useImm && (width == 1 ? (d.imm & 255) == 255 : (d.imm & 65535) == 65535);
    default: return false;
  }
}
