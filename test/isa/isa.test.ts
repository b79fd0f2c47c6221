// The instruction table against itself, the decoder and disassembler against GNU objdump.
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { BAD_LOCK, decode, dataSegment, INVALID, Insn, NEEDS_MORE, TOO_LONG } from "../../src/isa/decode.ts";
import { printInsn } from "../../src/isa/print.ts";
import { ATTR_UNDOC, Mod, ROWS } from "../../src/isa/rows.ts";
import { ROW_TEXT } from "../../src/isa/table.ts";
import { samples } from "./encodings.ts";
import type { Sample } from "./encodings.ts";

const insn = new Insn();
const bytesOf = (hex: string): number[] => [...Buffer.from(hex.replace(/ /g, ""), "hex")];
const decodeHex = (hex: string, big = true): number => decode(bytesOf(hex), 0, hex.replace(/ /g, "").length / 2, big, insn);
const disassemble = (hex: string, big = true): string => (decodeHex(hex, big) > 0 ? printInsn(insn, 0, big).replace(/ +/g, " ") : "");

describe("table", () => {
  it("has lines of eight columns in opcode order", () => {
    const opcode = (text: string): string => text.replace(/^F3 /, "").split(" ")[0] === "0F" ? text.slice(0, 5) : text.replace(/^F3 /, "").slice(0, 2);
    const keys = ROW_TEXT.map(opcode);
    expect([...keys].sort()).toEqual(keys);
    for (const text of ROW_TEXT) expect(text.split("|").length, text).toBe(8);
    const bars = (text: string): number[] => [...text.matchAll(/\|/g)].map((bar) => bar.index);
    for (const text of ROW_TEXT) expect(bars(text), text).toEqual([12, 31, 45, 57, 69, 81, 90]);
    for (const text of ROW_TEXT) expect(text.slice(14), "its mnemonics start with the same letter").toMatch(/^(.)[^\/ ]*(\/\1[^\/ ]*)? /);
  });

  it("parses every notation", () => {
    for (const row of ROWS) {
      expect(row.args.every((arg) => arg !== undefined), row.encoding).toBe(true);
      expect(row.attrs, row.encoding).toBeGreaterThanOrEqual(0);
      expect(row.sets | row.uses | row.undef, row.encoding).toBeGreaterThanOrEqual(0);
      expect(row.sets & row.undef, row.encoding).toBe(0);
      expect(row.does, row.encoding).toMatch(/^[a-z][a-z0-9]*$/);
      expect(row.mod !== Mod.NONE || !/[EGMS]/.test(row.operands.replace(/(ES|SS|CS|DS|FS|GS)/, "")), row.encoding).toBe(true);
    }
  });

  it("leads every sample to its own row", () => {
    for (const s of [...samples(40, true, 1), ...samples(40, false, 2)]) {
      const n = decode(s.bytes, 0, s.bytes.length, s.big, insn);
      expect([n, ROWS[insn.row]!.encoding], Buffer.from(s.bytes).toString("hex")).toEqual([s.bytes.length, s.row.encoding]);
    }
  });
});

describe("decode", () => {
  it("fills the fields of an address", () => {
    expect(decodeHex("8b 84 8a 78 56 34 f2")).toBe(7);
    expect([insn.mod, insn.reg, insn.base, insn.index, insn.scale, insn.disp]).toEqual([2, 0, 2, 1, 2, 0xf2345678 | 0]);
    expect(decodeHex("67 8b 42 fe")).toBe(4);
    expect([insn.addrSize, insn.base, insn.index, insn.disp, dataSegment(insn)]).toEqual([2, 5, 6, -2, 2]);
    expect(decodeHex("67 a1 00 ff")).toBe(4);
    expect(insn.disp).toBe(0xff00);
  });

  it("fills immediates", () => {
    expect([decodeHex("83 c0 80"), insn.imm]).toEqual([3, -128]);
    expect([decodeHex("b0 80"), insn.imm]).toEqual([2, 128]);
    expect([decodeHex("66 b8 ff ff"), insn.imm]).toEqual([4, 0xffff]);
    expect([decodeHex("66 e8 ff ff"), insn.imm]).toEqual([4, -1]);
    expect([decodeHex("ea 04 03 02 01 08 00"), insn.imm, insn.imm2]).toEqual([7, 0x01020304, 8]);
    expect([decodeHex("c8 10 00 03"), insn.imm, insn.imm2]).toEqual([4, 16, 3]);
  });

  it("lets the last of several prefixes of a kind win", () => {
    expect(decodeHex("f2 26 f3 64 66 66 a5")).toBe(7);
    expect([insn.rep, insn.seg, insn.opSize]).toEqual([0xf3, 4, 2]);
  });

  it("asks for more bytes at every cut, and never reads past the limit", () => {
    for (const s of samples(4, true, 3)) {
      for (let cut = 0; cut < s.bytes.length; cut++) {
        const bytes = new Proxy(s.bytes, { get: (t, k) => (Number(k) >= cut ? expect.fail("read past the limit") : Reflect.get(t, k)) });
        expect(decode(bytes, 0, cut, true, insn), Buffer.from(s.bytes).toString("hex")).toBe(NEEDS_MORE);
      }
    }
  });

  it("refuses more than 15 bytes", () => {
    expect(decodeHex("66".repeat(14) + "90")).toBe(15);
    expect(decodeHex("66".repeat(15) + "90")).toBe(TOO_LONG);
    expect(decodeHex("2e".repeat(11) + "b8 01 02 03 04")).toBe(TOO_LONG);
    expect(decode(bytesOf("66".repeat(14)), 0, 14, true, insn)).toBe(NEEDS_MORE);
  });

  it("refuses what does not exist", () => {
    for (const hex of ["0f ff", "0f 04", "8d c0", "c5 c0", "0f c7 c8", "0f 01 d0", "d9 08", "db e8".replace("e8", "e7"), "0f ae f8", "fe d0", "ff f8", "8f c8", "0f 0f", "8e c8", "8c f0", "0f 22 c8", "0f 20 e8"]) {
      expect(decodeHex(hex + "00".repeat(8)), hex).toBe(INVALID);
    }
  });

  it("allows LOCK only on memory destinations of the listed instructions", () => {
    expect(decodeHex("f0 01 00")).toBe(3);
    expect(decodeHex("f0 0f c7 08")).toBe(4);
    for (const hex of ["f0 01 c0", "f0 03 00", "f0 39 00", "f0 90", "f0 8b 00", "f0 0f a3 00"]) expect(decodeHex(hex), hex).toBe(BAD_LOCK);
  });
});

describe("print", () => {
  it("writes Intel syntax", () => {
    expect(disassemble("8b 44 88 ff")).toBe("mov eax,DWORD PTR [eax+ecx*4-0x1]");
    expect(disassemble("f3 a5")).toBe("rep movs DWORD PTR es:[edi],DWORD PTR ds:[esi]");
    expect(disassemble("66 c3")).toBe("retw");
    expect(disassemble("66 c3", false)).toBe("retd");
    expect(disassemble("dc e9")).toBe("fsub st(1),st");
    expect(disassemble("eb fe")).toBe("jmp 0x0");
  });
});

const hasObjdump = spawnSync("objdump", ["--version"]).status === 0;
if (!hasObjdump) console.log("objdump is not installed: the comparison with it is skipped");

/** Texts of objdump for samples, each padded with NOPs to 16 bytes. */
function objdumpTexts(all: Sample[], machine: string): string[] {
  const dir = mkdtempSync(join(tmpdir(), "isa-"));
  const file = join(dir, "code.bin");
  const image = Buffer.alloc(all.length * 16, 0x90);
  all.forEach((s, i) => Buffer.from(s.bytes).copy(image, i * 16));
  writeFileSync(file, image);
  const out = execFileSync("objdump", ["-D", "-w", "-z", "-b", "binary", "-m", machine, "-M", "intel", file], { encoding: "latin1", maxBuffer: 1 << 28 });
  rmSync(dir, { recursive: true });
  const texts: string[] = [];
  for (const line of out.split("\n")) {
    const m = /^ *([0-9a-f]+):\t([0-9a-f ]+)\t(.*)$/.exec(line);
    if (m && parseInt(m[1]!, 16) % 16 === 0) texts[parseInt(m[1]!, 16) / 16] = m[3]!.replace(/ +/g, " ").trim();
  }
  return texts;
}

/** Texts of objdump that are not compared, and why. */
const NOT_COMPARED: readonly [RegExp, string][] = [
  [/\(bad\)/, "it refuses encodings that processors execute: registers where it wants memory, hints of later processors"],
  [/\b(bnd|notrack|xacquire|xrelease)\b/, "it gives F2, F3 and 3E the meaning that they have on later processors"],
  [/,p[nt]\b/, "it shows 2E and 3E in front of branches as the Pentium 4's hints"],
];
/** Size prefixes as words. One that ours does not have changes nothing, or is a suffix of our mnemonic: such texts are not compared. */
const SIZE_PREFIXES = /\b(?:addr|data)(?:16|32)\b/g;
/** Undocumented encodings where objdump has the name of the documented twin. Elsewhere it says (bad) or a later instruction. */
const TWINS = /^(add|or|adc|sbb|and|sub|xor|cmp|shl|test|ffreep)\b/;

/** Spellings that differ: ours made like objdump's. */
const SPELLINGS: readonly { rows: (s: Sample) => boolean; from: RegExp; to: string; why: string }[] = [
  { rows: (s) => s.row.does === "jcc", from: /^(j\w+)[wd] /, to: "$1 ", why: "conditional jumps of the other operand size: the assembler needs the suffix to find them again" },
  { rows: (s) => s.big && s.row.inMemory, from: /\baddr16 /, to: "", why: "16-bit addresses without registers in 32-bit code: objdump does not tell them from 32-bit ones, although it does so for moffs and in 16-bit code" },
  { rows: (s) => s.row.operands === "Mp", from: /^(?:data16 )?(call|jmp) FAR PTR /, to: "$1 DWORD PTR ", why: "far pointers of 16:16 in memory: objdump writes them as near ones of 32 bits; FAR PTR and data16 are GNU as's" },
  { rows: (s) => !s.big && s.row.operands === "Ev", from: /^data32 (call|jmp) DWORD PTR /, to: "$1 DWORD PTR ", why: "near pointers of 32 bits in 16-bit code, where the text without data32 is a far pointer to GNU as and to us" },
  { rows: (s) => s.row.operands === "Ap", from: /^(jmp|call)[wd] /, to: "$1 ", why: "direct far transfers of the other operand size, likewise" },
];

function comparable(s: Sample, text: string, ours: string): boolean {
  if (s.row.attrs & ATTR_UNDOC) return TWINS.test(text);
  if (text.match(SIZE_PREFIXES)?.some((word) => !ours.includes(word))) return false;
  return !NOT_COMPARED.some(([pattern]) => pattern.test(text));
}

function likeObjdump(s: Sample, text: string): string {
  return SPELLINGS.filter(({ rows }) => rows(s)).reduce((t, { from, to }) => t.replace(from, to), text);
}

/** objdump's text with targets of 16-bit jumps cut to 16 bits, as the processor does. */
function cutTarget(s: Sample, text: string): string {
  if (insn.opSize !== 2 || !s.row.operands.startsWith("J")) return text;
  return text.replace(/0x(\w+)$/, (_, digits: string) => `0x${(parseInt(digits, 16) & 0xffff).toString(16)}`);
}

describe.skipIf(!hasObjdump)("objdump agrees", () => {
  for (const [machine, big] of [["i386", true], ["i8086", false]] as const) {
    it(`on samples of every row, ${machine}`, () => {
      const all = samples(25, big, 4);
      const texts = objdumpTexts(all, machine);
      const different: string[] = [];
      const rows = new Set<unknown>();
      const met = new Set<unknown>();
      let compared = 0;
      all.forEach((s, i) => {
        decode(s.bytes, 0, s.bytes.length, big, insn);
        const printed = printInsn(insn, i * 16, big).replace(/ +/g, " ");
        if (!comparable(s, texts[i] ?? "", printed)) return;
        const ours = likeObjdump(s, printed);
        compared++;
        met.add(s.row);
        const theirs = cutTarget(s, texts[i]!);
        if (ours !== theirs && !rows.has(s.row)) different.push(`${Buffer.from(s.bytes).toString("hex")}: ours "${ours}", objdump "${theirs}"`);
        if (ours !== theirs) rows.add(s.row);
      });
      expect(different.slice(0, 100)).toEqual([]);
      expect(compared).toBeGreaterThan(all.length * 0.7);
      expect(ROWS.filter((row) => !met.has(row) && !(row.attrs & ATTR_UNDOC)).map((row) => `${row.encoding} ${row.name32}`)).toEqual([]);
    });
  }
});
