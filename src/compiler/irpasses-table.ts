// What the forward pass remembers: computations whose result is in some register, and words of memory whose contents are.
// Both are small and forget old entries; a hit is exact, a miss costs only speed.
import { Op, T_I32 } from "./ir.ts";
import type { IrFunc, IrInst } from "./ir.ts";
import { X_SHLD, X_SHRD } from "./irpasses-ops.ts";

const SIZE: i32 = 64;              // entries of the value table, a power of two
const PLACES: i32 = 24;            // memory facts kept

/** What is known about a virtual register. */
export class Fact {
  version: i32 = 0;
  epoch: i32 = 0;                  // the next six hold only in this epoch
  kind: i32 = 0;
  value: i32 = 0;                  // the constant, or the register copied
  valueVersion: i32 = 0;
  def: IrInst | null = null;
  defA: i32 = 0;                   // versions of the operands of def
  defB: i32 = 0;
  defs: i32 = 0;                   // assignments in the whole function
  uses: i32 = 0;
  globalKind: i32 = 0;             // if assigned once, with a constant or an unchanged parameter
  globalValue: i32 = 0;
}

/** Computations by operation and operand versions. */
export class ValueTable {
  private inst: (IrInst | null)[] = [];
  private verA: i32[] = [];
  private verB: i32[] = [];
  private dst: i32[] = [];
  private verDst: i32[] = [];
  private used: bool = true;

  constructor() {
    for (let k = 0; k < SIZE; k++) {
      this.inst.push(null);
      this.verA.push(0);
      this.verB.push(0);
      this.dst.push(0);
      this.verDst.push(0);
    }
  }

  clear(): void {
    if (!this.used) return;
    for (let k = 0; k < SIZE; k++) this.inst[k] = null;
    this.used = false;
  }

  /** Operations worth remembering: those that cost an instruction and read registers only. */
  static accepts(i: IrInst): bool {
    if (i.type != T_I32) return false;
    if (i.op == Op.ADD) return i.b >= 0;
    return (i.op > Op.ADD && i.op <= Op.ZEXT16 && i.op != Op.NEG) || i.op == X_SHLD || i.op == X_SHRD;
  }

  private slotOf(i: IrInst): i32 {
    const h = Math.imul(i.op, 31) + Math.imul(i.a, 7) + Math.imul(i.b, 13) + i.imm;
    return (h ^ (h >> 6)) & (SIZE - 1);
  }

  /** The register that holds the result of such a computation, or -1. */
  find(i: IrInst, facts: Fact[]): i32 {
    const k = this.slotOf(i);
    const e = this.inst[k]!;
    if (e == null || e.op != i.op || e.a != i.a || e.b != i.b || e.imm != i.imm || e.useImm != i.useImm || e.cond != i.cond) return -1;
    if (e.type != i.type || facts[i.a]!.version != this.verA[k]!) return -1;
    if (i.b >= 0 && facts[i.b]!.version != this.verB[k]!) return -1;
    return facts[this.dst[k]!]!.version == this.verDst[k]! ? this.dst[k]! : -1;
  }

  /** To be called before the version of the result is raised. */
  add(i: IrInst, facts: Fact[]): void {
    const k = this.slotOf(i);
    this.used = true;
    this.inst[k] = i;
    this.verA[k] = facts[i.a]!.version;
    this.verB[k] = i.b >= 0 ? facts[i.b]!.version : 0;
    this.dst[k] = i.dst;
    this.verDst[k] = facts[i.dst]!.version + 1;
  }
}

/** Memory whose contents some register holds. */
export class MemoryFacts {
  private inst: (IrInst | null)[] = [];
  private verBase: i32[] = [];
  private verIndex: i32[] = [];
  private value: i32[] = [];
  private verValue: i32[] = [];
  private count: i32 = 0;
  private next: i32 = 0;
  private escapes: bool[] = [];      // by slot: its address is known elsewhere

  constructor() {
    for (let k = 0; k < PLACES; k++) {
      this.inst.push(null);
      this.verBase.push(0);
      this.verIndex.push(0);
      this.value.push(0);
      this.verValue.push(0);
    }
  }

  prepare(f: IrFunc): void {
    this.escapes.length = 0;
    for (let k = 0; k < f.slots.length; k++) this.escapes.push(false);
    for (const b of f.blocks) {
      for (const i of b.insts) {
        if (i.op == Op.LEA && i.slot >= 0) this.escapes[i.slot] = true;
      }
    }
  }

  clear(): void {
    for (let k = 0; k < this.count; k++) this.inst[k] = null;
    this.count = 0;
    this.next = 0;
  }

  /** Forget everything a called function might change. */
  killAll(): void {
    for (let k = 0; k < this.count; k++) {
      const e = this.inst[k]!;
      if (e != null && !this.isPrivate(e)) this.inst[k] = null;
    }
  }

  private isPrivate(e: IrInst): bool {
    return e.slot >= 0 && e.base < 0 && e.index < 0 && !this.escapes[e.slot]!;
  }

  /** The register that holds what a load would read, or -1. */
  find(i: IrInst, facts: Fact[]): i32 {
    for (let k = 0; k < this.count; k++) {
      const e = this.inst[k]!;
      if (e == null || e.disp != i.disp || !this.sameRegisters(e, i, k, facts)) continue;
      if (e.width != i.width || e.type != i.type || facts[this.value[k]!]!.version != this.verValue[k]!) continue;
      if (i.width >= 4 || (e.op == Op.LOAD && e.signed == i.signed)) return this.value[k]!;
    }
    return -1;
  }

  private sameRegisters(e: IrInst, i: IrInst, k: i32, facts: Fact[]): bool {
    if (e.base != i.base || e.index != i.index || e.scale != i.scale || e.slot != i.slot || e.sym != i.sym) return false;
    if (i.base >= 0 && facts[i.base]!.version != this.verBase[k]!) return false;
    return i.index < 0 || facts[i.index]!.version == this.verIndex[k]!;
  }

  add(i: IrInst, value: i32, facts: Fact[]): void {
    const k = this.next;
    this.next = (k + 1) % PLACES;
    if (k >= this.count) this.count = k + 1;
    this.inst[k] = i;
    this.verBase[k] = i.base >= 0 ? facts[i.base]!.version : 0;
    this.verIndex[k] = i.index >= 0 ? facts[i.index]!.version : 0;
    this.value[k] = value;
    this.verValue[k] = facts[value]!.version;
  }

  /** Forget what a store may change. */
  kill(i: IrInst, facts: Fact[]): void {
    for (let k = 0; k < this.count; k++) {
      const e = this.inst[k]!;
      if (e != null && this.mayOverlap(e, i, k, facts)) this.inst[k] = null;
    }
  }

  private mayOverlap(e: IrInst, i: IrInst, k: i32, facts: Fact[]): bool {
    if (this.sameRegisters(e, i, k, facts)) return e.disp < i.disp + i.width && i.disp < e.disp + e.width;
    const fixedE = e.base < 0 && e.index < 0;
    const fixedI = i.base < 0 && i.index < 0;
    if (fixedE && fixedI) return e.slot == i.slot && e.sym == i.sym;
    if (this.isPrivate(e) || this.isPrivate(i)) return e.slot == i.slot;
    return true;
  }
}
