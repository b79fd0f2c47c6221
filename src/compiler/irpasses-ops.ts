// Operations that only the back end's own passes make, and questions about instructions that all passes ask.
// Conventions beyond ir.ts: `b == IN_MEMORY` means the right operand of an I32 or F64 operation is the memory operand that
// the address fields describe; `a == IN_MEMORY` the same for the left operand of comparisons with an immediate; after
// `irpasses-wide` no I64 is left, `dst2` is the second result of CALL, CALLI and MULWIDE, `b` of RET the high word.
import { Cond, IrInst, Op, T_I32 } from "./ir.ts";
import type { IrFunc } from "./ir.ts";

export const IN_MEMORY: i32 = -2;

export const X_ADDC: i32 = 64;      // like ADD and SUB, and the carry goes to the ADC or SBB right behind
export const X_SUBC: i32 = 65;
export const X_ADC: i32 = 66;
export const X_SBB: i32 = 67;
export const X_SHLD: i32 = 68;      // dst = a shifted left by imm, filled with the top bits of b
export const X_SHRD: i32 = 69;      // dst = a shifted right by imm, filled with the low bits of b
export const X_MULWIDE: i32 = 70;   // dst2:dst = a * b, unsigned
export const X_CMPC: i32 = 71;      // compare a with b or imm for the borrow only, for BRC or SETC right behind
export const X_BRC: i32 = 72;       // a:_ cond b:_ with the borrow of the low words; LT GE ULT UGE only
export const X_SETC: i32 = 73;
export const X_ARG: i32 = 74;       // push a, or imm, or sym + imm when sym is set, or memory, as argument of a call
export const X_RMW: i32 = 75;       // memory[address] = memory[address] rop (a or imm); rop (an Op) is in `cond`
export const X_TEST: i32 = 76;      // dst = ((a & (b or imm)) cond 0) ? 1 : 0, cond EQ or NE
export const X_BRTEST: i32 = 77;    // branch likewise

export function isTerminator(op: i32): bool {
  return (op >= Op.JMP && op <= Op.TRAP) || op == X_BRC || op == X_BRTEST;
}

export function isCommutative(op: i32): bool {
  return op == Op.ADD || op == Op.MUL || op == Op.AND || op == Op.OR || op == Op.XOR;
}

/** Whether the address fields of an instruction mean something. */
export function hasAddress(i: IrInst): bool {
  return i.op == Op.LOAD || i.op == Op.STORE || i.op == Op.LEA || i.op == X_RMW || i.b == IN_MEMORY || i.a == IN_MEMORY;
}

export function readsMemory(i: IrInst): bool {
  return i.op == Op.LOAD || i.op == X_RMW || i.b == IN_MEMORY || i.a == IN_MEMORY;
}

const WRITES: i32 = 1;             // may write memory or do anything at all
const EFFECT: i32 = 2;             // must stay even when nobody needs its result
const DIVIDES: i32 = 4;            // does nothing but compute if its divisor is a constant other than 0
const TRAITS: i32[] = traitsTable();

function traitsOf(op: i32): i32 {
  switch (op) {
    case Op.STORE: case Op.CALL: case Op.CALLI: case Op.COPY: case Op.FILL: case Op.ASM: case X_RMW:
      return WRITES | EFFECT;
    case X_ARG: case X_CMPC: case X_ADDC: case X_SUBC:
      return EFFECT;
    case Op.DIVS: case Op.DIVU: case Op.REMS: case Op.REMU:
      return DIVIDES;
    default:
      return isTerminator(op) ? EFFECT : 0;
  }
}

function traitsTable(): i32[] {
  const table: i32[] = [];
  for (let op = 0; op <= X_BRTEST; op++) table.push(traitsOf(op));
  return table;
}

/** Whether other memory operations must not be moved across, because it may write memory or do anything at all. */
export function writesMemory(i: IrInst): bool {
  return (TRAITS[i.op]! & WRITES) != 0;
}

/** Whether an instruction can be dropped when nobody needs its result. */
export function isPure(i: IrInst): bool {
  const t = TRAITS[i.op]!;
  if (t == DIVIDES) return i.useImm && i.imm != 0;
  return t == 0 && !i.volatile;
}

/** The virtual registers that an instruction reads, put at the start of out; returns their number. */
export function usesOf(i: IrInst, out: i32[]): i32 {
  let n = 0;
  if (i.a >= 0) put(out, n++, i.a);
  if (i.b >= 0) put(out, n++, i.b);
  if (i.base >= 0) put(out, n++, i.base);
  if (i.index >= 0) put(out, n++, i.index);
  return i.args == null && i.asm == null ? n : addListed(i, out, n);
}

/** Those of them that are in the lists of arguments and of operands of assembly. */
export function listedUses(i: IrInst, out: i32[]): i32 {
  return addListed(i, out, 0);
}

function addListed(i: IrInst, out: i32[], start: i32): i32 {
  let n = start;
  const args = i.args;
  if (args != null) {
    for (let k = 0; k < args.length; k++) put(out, n++, args[k]!);
  }
  const asm = i.asm;
  if (asm == null) return n;
  for (const o of asm.operands) {
    if (o.vreg >= 0) put(out, n++, o.vreg);
  }
  return n;
}

/** The condition that holds exactly when c does not (I32). */
export function negated(c: i32): i32 {
  switch (c) {
    case Cond.EQ: return Cond.NE;
    case Cond.NE: return Cond.EQ;
    case Cond.LT: return Cond.GE;
    case Cond.GE: return Cond.LT;
    case Cond.LE: return Cond.GT;
    case Cond.GT: return Cond.LE;
    case Cond.ULT: return Cond.UGE;
    case Cond.UGE: return Cond.ULT;
    case Cond.ULE: return Cond.UGT;
    default: return Cond.ULE;
  }
}

/** The condition for exchanged operands. */
export function swapped(c: i32): i32 {
  switch (c) {
    case Cond.LT: return Cond.GT;
    case Cond.GT: return Cond.LT;
    case Cond.LE: return Cond.GE;
    case Cond.GE: return Cond.LE;
    case Cond.ULT: return Cond.UGT;
    case Cond.UGT: return Cond.ULT;
    case Cond.ULE: return Cond.UGE;
    case Cond.UGE: return Cond.ULE;
    default: return c;
  }
}

/** The unsigned condition of the same order. */
export function unsignedOf(c: i32): i32 {
  switch (c) {
    case Cond.LT: return Cond.ULT;
    case Cond.GT: return Cond.UGT;
    case Cond.LE: return Cond.ULE;
    case Cond.GE: return Cond.UGE;
    default: return c;
  }
}

/** a < b as unsigned numbers. */
export function below(a: i32, b: i32): bool {
  return (a ^ -2147483648) < (b ^ -2147483648);
}

export function evaluate(cond: i32, a: i32, b: i32): bool {
  switch (cond) {
    case Cond.EQ: return a == b;
    case Cond.NE: return a != b;
    case Cond.LT: return a < b;
    case Cond.LE: return a <= b;
    case Cond.GT: return a > b;
    case Cond.GE: return a >= b;
    case Cond.ULT: return below(a, b);
    case Cond.ULE: return !below(b, a);
    case Cond.UGT: return below(b, a);
    default: return !below(a, b);
  }
}

/** log2 of a power of two, or -1. */
export function log2(n: i32): i32 {
  if (n == 0 || (n & (n - 1)) != 0) return -1;
  let k = 0;
  while (((n >> k) & 1) == 0) k++;
  return k;
}

/** Make an instruction a plain register copy. */
export function becomeMove(i: IrInst, src: i32): void {
  clearOperands(i);
  i.op = Op.MOV;
  i.type = T_I32;
  i.a = src;
}

/** Make an instruction a constant. */
export function becomeConst(i: IrInst, value: i32): void {
  clearOperands(i);
  i.op = Op.CONST;
  i.type = T_I32;
  i.imm = value;
}

export function clearOperands(i: IrInst): void {
  i.a = -1;
  i.b = -1;
  i.useImm = false;
  i.imm = 0;
  i.imm2 = 0;
  clearAddress(i);
}

export function clearAddress(i: IrInst): void {
  i.base = -1;
  i.index = -1;
  i.scale = 1;
  i.disp = 0;
  i.slot = -1;
  i.sym = "";
}

/** Give `to` the memory operand of `from`. */
export function copyAddress(to: IrInst, from: IrInst): void {
  to.base = from.base;
  to.index = from.index;
  to.scale = from.scale;
  to.disp = from.disp;
  to.slot = from.slot;
  to.sym = from.sym;
  to.width = from.width;
  to.signed = from.signed;
}

export function sameAddress(x: IrInst, y: IrInst): bool {
  return x.base == y.base && x.index == y.index && x.disp == y.disp && x.slot == y.slot && x.scale == y.scale && x.sym == y.sym;
}

/** Make the first `count` elements of a list that is kept for reuse equal to `value`; it may be longer. */
export function refill(list: i32[], count: i32, value: i32): void {
  list.fill(value, 0, count);
  for (let k = list.length; k < count; k++) list.push(value);
}

/** Set an element of such a list, at most one behind its end. */
export function put(list: i32[], at: i32, value: i32): void {
  if (at < list.length) list[at] = value;
  else list.push(value);
}

/** Instructions of finished functions, to be used again: memory stays bounded by the largest function. */
const spare: IrInst[] = [];

/** An instruction with everything absent. */
export function newInst(op: i32, line: i32): IrInst {
  const i = spare.length > 0 ? spare.pop()! : new IrInst();
  i.op = op;
  i.line = line;
  return i;
}

/** Take back an instruction that nothing refers to. */
export function recycleInst(i: IrInst): void {
  clearOperands(i);
  i.type = 0;
  i.dst = -1;
  i.dst2 = -1;
  i.cond = 0;
  i.width = 4;
  i.signed = false;
  i.volatile = false;
  i.args = null;
  i.cases = null;
  i.target0 = -1;
  i.target1 = -1;
  i.asm = null;
  spare.push(i);
}

/** Take back all instructions of a function for which code has been generated. */
export function recycle(f: IrFunc): void {
  for (const b of f.blocks) {
    for (const i of b.insts) recycleInst(i);
    b.insts.length = 0;
  }
}

/** Remove the instructions whose operation is 0. */
export function compact(insts: IrInst[]): void {
  let n = 0;
  for (let k = 0; k < insts.length; k++) {
    const i = insts[k]!;
    if (i.op == 0) {
      recycleInst(i);
    } else {
      insts[n] = i;
      n++;
    }
  }
  insts.length = n;
}
