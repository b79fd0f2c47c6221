// Prints the intermediate representation, before or after the back end's passes, one instruction a line. The text is
// stable enough for golden files:   %5 = add.i32 %3, 4      store.2 [@counter + %1*4 + 8], %5      br.i32 lt %1, 10 ? b2 : b3
import { Cond, Op, T_F64, T_I32, T_I64 } from "./ir.ts";
import type { IrAsm, IrData, IrFunc, IrInst, IrModule } from "./ir.ts";
import {
  hasAddress, IN_MEMORY, X_ADC, X_ADDC, X_ARG, X_BRC, X_BRTEST, X_CMPC, X_MULWIDE, X_RMW, X_SBB, X_SETC, X_SHLD, X_SHRD,
  X_SUBC, X_TEST,
} from "./irpasses-ops.ts";

export function typeName(type: i32): string {
  switch (type) {
    case T_I32: return "i32";
    case T_I64: return "i64";
    case T_F64: return "f64";
    default: return "void";
  }
}

export function condName(cond: i32): string {
  switch (cond) {
    case Cond.EQ: return "eq";
    case Cond.NE: return "ne";
    case Cond.LT: return "lt";
    case Cond.LE: return "le";
    case Cond.GT: return "gt";
    case Cond.GE: return "ge";
    case Cond.ULT: return "ult";
    case Cond.ULE: return "ule";
    case Cond.UGT: return "ugt";
    default: return "uge";
  }
}

export function opName(op: i32): string {
  switch (op) {
    case Op.CONST: return "const";
    case Op.MOV: return "mov";
    case Op.ADD: return "add";
    case Op.SUB: return "sub";
    case Op.MUL: return "mul";
    case Op.AND: return "and";
    case Op.OR: return "or";
    case Op.XOR: return "xor";
    case Op.DIVS: return "divs";
    case Op.DIVU: return "divu";
    case Op.REMS: return "rems";
    case Op.REMU: return "remu";
    case Op.SHL: return "shl";
    case Op.SHRS: return "shrs";
    case Op.SHRU: return "shru";
    case Op.NEG: return "neg";
    case Op.NOT: return "not";
    case Op.CMP: return "cmp";
    case Op.SEXT8: return "sext8";
    case Op.SEXT16: return "sext16";
    case Op.ZEXT8: return "zext8";
    case Op.ZEXT16: return "zext16";
    case Op.EXTS: return "exts";
    case Op.EXTU: return "extu";
    case Op.WRAP: return "wrap";
    case Op.I2F: return "i2f";
    case Op.U2F: return "u2f";
    case Op.L2F: return "l2f";
    case Op.F2I: return "f2i";
    case Op.F2L: return "f2l";
    case Op.BITS2F: return "bits2f";
    case Op.F2BITS: return "f2bits";
    case Op.SQRT: return "sqrt";
    case Op.LOAD: return "load";
    case Op.STORE: return "store";
    case Op.LEA: return "lea";
    case Op.CALL: return "call";
    case Op.CALLI: return "calli";
    case Op.COPY: return "copy";
    case Op.FILL: return "fill";
    case Op.ASM: return "asm";
    case Op.JMP: return "jmp";
    case Op.BR: return "br";
    case Op.SWITCH: return "switch";
    case Op.RET: return "ret";
    case Op.TRAP: return "trap";
    default: return lateOpName(op);
  }
}

function lateOpName(op: i32): string {
  switch (op) {
    case X_ADDC: return "addc";
    case X_SUBC: return "subc";
    case X_ADC: return "adc";
    case X_SBB: return "sbb";
    case X_SHLD: return "shld";
    case X_SHRD: return "shrd";
    case X_MULWIDE: return "mulwide";
    case X_CMPC: return "cmpc";
    case X_BRC: return "brc";
    case X_SETC: return "setc";
    case X_ARG: return "arg";
    case X_RMW: return "rmw";
    case X_TEST: return "test";
    case X_BRTEST: return "brtest";
    default: return `op${op}`;
  }
}

function addressText(i: IrInst): string {
  const parts: string[] = [];
  if (i.sym != "") parts.push("@" + i.sym);
  if (i.slot >= 0) parts.push(`slot${i.slot}`);
  if (i.base >= 0) parts.push(`%${i.base}`);
  if (i.index >= 0) parts.push(i.scale == 1 ? `%${i.index}` : `%${i.index}*${i.scale}`);
  if (i.disp != 0 || parts.length == 0) parts.push(`${i.disp}`);
  return "[" + parts.join(" + ") + "]";
}

function memoryText(i: IrInst): string {
  return (i.width < 4 ? `${i.signed ? "s" : "u"}${i.width * 8}` : "") + addressText(i);
}

function immText(i: IrInst): string {
  if (i.type == T_I64 || i.type == T_F64) return `${i.imm2}:${i.imm}`;
  return `${i.imm}`;
}

function operandText(i: IrInst, v: i32): string {
  if (v == IN_MEMORY) return memoryText(i);
  return `%${v}`;
}

function operandsText(i: IrInst): string {
  const parts: string[] = [];
  if (i.a != -1) parts.push(operandText(i, i.a));
  if (i.op == Op.LOAD || i.op == Op.LEA) parts.push(addressText(i));
  const args = i.args;
  if (args != null) {
    for (const v of args) parts.push(`%${v}`);
  }
  if (i.op == Op.CONST || i.useImm) parts.push(immText(i));
  else if (i.b != -1) parts.push(operandText(i, i.b));
  else if (i.op == X_SHLD || i.op == X_SHRD) parts.push(immText(i));
  return parts.join(", ");
}

function asmText(asm: IrAsm): string {
  let text = "";
  for (let k = 0; k < asm.pieces.length; k++) {
    text = text + asm.pieces[k]!;
    if (k >= asm.operands.length) break;
    const o = asm.operands[k]!;
    text = text + (o.vreg >= 0 ? `%${o.vreg}` : o.sym != "" ? "@" + o.sym : `${o.imm}`);
  }
  return " {" + text + "}";
}

function tailText(i: IrInst): string {
  let text = "";
  const cases = i.cases;
  if (cases != null) {
    const parts: string[] = [];
    for (const c of cases) parts.push(`b${c}`);
    text = ` - ${i.imm} of [` + parts.join(" ") + "] else";
  }
  if (i.target0 >= 0) text = text + (i.target1 >= 0 ? " ?" : "") + ` b${i.target0}`;
  if (i.target1 >= 0) text = text + ` : b${i.target1}`;
  return text;
}

/** One instruction as text. */
export function printInst(i: IrInst): string {
  let text = "";
  if (i.dst2 >= 0) text = `%${i.dst2}:%${i.dst} = `;
  else if (i.dst >= 0) text = `%${i.dst} = `;
  text = text + opName(i.op);
  if (i.op == X_RMW) text = text + "." + opName(i.cond);
  else if (i.type != 0 && i.op != Op.LOAD && i.op != Op.STORE) text = text + "." + typeName(i.type);
  if (i.op == Op.LOAD) text = text + "." + (i.width < 4 ? (i.signed ? "s" : "u") : "") + `${i.width}`;
  if (i.op == Op.STORE || i.op == X_RMW) text = text + `.${i.width} ` + addressText(i) + ",";
  if (i.volatile) text = text + " volatile";
  if (i.op == Op.CMP || i.op == Op.BR || i.op >= X_BRC && i.op <= X_SETC || i.op >= X_TEST) text = text + " " + condName(i.cond);
  if (i.sym != "" && !hasAddress(i)) text = text + " @" + i.sym;
  const operands = operandsText(i);
  if (operands != "") text = text + " " + operands;
  const asm = i.asm;
  if (asm != null) text = text + asmText(asm);
  return text + tailText(i);
}

export function printFunc(f: IrFunc): string {
  const lines: string[] = [];
  const params: string[] = [];
  for (const p of f.params) params.push(`%${p}: ` + typeName(f.vregs[p]!));
  lines.push(`func @${f.name}(` + params.join(", ") + "): " + typeName(f.ret) + (f.naked ? " naked" : "") + ` // ${f.file}:${f.line}`);
  for (let s = 0; s < f.slots.length; s++) lines.push(`  slot${s}: ${f.slots[s]!.size} align ${f.slots[s]!.align}`);
  for (let b = 0; b < f.blocks.length; b++) {
    lines.push(`b${b}:`);
    for (const i of f.blocks[b]!.insts) lines.push("  " + printInst(i));
  }
  return lines.join("\n") + "\n";
}

function sectionName(section: i32): string {
  if (section == 0) return "rodata";
  return section == 1 ? "data" : "bss";
}

function printData(d: IrData): string {
  let text = `data @${d.name}: ` + sectionName(d.section) + ` size ${d.bytes.length > 0 ? d.bytes.length : d.size} align ${d.align}`;
  const bytes: string[] = [];
  for (const b of d.bytes) bytes.push(`${b}`);
  if (bytes.length > 0) text = text + " = " + bytes.join(" ");
  for (const r of d.relocs) text = text + ` +${r.offset}: @${r.sym} + ${r.addend}`;
  return text + "\n";
}

/** The whole program as text. */
export function printIr(m: IrModule): string {
  const parts: string[] = [];
  for (const f of m.funcs) parts.push(printFunc(f));
  for (const d of m.data) parts.push(printData(d));
  return parts.join("\n");
}
