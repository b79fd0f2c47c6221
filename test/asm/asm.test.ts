// The assembler: statements against known bytes, labels, relocations and errors; every row through decode, print,
// assemble and decode again; and GNU as on the same source.
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { assemble, AsmEnv } from "../../src/asm/assemble.ts";
import type { AsmResult } from "../../src/asm/assemble.ts";
import { dataSegment, decode, Insn } from "../../src/isa/decode.ts";
import { printInsn } from "../../src/isa/print.ts";
import { ATTR_UNDOC, ROWS } from "../../src/isa/rows.ts";
import { hasAddressSize, samples } from "../isa/encodings.ts";

const hexOf = (r: AsmResult): string => Buffer.from(r.bytes).toString("hex");
const errorsOf = (text: string): string[] => assemble(text, new AsmEnv()).errors.map((e) => `${e.line}: ${e.message}`);

function assembled(text: string, code16 = false): string {
  const env = new AsmEnv();
  env.code16 = code16;
  const r = assemble(text, env);
  expect(r.errors, text).toEqual([]);
  return hexOf(r);
}

describe("instructions", () => {
  const known: [string, string][] = [
    ["push 5", "6a05"], ["push 0x1234", "6834120000"], ["pushw 5", "666a05"], ["push ds", "1e"], ["pop gs", "0fa9"],
    ["add eax, 1", "83c001"], ["add eax, 1000", "05e8030000"], ["add ebx, -1", "83c3ff"], ["add al, 200", "04c8"],
    ["mov eax, [ebp-8]", "8b45f8"], ["mov eax, [0x1000]", "a100100000"], ["mov ecx, [0x1000]", "8b0d00100000"],
    ["mov eax, dword ptr [esp+4]", "8b442404"], ["mov [eax+ecx*4+0x100], dl", "88948800010000"], ["mov eax, [ebp]", "8b4500"],
    ["mov ds, ax", "8ed8"], ["mov ax, ds", "668cd8"], ["mov cr3, eax", "0f22d8"], ["mov eax, cr2", "0f20d0"],
    ["mov byte ptr fs:[0], 3", "64c6050000000003"], ["mov eax, gs:[ebx]", "658b03"], ["mov eax, [gs:ebx]", "658b03"],
    ["lea eax, dword ptr [ebx+esi*8]", "8d04f3"], ["lea eax, [eax+esp]", "8d0404"], ["imul eax, ecx, 10", "6bc10a"], ["imul eax, 1000", "69c0e8030000"],
    ["rep movsd", "f3a5"], ["repne scasb", "f2ae"], ["movsw", "66a5"], ["lodsb", "ac"], ["insd", "6d"], ["xlatb", "d7"],
    ["in al, dx", "ec"], ["in eax, 0x60", "e560"], ["out 0x20, al", "e620"], ["out dx, ax", "66ef"],
    ["pushad", "60"], ["pushfd", "9c"], ["popfd", "9d"], ["iretd", "cf"], ["iret", "cf"], ["ret 8", "c20800"], ["retf", "cb"], ["leave", "c9"], ["enter 16, 1", "c8100001"],
    ["jmp 0x08:0x1234", "ea341200000800"], ["call [eax]", "ff10"], ["jmp fword ptr [eax]", "ff28"], ["call esi", "ffd6"],
    ["lock cmpxchg8b [esi]", "f00fc70e"], ["lock xadd [edx], eax", "f00fc102"], ["lock; dec dword ptr [eax]", "f0ff08"], ["xchg [eax], cl", "8608"],
    ["lgdt [eax]", "0f0110"], ["lidt [esp+2]", "0f015c2402"], ["ltr ax", "0f00d8"], ["lldt ax", "0f00d0"], ["invlpg [ecx]", "0f0139"], ["str ax", "660f00c8"],
    ["fnsave [eax]", "dd30"], ["fsave [eax]", "9bdd30"], ["frstor [eax]", "dd20"], ["fxsave [eax]", "0fae00"], ["fninit", "dbe3"], ["fldcw [esp]", "d92c24"], ["fnstsw ax", "dfe0"],
    ["fld qword ptr [esp]", "dd0424"], ["fstp tbyte ptr [esp]", "db3c24"], ["fild qword ptr [esp]", "df2c24"], ["faddp", "dec1"], ["fxch", "d9c9"], ["fadd st, st(2)", "d8c2"], ["fsubp st(1), st", "dee9"], ["fcomip st, st(1)", "dff1"],
    ["setnz al", "0f95c0"], ["cmovc eax, [ebx]", "0f4203"], ["movzx eax, byte ptr [ebx]", "0fb603"], ["movsx ecx, ax", "0fbfc8"], ["bt dword ptr [eax], 3", "0fba2003"],
    ["shl eax, 1", "d1e0"], ["sal eax, 4", "c1e004"], ["shr edx, cl", "d3ea"], ["shld eax, edx, cl", "0fa5d0"], ["test al, 1", "a801"], ["int 0x80", "cd80"], ["int3", "cc"],
    ["bswap edx", "0fca"], ["cwde", "98"], ["cdq", "99"], ["cbw", "6698"], ["rdtsc", "0f31"], ["sysenter", "0f34"], ["pause", "f390"], ["ud2", "0f0b"], ["salc", "d6"],
    ["addr16 mov eax, ds:0x1234", "67a13412"], ["addr16 mov ecx, [0x1234]", "678b0e3412"], ["lock addr16 inc dword ptr fs:5", "f06467ff060500"], ["addr32 mov ecx, [5]", "8b0d05000000"],
    ["addr16 loop .", "67e2fd"], ["addr16 data16 loope .", "6766e1fc"], ["data16 jecxz .", "66e3fd"], ["data16 jcxz .", "6766e3fc"], ["addr16 movsd", "67a5"], ["data16 push 5", "666a05"],
    ["data16; addr16; nop", "666790"], ["data32; addr32; nop", "90"],
    ["call far ptr [eax]", "ff18"], ["data16 call far ptr [eax]", "66ff18"], ["data16 jmp FAR PTR fs:0x10", "6466ff2d10000000"], ["jmp dword ptr [eax]", "ff20"],
    ["call far", "e800000000"], ["jmp far + 1", "e900000000"], ["mov eax, far", "b800000000"],
    ["MOV EAX, EBX", "89d8"], ["mov al, 'a'", "b061"], ["fld qword ptr dword ptr [ebp-8]", "dd45f8"], ["mov eax, dword ptr ds:0x10", "a110000000"],
    ["jecxz .", "e3fe"], ["mov eax, [bx+si]", "678b00"], ["mov eax, -1", "b8ffffffff"], ["and eax, 0xfffffff0", "83e0f0"], ["cmp byte ptr [eax], 0xff", "8038ff"],
  ];
  it.each(known)("%s", (text, hex) => expect(assembled(text)).toBe(hex));

  it("knows 16-bit code", () => {
    expect(assembled("mov ax, bx; mov eax, ebx; mov al, [bx+di+5]; ret; retd; jmp 0x8:0x1234; lgdt [0x500]; jcxz .", true)).toBe(
      "89d8" + "6689d8" + "8a4105" + "c3" + "66c3" + "ea34120800" + "660f01160005" + "e3fe",
    );
    expect(assembled("jmp dword ptr [bx]; jmp far ptr [bx]; data32 jmp dword ptr [bx]; data32 jmp far ptr [bx]; data32 loop .; addr32 mov ax, [5]", true)).toBe(
      "ff2f" + "ff2f" + "66ff27" + "66ff2f" + "66e2fd" + "67a105000000",
    );
    expect(assembled(".code16; mov ax, 1; .code32; mov ax, 1")).toBe("b80100" + "66b80100");
  });
});

describe("labels and data", () => {
  it("gives jumps their shortest form", () => {
    expect(assembled("a: jmp b; .space 127; b: jmp a")).toBe("eb7f" + "00".repeat(127) + "e97affffff");
    expect(assembled("a: je b; .space 128; b: loop b")).toBe("0f8480000000" + "00".repeat(128) + "e2fe");
    expect(assembled("1: jmp 1f; jmp 1b; 1: jmp 1b")).toBe("eb02" + "ebfc" + "ebfe");
  });

  it("lays out data", () => {
    expect(assembled('.byte 1, -1, 255; .word 0x102; .long 1, 2; .ascii "hi\\n"; .asciz "x"; .align 4; .byte 9')).toBe(
      "01ffff" + "0201" + "0100000002000000" + "68690a" + "7800" + "9090" + "09",
    );
    expect(assembled("a: nop; nop; b: .byte b - a; .long b - a + 1")).toBe("9090" + "02" + "03000000");
    expect(assemble("nop; .align 16; nop", new AsmEnv()).align).toBe(16);
  });

  it("leaves relocations", () => {
    const r = assemble("here: call f; mov eax, g+4; mov [g], ecx; jmp 0x8:here; .long here, g-1; jz f", new AsmEnv());
    expect(r.errors).toEqual([]);
    expect(r.relocs.map((x) => [x.offset, x.relative, x.symbol, x.addend])).toEqual([
      [1, true, "f", -4], [6, false, "g", 4], [12, false, "g", 0], [17, false, "", 0], [23, false, "", 0], [27, false, "g", -1], [33, true, "f", -4],
    ]);
    expect(assemble('call "any name<i32>"', new AsmEnv()).relocs[0]!.symbol).toBe("any name<i32>");
  });

  it("makes addresses with an origin", () => {
    const env = new AsmEnv();
    env.hasOrigin = true;
    env.origin = 0x7c00;
    env.code16 = true;
    expect(hexOf(assemble("jmp 0:b; b: mov si, b; call 0x7c00", env))).toBe("ea057c0000" + "be057c" + "e8f5ff");
  });
});

describe("errors", () => {
  const wrong: [string, string][] = [
    ["nop\nbogus eax", "1: unknown instruction bogus"],
    ["mov [eax], 1", "0: size of the memory operand is not known: write byte, word or dword ptr before it"],
    ["mov eax, bx", "0: mov does not take these operands"],
    ["mov al, 256", "0: mov does not take these operands"],
    ["mov eax, dword ptr [eax", "0: expected ]"],
    ["mov eax, [eax+ebx+ecx]", "0: too many registers in an address"],
    ["mov eax, [eax+esp*2]", "0: esp cannot be an index"],
    ["mov eax, [ebx+cx]", "0: 16- and 32-bit registers in one address"],
    ["mov eax, [cx]", "0: no such 16-bit address"],
    ["lock mov [eax], ecx", "0: LOCK is not allowed here"],
    ["rep add eax, 1", "0: REP is not allowed here"],
    ["a: nop\na: nop", "1: label a stands here twice"],
    ["inc eax ebx", "0: expected the end of the statement"],
    ["mov eax, 0x123456789", "0: bad number 0x123456789"],
    ["mov eax, 4294967296", "0: bad number 4294967296"],
    [".byte 256", "0: value does not fit"],
    [".what 1", "0: unknown directive .what"],
    ["jmp 5", "0: a jump needs a label or a symbol"],
    ["loop elsewhere", "0: an address needs 32 bits"],
    ["a: .space 200; loop a", "0: jump is too far"],
    [".long f - g", "0: only two labels of this text can be subtracted"],
    ['.ascii "abc', "0: string without end"],
    ["push eax,", "0: expected a number or a name"],
    ["addr16 mov eax, [ebx]", "0: mov does not take these operands"],
    ["addr16 mov eax, [0x12345]", "0: mov does not take these operands"],
    ["addr16 add eax, ebx", "0: add does not take these operands"],
    ["data16 mov eax, ebx", "0: mov does not take these operands"],
    ["call far ptr eax", "0: after far ptr comes memory without another size"],
    ["call far ptr dword ptr [eax]", "0: after far ptr comes memory without another size"],
    ["mov eax, far ptr [eax]", "0: mov does not take these operands"],
    ["+", "0: expected an instruction"],
  ];
  it.each(wrong)("%s", (text, message) => expect(errorsOf(text)).toEqual([message]));

  it("are all reported, and names can be restricted", () => {
    expect(errorsOf("foo\nnop\nbar")).toEqual(["0: unknown instruction foo", "2: unknown instruction bar"]);
    const env = new AsmEnv();
    env.externals = ["known"];
    expect(assemble("call known; call other", env).errors.map((e) => e.message)).toEqual(["unknown name other"]);
  });
});

/** The fields that a text determines: not the choice among encodings of the same address or immediate. */
function meaning(bytes: number[], big: boolean): unknown {
  const insn = new Insn();
  expect(decode(bytes, 0, bytes.length, big, insn)).toBe(bytes.length);
  const row = ROWS[insn.row]!;
  const mask = insn.opSize === 2 ? 0xffff : -1;
  const addrSize = hasAddressSize(row) && !(row.inMemory && insn.mod === 3) ? insn.addrSize : 0;
  const memory = (row.inMemory && insn.mod !== 3) || /O[bv]/.test(row.operands);
  const address = memory ? [dataSegment(insn), insn.base, insn.index, insn.index < 0 ? 0 : insn.scale, insn.disp & (insn.addrSize === 2 ? 0xffff : -1)] : [];
  const value = row.operands.endsWith(", 1") ? 1 : row.operands.startsWith("J") ? insn.imm + insn.length : insn.imm;
  const sized = /^J/.test(row.operands) || row.name16 !== row.name32 || /[EGIMXYZ]v|eAX|M[pa]|Ibs/.test(row.operands);
  const names = sized || (/^Rv/.test(row.operands) && insn.mod === 3) ? insn.opSize : 0;
  return { does: row.does, size: names, lock: insn.lock, rep: insn.rep, addrSize, address, value: value & mask, imm2: insn.imm2 };
}

/** A text without what the assembler may shorten: zero displacements, absent indexes, default segments, counts of one. */
function plain(text: string): string {
  return text
    .replace(/[ds]s:(?=\[)/, "").replace(/\+?eiz\*\d/, "").replace(/\+0x0\]/, "]").replace("[+", "[")
    .replace(/^((?:addr\d\d )?(?:ro|rc|sh|sa)[lr] .*),0x1$/, "$1,1").replace(/^(mov +[c-gs]s,)e/, "$1").replace("st(0),st", "st,st(0)").replace(/D?(BYTE|WORD) PTR (?=[c-gs]s:0x)/, "");
}

function reprint(bytes: number[], address: number, big: boolean, insn: Insn): string {
  decode(bytes, 0, bytes.length, big, insn);
  return printInsn(insn, address, big);
}

describe("every row survives print and assemble", () => {
  for (const big of [true, false]) {
    it(big ? "in 32-bit code" : "in 16-bit code", () => {
      const env = new AsmEnv();
      env.code16 = !big;
      env.hasOrigin = true;
      env.origin = 0x1000;
      const insn = new Insn();
      const bad: string[] = [];
      for (const s of samples(30, big, 5)) {
        decode(s.bytes, 0, s.bytes.length, big, insn);
        const text = printInsn(insn, env.origin, big);
        const r = assemble(text, env);
        const where = `${Buffer.from(s.bytes).toString("hex")} ${text} -> ${hexOf(r)}`;
        if (r.errors.length > 0) bad.push(`${where}: ${r.errors[0]!.message}`);
        else if (JSON.stringify(meaning(r.bytes, big)) !== JSON.stringify(meaning(s.bytes, big))) bad.push(`${where} differs`);
        else if (plain(reprint(r.bytes, env.origin, big, insn)) !== plain(text)) bad.push(`${where} prints differently`);
        else if (r.bytes.length > s.bytes.length) bad.push(`${where} is longer`);
        else if ((ROWS[insn.row]!.attrs & ATTR_UNDOC) !== 0 && (s.row.attrs & ATTR_UNDOC) === 0) bad.push(`${where} is undocumented`);
      }
      expect(bad.slice(0, 40)).toEqual([]);
    });
  }
});

const hasAs = spawnSync("as", ["--version"]).status === 0 && spawnSync("objcopy", ["--version"]).status === 0;
if (!hasAs) console.log("GNU as is not installed: the comparison with it is skipped");

describe.skipIf(!hasAs)("GNU as agrees", () => {
  it("on the printed samples, encodings no longer than its own", () => {
    const insn = new Insn();
    const texts: string[] = [];
    for (const s of samples(12, true, 6)) {
      decode(s.bytes, 0, s.bytes.length, true, insn);
      const attrs = s.row.attrs & ATTR_UNDOC;
      if (attrs || s.row.operands.includes("J") || s.row.operands === "Ap" || /[a-z]d |^(fld|fns|frs).*w/.test(printInsn(insn, 0, true).slice(0, 9))) continue;
      if (/eiz/.test(printInsn(insn, 0, true))) continue;
      texts.push(printInsn(insn, 0, true));
    }
    const dir = mkdtempSync(join(tmpdir(), "asm-"));
    const at = (name: string): string => join(dir, name);
    writeFileSync(at("a.s"), [".intel_syntax noprefix", ".code32", ...texts.map((t) => `.balign 32, 0x90\n${t}`)].join("\n") + "\n");
    const run = spawnSync("as", ["--32", "-o", at("a.o"), at("a.s")], { encoding: "latin1" });
    const refused = new Set([...run.stderr.matchAll(/a\.s:(\d+): Error/g)].map((m) => (Number(m[1]) - 4) / 2));
    const accepted = texts.filter((_, i) => !refused.has(i));
    writeFileSync(at("a.s"), [".intel_syntax noprefix", ".code32", ...accepted.map((t) => `.balign 32, 0x90\n${t}`)].join("\n") + "\n");
    execFileSync("as", ["--32", "-o", at("a.o"), at("a.s")], { stdio: ["ignore", "ignore", "pipe"] });
    execFileSync("objcopy", ["-O", "binary", "-j", ".text", at("a.o"), at("a.bin")]);
    const theirs = readFileSync(at("a.bin"));
    rmSync(dir, { recursive: true });
    const bad: string[] = [];
    accepted.forEach((text, i) => {
      const n = decode(theirs, i * 32, i * 32 + 15, true, insn);
      const bytes = [...theirs.subarray(i * 32, i * 32 + n)];
      const ours = assemble(text, new AsmEnv()).bytes;
      if (ours.length > n || JSON.stringify(meaning(ours, true)) !== JSON.stringify(meaning(bytes, true))) {
        bad.push(`${text}: ours ${Buffer.from(ours).toString("hex")}, as ${Buffer.from(bytes).toString("hex")}`);
      }
    });
    expect(bad.slice(0, 30)).toEqual([]);
    expect(accepted.length).toBeGreaterThan(texts.length * 0.9);
  });
});
