// The back end: what it makes of programs is executed by the processor of this machine and compared with the interpreter of
// the IR; the shape of its code is pinned by a few printed functions; its files are shown to binutils.

import { spawnSync } from "node:child_process";
import { chmodSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync, mkdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { compile } from "../../src/compiler/compile.ts";
import { Diags } from "../../src/compiler/diag.ts";
import { Op } from "../../src/compiler/ir.ts";
import { Optimizer } from "../../src/compiler/irpasses.ts";
import { printFunc } from "../../src/compiler/irtext.ts";
import { emitProgram, LinkOptions } from "../../src/compiler/link.ts";
import { readElf, sectionNamed } from "../../src/elf/read.ts";
import { executable, runNative, whyNotNative } from "./backend-native.ts";
import { LINUX_GTC, LINUX_RT } from "./backend-linux.ts";
import { randomProgram } from "./backend-random.ts";
import { front, TestHost } from "./harness.ts";
import { Interpreter } from "./interpret.ts";

const unable = whyNotNative();
if (unable !== "") console.log(`programs are not executed: ${unable}`);
const scratch = mkdtempSync(join(tmpdir(), "backend-"));
afterAll(() => rmSync(scratch, { recursive: true }));

/** Compare the processor with the interpreter. */
function agree(source: string): void {
  const { module, errors } = front(source);
  expect(errors, source).toBe("");
  const want = new Interpreter(module).call("main");
  expect(runNative(front(source).module), source).toBe(want);
}

/** The IR of one function after all passes. */
function passes(source: string, name: string): string {
  const { module, errors } = front(source);
  expect(errors).toBe("");
  const f = module.funcs.find((x) => x.name === name)!;
  new Optimizer().run(f);
  return printFunc(f).split("\n").slice(1).join("\n").trim();
}

describe.skipIf(unable !== "")("executed code", () => {
  test("random programs", { timeout: 120000 }, () => {
    for (let seed = 1; seed <= 40; seed++) agree(randomProgram(seed));
    agree(randomProgram(1126));
  });

  test("64-bit division and shifts by variables", { timeout: 30000 }, () => {
    const values = ["0", "1", "-1", "7", "-10", "0x7fffffff", "0x80000000", "0x100000000", "-0x123456789ab", "0x7fffffffffffffff", "-0x8000000000000000"];
    const lines = values.flatMap((a) => values.filter((b) => b !== "0" && !(b === "-1" && a.startsWith("-0x8"))).map((b) => `mix(${a}, ${b});`));
    agree(`let sum: i64 = 0;
      function mix(a: i64, b: i64): void {
        sum = sum * 31 + a / b; sum = sum * 31 + a % b;
        sum = sum * 31 + ((a as u64) / (b as u64) as i64); sum = sum * 31 + ((a as u64) % (b as u64) as i64);
        const n = (b & 63) as i32;
        sum = sum * 31 + (a << n); sum = sum * 31 + (a >> n); sum = sum * 31 + (a >>> n);
      }
      export function main(): i64 { ${lines.join("\n")} return sum; }`);
  });

  test("operators on constants that only the passes see", () => {
    const values = ["0", "1", "-1", "7", "-2147483648", "2147483647", "0x12345678"];
    const ops = ["+", "-", "*", "&", "|", "^", "<", "<=", ">", ">=", "==", "!="];
    const shifts = [0, 1, 4, 31].flatMap((n) => ["<<", ">>", ">>>"].map((op) => `(a ${op} ${n}) as i32`));
    for (const type of ["i32", "u32"]) {
      for (const a of values) {
        const blocks = values.map((b) => {
          const divisions = b === "0" || (b === "-1" && a.startsWith("-")) ? [] : ["/", "%"];
          const exprs = [...[...ops, ...divisions].map((op) => `(a ${op} b) as i32`), ...shifts, "(-a) as i32", "(~a) as i32"];
          return `{ let a: ${type} = ${a} as ${type}; let b: ${type} = ${b} as ${type}; ${exprs.map((e) => `sum = sum * 31 + (${e});`).join(" ")} }`;
        });
        agree(`export function main(): i32 { let sum = 0; ${blocks.join("\n")} return sum; }`);
      }
    }
  });

  test("memory copy and fill, overlapping both ways", () => {
    agree(`let b!: FixedArray<u8, 64>;
      export function main(): i32 {
        for (let i = 0; i < 64; i++) b[i] = i as u8;
        const p = addressof(b);
        memory.copy(p + 3, p, 20); memory.copy(p + 30, p + 33, 21); memory.fill(p + 55, 0xab, 5); memory.fill(p + 61, 0xcd, 3);
        let n: usize = 37; memory.fill(p + 1, 0xee, n - 35); memory.copy(p + 10, p + 10, n);
        let sum = 0; for (let i = 0; i < 64; i++) sum = sum * 7 + (b[i] as i32);
        return sum;
      }`);
  });

  test("inline assembly reads and writes locals", () => {
    agree(`function twice(x: i32): i32 { let y = 0; if (x > 0) return x * 2; return y; }
      export function main(): i32 { let sum = 0; for (let i = 0; i < 9; i++) sum += twice(i - 3); return sum; }`);
    const source = `export function main(): i32 {
      let a = 5; let sum = 0;
      for (let i = 0; i < 4; i++) {
        asm\`mov eax, \${a}
            again: add eax, 3
            cmp eax, 100
            jb again
            mov \${sum}, eax\`;
        a += sum;
      }
      return a; }`;
    expect(runNative(front(source).module)).toBe(5 + 101 + 109 + 218 + 436);
  });

  test("the compiler, compiled, compiles itself to the same bytes", { timeout: 120000 }, () => {
    mkdirSync(join(scratch, "linux"));
    symlinkSync(resolve("src"), join(scratch, "src"));
    writeFileSync(join(scratch, "linux/rt.ts"), LINUX_RT);
    writeFileSync(join(scratch, "gtc.ts"), LINUX_GTC);
    const host = new TestHost({ "gtc.ts": LINUX_GTC, "linux/rt.ts": LINUX_RT });
    const args = ["gtc.ts", "-o", "gtc2", "--bind", "rt=linux"];
    expect(compile(args, host), host.printed).toBe(0);
    const bytes = host.written.get("gtc2")!;
    writeFileSync(join(scratch, "gtc"), bytes);
    chmodSync(join(scratch, "gtc"), 0o755);
    const r = spawnSync("./gtc", args, { cwd: scratch, timeout: 60000 });
    expect(r.stdout.toString() + r.stderr.toString()).toBe("");
    expect(r.status).toBe(0);
    expect(readFileSync(join(scratch, "gtc2")).equals(bytes)).toBe(true);
  });
});

describe("shape of the code", () => {
  test("a loop over an array tests at the bottom and uses an index", () => {
    expect(passes(`let v!: FixedArray<i32, 8>; export function main(): i32 { let s = 0; for (let i = 0; i < 8; i++) s += v[i]; return s; }`, "main"))
      .toMatchInlineSnapshot(`
        "b0:
          %0 = const.i32 0
          %2 = const.i32 0
          jmp b1
        b1:
          %0 = add.i32 %0, [@v + %2*4]
          %2 = add.i32 %2, 1
          br.i32 lt %2, 8 ? b1 : b2
        b2:
          ret.i32 %0"
      `);
  });

  test("a counter in memory is one instruction, a flag in memory one test", () => {
    expect(passes(`class P { flags: u8 = 0; n: i32 = 0; }
      function bump(p: P): void { if ((p.flags & 4) != 0) p.n += 3; }
      export function main(): i32 { bump(changetype<P>(4096)); return 0; }`, "bump"))
      .toMatchInlineSnapshot(`
        "b0:
          brtest.i32 ne u8[%0], 4 ? b1 : b2
        b1:
          rmw.add.4 [%0 + 4], 3
          jmp b2
        b2:
          ret"
      `);
  });

  test("the same bytes every time", () => {
    const once = executable(front(randomProgram(7)).module);
    expect(executable(front(randomProgram(7)).module)).toEqual(once);
  });
});

describe("files", () => {
  const source = "let x = 3; export function main(): i32 { x++; return x; }";
  const tools = ["readelf", "objdump", "gdb"].filter((t) => spawnSync(t, ["--version"]).status !== 0);
  if (tools.length > 0) console.log(`not installed, so not asked: ${tools.join(" ")}`);

  test("readelf, objdump and gdb read them without a warning", { timeout: 30000 }, () => {
    const path = join(scratch, "program");
    writeFileSync(path, executable(front(source).module));
    const commands: [string, string[]][] = [["readelf", ["-a", path]], ["objdump", ["-d", "-l", path]], ["gdb", ["-batch", "-nx", "-ex", "info line main", path]]];
    for (const [tool, args] of commands) {
      if (tools.includes(tool)) continue;
      const r = spawnSync(tool, args);
      expect(r.stderr.toString(), tool).toBe("");
      if (tool === "gdb") expect(r.stdout.toString()).toContain("Line 1 of \"main.ts\"");
    }
  });

  test("a kernel has its multiboot header in the first page and physical addresses below", () => {
    const o = new LinkOptions();
    o.base = 0xC0100000 | 0;
    o.physOffset = 0xC0000000 | 0;
    o.multiboot = true;
    o.entry = "main";
    const bytes = Uint8Array.from(emitProgram(front(source).module, o, new Diags())!.flat());
    const words = new DataView(bytes.buffer);
    const at = Array.from({ length: 2048 }, (_, k) => k * 4).find((k) => words.getUint32(k, true) === 0x1BADB002)!;
    expect((words.getUint32(at, true) + words.getUint32(at + 4, true) + words.getUint32(at + 8, true)) >>> 0).toBe(0);
    const elf = readElf(bytes, true);
    expect(elf.entry >>> 20).toBe(1);
    expect(elf.segments.map((s) => (s.vaddr - s.paddr) >>> 0)).toEqual([0xC0000000, 0xC0000000]);
    expect(sectionNamed(elf, ".text")!.addr >>> 0).toBe((0xC0100000 + at) >>> 0);
  });

  test("an undefined symbol is an error, not a crash", () => {
    const { module } = front(source);
    module.funcs[0]!.blocks[0]!.insts.find((i) => i.op === Op.LOAD || i.sym !== "")!.sym = "nowhere";
    const diags = new Diags();
    expect(emitProgram(module, Object.assign(new LinkOptions(), { entry: "main" }), diags)).toBeNull();
    expect(diags.render()).toContain("nowhere, which is not defined");
  });
});
