// Where the operands of the instruction at hand are, and the machine registers it may borrow. A borrowed register is one that
// holds nothing at this instruction; when there is none, some register is pushed and popped again behind the instruction.
// A value that was loaded from its home or stored there may still be in a borrowed register when it is wanted next: within
// a block such copies are remembered, until the register or the home changes.
import { Op, T_I32 } from "./ir.ts";
import type { IrFunc, IrInst } from "./ir.ts";
import { Code, EAX, EBP, EBX, ECX, EDI, EDX, ESI, Mem } from "./emit.ts";
import { IN_MEMORY } from "./irpasses-ops.ts";
import { Allocator } from "./regalloc.ts";

/** Machine registers in the order in which they are borrowed. */
const PREFERENCE: i32[] = [EAX, EDX, ECX, EBX, ESI, EDI];
const BYTE_REGISTERS: i32 = 4;     // of them, those whose low byte can be named

export class Operands {
  f!: IrFunc;
  readonly code: Code = new Code();
  readonly alloc: Allocator = new Allocator();
  at: i32 = 0;                     // number of the instruction at hand, from 1
  literal: string[] = [];          // by register: symbol of the constant an F64 register always holds, or ""; may be shorter
  held: i32 = -1;                  // F64 register whose only copy is on top of the x87 stack, or -1
  flagsReg: i32 = -1;              // ZF tells whether this register is zero...
  flagsAt: i32 = -1;               // ...as long as the code ends here
  destroyed: bool = false;         // the instruction is a call: what it destroys may be borrowed before it
  private busy: i32 = 0;           // borrowed registers, a mask
  private inst!: IrInst;           // the instruction at hand
  private pushed: i32[] = [];
  private copied: i32[] = [-1, -1, -1, -1, -1, -1, -1, -1];  // by machine register: whose copy it may hold, or -1
  private copiedAt: i32[] = [0, 0, 0, 0, 0, 0, 0, 0];        // number of the instruction since which it does
  private copies: i32 = 0;         // registers that may hold one
  private memory: Mem = new Mem();
  private homeMemory: Mem = new Mem();

  place(v: i32): i32 {
    return this.alloc.values[v]!.place;
  }

  inReg(v: i32): bool {
    return this.alloc.values[v]!.place >= 0;
  }

  /** The home of a value in the frame. The operand is overwritten by the next call. */
  home(v: i32): Mem {
    const m = this.homeMemory.set(EBP, this.alloc.values[v]!.home);
    if (v < this.literal.length && this.f.vregs[v] != T_I32 && this.literal[v] != "") {
      m.base = -1;
      m.disp = 0;
      m.sym = this.literal[v]!;
    }
    return m;
  }

  // ---- borrowed registers ----

  /** Start with instruction i. */
  begin(i: IrInst): void {
    this.busy = 0;
    this.destroyed = false;
    this.inst = i;
    if (this.copies == 0) return;
    if (i.dst >= 0) this.forgetCopy(i.dst);
    if (i.dst2 >= 0) this.forgetCopy(i.dst2);
  }

  // ---- copies of homes ----

  /** Start with another block, or behind assembly. */
  forgetCopies(): void {
    for (let reg = EAX; reg <= EDI && this.copies > 0; reg++) this.overwrite(reg);
  }

  private overwrite(reg: i32): void {
    const v = this.copied[reg]!;
    if (v < 0) return;
    this.alloc.values[v]!.copy = -1;
    this.copied[reg] = -1;
    this.copies--;
  }

  private forgetCopy(v: i32): void {
    const reg = this.alloc.values[v]!.copy;
    if (reg >= 0) this.overwrite(reg);
  }

  /** Home and register hold the same from the next instruction on. */
  private noteCopy(v: i32, reg: i32): void {
    if (this.pushed.length > 0) return;
    this.forgetCopy(v);
    this.overwrite(reg);
    this.copied[reg] = v;
    this.copies++;
    this.copiedAt[reg] = this.at + 1;
    this.alloc.values[v]!.copy = reg;
  }

  /** A register that holds what is in the home of v, or -1. */
  private copyOf(v: i32): i32 {
    const reg = this.alloc.values[v]!.copy;
    return reg >= 0 && this.alloc.wasFree(reg, this.copiedAt[reg]!, this.at, this.inst.op == Op.LOAD) ? reg : -1;
  }

  /** The registers that the instruction at hand names, a mask. */
  private named(): i32 {
    const i = this.inst;
    return this.bit(i.dst) | this.bit(i.dst2) | this.bit(i.a) | this.bit(i.b) | this.bit(i.base) | this.bit(i.index);
  }

  private bit(v: i32): i32 {
    return v >= 0 && this.inReg(v) ? 1 << this.place(v) : 0;
  }

  /** Keep a register from being borrowed by this instruction. */
  reserve(reg: i32): void {
    this.busy = this.busy | (1 << reg);
  }

  private isIdle(reg: i32): bool {
    if ((this.busy & (1 << reg)) != 0) return false;
    if (this.destroyed && reg < EBX) return (this.named() & (1 << reg)) == 0;
    if (reg >= EBX && !this.alloc.saved[reg]!) return false;
    return this.alloc.isFree(reg, this.at);
  }

  /** A register that is free at this instruction, rather one that holds no copy; or -1. */
  idle(byte: bool): i32 {
    if (this.copies > 0) {
      const clean = this.firstIdle(byte, true);
      if (clean >= 0) return clean;
    }
    return this.firstIdle(byte, false);
  }

  private firstIdle(byte: bool, clean: bool): i32 {
    const count = byte ? BYTE_REGISTERS : PREFERENCE.length;
    for (let k = 0; k < count; k++) {
      const reg = PREFERENCE[k]!;
      if ((!clean || this.copied[reg]! < 0) && this.isIdle(reg)) return reg;
    }
    return -1;
  }

  /** Borrow a register until `release`; `byte`: one whose low byte can be named. */
  borrow(byte: bool): i32 {
    let reg = this.idle(byte);
    if (reg < 0) {
      const taken = this.busy | this.named();
      reg = (taken & 1) == 0 ? EAX : (taken & 2) == 0 ? ECX : (taken & 4) == 0 ? EDX : EBX;
      if ((taken & 15) == 15) reg = (taken & (1 << ESI)) == 0 ? ESI : EDI;
      this.code.push(reg);
      this.pushed.push(reg);
    }
    this.overwrite(reg);
    this.busy = this.busy | (1 << reg);
    return reg;
  }

  pushedBytes(): i32 {
    return this.pushed.length * 4;
  }

  /** Give all borrowed registers back. */
  release(): void {
    while (this.pushed.length > 0) this.code.pop(this.pushed.pop()!);
    this.busy = 0;
  }

  // ---- values ----

  /** A register that holds v, which may be a borrowed one. */
  value(v: i32): i32 {
    if (this.inReg(v)) return this.place(v);
    const copy = this.copyOf(v);
    if (copy >= 0) {
      this.reserve(copy);
      return copy;
    }
    const reg = this.borrow(false);
    this.code.movRegMem(reg, this.home(v));
    this.noteCopy(v, reg);
    return reg;
  }

  /** The same, with a low byte that can be named. */
  byteValue(v: i32): i32 {
    if (this.inReg(v) && this.place(v) < 4) return this.place(v);
    const reg = this.borrow(true);
    this.moveTo(reg, v);
    return reg;
  }

  /** reg = v */
  moveTo(reg: i32, v: i32): void {
    if (this.inReg(v)) this.code.movRegReg(reg, this.place(v));
    else this.code.movRegMem(reg, this.home(v));
  }

  /** The register to compute a result in; `settle` puts it where it belongs. */
  target(dst: i32): i32 {
    return dst >= 0 && this.inReg(dst) ? this.place(dst) : this.borrow(false);
  }

  settle(dst: i32, reg: i32): void {
    if (dst < 0) return;
    if (this.inReg(dst)) {
      this.code.movRegReg(this.place(dst), reg);
    } else {
      this.code.movMemReg(this.home(dst), reg, 4);
      this.noteCopy(dst, reg);
    }
  }

  // ---- memory operands ----

  /** The memory operand of instruction i. Overwritten by the next call. */
  address(i: IrInst): Mem {
    const m = this.memory;
    const base = i.base >= 0 ? this.value(i.base) : -1;
    const index = i.index >= 0 ? this.value(i.index) : -1;
    m.set(base, i.disp);
    m.index = index;
    m.scale = i.scale;
    m.sym = i.sym;
    if (i.slot >= 0) this.addSlot(m, i.slot);
    return m;
  }

  private addSlot(m: Mem, slot: i32): void {
    m.disp = (m.disp + this.alloc.slotAt[slot]!) | 0;
    if (m.base < 0) {
      m.base = EBP;
      return;
    }
    if (m.index < 0) {
      m.index = m.base;
      m.scale = 1;
      m.base = EBP;
      return;
    }
    const base = m.base;
    const reg = this.borrow(false);
    m.base = EBP;
    this.code.lea(reg, m);
    m.set(base, 0);
    m.index = reg;
  }

  /** The right operand as memory: what the address fields say, or its home. */
  rightMemory(i: IrInst): Mem {
    return i.b == IN_MEMORY ? this.address(i) : this.home(i.b);
  }

  // ---- flags ----

  /** The code so far ends with an operation that set ZF by this register. */
  noteFlags(reg: i32): void {
    this.flagsReg = reg;
    this.flagsAt = this.code.size;
  }

  flagsHold(reg: i32): bool {
    return this.flagsReg == reg && this.flagsAt == this.code.size;
  }
}
