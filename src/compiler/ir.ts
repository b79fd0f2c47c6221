// The intermediate representation between the front end (lower.ts) and the back end (codegen): a whole program as
// functions of basic blocks over virtual registers, and data objects with relocations. It is not SSA: a local variable
// is one virtual register that may be assigned many times. Every value is I32, I64 or F64; narrower integers and bool
// live in an I32 register already truncated and sign- or zero-extended to 32 bits, so the back end never widens by itself.

/** Register classes. */
export const T_VOID: i32 = 0;
export const T_I32: i32 = 1;
export const T_I64: i32 = 2;
export const T_F64: i32 = 3;

/** Operations. `dst`, `a`, `b` name virtual registers; -1 means absent. */
export enum Op {
  CONST = 1,     // dst = imm (I64: imm low, imm2 high; F64: the same two words are its bits)
  MOV = 2,       // dst = a
  ADD = 3, SUB = 4, MUL = 5, AND = 6, OR = 7, XOR = 8,       // dst = a op b, or a op imm when useImm; I32 I64 (F64: ADD SUB MUL)
  DIVS = 9, DIVU = 10, REMS = 11, REMU = 12,               // truncating division; I32 I64 (F64: DIVS)
  SHL = 13, SHRS = 14, SHRU = 15,                         // count taken modulo 32 (I64 = 64; its count register is I32)
  NEG = 16, NOT = 17,                                    // NOT is bitwise
  CMP = 18,      // dst(I32) = (a cond b) ? 1 : 0; operands of type `type`; cond is a Cond; b may be imm
  SEXT8 = 19, SEXT16 = 20, ZEXT8 = 21, ZEXT16 = 22,        // I32 -> I32
  EXTS = 23, EXTU = 24,                                  // I32 -> I64
  WRAP = 25,                                            // I64 -> I32
  I2F = 26, U2F = 27, L2F = 28, F2I = 29, F2L = 30,         // i32/u32/i64 -> f64; f64 -> i32/i64 truncating
  BITS2F = 31, F2BITS = 32,                              // I64 <-> F64 bit patterns
  SQRT = 33,
  LOAD = 34,     // dst = memory[address]; width 1 2 4 8; signed says how 1 and 2 widen; type is the class of dst
  STORE = 35,    // memory[address] = a (or imm when useImm; I32 class only); width 1 2 4 8
  LEA = 36,      // dst = address (also: address of a symbol, address of a slot)
  CALL = 37,     // dst (or -1) = sym(args...)
  CALLI = 38,    // dst (or -1) = (*a)(args...)
  COPY = 39,     // memmove(args[0], args[1], args[2]), all I32
  FILL = 40,     // memset(args[0], args[1], args[2])
  ASM = 41,      // inline assembly, see IrAsm
  // terminators, last in every block
  JMP = 50,      // to target0
  BR = 51,       // to target0 if a cond b (or imm), else target1; operands of type `type`
  SWITCH = 52,   // a - imm selects cases[i] when 0 <= i < cases.length, else target0
  RET = 53,      // return a (or -1)
  TRAP = 54,     // unreachable: ud2
}

/** Conditions of CMP and BR: signed, then unsigned order. F64 uses EQ NE LT LE GT GE (all false but NE on NaN). */
export enum Cond { EQ = 0, NE = 1, LT = 2, LE = 3, GT = 4, GE = 5, ULT = 6, ULE = 7, UGT = 8, UGE = 9 }

/** Inline assembly: text pieces alternate with operands; `pieces.length == operands.length + 1`. */
export class IrAsm {
  pieces: string[] = [];
  operands: IrAsmOperand[] = [];
}
export const ASM_LOCAL: i32 = 0;   // a virtual register whose home must be in memory: printed as dword ptr [ebp-n]
export const ASM_CONST: i32 = 1;   // imm
export const ASM_SYMBOL: i32 = 2;  // address of sym: printed as the symbol's name
export class IrAsmOperand {
  kind: i32 = 0;
  vreg: i32 = -1;
  imm: i32 = 0;
  sym: string = "";
}

export class IrInst {
  op: i32 = 0;
  type: i32 = T_VOID;      // class of the operation (of the operands, for CMP and BR)
  dst: i32 = -1;
  dst2: i32 = -1;          // second result; only the back end's passes set it
  a: i32 = -1;
  b: i32 = -1;
  useImm: bool = false;    // the right operand (STORE: the value) is imm, not b
  imm: i32 = 0;
  imm2: i32 = 0;
  cond: i32 = 0;
  // address of LOAD STORE LEA: [sym + slot + base + index * scale + disp]; every part may be absent
  base: i32 = -1;
  index: i32 = -1;
  scale: i32 = 1;          // 1 2 4 8
  disp: i32 = 0;
  slot: i32 = -1;          // a stack slot of the function
  sym: string = "";        // also the callee of CALL
  width: i32 = 4;
  signed: bool = false;
  volatile: bool = false;  // must be performed exactly once, in order
  args: i32[] | null = null;
  cases: i32[] | null = null;
  target0: i32 = -1;
  target1: i32 = -1;
  asm: IrAsm | null = null;
  line: i32 = 0;           // source line, 0 = none
}

export class IrBlock {
  insts: IrInst[] = [];
}

export class IrSlot {
  size: i32 = 0;
  align: i32 = 4;
}

export class IrFunc {
  name: string = "";       // symbol, unique in the program
  file: string = "";       // source path as given, for line tables
  line: i32 = 0;
  params: i32[] = [];      // virtual registers, in cdecl order
  vregs: i32[] = [];       // class of each virtual register
  slots: IrSlot[] = [];
  blocks: IrBlock[] = [];  // block 0 is the entry
  ret: i32 = T_VOID;
  naked: bool = false;     // body is ASM only; no frame
}

/** A 32-bit word at `offset` holds the address of sym + addend. */
export class IrReloc {
  offset: i32 = 0;
  sym: string = "";
  addend: i32 = 0;
}

export const SEC_RODATA: i32 = 0;
export const SEC_DATA: i32 = 1;
export const SEC_BSS: i32 = 2;

export class IrData {
  name: string = "";
  section: i32 = SEC_DATA;
  align: i32 = 4;
  size: i32 = 0;           // for SEC_BSS; otherwise bytes.length
  bytes: u8[] = [];
  relocs: IrReloc[] = [];
}

export class IrModule {
  funcs: IrFunc[] = [];
  data: IrData[] = [];
  entry: string = "_start";
  first: string[] = [];    // functions that come first in the text
}
