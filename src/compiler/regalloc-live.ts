// Which virtual registers hold a needed value where. Live ranges of a register are a chain of [from, to) position
// intervals, earliest first; see regalloc.ts for positions. Pure instructions whose result nobody needs are removed here,
// because this is where that is known exactly. Registers used in one block only take no part in the data-flow iteration.
import { Op } from "./ir.ts";
import type { IrFunc, IrInst } from "./ir.ts";
import { compact, isPure, put, refill, usesOf, X_ADC, X_ADDC, X_BRC, X_CMPC, X_SBB, X_SETC, X_SUBC } from "./irpasses-ops.ts";
import { successors } from "./irpasses.ts";
import { readsLate } from "./regalloc.ts";

export class Liveness {
  positions: i32 = 0;              // number of positions of the function
  first: i32[] = [];               // by register: its first range, or -1
  next: i32[] = [];                // by range
  from: i32[] = [];
  to: i32[] = [];
  private f!: IrFunc;
  private ranges: i32 = 0;
  private words: i32 = 0;          // words of a set of shared registers
  private sharedOf: i32[] = [];    // by register: its number among the shared ones, or -1
  private shared: i32[] = [];
  private liveIn: i32[] = [];      // by block: a set
  private made: i32[] = [];        // by block: assigned before read
  private read: i32[] = [];        // by block: read before assigned
  private openEnd: i32[] = [];     // by register: end of the range being built, or -1
  private open: i32[] = [];        // registers with an open range, perhaps repeated
  private list: i32[] = [];
  private next2: i32[] = [];
  private set: i32[] = [];

  run(f: IrFunc): void {
    this.f = f;
    this.findShared();
    this.scanBlocks();
    this.iterate();
    this.buildRanges();
  }

  /** Positions a register is live at. */
  length(v: i32): i32 {
    let sum = 0;
    for (let r = this.first[v]!; r >= 0; r = this.next[r]!) sum += this.to[r]! - this.from[r]!;
    return sum;
  }

  /** Whether two registers are live at the same position. */
  overlap(v: i32, w: i32): bool {
    let x = this.first[v]!;
    let y = this.first[w]!;
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
    const block = this.openEnd;
    refill(block, count, -1);
    refill(this.sharedOf, count, -1);
    this.shared.length = 0;
    for (const p of this.f.params) block[p] = 0;
    for (let b = 0; b < this.f.blocks.length; b++) {
      for (const i of this.f.blocks[b]!.insts) {
        const n = usesOf(i, this.list);
        for (let k = 0; k < n; k++) this.noteBlock(this.list[k]!, b);
        if (i.dst >= 0) this.noteBlock(i.dst, b);
        if (i.dst2 >= 0) this.noteBlock(i.dst2, b);
      }
    }
    this.words = (this.shared.length + 31) >> 5;
  }

  private noteBlock(v: i32, b: i32): void {
    const old = this.openEnd[v]!;
    if (old == -1) {
      this.openEnd[v] = b;
    } else if (old != b && this.sharedOf[v]! < 0) {
      this.sharedOf[v] = this.shared.length;
      this.shared.push(v);
    }
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
        const n = usesOf(i, this.list);
        for (let k = 0; k < n; k++) this.noteRead(base, this.sharedOf[this.list[k]!]!);
        if (i.dst >= 0) this.noteMade(base, this.sharedOf[i.dst]!);
        if (i.dst2 >= 0) this.noteMade(base, this.sharedOf[i.dst2]!);
      }
    }
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

  private flow(b: i32): bool {
    const base = Math.imul(b, this.words);
    const count = successors(this.f.blocks[b]!, this.next2);
    let changed = false;
    for (let w = 0; w < this.words; w++) {
      let out = 0;
      for (let k = 0; k < count; k++) out = out | this.liveIn[Math.imul(this.next2[k]!, this.words) + w]!;
      const live = this.read[base + w]! | (out & ~this.made[base + w]!);
      if (live == this.liveIn[base + w]!) continue;
      this.liveIn[base + w] = live;
      changed = true;
    }
    return changed;
  }

  // ---- ranges, from the last instruction to the first ----

  private buildRanges(): void {
    refill(this.first, this.f.vregs.length, -1);
    refill(this.openEnd, this.f.vregs.length, -1);
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
      if (this.first[p]! >= 0 && this.from[this.first[p]!]! <= 4) this.from[this.first[p]!] = 2;
    }
  }

  private openLiveOut(b: i32, end: i32): void {
    this.open.length = 0;
    const count = successors(this.f.blocks[b]!, this.next2);
    for (let w = 0; w < this.words; w++) {
      let out = 0;
      for (let k = 0; k < count; k++) out = out | this.liveIn[Math.imul(this.next2[k]!, this.words) + w]!;
      for (let bit = 0; out != 0 && bit < 32; bit++) {
        if (((out >> bit) & 1) != 0) this.need(this.shared[w * 32 + bit]!, end);
      }
    }
  }

  private need(v: i32, end: i32): void {
    if (this.openEnd[v]! >= 0) return;
    this.openEnd[v] = end;
    this.open.push(v);
  }

  private close(v: i32, from: i32): void {
    const end = this.openEnd[v]!;
    this.openEnd[v] = -1;
    const old = this.first[v]!;
    if (old >= 0 && this.from[old]! <= end) {
      this.from[old] = from;
      return;
    }
    put(this.from, this.ranges, from);
    put(this.to, this.ranges, end);
    put(this.next, this.ranges, old);
    this.first[v] = this.ranges;
    this.ranges++;
  }

  private closeAll(start: i32): void {
    for (let k = 0; k < this.open.length; k++) {
      if (this.openEnd[this.open[k]!]! >= 0) this.close(this.open[k]!, start);
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
    const end = this.openEnd[v]!;
    if (end >= 0 && end < at + late) this.openEnd[v] = at + late;
    this.need(v, at + late);
  }

  /** A result that is never needed still occupies its place for a moment. */
  private define(v: i32, at: i32): void {
    if (this.openEnd[v]! < 0) {
      this.openEnd[v] = at + 4;
      this.open.push(v);
    }
    this.close(v, at + 2);
  }

  // ---- dead code ----

  private liveNow(v: i32): bool {
    const s = this.sharedOf[v]!;
    return s >= 0 ? ((this.set[s >> 5]! >> (s & 31)) & 1) != 0 : this.openEnd[v]! >= 0;
  }

  private mark(v: i32, on: bool): void {
    const s = this.sharedOf[v]!;
    if (s < 0) {
      this.openEnd[v] = on ? 0 : -1;
    } else {
      const bit = 1 << (s & 31);
      this.set[s >> 5] = on ? this.set[s >> 5]! | bit : this.set[s >> 5]! & ~bit;
    }
  }

  private findDead(): void {
    for (let b = 0; b < this.f.blocks.length; b++) {
      const insts = this.f.blocks[b]!.insts;
      const count = successors(this.f.blocks[b]!, this.next2);
      for (let w = 0; w < this.words; w++) {
        let out = 0;
        for (let k = 0; k < count; k++) out = out | this.liveIn[Math.imul(this.next2[k]!, this.words) + w]!;
        put(this.set, w, out);
      }
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
        if (i.dst >= 0) this.mark(i.dst, false);
        if (i.dst2 >= 0) this.mark(i.dst2, false);
        const n = usesOf(i, this.list);
        for (let j = 0; j < n; j++) this.mark(this.list[j]!, true);
      }
      if (dead) compact(insts);
    }
    refill(this.openEnd, this.f.vregs.length, -1);
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
