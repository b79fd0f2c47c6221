// Machine code for one function after another. The order is: passes over the IR, register allocation, then this walk over
// the blocks, which gives every instruction its machine instructions and ends with short jumps and relocations in the text
// section. Frames: return address and parameters above ebp; saved registers, homes and slots below. Arguments of calls
// are pushed and stay on the stack until it pays to remove them together.
import { ASM_CONST, ASM_LOCAL, IrData, IrReloc, Op, SEC_RODATA, T_F64, T_I32 } from "./ir.ts";
import type { IrFunc, IrInst, IrModule } from "./ir.ts";
import { assemble, AsmEnv } from "../asm/assemble.ts";
import { genAlu, genCompare, genCompareHigh, genCompareLow, genDivide, genExtend, genMul, genMulWide, genSet, genShift,
  genShiftDouble, genTest, genUnary, settlePair, shiftOf, aluOf } from "./codegen-arith.ts";
import { genFloat, genFloatCompare, genFloatConversion, floatLoad, pushFloat } from "./codegen-float.ts";
import { Operands } from "./codegen-operand.ts";
import { Alu, Cc, CC_ALWAYS, EAX, EBP, EBX, EDI, EDX, ESI, ESP, Mem, RELOC_ABS, RELOC_REL, TextSection } from "./emit.ts";
import type { Diags } from "./diag.ts";
import { compact, IN_MEMORY, X_ADC, X_ADDC, X_ARG, X_BRC, X_BRTEST, X_CMPC, X_MULWIDE, X_RMW, X_SBB, X_SETC, X_SHLD, X_SHRD, X_SUBC,
  X_TEST } from "./irpasses-ops.ts";

const UNPOPPED_LIMIT: i32 = 64;    // bytes of arguments left on the stack before they are removed

export class Codegen {
  readonly text: TextSection = new TextSection();
  funcAt: i32[] = [];              // by function generated: offset in the text
  funcSize: i32[] = [];
  private g: Operands = new Operands();
  private m: IrModule;
  private diags: Diags;
  private f!: IrFunc;
  private labels: i32[] = [];      // by block
  private unpopped: i32 = 0;
  private tables: IrData[] = [];
  private tableLabels: i32[] = []; // label of each entry of the function's tables, in order
  private literals: Map<string, string> = new Map<string, string>();
  private tableCount: i32 = 0;

  constructor(m: IrModule, diags: Diags) {
    this.m = m;
    this.diags = diags;
  }

  /** Generate a function that has been through the passes. */
  run(f: IrFunc): void {
    this.f = f;
    this.g.f = f;
    this.g.code.clear();
    this.tables.length = 0;
    this.tableLabels.length = 0;
    this.alignText();
    if (f.naked) this.naked();
    else this.body();
    const start = this.g.code.finish(this.text, f.name);
    this.funcAt.push(start);
    this.funcSize.push(this.text.bytes.length - start);
    this.finishTables();
  }

  private alignText(): void {
    while ((this.text.bytes.length & 15) != 0) this.text.bytes.push(0x90);
  }

  private naked(): void {
    this.g.code.line(this.f.line);
    for (const b of this.f.blocks) {
      for (const i of b.insts) {
        this.g.code.line(i.line);
        if (i.op == Op.ASM) this.asm(i);
      }
    }
  }

  private body(): void {
    const g = this.g;
    this.findLiterals();
    g.alloc.run(this.f, g.literal);
    this.labels.length = 0;
    for (let b = 0; b < this.f.blocks.length; b++) this.labels.push(g.code.label());
    g.at = 0;
    g.held = -1;
    this.unpopped = 0;
    g.code.line(this.f.line);
    this.prologue();
    for (let b = 0; b < this.f.blocks.length; b++) this.block(b);
  }

  private block(b: i32): void {
    const g = this.g;
    g.code.bind(this.labels[b]!);
    g.flagsAt = -1;
    g.forgetCopies();
    const insts = this.f.blocks[b]!.insts;
    for (let k = 0; k < insts.length; k++) {
      const i = insts[k]!;
      g.at++;
      g.begin(i);
      g.code.line(i.line);
      if (k + 1 == insts.length) this.terminator(i, b + 1);
      else this.inst(i, insts[k + 1]!);
      g.release();
    }
    this.unpopped = 0;
  }

  // ---- constants of f64 ----

  /** An F64 register that is only ever one constant stands for that constant in memory. */
  private findLiterals(): void {
    const g = this.g;
    g.literal.length = 0;
    if (!this.hasFloatConstants()) return;
    const defs: i32[] = [];
    for (let v = 0; v < this.f.vregs.length; v++) {
      g.literal.push("");
      defs.push(0);
    }
    for (const b of this.f.blocks) {
      for (const i of b.insts) {
        if (i.dst >= 0) defs[i.dst] = defs[i.dst]! + 1;
      }
    }
    for (const p of this.f.params) defs[p] = 2;
    for (const b of this.f.blocks) {
      for (const i of b.insts) {
        if (i.op != Op.CONST || i.type != T_F64 || defs[i.dst] != 1) continue;
        g.literal[i.dst] = this.floatLiteral(i.imm, i.imm2);
        i.op = 0;
      }
      compact(b.insts);
    }
  }

  private hasFloatConstants(): bool {
    for (const b of this.f.blocks) {
      for (const i of b.insts) {
        if (i.op == Op.CONST && i.type == T_F64) return true;
      }
    }
    return false;
  }

  private floatLiteral(low: i32, high: i32): string {
    const name = `__f64.${high}.${low}`;
    if (this.literals.has(name)) return name;
    this.literals.set(name, name);
    const d = new IrData();
    d.name = name;
    d.section = SEC_RODATA;
    d.align = 4;
    for (let k = 0; k < 32; k += 8) d.bytes.push(((low >> k) & 255) as u8);
    for (let k = 0; k < 32; k += 8) d.bytes.push(((high >> k) & 255) as u8);
    d.size = 8;
    this.m.data.push(d);
    return name;
  }

  // ---- frame ----

  private prologue(): void {
    const code = this.g.code;
    const alloc = this.g.alloc;
    code.push(EBP);
    code.movRegReg(EBP, ESP);
    if (alloc.saved[EBX]!) code.push(EBX);
    if (alloc.saved[ESI]!) code.push(ESI);
    if (alloc.saved[EDI]!) code.push(EDI);
    if (alloc.frame > 0) code.aluRegImm(Alu.SUB, ESP, alloc.frame);
    for (const p of this.f.params) {
      if (alloc.isLive(p) && this.g.inReg(p)) code.movRegMem(this.g.place(p), this.g.home(p));
    }
  }

  private epilogue(): void {
    const code = this.g.code;
    const saved = this.g.alloc.saved;
    const count = (saved[EBX]! ? 1 : 0) + (saved[ESI]! ? 1 : 0) + (saved[EDI]! ? 1 : 0);
    const moved = this.g.alloc.frame > 0 || this.unpopped > 0;
    if (moved && count == 0) {
      code.byte(0xC9);
      code.byte(0xC3);
      return;
    }
    if (moved) code.lea(ESP, new Mem().set(EBP, -4 * count));
    if (saved[EDI]!) code.pop(EDI);
    if (saved[ESI]!) code.pop(ESI);
    if (saved[EBX]!) code.pop(EBX);
    code.pop(EBP);
    code.byte(0xC3);
  }

  private popArgs(): void {
    if (this.unpopped > 0) this.g.code.aluRegImm(Alu.ADD, ESP, this.unpopped);
    this.unpopped = 0;
  }

  // ---- instructions ----

  private inst(i: IrInst, next: IrInst): void {
    const g = this.g;
    if (i.type == T_F64 && i.op != Op.CMP && i.op != Op.CALL && i.op != Op.CALLI && i.op != X_ARG) {
      genFloat(g, i, next);
      return;
    }
    switch (i.op) {
      case Op.CONST: this.constant(i); break;
      case Op.MOV: this.move(i); break;
      case Op.ADD: case Op.SUB: case Op.AND: case Op.OR: case Op.XOR:
      case X_ADDC: case X_SUBC: case X_ADC: case X_SBB:
        genAlu(g, i);
        break;
      case Op.MUL: genMul(g, i); break;
      case Op.DIVS: case Op.DIVU: case Op.REMS: case Op.REMU: genDivide(g, i); break;
      case Op.SHL: case Op.SHRS: case Op.SHRU: genShift(g, i); break;
      case Op.NEG: case Op.NOT: genUnary(g, i); break;
      case Op.SEXT8: case Op.SEXT16: case Op.ZEXT8: case Op.ZEXT16: genExtend(g, i); break;
      case X_SHLD: case X_SHRD: genShiftDouble(g, i); break;
      case X_MULWIDE: genMulWide(g, i); break;
      case Op.CMP: this.compareValue(i); break;
      case X_TEST: genSet(g, i, genTest(g, i)); break;
      case X_CMPC:
        this.popArgs();
        genCompareLow(g, i);
        break;
      case X_SETC: genSet(g, i, genCompareHigh(g, i)); break;
      case Op.LOAD: this.load(i); break;
      case Op.STORE: this.store(i); break;
      case Op.LEA: this.lea(i); break;
      case X_RMW: this.update(i); break;
      case X_ARG: this.arg(i); break;
      case Op.CALL: case Op.CALLI: this.call(i); break;
      case Op.ASM:
        this.popArgs();
        this.asm(i);
        g.forgetCopies();
        break;
      default: genFloatConversion(g, i, next);
    }
  }

  private constant(i: IrInst): void {
    if (!this.g.inReg(i.dst)) this.g.code.movMemImm(this.g.home(i.dst), i.imm, 4);
    else if (i.imm == 0) this.g.code.zero(this.g.place(i.dst));
    else this.g.code.movRegImm(this.g.place(i.dst), i.imm);
  }

  private move(i: IrInst): void {
    const g = this.g;
    if (g.inReg(i.dst)) g.moveTo(g.place(i.dst), i.a);
    else if (i.dst != i.a) g.settle(i.dst, g.value(i.a));
  }

  private compareValue(i: IrInst): void {
    const g = this.g;
    if (i.type == T_I32) {
      genSet(g, i, genCompare(g, i));
      return;
    }
    const cc = genFloatCompare(g, i);
    if (cc != Cc.E && cc != Cc.NE) {
      genSet(g, i, cc);
      return;
    }
    const first = g.borrow(true);
    const second = g.borrow(true);
    g.code.setcc(cc, first);
    g.code.setcc(cc == Cc.E ? Cc.NP : Cc.P, second);
    g.code.alu(cc == Cc.E ? Alu.AND : Alu.OR, first, second);
    g.code.extend(first, first, 1, false);
    g.settle(i.dst, first);
  }

  private load(i: IrInst): void {
    const g = this.g;
    const m = g.address(i);
    const reg = g.target(i.dst);
    g.code.loadRegMem(reg, m, i.width, i.signed);
    g.settle(i.dst, reg);
  }

  private store(i: IrInst): void {
    const g = this.g;
    const m = g.address(i);
    if (i.useImm) {
      g.code.movMemImm(m, i.imm, i.width);
      return;
    }
    g.code.movMemReg(m, i.width == 1 ? g.byteValue(i.a) : g.value(i.a), i.width);
  }

  private lea(i: IrInst): void {
    const g = this.g;
    if (i.base < 0 && i.index < 0 && i.slot < 0) {
      if (g.inReg(i.dst)) {
        g.code.movRegSym(g.place(i.dst), i.sym, i.disp);
        return;
      }
    }
    const m = g.address(i);
    const reg = g.target(i.dst);
    if (m.base >= 0 && m.index < 0 && m.disp == 0 && m.sym == "") g.code.movRegReg(reg, m.base);
    else g.code.lea(reg, m);
    g.settle(i.dst, reg);
  }

  private update(i: IrInst): void {
    const g = this.g;
    const m = g.address(i);
    if (i.cond == Op.SHL) {
      g.code.shiftMem(shiftOf(i.cond), m, i.imm & 31, i.width);
    } else if (!i.useImm) {
      g.code.aluMemReg(aluOf(i.cond), m, i.width == 1 ? g.byteValue(i.a) : g.value(i.a), i.width);
    } else if (i.cond == Op.ADD && (i.imm == 1 || i.imm == -1)) {
      g.code.incMem(i.imm == 1 ? 0 : 1, m, i.width);
    } else {
      g.code.aluMemImm(aluOf(i.cond), m, i.imm, i.width);
    }
  }

  // ---- calls ----

  private arg(i: IrInst): void {
    const g = this.g;
    if (i.type == T_F64) pushFloat(g, i);
    else if (i.useImm) this.pushConstant(i);
    else if (i.a == IN_MEMORY) this.pushMemory(i);
    else if (g.inReg(i.a)) g.code.push(g.place(i.a));
    else g.code.pushMem(g.home(i.a));
  }

  private pushConstant(i: IrInst): void {
    if (i.sym != "") this.g.code.pushSym(i.sym, i.imm);
    else this.g.code.pushImm(i.imm);
  }

  /** When the address needs registers and none is free, the argument's place is made first and filled afterwards. */
  private pushMemory(i: IrInst): void {
    const g = this.g;
    const spilled = (i.base >= 0 && !g.inReg(i.base) ? 1 : 0) + (i.index >= 0 && !g.inReg(i.index) ? 1 : 0);
    if (spilled == 0 && (i.slot < 0 || i.base < 0 || i.index < 0)) {
      g.code.pushMem(g.address(i));
      return;
    }
    g.code.push(EAX);
    const m = g.address(i);
    const reg = g.borrow(false);
    g.code.movRegMem(reg, m);
    g.code.movMemReg(new Mem().set(ESP, g.pushedBytes()), reg, 4);
  }

  private call(i: IrInst): void {
    const g = this.g;
    g.destroyed = true;
    if (i.op == Op.CALL) g.code.callSym(i.sym);
    else if (i.a == IN_MEMORY) g.code.callMem(g.address(i));
    else if (g.inReg(i.a)) g.code.callReg(g.place(i.a));
    else g.code.callMem(g.home(i.a));
    if (i.type == T_F64) {
      if (i.dst < 0) g.code.x87(0xDD, 0xD8);
      else g.code.x87Mem(0xDD, 3, g.home(i.dst));
    } else if (i.dst >= 0) {
      settlePair(g, i.dst, i.dst2);
    }
    this.unpopped += i.imm;
    if (this.unpopped >= UNPOPPED_LIMIT) this.popArgs();
  }

  // ---- inline assembly ----

  private asm(i: IrInst): void {
    const asm = i.asm!;
    let text = asm.pieces[0]!;
    for (let k = 0; k < asm.operands.length; k++) {
      const o = asm.operands[k]!;
      if (o.kind == ASM_LOCAL) text = text + this.localText(o.vreg);
      else if (o.kind == ASM_CONST) text = text + `${o.imm}`;
      else text = text + o.sym;
      text = text + asm.pieces[k + 1]!;
    }
    const result = assemble(text, new AsmEnv());
    for (const e of result.errors) this.diags.error(null, 0, `${this.f.file}:${i.line + e.line}: asm: ${e.message}`);
    const code = this.g.code;
    const label = code.label();
    const start = code.size;
    code.bind(label);
    for (const b of result.bytes) code.byte(b as i32);
    for (const r of result.relocs) {
      if (r.symbol == "") code.labelAddress(start + r.offset, label, r.addend);
      else if (r.relative) code.relocs.add(start + r.offset, RELOC_REL, r.symbol, r.addend + 4);
      else code.relocs.add(start + r.offset, RELOC_ABS, r.symbol, r.addend);
    }
  }

  private localText(v: i32): string {
    const at = this.g.alloc.values[v]!.home;
    return at < 0 ? `dword ptr [ebp-${-at}]` : `dword ptr [ebp+${at}]`;
  }

  // ---- control ----

  private terminator(i: IrInst, next: i32): void {
    if (i.op == Op.RET) {
      this.returnValue(i);
      this.epilogue();
      return;
    }
    if (i.op == Op.TRAP) {
      this.g.code.byte(0x0F);
      this.g.code.byte(0x0B);
      return;
    }
    this.popArgs();
    switch (i.op) {
      case Op.JMP: this.jump(i.target0, next); break;
      case Op.BR:
        if (i.type == T_F64) this.floatBranch(i, next);
        else this.branch(i, genCompare(this.g, i), next);
        break;
      case X_BRTEST: this.branch(i, genTest(this.g, i), next); break;
      case X_BRC: this.branch(i, genCompareHigh(this.g, i), next); break;
      default: this.tableJump(i);
    }
  }

  private jump(target: i32, next: i32): void {
    if (target != next) this.g.code.jump(CC_ALWAYS, this.labels[target]!);
  }

  private branch(i: IrInst, cc: i32, next: i32): void {
    this.g.release();
    if (i.target0 == next) {
      this.g.code.jump(cc ^ 1, this.labels[i.target1]!);
      return;
    }
    this.g.code.jump(cc, this.labels[i.target0]!);
    this.jump(i.target1, next);
  }

  /** EQ must also be ordered; the negation of an order is not an order, so conditions are never reversed. */
  private floatBranch(i: IrInst, next: i32): void {
    const cc = genFloatCompare(this.g, i);
    this.g.release();
    const code = this.g.code;
    if (cc == Cc.E) {
      code.jump(Cc.P, this.labels[i.target1]!);
    } else if (cc == Cc.NE) {
      code.jump(Cc.P, this.labels[i.target0]!);
    }
    if (i.target0 == next) {
      code.jump(cc ^ 1, this.labels[i.target1]!);
      return;
    }
    code.jump(cc, this.labels[i.target0]!);
    this.jump(i.target1, next);
  }

  private returnValue(i: IrInst): void {
    const g = this.g;
    if (i.a < 0) {
      if (i.useImm) g.code.movRegImm(EAX, i.imm);
      return;
    }
    if (this.f.vregs[i.a] != T_I32) {
      floatLoad(g, i.a);
      return;
    }
    if (i.b >= 0 && g.inReg(i.b) && g.place(i.b) == EAX) {
      if (g.inReg(i.a) && g.place(i.a) == EDX) {
        g.code.byte(0x92);
        return;
      }
      g.moveTo(EDX, i.b);
      g.moveTo(EAX, i.a);
      return;
    }
    g.moveTo(EAX, i.a);
    if (i.b >= 0) g.moveTo(EDX, i.b);
  }

  private tableJump(i: IrInst): void {
    const g = this.g;
    const cases = i.cases!;
    const m = new Mem();
    const spill = !g.inReg(i.a) && g.idle(false) < 0;
    let reg = spill ? EAX : g.value(i.a);
    if (spill) {
      g.code.push(EAX);
      g.code.movRegMem(EAX, g.home(i.a));
    }
    if (i.imm != 0) {
      if (!spill && g.inReg(i.a)) {
        const other = g.idle(false);
        if (other >= 0) {
          g.code.lea(other, m.set(reg, -i.imm));
          reg = other;
        } else {
          this.tableCompare(i, reg);
          this.tableTarget(m, reg, cases, -i.imm);
          g.code.jumpMem(m);
          return;
        }
      } else {
        g.code.aluRegImm(Alu.SUB, reg, i.imm);
      }
    }
    g.code.aluRegImm(Alu.CMP, reg, cases.length);
    this.tableTarget(m, reg, cases, 0);
    if (!spill) {
      g.code.jump(Cc.AE, this.labels[i.target0]!);
      g.code.jumpMem(m);
      return;
    }
    const outside = g.code.label();
    g.code.jump(Cc.AE, outside);
    g.code.movRegMem(EAX, m);
    g.code.byte(0x87);
    g.code.modMem(EAX, new Mem().set(ESP, 0));
    g.code.byte(0xC3);
    g.code.bind(outside);
    g.code.pop(EAX);
    g.code.jump(CC_ALWAYS, this.labels[i.target0]!);
  }

  /** Range check of a value that must stay as it is. */
  private tableCompare(i: IrInst, reg: i32): void {
    const code = this.g.code;
    code.aluRegImm(Alu.CMP, reg, i.imm);
    code.jump(Cc.L, this.labels[i.target0]!);
    code.aluRegImm(Alu.CMP, reg, (i.imm + i.cases!.length - 1) | 0);
    code.jump(Cc.G, this.labels[i.target0]!);
  }

  private tableTarget(m: Mem, reg: i32, cases: i32[], offset: i32): void {
    const d = new IrData();
    d.name = `__table.${this.tableCount}`;
    this.tableCount++;
    d.section = SEC_RODATA;
    d.align = 4;
    for (let k = 0; k < cases.length; k++) {
      for (let byte = 0; byte < 4; byte++) d.bytes.push(0);
      this.tableLabels.push(this.labels[cases[k]!]!);
    }
    d.size = d.bytes.length;
    this.tables.push(d);
    m.set(-1, Math.imul(offset, 4));
    m.index = reg;
    m.scale = 4;
    m.sym = d.name;
  }

  /** Now that labels have offsets, fill the function's jump tables. */
  private finishTables(): void {
    let label = 0;
    for (const d of this.tables) {
      for (let at = 0; at < d.bytes.length; at += 4) {
        const r = new IrReloc();
        r.offset = at;
        r.sym = this.f.name;
        r.addend = this.g.code.offsetOf(this.tableLabels[label]!);
        d.relocs.push(r);
        label++;
      }
      this.m.data.push(d);
    }
  }
}
