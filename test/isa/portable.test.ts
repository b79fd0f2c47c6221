// isa, asm and elf compiled by gtc give the same results as on Node: the compiled program runs as a Linux process here.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { compile } from "../../src/compiler/compile.ts";
import { CompilerHost } from "../../src/compiler/host.ts";
import { summary } from "./portable.ts";

const ROUNDS = 3000;
const ROOT = new URL("../..", import.meta.url).pathname;

/** Entry and run-time for Linux: write and exit, memory from brk. */
const SOURCES: Record<string, string> = {
  "test/isa/main.ts": `
import { summary } from "./portable.ts";
function main(): void {
  __init();
  const text = summary(${ROUNDS});
  const at = changetype<usize>(text) + 4;
  const length = text.length;
  asm\`push ebx; mov eax, 4; mov ebx, 1; mov ecx, \${at}; mov edx, \${length}; int 0x80; pop ebx\`;
}
export function _start(): void { naked(); asm\`call \${main}; mov eax, 1; xor ebx, ebx; int 0x80\`; }
`,
  "test/isa/rt/rt.ts": `
let next: usize = 0;
let end: usize = 0;
function brk(to: usize): usize {
  let now: usize = 0;
  asm\`push ebx; mov eax, 45; mov ebx, \${to}; int 0x80; mov \${now}, eax; pop ebx\`;
  return now;
}
export function malloc(size: usize): usize {
  if (next == 0) { next = brk(0); end = next; }
  const at = next;
  next += (size + 7) & ~7;
  if (next > end) end = brk(next + 0x1000000);
  return at;
}
export function mallocZeroed(size: usize): usize { return malloc(size); }
export function mfree(at: usize): void { }
export function rtPanic(message: string): void { asm\`mov eax, 1; mov ebx, 99; int 0x80\`; }
`,
};

class MemoryHost extends CompilerHost {
  printed = "";
  output: u8[] = [];

  override readFile(path: string): string | null {
    if (SOURCES[path] !== undefined) return SOURCES[path];
    try {
      return readFileSync(join(ROOT, path), "latin1");
    } catch {
      return null;
    }
  }

  override writeFile(_path: string, parts: u8[][]): string {
    this.output = parts.flat();
    return "";
  }

  override print(text: string): void {
    this.printed += text;
  }
}

it("gives the same summary compiled and on Node", (context) => {
  const host = new MemoryHost();
  expect([compile(["test/isa/main.ts", "-o", "out", "--bind", "rt=test/isa/rt"], host), host.printed]).toEqual([0, ""]);
  const dir = mkdtempSync(join(tmpdir(), "portable-"));
  writeFileSync(join(dir, "main"), Uint8Array.from(host.output), { mode: 0o755 });
  const run = spawnSync(join(dir, "main"), [], { encoding: "latin1" });
  rmSync(dir, { recursive: true });
  if (run.error) {
    console.log("this machine does not run i386 Linux programs: skipped");
    context.skip();
  }
  expect([run.status, run.stdout]).toEqual([0, summary(ROUNDS)]);
});
