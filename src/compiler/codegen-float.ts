// f64 on the x87. Values live in their homes; an operation loads one operand, combines and stores. When the next instruction
// needs the value just computed, it also stays on the x87 stack, and is not stored at all if nobody else needs it.
import { Cond, Op, T_F64 } from "./ir.ts";
import type { IrInst } from "./ir.ts";
import { Cc, ESP, Mem } from "./emit.ts";
import type { Operands } from "./codegen-operand.ts";
import { IN_MEMORY } from "./irpasses-ops.ts";

const FADD: i32 = 0;
const FMUL: i32 = 1;
const FSUB: i32 = 4;
const FDIV: i32 = 6;

/** Push v on the x87 stack. */
export function floatLoad(g: Operands, v: i32): void {
  if (g.held == v) {
    g.held = -1;
    return;
  }
  g.code.x87Mem(0xDD, 0, g.home(v));
}

/** Pop the x87 stack into dst, or keep it there for the next instruction. */
function floatStore(g: Operands, dst: i32, next: IrInst | null): void {
  if (dst >= 0 && next != null && canHold(next, dst)) {
    if (!g.alloc.diesAt(dst, g.at + 1)) g.code.x87Mem(0xDD, 2, g.home(dst));
    g.held = dst;
    return;
  }
  if (dst < 0) g.code.x87(0xDD, 0xD8);
  else g.code.x87Mem(0xDD, 3, g.home(dst));
}

/** Whether an instruction takes v from the top of the x87 stack. */
function canHold(i: IrInst, v: i32): bool {
  if (i.type != T_F64) return false;
  switch (i.op) {
    case Op.ADD: case Op.SUB: case Op.MUL: case Op.DIVS: return i.a == v || i.b == v;
    case Op.NEG: case Op.SQRT: case Op.STORE: case Op.MOV: case Op.RET: return i.a == v;
    default: return false;
  }
}

function arithmeticOf(op: i32): i32 {
  if (op == Op.ADD) return FADD;
  if (op == Op.MUL) return FMUL;
  return op == Op.SUB ? FSUB : FDIV;
}

/** a op b; an operand may be on the stack already. The reversed forms of FSUB and FDIV are one further. */
function arithmetic(g: Operands, i: IrInst): void {
  const op = arithmeticOf(i.op);
  if (i.a == i.b && i.b >= 0) {
    floatLoad(g, i.a);
    g.code.x87(0xD8, 0xC0 | (op << 3));
  } else if (g.held == i.b && i.b >= 0) {
    g.held = -1;
    g.code.x87Mem(0xDC, op == FSUB || op == FDIV ? op + 1 : op, g.home(i.a));
  } else {
    floatLoad(g, i.a);
    g.code.x87Mem(0xDC, op, g.rightMemory(i));
  }
}

/** Generate an instruction of class F64 (not a comparison). */
export function genFloat(g: Operands, i: IrInst, next: IrInst | null): void {
  switch (i.op) {
    case Op.CONST: constant(g, i); break;
    case Op.MOV:
      if (i.dst == i.a) break;
      floatLoad(g, i.a);
      floatStore(g, i.dst, next);
      break;
    case Op.ADD: case Op.SUB: case Op.MUL: case Op.DIVS:
      arithmetic(g, i);
      floatStore(g, i.dst, next);
      break;
    case Op.NEG:
      floatLoad(g, i.a);
      g.code.x87(0xD9, 0xE0);
      floatStore(g, i.dst, next);
      break;
    case Op.SQRT:
      floatLoad(g, i.a);
      g.code.x87(0xD9, 0xFA);
      floatStore(g, i.dst, next);
      break;
    case Op.LOAD:
      g.code.x87Mem(0xDD, 0, g.address(i));
      floatStore(g, i.dst, next);
      break;
    case Op.STORE: {
      floatLoad(g, i.a);
      g.code.x87Mem(0xDD, 3, g.address(i));
      break;
    }
    default:
      genFloatConversion(g, i, next);
  }
}

function constant(g: Operands, i: IrInst): void {
  const m = g.home(i.dst);
  g.code.movMemImm(m, i.imm, 4);
  m.disp += 4;
  g.code.movMemImm(m, i.imm2, 4);
}

/** Conversions and bit patterns, whatever class the instruction names. */
export function genFloatConversion(g: Operands, i: IrInst, next: IrInst | null): void {
  switch (i.op) {
    case Op.I2F:
      if (g.inReg(i.a)) {
        g.code.push(g.place(i.a));
        g.code.x87Mem(0xDB, 0, new Mem().set(ESP, 0));
        dropStack(g, 4);
      } else {
        g.code.x87Mem(0xDB, 0, g.home(i.a));
      }
      floatStore(g, i.dst, next);
      break;
    case Op.L2F:
      pushWord(g, i.b);
      pushWord(g, i.a);
      g.code.x87Mem(0xDF, 5, new Mem().set(ESP, 0));
      dropStack(g, 8);
      floatStore(g, i.dst, next);
      break;
    case Op.BITS2F: {
      const low = g.value(i.a);
      g.code.movMemReg(g.home(i.dst), low, 4);
      const high = g.value(i.b);
      g.code.movMemReg(highWord(g, i.dst), high, 4);
      break;
    }
    default: {
      const low = g.target(i.dst);
      g.code.movRegMem(low, g.home(i.a));
      g.settle(i.dst, low);
      const high = g.target(i.dst2);
      g.code.movRegMem(high, highWord(g, i.a));
      g.settle(i.dst2, high);
    }
  }
}

function highWord(g: Operands, v: i32): Mem {
  const m = g.home(v);
  m.disp += 4;
  return m;
}

function dropStack(g: Operands, bytes: i32): void {
  g.code.lea(ESP, new Mem().set(ESP, bytes));
}

function pushWord(g: Operands, v: i32): void {
  if (g.inReg(v)) g.code.push(g.place(v));
  else g.code.pushMem(g.home(v));
}

/** Push an f64 argument, high word first. */
export function pushFloat(g: Operands, i: IrInst): void {
  const m = i.a == IN_MEMORY ? g.address(i) : g.home(i.a);
  m.disp += 4;
  g.code.pushMem(m);
  m.disp -= 4;
  g.code.pushMem(m);
}

/** Compare; afterwards A and AE mean GT and GE, E with NP means EQ. The returned code stands for LT and LE too. */
export function genFloatCompare(g: Operands, i: IrInst): i32 {
  const exchange = i.cond == Cond.LT || i.cond == Cond.LE;
  if (exchange) {
    floatLoad(g, i.a);
    g.code.x87Mem(0xDD, 0, g.rightMemory(i));
  } else {
    g.code.x87Mem(0xDD, 0, g.rightMemory(i));
    floatLoad(g, i.a);
  }
  g.code.x87(0xDF, 0xE9);
  g.code.x87(0xDD, 0xD8);
  if (i.cond == Cond.GT || i.cond == Cond.LT) return Cc.A;
  if (i.cond == Cond.GE || i.cond == Cond.LE) return Cc.AE;
  return i.cond == Cond.EQ ? Cc.E : Cc.NE;
}
