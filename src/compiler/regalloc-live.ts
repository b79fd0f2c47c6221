// Which virtual registers hold a needed value where. Live ranges of a register are a chain of [from, to) position
// intervals, earliest first; see regalloc.ts for positions. Pure instructions whose result nobody needs are removed here,
// because this is where that is known exactly. Registers used in one block only take no part in the data-flow iteration.
import { Op } from "./ir.ts";
import type { IrFunc, IrInst } from "./ir.ts";
import { compact, isPure, listedUses, put, refill, X_ADC, X_ADDC, X_BRC, X_CMPC, X_SBB, X_SETC, X_SUBC } from "./irpasses-ops.ts";
import { lastOf } from "./irpasses.ts";
import { readsLate } from "./regalloc.ts";

/** What is known of a virtual register. */
export class Life {
  first: i32 = -1;                 // its first range, or -1
  shared: i32 = -1;                // its number among the shared ones, or -1
  open: i32 = -1;                  // end of the range being built, or -1; before that, the first block that mentions it
}

export class Liveness {
  positions: i32 = 0;              // number of positions of the function
  readonly lives: Life[] = [];     // by register
  next: i32[] = [];                // by range
  from: i32[] = [];
  to: i32[] = [];
  private f!: IrFunc;
  private ranges: i32 = 0;
  private words: i32 = 0;          // words of a set of shared registers
  private shared: i32[] = [];
  private liveIn: i32[] = [];      // by block: a set
  private made: i32[] = [];        // by block: assigned before read
  private read: i32[] = [];        // by block: read before assigned
  private open: i32[] = [];        // registers with an open range, perhaps repeated
  private list: i32[] = [];
  private set: i32[] = [];

  run(f: IrFunc): void {
    this.f = f;
    this.findShared();
    this.scanBlocks();
    this.iterate();
    this.buildRanges();
  }

  /** The first range of a register, or -1. */
  first(v: i32): i32 {
    return this.lives[v]!.first;
  }

  /** Positions a register is live at. */
  length(v: i32): i32 {
    let sum = 0;
    for (let r = this.first(v); r >= 0; r = this.next[r]!) sum += this.to[r]! - this.from[r]!;
    return sum;
  }

  /** Whether two registers are live at the same position. */
  overlap(v: i32, w: i32): bool {
    let x = this.first(v);
    let y = this.first(w);
    while (x >= 0 && y >= 0) {
      if (this.to[x]! <= this.from[y]!) x = this.next[x]!;
      else if (this.to[y]! <= this.from[x]!) y = this.next[y]!;
      else return true;
    }
    return false;
  }

  // ---- registers of several blocks ----

  private findShared(): void {
    const count = this.f.vregs.length;
    while (this.lives.length < count) this.lives.push(new Life());
    for (let v = 0; v < count; v++) {
      const r = this.lives[v]!;
      r.first = -1;
      r.shared = -1;
      r.open = -1;
    }
    this.shared.length = 0;
    for (const p of this.f.params) this.lives[p]!.open = 0;
    for (let b = 0; b < this.f.blocks.length; b++) {
      for (const i of this.f.blocks[b]!.insts) {
        if (i.a >= 0) this.noteBlock(i.a, b);
        if (i.b >= 0) this.noteBlock(i.b, b);
        if (i.base >= 0) this.noteBlock(i.base, b);
        if (i.index >= 0) this.noteBlock(i.index, b);
        if (i.asm != null) this.noteAsm(i, b);
        if (i.dst >= 0) this.noteBlock(i.dst, b);
        if (i.dst2 >= 0) this.noteBlock(i.dst2, b);
      }
    }
    this.words = (this.shared.length + 31) >> 5;
  }

  private noteAsm(i: IrInst, b: i32): void {
    const n = listedUses(i, this.list);
    for (let k = 0; k < n; k++) this.noteBlock(this.list[k]!, b);
  }

  private noteBlock(v: i32, b: i32): void {
    const r = this.lives[v]!;
    if (r.open == b) return;
    if (r.open == -1) r.open = b;
    else if (r.shared < 0) this.share(v, r);
  }

  private share(v: i32, r: Life): void {
    r.shared = this.shared.length;
    this.shared.push(v);
  }

  private scanBlocks(): void {
    const size = Math.imul(this.words, this.f.blocks.length);
    refill(this.liveIn, size, 0);
    refill(this.made, size, 0);
    refill(this.read, size, 0);
    if (this.words == 0) return;
    for (let b = 0; b < this.f.blocks.length; b++) {
      const base = Math.imul(b, this.words);
      for (const i of this.f.blocks[b]!.insts) {
        if (i.a >= 0) this.noteRead(base, this.lives[i.a]!.shared);
        if (i.b >= 0) this.noteRead(base, this.lives[i.b]!.shared);
        if (i.base >= 0) this.noteRead(base, this.lives[i.base]!.shared);
        if (i.index >= 0) this.noteRead(base, this.lives[i.index]!.shared);
        if (i.asm != null) this.readAsm(i, base);
        if (i.dst >= 0) this.noteMade(base, this.lives[i.dst]!.shared);
        if (i.dst2 >= 0) this.noteMade(base, this.lives[i.dst2]!.shared);
      }
    }
  }

  private readAsm(i: IrInst, base: i32): void {
    const n = listedUses(i, this.list);
    for (let k = 0; k < n; k++) this.noteRead(base, this.lives[this.list[k]!]!.shared);
  }

  private noteRead(base: i32, s: i32): void {
    if (s < 0) return;
    const w = base + (s >> 5);
    const bit = 1 << (s & 31);
    if ((this.made[w]! & bit) == 0) this.read[w] = this.read[w]! | bit;
  }

  private noteMade(base: i32, s: i32): void {
    if (s < 0) return;
    const w = base + (s >> 5);
    this.made[w] = this.made[w]! | (1 << (s & 31));
  }

  private iterate(): void {
    if (this.words == 0) return;
    let changed = true;
    while (changed) {
      changed = false;
      for (let b = this.f.blocks.length - 1; b >= 0; b--) {
        if (this.flow(b)) changed = true;
      }
    }
  }

  /** Word `w` of the set of what the blocks behind a terminator need. */
  private liveOut(last: IrInst, w: i32): i32 {
    let out = 0;
    if (last.target0 >= 0) out = this.liveIn[Math.imul(last.target0, this.words) + w]!;
    if (last.target1 >= 0) out = out | this.liveIn[Math.imul(last.target1, this.words) + w]!;
    const cases = last.cases;
    if (cases == null) return out;
    for (let k = 0; k < cases.length; k++) out = out | this.liveIn[Math.imul(cases[k]!, this.words) + w]!;
    return out;
  }

  private flow(b: i32): bool {
    const base = Math.imul(b, this.words);
    const last = lastOf(this.f.blocks[b]!);
    let changed = false;
    for (let w = 0; w < this.words; w++) {
      const out = this.liveOut(last, w);
      const live = this.read[base + w]! | (out & ~this.made[base + w]!);
      if (live == this.liveIn[base + w]!) continue;
      this.liveIn[base + w] = live;
      changed = true;
    }
    return changed;
  }

  // ---- ranges, from the last instruction to the first ----

  private buildRanges(): void {
    this.closeLives();
    this.ranges = 0;
    this.findDead();
    let end = 1;
    for (const b of this.f.blocks) end += b.insts.length;
    this.positions = end * 4;
    for (let b = this.f.blocks.length - 1; b >= 0; b--) {
      this.openLiveOut(b, end * 4);
      end = this.walk(b, end);
      this.closeAll(end * 4);
    }
    for (const p of this.f.params) {
      const first = this.first(p);
      if (first >= 0 && this.from[first]! <= 4) this.from[first] = 2;
    }
  }

  private closeLives(): void {
    const count = this.f.vregs.length;
    for (let v = 0; v < count; v++) this.lives[v]!.open = -1;
  }

  private openLiveOut(b: i32, end: i32): void {
    this.open.length = 0;
    const last = lastOf(this.f.blocks[b]!);
    for (let w = 0; w < this.words; w++) {
      let out = this.liveOut(last, w);
      for (let at = w * 32; out != 0; at++) {
        if ((out & 1) != 0) this.need(this.shared[at]!, end);
        out = out >>> 1;
      }
    }
  }

  private need(v: i32, end: i32): void {
    const r = this.lives[v]!;
    if (r.open >= 0) return;
    r.open = end;
    this.open.push(v);
  }

  private close(r: Life, from: i32): void {
    const end = r.open;
    r.open = -1;
    const old = r.first;
    if (old >= 0 && this.from[old]! <= end) {
      this.from[old] = from;
      return;
    }
    const range = this.ranges;
    put(this.from, range, from);
    put(this.to, range, end);
    put(this.next, range, old);
    r.first = range;
    this.ranges = range + 1;
  }

  private closeAll(start: i32): void {
    for (let k = 0; k < this.open.length; k++) {
      const r = this.lives[this.open[k]!]!;
      if (r.open >= 0) this.close(r, start);
    }
  }

  private walk(b: i32, end: i32): i32 {
    const insts = this.f.blocks[b]!.insts;
    let at = end;
    for (let k = insts.length - 1; k >= 0; k--) {
      at--;
      this.inst(insts[k]!, at * 4);
    }
    return at;
  }

  private inst(i: IrInst, at: i32): void {
    if (i.dst >= 0) this.define(i.dst, at);
    if (i.dst2 >= 0) this.define(i.dst2, at);
    const late = readsLate(i) ? 4 : 1;
    if (i.a >= 0) this.need(i.a, at + 1);
    if (i.b >= 0) this.needUntil(i.b, at, late);
    if (i.base >= 0) this.needUntil(i.base, at, late);
    if (i.index >= 0) this.needUntil(i.index, at, late);
    const asm = i.asm;
    if (asm == null) return;
    for (const o of asm.operands) {
      if (o.vreg >= 0) this.needUntil(o.vreg, at, 4);
    }
  }

  /** An operand that is read late stays alive beside the result, unless it is the result's own register. */
  private needUntil(v: i32, at: i32, late: i32): void {
    const r = this.lives[v]!;
    const end = at + late;
    if (r.open < 0) this.open.push(v);
    if (r.open < end) r.open = end;
  }

  /** A result that is never needed still occupies its place for a moment. */
  private define(v: i32, at: i32): void {
    const r = this.lives[v]!;
    if (r.open < 0) {
      r.open = at + 4;
      this.open.push(v);
    }
    this.close(r, at + 2);
  }

  // ---- dead code ----

  private liveNow(v: i32): bool {
    const r = this.lives[v]!;
    return r.shared >= 0 ? ((this.set[r.shared >> 5]! >> (r.shared & 31)) & 1) != 0 : r.open >= 0;
  }

  private unmark(v: i32): void {
    const r = this.lives[v]!;
    if (r.shared < 0) r.open = -1;
    else this.set[r.shared >> 5] = this.set[r.shared >> 5]! & ~(1 << (r.shared & 31));
  }

  private mark(v: i32): void {
    const r = this.lives[v]!;
    if (r.shared < 0) r.open = 0;
    else this.set[r.shared >> 5] = this.set[r.shared >> 5]! | (1 << (r.shared & 31));
  }

  private markUses(i: IrInst): void {
    if (i.a >= 0) this.mark(i.a);
    if (i.b >= 0) this.mark(i.b);
    if (i.base >= 0) this.mark(i.base);
    if (i.index >= 0) this.mark(i.index);
    if (i.asm == null) return;
    const n = listedUses(i, this.list);
    for (let k = 0; k < n; k++) this.mark(this.list[k]!);
  }

  private findDead(): void {
    for (let b = 0; b < this.f.blocks.length; b++) {
      const insts = this.f.blocks[b]!.insts;
      const last = lastOf(this.f.blocks[b]!);
      for (let w = 0; w < this.words; w++) put(this.set, w, this.liveOut(last, w));
      let after = -1;
      let dead = false;
      for (let k = insts.length - 1; k >= 0; k--) {
        const i = insts[k]!;
        if (this.isDead(i, after)) {
          i.op = 0;
          dead = true;
          continue;
        }
        after = i.op;
        if (i.dst >= 0) this.unmark(i.dst);
        if (i.dst2 >= 0) this.unmark(i.dst2);
        this.markUses(i);
      }
      if (dead) compact(insts);
    }
    this.closeLives();
  }

  private isDead(i: IrInst, after: i32): bool {
    if (i.op == Op.MOV && i.dst == i.a) return true;
    const carry = after == X_ADC || after == X_SBB;
    if (i.op == X_ADDC && !carry) i.op = Op.ADD;
    if (i.op == X_SUBC && !carry) i.op = Op.SUB;
    if (i.op == X_CMPC) return after != X_BRC && after != X_SETC;
    if (!isPure(i)) return false;
    if (i.dst >= 0 && this.liveNow(i.dst)) return false;
    return i.dst2 < 0 || !this.liveNow(i.dst2);
  }
}
