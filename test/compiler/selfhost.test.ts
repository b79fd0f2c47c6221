// The compiler compiles itself: its own IR, executed, must do what the compiler does on Node, byte for byte.

import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test, vi } from "vitest";
import { compile } from "../../src/compiler/compile.ts";
import { Diags } from "../../src/compiler/diag.ts";
import { buildModule } from "../../src/compiler/frontend.ts";
import { printIr } from "../../src/compiler/irtext.ts";
import { Program } from "../../src/compiler/program.ts";
import { front, TestHost } from "./harness.ts";
import { Interpreter } from "./interpret.ts";

vi.setConfig({ testTimeout: 60_000 });

const GUEST_MAIN = `
import { Diags } from "./src/compiler/diag.ts";
import { buildModule } from "./src/compiler/frontend.ts";
import { CompilerHost } from "./src/compiler/host.ts";
import { printIr } from "./src/compiler/irtext.ts";
import { Program } from "./src/compiler/program.ts";
function hostRead(path: string): string | null { return path; }
class Host extends CompilerHost {
  override readFile(path: string): string | null { return hostRead(path); }
  override writeFile(path: string, parts: u8[][], executable: bool): string { return "no"; }
  override print(text: string): void {}
}
export function main(): string {
  __init();
  const diags = new Diags();
  const p = new Program(new Host(), diags);
  if (!p.load("input.ts")) return diags.render();
  const m = buildModule(p, "_start");
  return diags.render() + printIr(m);
}`;

const SAMPLE = `
abstract class Shape { abstract area(): i32; twice(): i32 { return this.area() * 2; } }
class Square extends Shape { constructor(private n: i32) { super(); } override area(): i32 { return this.n * this.n; } }
class Pair<K, V> { constructor(public k: K, public v: V) {} }
enum Color { RED, GREEN = 5, BLUE }
const half: f64 = 1.25e-7;
const primes: i32[] = [2, 3, 5, 7];
let names = new Map<string, i32>();
function next(x: i32): i32 { return x + 1; }
export function _start(): void {
  __init();
  let w: i64 = 3;
  for (const p of primes) w = w * p + (half > 0.5 ? 1 : 0);
  const s: Shape = new Square(next(4));
  switch (s.twice()) { case Color.GREEN: w++; break; case 50: w--; break; default: w = 0; }
  names.set(\`n\${w}\`, new Pair<i32, string>(1, "x").k);
  primes.sort((a, b) => b - a);
  asm\`mov eax, \${Color.BLUE}\`;
}`;

const RT = "export function malloc(size: usize): usize { return size; } export function mallocZeroed(size: usize): usize { return size; } export function mfree(p: usize): void { void p; } export function rtPanic(m: string): void { asm`mov eax, ${m}; ud2`; }";

/** Errors and IR of a program, by the compiler on Node. */
function onNode(input: string): string {
  const diags = new Diags();
  const p = new Program(new TestHost({ "input.ts": input }), diags);
  if (!p.load("input.ts")) return diags.render();
  const m = buildModule(p, "_start");
  return diags.render() + printIr(m);
}

test("the compiled compiler gives the same IR and the same errors", () => {
  const { module, errors } = front(GUEST_MAIN, { "rt0/rt.ts": RT }, "rt0");
  expect(errors).toBe("");
  const inputs = [SAMPLE, SAMPLE.replace("x + 1", "y + 1").replace("i64 = 3", "u8 = 300").replace("<K, V>", "<K,, V>")];
  for (const input of inputs) {
    const machine: Interpreter = new Interpreter(module, {
      malloc: (n) => machine.allocate(n),
      mallocZeroed: (n) => machine.allocate(n),
      hostRead: (path) => {
        const text = new TestHost({ "input.ts": input }).readFile(machine.text(path));
        return text === null ? 0 : machine.string(text);
      },
    });
    expect(machine.text(machine.call("main") as number)).toBe(onNode(input));
  }
});

test("the compiled compiler builds itself to the same bytes", (context) => {
  const host = new TestHost({});
  const args = ["test/guest/linux/gtc.ts", "--bind", "rt=test/guest/linux", "-o"];
  expect(compile([...args, "gtc"], host), host.printed).toBe(0);
  const bytes = host.written.get("gtc")!;
  const folder = mkdtempSync(join(tmpdir(), "gtc-"));
  try {
    writeFileSync(join(folder, "first"), bytes, { mode: 0o755 });
    const run = spawnSync(join(folder, "first"), [...args, join(folder, "second")], { timeout: 60_000 });
    if (run.error !== undefined) return context.skip(`this machine does not run i386 Linux programs: ${run.error.message}`);
    expect(run.stdout.toString() + run.stderr.toString()).toBe("");
    expect(run.status).toBe(0);
    expect(readFileSync(join(folder, "second")).equals(bytes)).toBe(true);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("all portable code compiles, reached or not", () => {
  const folders = ["abi", "isa", "elf", "asm", "compiler"];
  const files = folders.flatMap((d) => readdirSync(`src/${d}`).filter((f) => f.endsWith(".ts")).map((f) => `src/${d}/${f}`));
  const host = new TestHost({ "main.ts": files.map((f) => `import "./${f}";\n`).join("") + "export function main(): void {}" });
  const diags = new Diags();
  const p = new Program(host, diags);
  p.checkAll = true;
  if (p.load("main.ts")) buildModule(p, "main");
  expect(diags.render()).toBe("");
});
