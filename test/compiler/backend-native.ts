// Runs a compiled program as an i386 Linux process, where the machine can: the processor is then the judge of the code
// generator. The program's `main` is called by a start routine that writes its result (8 bytes) to standard output.

import { spawnSync } from "node:child_process";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Diags } from "../../src/compiler/diag.ts";
import { IrAsm, IrAsmOperand, IrBlock, IrFunc, IrInst, Op, T_F64, type IrModule } from "../../src/compiler/ir.ts";
import { ASM_SYMBOL, T_I64 } from "../../src/compiler/ir.ts";
import { emitProgram, LinkOptions } from "../../src/compiler/link.ts";

// The control word makes the x87 round to double, as BSD kernels on i386 start their processes.
const START = ["push 0x27F\n fldcw word ptr [esp]\n call ", `
  BODY
  sub esp, 8
  mov dword ptr [esp], eax
  mov dword ptr [esp+4], edx
  mov eax, 4
  mov ebx, 1
  mov ecx, esp
  mov edx, 8
  int 0x80
  mov eax, 1
  xor ebx, ebx
  int 0x80`];

/** Add the start routine for a `main` that returns `type`. */
export function addStart(m: IrModule, type: number): void {
  const asm = new IrAsm();
  const body = type === T_F64 ? "sub esp, 8\n fstp qword ptr [esp]\n pop eax\n pop edx" : type === T_I64 ? "" : "cdq";
  asm.pieces.push(START[0]!, START[1]!.replace("BODY", body));
  const operand = new IrAsmOperand();
  operand.kind = ASM_SYMBOL;
  operand.sym = "main";
  asm.operands.push(operand);
  const i = new IrInst();
  i.op = Op.ASM;
  i.asm = asm;
  const b = new IrBlock();
  b.insts.push(i);
  const f = new IrFunc();
  f.name = "_start";
  f.naked = true;
  f.blocks.push(b);
  m.funcs.push(f);
}

/** The executable of a program with a `main`. */
export function executable(m: IrModule): Uint8Array {
  const main = m.funcs.find((f) => f.name === "main")!;
  addStart(m, main.ret);
  const diags = new Diags();
  const parts = emitProgram(m, new LinkOptions(), diags);
  if (parts === null) throw new Error(diags.render());
  return Uint8Array.from(parts.flat());
}

/** Result of a process: the eight bytes it wrote, or what killed it. */
export function execute(bytes: Uint8Array): Buffer | string {
  const dir = mkdtempSync(join(tmpdir(), "gtc-"));
  try {
    const path = join(dir, "program");
    writeFileSync(path, bytes);
    chmodSync(path, 0o755);
    const r = spawnSync(path, [], { timeout: 20000 });
    if (r.error) return String(r.error);
    return r.status === 0 ? r.stdout : `ended by ${r.signal ?? r.status}`;
  } finally {
    rmSync(dir, { recursive: true });
  }
}

/** Why programs can't be run here, or "". */
export function whyNotNative(): string {
  if (process.platform !== "linux") return `this is ${process.platform}, not Linux`;
  const exit = [0xB8, 1, 0, 0, 0, 0x31, 0xDB, 0xCD, 0x80];
  const header = Buffer.alloc(84);
  header.write("\x7fELF\x01\x01\x01", "latin1");
  header.writeUInt16LE(2, 16);
  header.writeUInt16LE(3, 18);
  header.writeUInt32LE(1, 20);
  header.writeUInt32LE(0x08048054, 24);
  header.writeUInt32LE(52, 28);
  header.writeUInt16LE(52, 40);
  header.writeUInt16LE(32, 42);
  header.writeUInt16LE(1, 44);
  header.writeUInt32LE(1, 52);
  header.writeUInt32LE(0x08048000, 60);
  header.writeUInt32LE(0x08048000, 64);
  header.writeUInt32LE(84 + exit.length, 68);
  header.writeUInt32LE(84 + exit.length, 72);
  header.writeUInt32LE(5, 76);
  header.writeUInt32LE(4096, 80);
  const r = execute(Buffer.concat([header, Buffer.from(exit)]));
  return typeof r === "string" ? `i386 programs don't run here: ${r}` : "";
}

/** Value of `main` by the machine, as the IR interpreter would give it. */
export function runNative(m: IrModule): number | bigint {
  const type = m.funcs.find((f) => f.name === "main")!.ret;
  const out = execute(executable(m));
  if (typeof out === "string") throw new Error(out);
  if (type === T_F64) return out.readDoubleLE(0);
  return type === T_I64 ? out.readBigInt64LE(0) : out.readInt32LE(0);
}
