// Register allocation of one function: every I32 virtual register gets one machine register for its whole life or a home
// in the frame; F64 values always live in homes. Life is measured in positions, four to an instruction: operands are read at
// 4k, some instructions destroy registers at 4k+1, results appear at 4k+2. A register's occupation is a bit set over
// positions, so whether a life fits is a few word operations. Lives are served in order of use density, hot loops first.
import { Op, T_I32 } from "./ir.ts";
import type { IrFunc, IrInst } from "./ir.ts";
import { EAX, EBX, ECX, EDI, EDX, ESI } from "./emit.ts";
import {
  hasAddress, IN_MEMORY, isCommutative, refill, X_ADC, X_ADDC, X_ARG, X_MULWIDE, X_RMW, X_SBB, X_SETC, X_SHLD, X_SHRD,
  X_SUBC, X_TEST,
} from "./irpasses-ops.ts";
import { FlowPass } from "./irpasses.ts";
import { Liveness } from "./regalloc-live.ts";

export const IN_FRAME: i32 = -1;   // place of a value in its home
export const NOWHERE: i32 = -2;    // place of a value that is never needed

const HARD: i32 = 4;               // cost of one access that needs a register, in quarters of an instruction
const SOFT: i32 = 1;               // of one that takes a memory operand just as well
const MAX_WEIGHT: i32 = 100000000;

const BYTE: i32 = 1;               // accessed as a byte
const PINNED: i32 = 2;             // must have a home

const SHARED_HOMES: i32 = 32;       // homes that several values may share
const SAVED_COST: i32 = 9;         // cost of saving and restoring a register of the caller

/** Occupation of one machine register: a bit for each position. */
class BitSet {
  words: i32[] = [];

  clear(positions: i32): void {
    refill(this.words, (positions >> 5) + 1, 0);
  }

  private mask(word: i32, from: i32, to: i32): i32 {
    let mask = -1;
    if (word == (from >> 5)) mask = mask & (-1 << (from & 31));
    if (word == (to >> 5)) mask = mask & ~(-1 << (to & 31));
    return mask;
  }

  /** Whether any position of [from, to) is taken. */
  any(from: i32, to: i32): bool {
    const last = to >> 5;
    for (let w = from >> 5; w <= last; w++) {
      if ((this.words[w]! & this.mask(w, from, to)) != 0) return true;
    }
    return false;
  }

  fill(from: i32, to: i32): void {
    const last = to >> 5;
    for (let w = from >> 5; w <= last; w++) this.words[w] = this.words[w]! | this.mask(w, from, to);
  }
}

/** Where a virtual register lives, and why. */
export class Value {
  place: i32 = IN_FRAME;           // machine register, IN_FRAME or NOWHERE
  home: i32 = 0;                   // offset from ebp of its home
  weight: i32 = 0;
  partner: i32 = -1;               // a register this one is copied from or to, or -1
  wish: i32 = -1;                  // machine register it would like, or -1
  flags: i32 = 0;                  // BYTE, PINNED
  copy: i32 = -1;                  // code generation: machine register that may hold a copy of the home, or -1
}

export class Allocator {
  readonly values: Value[] = [];   // by virtual register
  saved: bool[] = [];              // by machine register: used, and to be preserved for the caller
  frame: i32 = 0;                  // bytes of homes and slots below the saved registers
  slotAt: i32[] = [];              // by slot: offset from ebp
  private f!: IrFunc;
  private live: Liveness = new Liveness();
  private literal: string[] = [];
  private flow: FlowPass = new FlowPass();
  private depths: i32[] = [];      // by block
  private sets: BitSet[] = [];
  private homes: i32 = 0;
  private homeSets: BitSet[] = [];
  private homeSize: i32[] = [];
  private homeAt: i32[] = [];
  private order: i32[] = [];       // registers in the order of service
  private keys: i32[] = [];        // of each: its cost per position of its life

  constructor() {
    for (let r = 0; r < 8; r++) {
      this.sets.push(new BitSet());
      this.saved.push(false);
    }
  }

  /** `literal`: by register, not "" if it is a constant in memory and needs no place; may be shorter. */
  run(f: IrFunc, literal: string[]): void {
    this.f = f;
    this.literal = literal;
    this.live.run(f);
    this.prepare();
    this.weigh();
    this.blockClobbers();
    this.sortByDensity();
    for (let k = 0; k < this.order.length; k++) this.allocate(this.order[k]!);
    this.layoutFrame();
  }

  /** Whether no value is in a machine register at any position of an instruction. */
  isFree(reg: i32, inst: i32): bool {
    return !this.sets[reg]!.any(inst * 4, inst * 4 + 4);
  }

  /** Whether no value has been in a machine register since instruction `first`, up to and at instruction `last`, perhaps but its result. */
  wasFree(reg: i32, first: i32, last: i32, butResult: bool): bool {
    return !this.sets[reg]!.any(first * 4, last * 4 + (butResult ? 2 : 4));
  }

  /** Whether the value a parameter has on entry is needed. */
  isLive(v: i32): bool {
    const r = this.live.first(v);
    return r >= 0 && this.live.from[r]! < 4;
  }

  private prepare(): void {
    const count = this.f.vregs.length;
    while (this.values.length < count) this.values.push(new Value());
    for (let v = 0; v < count; v++) {
      const x = this.values[v]!;
      x.place = this.live.first(v) < 0 ? NOWHERE : IN_FRAME;
      x.home = 0;
      x.copy = -1;
      x.weight = 0;
      x.partner = -1;
      x.wish = -1;
      x.flags = this.f.vregs[v] != T_I32 ? PINNED : 0;
    }
    for (let r = 0; r < 8; r++) {
      this.sets[r]!.clear(this.live.positions);
      this.saved[r] = false;
    }
  }

  // ---- what each value costs in memory, and where it would like to be ----

  private weigh(): void {
    this.flow.loopDepths(this.f, this.depths);
    for (let b = 0; b < this.f.blocks.length; b++) {
      let factor = 1;
      for (let k = 0; k < this.depths[b]! && k < 4; k++) factor *= 10;
      for (const i of this.f.blocks[b]!.insts) this.weighInst(i, factor);
    }
    const params = this.f.params;
    for (let k = 0; k < params.length; k++) this.add(params[k]!, -HARD);
  }

  private add(v: i32, cost: i32): void {
    if (v < 0) return;
    const x = this.values[v]!;
    if (x.weight < MAX_WEIGHT) x.weight += cost;
  }

  private weighInst(i: IrInst, factor: i32): void {
    const hard = HARD * factor;
    const soft = SOFT * factor;
    this.add(i.base, hard);
    this.add(i.index, hard);
    this.add(i.dst, i.op == Op.CONST ? soft : hard);
    this.add(i.dst2, hard);
    const asm = i.asm;
    if (asm != null) {
      for (const o of asm.operands) {
        if (o.vreg >= 0) this.values[o.vreg]!.flags = PINNED;
      }
    }
    const left = i.op == X_ARG || i.op == Op.CALLI || (i.useImm && (i.op == Op.CMP || i.op == Op.BR));
    this.add(i.a, left ? soft : i.op == Op.STORE || i.op == X_RMW ? hard : soft * 3);
    this.add(i.b, soft * 2);
    this.wishes(i);
  }

  private pair(x: i32, y: i32): void {
    if (x < 0 || y < 0) return;
    const vx = this.values[x]!;
    const vy = this.values[y]!;
    if (vx.partner < 0) vx.partner = y;
    if (vy.partner < 0) vy.partner = x;
  }

  private like(v: i32, reg: i32): void {
    if (v >= 0 && this.values[v]!.wish < 0) this.values[v]!.wish = reg;
  }

  private wishes(i: IrInst): void {
    switch (i.op) {
      case Op.CALL: case Op.CALLI:
        this.like(i.dst, EAX);
        this.like(i.dst2, EDX);
        break;
      case Op.RET:
        this.like(i.a, EAX);
        this.like(i.b, EDX);
        break;
      case Op.DIVS: case Op.DIVU:
        this.like(i.dst, EAX);
        this.like(i.a, EAX);
        break;
      case Op.REMS: case Op.REMU:
        this.like(i.dst, EDX);
        this.like(i.a, EAX);
        break;
      case X_MULWIDE:
        this.like(i.dst, EAX);
        this.like(i.dst2, EDX);
        this.like(i.a, EAX);
        break;
      case Op.SHL: case Op.SHRS: case Op.SHRU:
        this.like(i.b, ECX);
        this.pair(i.dst, i.a);
        break;
      case Op.CMP: case X_TEST: case X_SETC:
        this.needByte(i.dst);
        break;
      case Op.SEXT8: case Op.ZEXT8:
        this.needByte(i.a);
        this.pair(i.dst, i.a);
        break;
      case Op.STORE:
        if (i.width == 1) this.needByte(i.a);
        break;
      case X_RMW:
        if (i.width == 1) this.needByte(i.a);
        break;
      default:
        if (i.dst >= 0 && i.a >= 0) this.pair(i.dst, i.a);
    }
  }

  private needByte(v: i32): void {
    if (v >= 0) this.values[v]!.flags |= BYTE;
  }

  // ---- registers that instructions destroy ----

  private blockClobbers(): void {
    let at = 1;
    for (const b of this.f.blocks) {
      for (const i of b.insts) {
        this.clobbers(i, at * 4);
        at++;
      }
    }
  }

  private destroy(reg: i32, from: i32, to: i32): void {
    this.sets[reg]!.fill(from, to);
  }

  private clobbers(i: IrInst, at: i32): void {
    switch (i.op) {
      case Op.CALL: case Op.CALLI: case Op.ASM:
        this.destroy(EAX, at + 1, at + 2);
        this.destroy(ECX, at + 1, at + 2);
        this.destroy(EDX, at + 1, at + 2);
        break;
      case Op.DIVS: case Op.DIVU: case Op.REMS: case Op.REMU:
        if (i.type != T_I32) break;
        this.destroy(EAX, at + 1, at + 2);
        this.destroy(EDX, at + 1, at + 2);
        if (i.useImm) this.destroy(ECX, at + 1, at + 2);
        break;
      case X_MULWIDE:
        this.destroy(EAX, at + 1, at + 2);
        this.destroy(EDX, at + 1, at + 2);
        break;
      case Op.SHL: case Op.SHRS: case Op.SHRU:
        if (!i.useImm) this.destroy(ECX, at + 1, at + 4);
        break;
      default:
        break;
    }
  }

  // ---- allocation ----

  /** Order of service: cost per position of life, then by number. */
  private sortByDensity(): void {
    this.order.length = 0;
    this.keys.length = 0;
    const count = this.f.vregs.length;
    for (let v = 0; v < count; v++) {
      const x = this.values[v]!;
      const w = x.weight;
      if (w <= 0 || x.place == NOWHERE || (x.flags & PINNED) != 0) continue;
      const length = this.live.length(v) + 4;
      this.keys.push(w < 1000000 ? ((w * 1024) / length) | 0 : Math.imul((w / length) | 0, 1024) | 0);
      this.order.push(v);
    }
    this.sortRange(0, this.order.length - 1);
  }

  private sortRange(low: i32, high: i32): void {
    const order = this.order;
    const keys = this.keys;
    let from = low;
    let to = high;
    while (from < to) {
      const pivot = order[(from + to) >> 1]!;
      const key = keys[(from + to) >> 1]!;
      let i = from;
      let j = to;
      while (i <= j) {
        while (keys[i]! > key || (keys[i] == key && order[i]! < pivot)) i++;
        while (keys[j]! < key || (keys[j] == key && order[j]! > pivot)) j--;
        if (i > j) break;
        this.exchange(i, j);
        i++;
        j--;
      }
      if (j - from < to - i) {
        this.sortRange(from, j);
        from = i;
      } else {
        this.sortRange(i, to);
        to = j;
      }
    }
  }

  private exchange(i: i32, j: i32): void {
    const x = this.order[i]!;
    this.order[i] = this.order[j]!;
    this.order[j] = x;
    const key = this.keys[i]!;
    this.keys[i] = this.keys[j]!;
    this.keys[j] = key;
  }

  private fits(v: i32, reg: i32): bool {
    return this.fitsSet(v, this.sets[reg]!);
  }

  private fitsSet(v: i32, set: BitSet): bool {
    for (let r = this.live.first(v); r >= 0; r = this.live.next[r]!) {
      if (set.any(this.live.from[r]!, this.live.to[r]!)) return false;
    }
    return true;
  }

  private fillSet(v: i32, set: BitSet): void {
    for (let r = this.live.first(v); r >= 0; r = this.live.next[r]!) set.fill(this.live.from[r]!, this.live.to[r]!);
  }

  private assign(v: i32, reg: i32): void {
    this.values[v]!.place = reg;
    if (reg == EBX || reg == ESI || reg == EDI) this.saved[reg] = true;
    this.fillSet(v, this.sets[reg]!);
  }

  private allowed(v: i32, reg: i32): bool {
    if (reg < 0) return false;
    if ((reg == EBX || reg == ESI || reg == EDI) && !this.saved[reg]! && this.values[v]!.weight < SAVED_COST) return false;
    return this.fits(v, reg);
  }

  private allocate(v: i32): void {
    const wish = this.values[v]!.wish;
    if (this.allowed(v, wish)) {
      this.assign(v, wish);
      return;
    }
    const partner = this.values[v]!.partner;
    if (partner >= 0) {
      const reg = this.values[partner]!.place >= 0 ? this.values[partner]!.place : this.values[partner]!.wish;
      if (this.allowed(v, reg) && ((this.values[v]!.flags & BYTE) == 0 || reg < ESI)) {
        this.assign(v, reg);
        return;
      }
    }
    const reg = this.choose(v);
    if (reg >= 0) this.assign(v, reg);
  }

  private choose(v: i32): i32 {
    const partner = this.values[v]!.partner;
    if (partner >= 0 && this.values[partner]!.place == IN_FRAME && (this.values[partner]!.flags & PINNED) == 0 && !this.live.overlap(v, partner)) {
      for (let reg = EAX; reg <= EDI; reg++) {
        if (reg >= EBX && (reg < ESI || !this.saved[reg]!) && !(reg == EBX && this.saved[EBX]!)) continue;
        if (this.allowed(v, reg) && this.fits(partner, reg) && ((this.values[v]!.flags & BYTE) == 0 || reg < ESI)) return reg;
      }
    }
    if (this.allowed(v, EAX)) return EAX;
    if (this.allowed(v, EDX)) return EDX;
    if (this.allowed(v, ECX)) return ECX;
    if ((this.values[v]!.flags & BYTE) != 0) {
      if (this.allowed(v, EBX)) return EBX;
      if (this.allowed(v, ESI)) return ESI;
      return this.allowed(v, EDI) ? EDI : -1;
    }
    if (this.saved[ESI]! && this.fits(v, ESI)) return ESI;
    if (this.saved[EDI]! && this.fits(v, EDI)) return EDI;
    if (this.allowed(v, EBX)) return EBX;
    if (this.allowed(v, ESI)) return ESI;
    return this.allowed(v, EDI) ? EDI : -1;
  }

  // ---- the frame ----

  /** ebp+8.. parameters; ebp-4.. saved registers, then homes, then slots. */
  private layoutFrame(): void {
    let at = 8;
    const params = this.f.params;
    for (let k = 0; k < params.length; k++) {
      this.values[params[k]!]!.home = at;
      at += this.f.vregs[params[k]!] == T_I32 ? 4 : 8;
    }
    let offset = 0;
    for (let r = 0; r < 8; r++) {
      if (this.saved[r]!) offset -= 4;
    }
    const savedBytes = offset;
    this.homes = 0;
    for (let v = 0; v < this.f.vregs.length; v++) {
      if (this.values[v]!.place == IN_FRAME && this.values[v]!.home == 0 && !this.isLiteral(v)) offset = this.giveHome(v, offset);
    }
    this.slotAt.length = 0;
    for (const s of this.f.slots) {
      offset -= (s.size + 3) & -4;
      this.slotAt.push(offset);
    }
    this.frame = savedBytes - offset;
  }

  private isLiteral(v: i32): bool {
    return v < this.literal.length && this.literal[v] != "";
  }

  /** A home that no other value of the class uses at the same time, or a new one; returns the new end of the frame. */
  private giveHome(v: i32, end: i32): i32 {
    const size = this.f.vregs[v] == T_I32 ? 4 : 8;
    for (let k = 0; k < this.homes; k++) {
      if (this.homeSize[k] != size || !this.fitsSet(v, this.homeSets[k]!)) continue;
      this.fillSet(v, this.homeSets[k]!);
      this.values[v]!.home = this.homeAt[k]!;
      return end;
    }
    this.values[v]!.home = end - size;
    if (this.homes < SHARED_HOMES) this.openHome(v, size, end - size);
    return end - size;
  }

  private openHome(v: i32, size: i32, at: i32): void {
    const k = this.homes;
    if (k == this.homeSets.length) {
      this.homeSets.push(new BitSet());
      this.homeSize.push(0);
      this.homeAt.push(0);
    }
    this.homeSets[k]!.clear(this.live.positions);
    this.homeSize[k] = size;
    this.homeAt[k] = at;
    this.fillSet(v, this.homeSets[k]!);
    this.homes++;
  }

  /** Whether v is not needed behind instruction k, which reads it. */
  diesAt(v: i32, k: i32): bool {
    const at = k * 4 + 1;
    for (let r = this.live.first(v); r >= 0; r = this.live.next[r]!) {
      if (this.live.from[r]! <= at && at < this.live.to[r]!) return false;
    }
    return true;
  }
}

/** Whether an instruction still reads its right operand or address after it has begun to write its result. */
export function readsLate(i: IrInst): bool {
  if (i.dst < 0) return false;
  switch (i.op) {
    case Op.CMP: case X_TEST: case X_SETC: case Op.SHL: case Op.SHRS: case Op.SHRU:
      return false;
    case Op.SUB: case X_ADC: case X_SBB: case X_SUBC: case X_ADDC: case X_SHLD: case X_SHRD:
      return true;
    case Op.DIVS: case Op.DIVU: case Op.REMS: case Op.REMU: case X_MULWIDE:
      return true;
    default:
      return i.b == IN_MEMORY || (i.b >= 0 && !isCommutative(i.op) && !hasAddress(i));
  }
}

