// Portable code that exercises isa, asm and elf and condenses everything they give into one line. Node runs it as it is,
// and gtc compiles it; the two lines must be equal.
import { assemble, AsmEnv } from "../../src/asm/assemble.ts";
import { PF_R, PF_W, PF_X, SHF_ALLOC, SHF_EXECINSTR, SHF_WRITE, SHT_PROGBITS, STT_FUNC } from "../../src/elf/format.ts";
import { ElfImage } from "../../src/elf/image.ts";
import { readElf } from "../../src/elf/read.ts";
import { decode, Insn } from "../../src/isa/decode.ts";
import { hex, printInsn } from "../../src/isa/print.ts";

class Hash {
  value: i32 = 5381;
  count: i32 = 0;

  byte(b: i32): void {
    this.value = (Math.imul(this.value, 33) ^ b) | 0;
    this.count++;
  }

  text(s: string): void {
    for (let i: i32 = 0; i < s.length; i++) this.byte(s.charCodeAt(i));
  }

  bytes(s: u8[]): void {
    for (let i: i32 = 0; i < s.length; i++) this.byte(s[i]);
  }
}

/** Decodes, prints and assembles `rounds` random byte strings, a program with errors, and an ELF image. */
export function summary(rounds: i32): string {
  const hash = new Hash();
  const decoded = randomInstructions(hash, rounds);
  const code = statements(hash);
  image(hash, code);
  return `${decoded} instructions, ${hash.count} bytes, hash ` + hex(hash.value);
}

function randomInstructions(hash: Hash, rounds: i32): i32 {
  const insn = new Insn();
  const env = new AsmEnv();
  env.hasOrigin = true;
  const code: u8[] = [];
  for (let i: i32 = 0; i < 16; i++) code.push(0);
  let seed: i32 = 12345;
  let decoded: i32 = 0;
  for (let round: i32 = 0; round < rounds; round++) {
    for (let i: i32 = 0; i < 16; i++) {
      seed = (Math.imul(seed, 1664525) + 1013904223) | 0;
      code[i] = ((seed >> 16) & 255) as u8;
    }
    const big = (round & 1) == 0;
    const length = decode(code, 0, 16, big, insn);
    hash.byte(length);
    if (length <= 0) continue;
    decoded++;
    const text = printInsn(insn, round, big);
    hash.text(text);
    env.code16 = !big;
    env.origin = round;
    const again = assemble(text, env);
    for (const error of again.errors) hash.text(error.message);
    hash.bytes(again.bytes);
  }
  return decoded;
}

function statements(hash: Hash): u8[] {
  const result = assemble(
    "start: call f; mov eax, [g+4]; jz 1f\n.ascii \"a\\n\"\n bogus\n mov [eax], 1; 1: jmp start; .align 8; MOV EAX, 5\n" +
      ".space 200; je start; .long 1b, -1, 4294967295; mov ebx, 4294967296", new AsmEnv());
  hash.bytes(result.bytes);
  for (const error of result.errors) hash.text(error.message);
  for (const reloc of result.relocs) {
    hash.text(reloc.symbol);
    hash.byte(reloc.addend);
  }
  return result.bytes;
}

function image(hash: Hash, code: u8[]): void {
  const at: i32 = -0x3FEFFF80;       // 0xC0100080
  const elf = new ElfImage();
  elf.physOffset = -0x40000000;
  const text = elf.addSection(".text", SHT_PROGBITS, SHF_ALLOC | SHF_EXECINSTR, at, 16, code);
  const bss = elf.addNobits(".bss", SHF_ALLOC | SHF_WRITE, at + 0x2000, 4, 400);
  elf.addSegment(PF_R | PF_X, text, text, true);
  elf.addSegment(PF_R | PF_W, bss, bss, false);
  elf.addSymbol("start", at, 10, STT_FUNC, text);
  elf.addLine(at, "a.ts", 3);
  elf.addLine(at + 5, "b.ts", 300);
  elf.addLine(at + 200, "b.ts", 2);
  const file: u8[] = [];
  for (const part of elf.write()) for (const byte of part) file.push(byte);
  hash.bytes(file);
  const back = readElf(file, true);
  hash.text(back.error + back.symbols[0].name);
  hash.byte(back.segments[1].vaddr);
}
