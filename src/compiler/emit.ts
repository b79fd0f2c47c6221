// Machine code of one function: bytes of i386 instructions, the places that need the address of a symbol, labels and
// jumps. Jumps are kept apart from the bytes until `finish`, which gives each its shortest form and joins everything.
// Nothing here knows the intermediate representation.

export const EAX: i32 = 0;
export const ECX: i32 = 1;
export const EDX: i32 = 2;
export const EBX: i32 = 3;
export const ESP: i32 = 4;
export const EBP: i32 = 5;
export const ESI: i32 = 6;
export const EDI: i32 = 7;

/** The eight operations of opcode groups 00-3F and 80-83. */
export enum Alu { ADD = 0, OR = 1, ADC = 2, SBB = 3, AND = 4, SUB = 5, XOR = 6, CMP = 7 }

/** Condition codes as in Jcc, SETcc and CMOVcc. */
export enum Cc { O = 0, NO = 1, B = 2, AE = 3, E = 4, NE = 5, BE = 6, A = 7, S = 8, NS = 9, P = 10, NP = 11, L = 12, GE = 13, LE = 14, G = 15 }

export const CC_ALWAYS: i32 = 16;

export const RELOC_ABS: i32 = 0;   // the word becomes symbol + addend
export const RELOC_REL: i32 = 1;   // the word becomes symbol + addend - address of the word's end

/** Words of code that wait for the addresses of symbols. */
export class Relocs {
  at: i32[] = [];
  kind: i32[] = [];
  sym: string[] = [];
  addend: i32[] = [];

  add(at: i32, kind: i32, sym: string, addend: i32): void {
    this.at.push(at);
    this.kind.push(kind);
    this.sym.push(sym);
    this.addend.push(addend);
  }

  clear(): void {
    empty(this.at);
    empty(this.kind);
    if (this.sym.length > 0) this.sym.length = 0;
    empty(this.addend);
  }
}

/** Symbols by number, in the order of their first mention. */
export class SymbolTable {
  private ids: Map<string, i32> = new Map<string, i32>();
  private names: string[] = [];

  id(name: string): i32 {
    if (this.ids.has(name)) return this.ids.get(name)!;
    const id = this.names.length;
    this.names.push(name);
    this.ids.set(name, id);
    return id;
  }

  name(id: i32): string {
    return this.names[id]!;
  }
}

/** The same in the text section, with symbols by number. */
export class TextRelocs {
  at: i32[] = [];
  kind: i32[] = [];
  sym: i32[] = [];
  addend: i32[] = [];

  add(at: i32, kind: i32, sym: i32, addend: i32): void {
    this.at.push(at);
    this.kind.push(kind);
    this.sym.push(sym);
    this.addend.push(addend);
  }
}

/** A memory operand: [sym + base + index * scale + disp]; base and index are registers or -1. */
export class Mem {
  base: i32 = -1;
  index: i32 = -1;
  scale: i32 = 1;
  disp: i32 = 0;
  sym: string = "";

  set(base: i32, disp: i32): Mem {
    this.base = base;
    this.index = -1;
    this.scale = 1;
    this.disp = disp;
    this.sym = "";
    return this;
  }

  /** Whether the operand reads this register for its address. */
  uses(reg: i32): bool {
    return this.base == reg || this.index == reg;
  }
}

/** Empty a list that is kept for reuse. */
function empty(list: i32[]): void {
  if (list.length > 0) list.length = 0;
}

function isByte(n: i32): bool {
  return n >= -128 && n <= 127;
}

function scaleBits(scale: i32): i32 {
  if (scale == 8) return 3;
  if (scale == 4) return 2;
  return scale == 2 ? 1 : 0;
}

/** Where a finished function goes: the text section. */
export class TextSection {
  bytes: u8[] = [];
  readonly relocs: TextRelocs = new TextRelocs();
  readonly symbols: SymbolTable = new SymbolTable();
  lineAt: i32[] = [];
  lineNumber: i32[] = [];
}

export class Code {
  size: i32 = 0;                    // bytes so far
  private bytes: u8[] = [];
  readonly relocs: Relocs = new Relocs();
  private localAt: i32[] = [];      // words that hold the address of a label plus a number
  private localLabel: i32[] = [];
  private localAddend: i32[] = [];
  private labelRaw: i32[] = [];     // by label: offset in bytes, or -1
  private labelJumps: i32[] = [];   // by label: jumps before it
  private jumpAt: i32[] = [];
  private jumpCc: i32[] = [];
  private jumpLabel: i32[] = [];
  private jumpSize: i32[] = [];
  private before: i32[] = [];       // by jump: size of all jumps before it
  private lineAt: i32[] = [];
  private lineJumps: i32[] = [];
  private lineNumber: i32[] = [];

  clear(): void {
    this.size = 0;
    this.relocs.clear();
    empty(this.localAt);
    empty(this.localLabel);
    empty(this.localAddend);
    empty(this.labelRaw);
    empty(this.labelJumps);
    empty(this.jumpAt);
    empty(this.jumpCc);
    empty(this.jumpLabel);
    empty(this.jumpSize);
    empty(this.before);
    empty(this.lineAt);
    empty(this.lineJumps);
    empty(this.lineNumber);
  }

  // ---- bytes ----

  byte(n: i32): void {
    const at = this.size;
    const bytes = this.bytes;
    this.size = at + 1;
    if (at < bytes.length) bytes[at] = (n & 255) as u8;
    else bytes.push((n & 255) as u8);
  }

  word(n: i32): void {
    this.byte(n);
    this.byte(n >> 8);
  }

  long(n: i32): void {
    this.byte(n);
    this.byte(n >> 8);
    this.byte(n >> 16);
    this.byte(n >> 24);
  }

  /** A word holding sym + addend, or just the number when sym is empty. */
  address(sym: string, addend: i32): void {
    if (sym == "") {
      this.long(addend);
      return;
    }
    this.relocs.add(this.size, RELOC_ABS, sym, addend);
    this.long(0);
  }

  /** The ModRM byte and what follows it, for a memory operand. */
  modMem(reg: i32, m: Mem): void {
    const r = reg << 3;
    let base = m.base;
    let index = m.index;
    if (base < 0 && index >= 0 && m.scale == 1) {
      base = index;
      index = -1;
    }
    if (base < 0) {
      if (index < 0) {
        this.byte(r | 5);
      } else {
        this.byte(r | 4);
        this.byte((scaleBits(m.scale) << 6) | (index << 3) | 5);
      }
      this.address(m.sym, m.disp);
      return;
    }
    let mod = 2;
    if (m.sym == "" && isByte(m.disp)) mod = m.disp == 0 && base != EBP ? 0 : 1;
    if (index >= 0 || base == ESP) {
      this.byte((mod << 6) | r | 4);
      this.byte((scaleBits(m.scale) << 6) | ((index < 0 ? 4 : index) << 3) | base);
    } else {
      this.byte((mod << 6) | r | base);
    }
    if (mod == 1) this.byte(m.disp);
    if (mod == 2) this.address(m.sym, m.disp);
  }

  modReg(reg: i32, rm: i32): void {
    this.byte(0xC0 | (reg << 3) | rm);
  }

  // ---- moves ----

  movRegReg(dst: i32, src: i32): void {
    if (dst == src) return;
    this.byte(0x89);
    this.modReg(src, dst);
  }

  /** dst = imm, leaving the flags alone. */
  movRegImm(dst: i32, imm: i32): void {
    this.byte(0xB8 | dst);
    this.long(imm);
  }

  movRegSym(dst: i32, sym: string, addend: i32): void {
    this.byte(0xB8 | dst);
    this.address(sym, addend);
  }

  zero(dst: i32): void {
    this.byte(0x31);
    this.modReg(dst, dst);
  }

  movRegMem(dst: i32, m: Mem): void {
    if (dst == EAX && m.base < 0 && m.index < 0) {
      this.byte(0xA1);
      this.address(m.sym, m.disp);
      return;
    }
    this.byte(0x8B);
    this.modMem(dst, m);
  }

  /** Load of `width` bytes, widened. */
  loadRegMem(dst: i32, m: Mem, width: i32, signed: bool): void {
    if (width == 4) {
      this.movRegMem(dst, m);
      return;
    }
    this.byte(0x0F);
    this.byte((signed ? 0xBE : 0xB6) | (width == 2 ? 1 : 0));
    this.modMem(dst, m);
  }

  /** dst = the low byte (width 1; src below ESP) or word of src, widened. */
  extend(dst: i32, src: i32, width: i32, signed: bool): void {
    this.byte(0x0F);
    this.byte((signed ? 0xBE : 0xB6) | (width == 2 ? 1 : 0));
    this.modReg(dst, src);
  }

  /** Store the low `width` bytes of src (width 1: src below ESP). */
  movMemReg(m: Mem, src: i32, width: i32): void {
    if (width == 2) this.byte(0x66);
    if (width == 4 && src == EAX && m.base < 0 && m.index < 0) {
      this.byte(0xA3);
      this.address(m.sym, m.disp);
      return;
    }
    this.byte(width == 1 ? 0x88 : 0x89);
    this.modMem(src, m);
  }

  movMemImm(m: Mem, imm: i32, width: i32): void {
    if (width == 2) this.byte(0x66);
    this.byte(width == 1 ? 0xC6 : 0xC7);
    this.modMem(0, m);
    this.immediate(imm, width);
  }

  private immediate(imm: i32, width: i32): void {
    if (width == 1) this.byte(imm);
    else if (width == 2) this.word(imm);
    else this.long(imm);
  }

  lea(dst: i32, m: Mem): void {
    this.byte(0x8D);
    this.modMem(dst, m);
  }

  // ---- integer arithmetic ----

  alu(op: i32, dst: i32, src: i32): void {
    this.byte((op << 3) | 1);
    this.modReg(src, dst);
  }

  aluRegMem(op: i32, dst: i32, m: Mem): void {
    this.byte((op << 3) | 3);
    this.modMem(dst, m);
  }

  aluMemReg(op: i32, m: Mem, src: i32, width: i32): void {
    if (width == 2) this.byte(0x66);
    this.byte((op << 3) | (width == 1 ? 0 : 1));
    this.modMem(src, m);
  }

  aluRegImm(op: i32, dst: i32, imm: i32): void {
    if (isByte(imm)) {
      this.byte(0x83);
      this.modReg(op, dst);
      this.byte(imm);
      return;
    }
    if (dst == EAX) {
      this.byte((op << 3) | 5);
    } else {
      this.byte(0x81);
      this.modReg(op, dst);
    }
    this.long(imm);
  }

  aluMemImm(op: i32, m: Mem, imm: i32, width: i32): void {
    if (width == 2) this.byte(0x66);
    const small = width != 1 && isByte(imm);
    this.byte(width == 1 ? 0x80 : small ? 0x83 : 0x81);
    this.modMem(op, m);
    this.immediate(imm, small ? 1 : width);
  }

  testRegReg(a: i32, b: i32): void {
    this.byte(0x85);
    this.modReg(b, a);
  }

  testRegImm(a: i32, imm: i32): void {
    if (a < 4 && imm >= 0 && imm <= 127) {
      this.byte(a == EAX ? 0xA8 : 0xF6);
      if (a != EAX) this.modReg(0, a);
      this.byte(imm);
      return;
    }
    this.byte(a == EAX ? 0xA9 : 0xF7);
    if (a != EAX) this.modReg(0, a);
    this.long(imm);
  }

  testMemImm(m: Mem, imm: i32, width: i32): void {
    if (width == 2) this.byte(0x66);
    this.byte(width == 1 ? 0xF6 : 0xF7);
    this.modMem(0, m);
    this.immediate(imm, width);
  }

  testMemReg(m: Mem, reg: i32): void {
    this.byte(0x85);
    this.modMem(reg, m);
  }

  /** Group F7: 2 not, 3 neg, 4 mul, 5 imul, 6 div, 7 idiv. */
  group3(which: i32, reg: i32): void {
    this.byte(0xF7);
    this.modReg(which, reg);
  }

  group3Mem(which: i32, m: Mem): void {
    this.byte(0xF7);
    this.modMem(which, m);
  }

  inc(reg: i32): void {
    this.byte(0x40 | reg);
  }

  dec(reg: i32): void {
    this.byte(0x48 | reg);
  }

  /** Group FE/FF: 0 inc, 1 dec. */
  incMem(which: i32, m: Mem, width: i32): void {
    if (width == 2) this.byte(0x66);
    this.byte(width == 1 ? 0xFE : 0xFF);
    this.modMem(which, m);
  }

  imulRegReg(dst: i32, src: i32): void {
    this.byte(0x0F);
    this.byte(0xAF);
    this.modReg(dst, src);
  }

  imulRegMem(dst: i32, m: Mem): void {
    this.byte(0x0F);
    this.byte(0xAF);
    this.modMem(dst, m);
  }

  imulRegRegImm(dst: i32, src: i32, imm: i32): void {
    this.byte(isByte(imm) ? 0x6B : 0x69);
    this.modReg(dst, src);
    this.immediate(imm, isByte(imm) ? 1 : 4);
  }

  imulRegMemImm(dst: i32, m: Mem, imm: i32): void {
    this.byte(isByte(imm) ? 0x6B : 0x69);
    this.modMem(dst, m);
    this.immediate(imm, isByte(imm) ? 1 : 4);
  }

  /** Shift group C1/D3: 4 shl, 5 shr, 7 sar; count < 0 is cl. */
  shift(which: i32, reg: i32, count: i32): void {
    this.byte(count < 0 ? 0xD3 : count == 1 ? 0xD1 : 0xC1);
    this.modReg(which, reg);
    if (count > 1) this.byte(count);
  }

  shiftMem(which: i32, m: Mem, count: i32, width: i32): void {
    if (width == 2) this.byte(0x66);
    const wide = width == 1 ? 0 : 1;
    this.byte((count < 0 ? 0xD2 : count == 1 ? 0xD0 : 0xC0) | wide);
    this.modMem(which, m);
    if (count > 1) this.byte(count);
  }

  /** shld (left) or shrd: dst is filled with bits of src. */
  shiftDouble(left: bool, dst: i32, src: i32, count: i32): void {
    this.byte(0x0F);
    this.byte(left ? 0xA4 : 0xAC);
    this.modReg(src, dst);
    this.byte(count);
  }

  cdq(): void {
    this.byte(0x99);
  }

  setcc(cc: i32, reg: i32): void {
    this.byte(0x0F);
    this.byte(0x90 | cc);
    this.modReg(0, reg);
  }

  // ---- stack ----

  push(reg: i32): void {
    this.byte(0x50 | reg);
  }

  pop(reg: i32): void {
    this.byte(0x58 | reg);
  }

  pushImm(imm: i32): void {
    this.byte(isByte(imm) ? 0x6A : 0x68);
    this.immediate(imm, isByte(imm) ? 1 : 4);
  }

  pushSym(sym: string, addend: i32): void {
    this.byte(0x68);
    this.address(sym, addend);
  }

  pushMem(m: Mem): void {
    this.byte(0xFF);
    this.modMem(6, m);
  }

  // ---- x87: escape byte D8+n and the reg field ----

  x87Mem(escape: i32, reg: i32, m: Mem): void {
    this.byte(escape);
    this.modMem(reg, m);
  }

  x87(first: i32, second: i32): void {
    this.byte(first);
    this.byte(second);
  }

  // ---- control ----

  callSym(sym: string): void {
    this.byte(0xE8);
    this.relocs.add(this.size, RELOC_REL, sym, 0);
    this.long(0);
  }

  callReg(reg: i32): void {
    this.byte(0xFF);
    this.modReg(2, reg);
  }

  callMem(m: Mem): void {
    this.byte(0xFF);
    this.modMem(2, m);
  }

  jumpMem(m: Mem): void {
    this.byte(0xFF);
    this.modMem(4, m);
  }

  label(): i32 {
    this.labelRaw.push(-1);
    this.labelJumps.push(0);
    return this.labelRaw.length - 1;
  }

  bind(label: i32): void {
    this.labelRaw[label] = this.size;
    this.labelJumps[label] = this.jumpAt.length;
  }

  /** Jump to a label when the condition holds; CC_ALWAYS jumps in any case. */
  jump(cc: i32, label: i32): void {
    this.jumpAt.push(this.size);
    this.jumpCc.push(cc);
    this.jumpLabel.push(label);
    this.jumpSize.push(2);
  }

  /** The word at offset `at` becomes the address of a label plus a number. */
  labelAddress(at: i32, label: i32, addend: i32): void {
    this.localAt.push(at);
    this.localLabel.push(label);
    this.localAddend.push(addend);
  }

  /** The code from here on belongs to a source line. */
  line(n: i32): void {
    const last = this.lineNumber.length - 1;
    if (n <= 0 || (last >= 0 && this.lineNumber[last]! == n)) return;
    this.lineAt.push(this.size);
    this.lineJumps.push(this.jumpAt.length);
    this.lineNumber.push(n);
  }

  // ---- joining ----

  /** After `finish`: offset of a label in the function. */
  offsetOf(label: i32): i32 {
    return this.labelRaw[label]! + this.before[this.labelJumps[label]!]!;
  }

  private measure(): void {
    let sum = 0;
    empty(this.before);
    for (let i = 0; i < this.jumpSize.length; i++) {
      this.before.push(sum);
      sum += this.jumpSize[i]!;
    }
    this.before.push(sum);
  }

  private distance(jump: i32): i32 {
    const end = this.jumpAt[jump]! + this.before[jump]! + this.jumpSize[jump]!;
    return this.offsetOf(this.jumpLabel[jump]!) - end;
  }

  private grow(): bool {
    let grown = false;
    for (let i = 0; i < this.jumpSize.length; i++) {
      if (this.jumpSize[i]! != 2 || isByte(this.distance(i))) continue;
      this.jumpSize[i] = this.jumpCc[i]! == CC_ALWAYS ? 5 : 6;
      grown = true;
    }
    return grown;
  }

  private writeJump(out: u8[], i: i32): void {
    const cc = this.jumpCc[i]!;
    const d = this.distance(i);
    if (this.jumpSize[i]! == 2) {
      out.push(((cc == CC_ALWAYS ? 0xEB : 0x70 | cc) & 255) as u8);
      out.push((d & 255) as u8);
      return;
    }
    if (cc == CC_ALWAYS) {
      out.push(0xE9);
    } else {
      out.push(0x0F);
      out.push(((0x80 | cc) & 255) as u8);
    }
    for (let shift = 0; shift < 32; shift += 8) out.push(((d >> shift) & 255) as u8);
  }

  /** Append the function, whose symbol is `name`, to the text section; returns its offset there. */
  finish(text: TextSection, name: string): i32 {
    this.measure();
    while (this.grow()) this.measure();
    const start = text.bytes.length;
    const out = text.bytes;
    const bytes = this.bytes;
    let from = 0;
    for (let jump = 0; jump < this.jumpAt.length; jump++) {
      const end = this.jumpAt[jump]!;
      for (let i = from; i < end; i++) out.push(bytes[i]!);
      this.writeJump(out, jump);
      from = end;
    }
    for (let i = from; i < this.size; i++) out.push(bytes[i]!);
    this.finishRelocs(text, start);
    if (this.localAt.length > 0) this.finishLocals(text, start, name);
    for (let i = 0; i < this.lineAt.length; i++) {
      text.lineAt.push(start + this.lineAt[i]! + this.before[this.lineJumps[i]!]!);
      text.lineNumber.push(this.lineNumber[i]!);
    }
    return start;
  }

  private finishRelocs(text: TextSection, start: i32): void {
    const from = this.relocs;
    let jump = 0;
    for (let i = 0; i < from.at.length; i++) {
      const at = from.at[i]!;
      while (jump < this.jumpAt.length && this.jumpAt[jump]! <= at) jump++;
      text.relocs.add(start + at + this.before[jump]!, from.kind[i]!, text.symbols.id(from.sym[i]!), from.addend[i]!);
    }
  }

  private finishLocals(text: TextSection, start: i32, name: string): void {
    const sym = text.symbols.id(name);
    for (let i = 0; i < this.localAt.length; i++) {
      const at = this.localAt[i]!;
      let jump = 0;
      while (jump < this.jumpAt.length && this.jumpAt[jump]! <= at) jump++;
      text.relocs.add(start + at + this.before[jump]!, RELOC_ABS, sym, this.offsetOf(this.localLabel[i]!) + this.localAddend[i]!);
    }
  }
}
