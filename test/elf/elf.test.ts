// ELF images: what is written reads back, damaged files give errors, and readelf, objdump and gdb accept it silently.
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { assemble, AsmEnv } from "../../src/asm/assemble.ts";
import { PF_R, PF_W, PF_X, SHF_ALLOC, SHF_EXECINSTR, SHF_WRITE, SHT_PROGBITS, STT_FUNC, STT_OBJECT } from "../../src/elf/format.ts";
import { ElfImage } from "../../src/elf/image.ts";
import { readElf, sectionNamed } from "../../src/elf/read.ts";

const BASE = 0x08048000;
const SOURCE = `start: mov eax, 4
  mov ebx, 1
  mov ecx, text
  mov edx, 6
  call print
  mov eax, 1
  xor ebx, ebx
  int 0x80
print: push ebp
  mov ebp, esp
  int 0x80
  leave
  ret
text: .ascii "hello\\n"`;

/** A Linux program that prints hello; with a physical offset a kernel-like image. */
function hello(base: number, physOffset: number): { file: Uint8Array; at: Map<string, number> } {
  const env = new AsmEnv();
  env.hasOrigin = true;
  env.origin = base + 0x80;
  const code = assemble(SOURCE, env);
  const at = new Map(code.labels.map((l) => [l.name, env.origin + l.offset]));
  const elf = new ElfImage();
  elf.entry = env.origin - physOffset;
  elf.physOffset = physOffset;
  elf.unitName = "hello.ts";
  const text = elf.addSection(".text", SHT_PROGBITS, SHF_ALLOC | SHF_EXECINSTR, env.origin, 16, code.bytes);
  const data = elf.addSection(".data", SHT_PROGBITS, SHF_ALLOC | SHF_WRITE, base + 0x2000, 4, [1, 2, 3, 4]);
  const bss = elf.addNobits(".bss", SHF_ALLOC | SHF_WRITE, base + 0x2004, 4, 100);
  elf.addSegment(PF_R | PF_X, text, text, true);
  elf.addSegment(PF_R | PF_W, data, bss, false);
  elf.addSymbol("_start", at.get("start")!, at.get("print")! - at.get("start")!, STT_FUNC, text);
  elf.addSymbol("print", at.get("print")!, at.get("text")! - at.get("print")!, STT_FUNC, text);
  elf.addSymbol("table", base + 0x2000, 4, STT_OBJECT, data);
  elf.addLine(at.get("start")!, "src/hello.ts", 3);
  elf.addLine(at.get("start")! + 5, "src/hello.ts", 4);
  elf.addLine(at.get("start")! + 25, "src/hello.ts", 300);
  elf.addLine(at.get("print")!, "src/print.ts", 6);
  elf.addLine(at.get("print")! + 3, "src/print.ts", 7);
  return { file: Uint8Array.from(elf.write().flat()), at };
}

const dir = mkdtempSync(join(tmpdir(), "elf-"));
afterAll(() => rmSync(dir, { recursive: true }));
const { file, at } = hello(BASE, 0);
const path = join(dir, "hello");
writeFileSync(path, file, { mode: 0o755 });

function has(tool: string): boolean {
  const found = spawnSync(tool, ["--version"]).status === 0;
  if (!found) console.log(`${tool} is not installed: its test is skipped`);
  return found;
}

describe("image", () => {
  it("reads back", () => {
    const elf = readElf(file, true);
    expect(elf.error).toBe("");
    expect(elf.entry).toBe(BASE + 0x80);
    expect(elf.segments.map((s) => [s.offset, s.vaddr, s.memSize, s.flags])).toEqual([
      [0, BASE, at.get("text")! + 6 - BASE, 5],
      [0x1000, BASE + 0x2000, 104, 6],
    ]);
    expect(elf.symbols.map((s) => [s.name, s.addr, s.type])).toEqual([
      ["_start", at.get("start"), STT_FUNC], ["print", at.get("print"), STT_FUNC], ["table", BASE + 0x2000, STT_OBJECT],
    ]);
    expect(sectionNamed(elf, ".bss")!.size).toBe(100);
  });

  it("has physical addresses below the virtual ones", () => {
    const elf = readElf(hello(0xc0100000, 0xc0000000).file, true);
    expect(elf.entry).toBe(0x100080);
    expect(elf.segments.map((s) => [s.vaddr >>> 0, s.paddr])).toEqual([[0xc0100000, 0x100000], [0xc0102000, 0x102000]]);
  });

  it("is the same every time", () => expect(hello(BASE, 0).file).toEqual(file));
});

describe("reader", () => {
  const damaged = (change: (b: Uint8Array) => void): string => {
    const copy = Uint8Array.from(file);
    change(copy);
    return readElf(copy, true).error;
  };

  it("says what is wrong", () => {
    expect(readElf(new Uint8Array(3), true).error).toBe("not an ELF file");
    expect(readElf(file.subarray(0, 20), true).error).toBe("the ELF header is cut off");
    expect(damaged((b) => (b[4] = 2))).toBe("not a 32-bit little-endian ELF file");
    expect(damaged((b) => (b[18] = 62))).toBe("an ELF file for another machine than i386");
    expect(damaged((b) => (b[31] = 0x7f))).toBe("program headers lie outside the file");
    expect(damaged((b) => (b[35] = 0x7f))).toBe("section headers lie outside the file");
    expect(damaged((b) => (b[52 + 18] = 0x7f))).toBe("a segment lies outside the file");
  });

  it("survives every cut and every single changed byte", () => {
    for (let n = 0; n < file.length; n += 7) readElf(file.subarray(0, n), true);
    for (let i = 0; i < file.length; i++) if (i < 120 || i > 0x1000) damaged((b) => (b[i] = 0xff));
  });
});

describe("other people's tools", () => {
  it.skipIf(!has("readelf"))("readelf has no complaint", () => {
    const out = spawnSync("readelf", ["-a", "--debug-dump=info,line,decodedline", path], { encoding: "latin1" });
    expect(out.stderr).toBe("");
    expect(out.stdout).not.toMatch(/warning|error|corrupt/i);
    expect(out.stdout).toMatch(/hello\.ts +300 +0x8048099/);
  });

  it.skipIf(!has("objdump"))("objdump shows lines", () => {
    const out = spawnSync("objdump", ["-dl", path], { encoding: "latin1" });
    expect(out.stderr).toBe("");
    expect(out.stdout).toMatch(/src\/print\.ts:7\n 80480a5:\tcd 80/);
  });

  it.skipIf(!has("gdb"))("gdb maps addresses to lines and back", () => {
    const out = spawnSync("gdb", ["-batch", "-nx", "-ex", "info line *0x80480a5", "-ex", "info line src/hello.ts:4", "-ex", "info symbol 0x80480a5", path], { encoding: "latin1" });
    expect(out.stderr).not.toMatch(/warning/i);
    expect(out.stdout).toMatch(/Line 7 of "src\/print.ts" starts at address 0x80480a5 <print\+3>/);
    expect(out.stdout).toMatch(/Line 4 of "src\/hello.ts" starts at address 0x8048085/);
    expect(out.stdout).toMatch(/print \+ 3 in section .text/);
  });

  it("this machine runs it", (context) => {
    const run = spawnSync(path, [], { encoding: "latin1" });
    if (run.error) {
      console.log("this machine does not run i386 Linux programs: skipped");
      context.skip();
    }
    expect([run.status, run.stdout]).toEqual([0, "hello\n"]);
  });
});
