// Instructions that random bytes rarely make: transfers through gates and to other rings and tasks, returns with a frame that may
// hold, loads of segment, control and debug registers with values that leave the kernel its machine.

import type { InstructionWriter } from '../../debug/fuzz/instructions.ts';
import type { Random } from '../../debug/fuzz/random.ts';
import type { PeerCase } from './cases.ts';
import { ARENA, CODE_BYTES, FIRST_GATE, FIRST_ODD, FIRST_ODD_VECTOR, GATE_COUNT, LDT_SELECTOR, LOW_ARENA, ODD_COUNT, PAGE_TABLES, ringSelector, TSS_16, TSS_A, TSS_B, VECTORS } from './layout.ts';

/** A selector: of a sound segment, an odd one, a gate, a task, the LDT, or of none. */
export function anySelector(random: Random): number {
  const rpl = random.below(4);
  switch (random.below(8)) {
    case 0: case 1: return (ringSelector(random.below(4), random.pick(['code32', 'code16', 'data32', 'data16'])) & ~3) | rpl;
    case 2: case 3: return (FIRST_ODD + random.below(ODD_COUNT) * 8) | rpl;
    case 4: return (FIRST_GATE + random.below(GATE_COUNT) * 8) | rpl;
    case 5: return (random.below(16) << 3) | 4 | rpl;
    case 6: return random.pick([TSS_A, TSS_B, TSS_16, LDT_SELECTOR, 0]) | rpl;
    default: return random.once(3) ? random.below(0x10000) : rpl;
  }
}

/** One or a few instructions. */
export function onPurpose(random: Random, test: PeerCase, writer: InstructionWriter): void {
  const protectedMode = test.mode.startsWith('ring');
  const kinds = protectedMode ? [transfer, transfer, returns, segment, inspect, software] : [segment, software, inspect, returns];
  if (test.mode === 'ring 0') kinds.push(control, control, tables);
  if (test.mode === 'real' && random.once(4)) kinds.push(debugRegister);
  random.pick(kinds)(random, test, new Emitter(writer, test.big));
}

/** Bytes of instructions with an operand size of 16 or 32 bits. */
class Emitter {
  constructor(private readonly writer: InstructionWriter, readonly big: boolean) {}

  bytes(...list: number[]): this {
    for (const byte of list) this.writer.put(byte & 0xff);
    return this;
  }

  private number(value: number, size: number): this {
    for (let n = 0; n < size; n++) this.writer.put((value >>> (8 * n)) & 0xff);
    return this;
  }

  /** With the operand-size prefix where the code segment has another size. */
  sized(size: 2 | 4, ...list: number[]): this {
    return (size === 4) === this.big ? this.bytes(...list) : this.bytes(0x66, ...list);
  }

  movEax(value: number): this { return this.sized(4, 0xb8).number(value, 4); }
  push(size: 2 | 4, value: number): this { return this.sized(size, 0x68).number(value, size); }
  pointer(size: 2 | 4, opcode: number, selector: number, offset: number): this { return this.sized(size, opcode).number(offset, size).number(selector, 2); }
}

const codeOffset = (random: Random) => (random.once(20) ? 0x4000 + random.below(0xc000) : random.below(CODE_BYTES - 16));
const size = (random: Random, e: Emitter): 2 | 4 => (random.once(4) === e.big ? 2 : 4);

/** CALL and JMP to a far pointer. */
function transfer(random: Random, test: PeerCase, e: Emitter): void {
  const target = random.pick([
    () => (FIRST_GATE + random.below(GATE_COUNT) * 8) | random.below(test.ring + 1),
    () => ringSelector(test.ring, random.pick(['code32', 'code16'])),
    () => random.pick([TSS_B, TSS_16]) | random.below(2),
    () => anySelector(random),
  ])();
  e.pointer(size(random, e), random.once(2) ? 0x9a : 0xea, target, codeOffset(random));
}

/** RETF and IRET with a frame pushed for them. */
function returns(random: Random, test: PeerCase, e: Emitter): void {
  const width = size(random, e);
  const paragraphs = test.mode === 'real' || test.mode === 'vm86';
  const ring = paragraphs ? 0 : random.once(2) ? test.ring : random.below(4);
  const code = paragraphs ? LOW_ARENA >> 4 : random.once(6) ? anySelector(random) : ringSelector(ring, random.once(3) ? 'code16' : 'code32');
  const interrupt = random.once(2);
  if (!paragraphs && interrupt && test.ring === 0 && random.once(4)) { toVirtual(random, e); return; }
  if (ring !== test.ring && !paragraphs) e.push(width, random.once(6) ? anySelector(random) : ringSelector(ring, random.once(3) ? 'data16' : 'data32')).push(width, 0x3200 + random.below(0x800));
  if (interrupt) e.push(width, 2 | (random.word() & 0x8d5) | 0x200 | (random.once(4) ? random.word() & 0x5_7000 & ~0x4000 : 0));
  e.push(width, code).push(width, codeOffset(random)).sized(width, interrupt ? 0xcf : 0xcb);
}

/** IRETD to virtual 8086 mode, over the arena where paging shows it there. */
function toVirtual(random: Random, e: Emitter): void {
  const paragraph = LOW_ARENA >> 4;
  for (let n = 0; n < 5; n++) e.push(4, paragraph);
  e.push(4, 0x3400).push(4, 0x2_0202 | (random.once(2) ? 0x3000 : 0)).push(4, paragraph).push(4, codeOffset(random)).sized(4, 0xcf);
}

/** MOV and POP to a segment register. */
function segment(random: Random, test: PeerCase, e: Emitter): void {
  const selector = test.mode === 'real' || test.mode === 'vm86' ? (LOW_ARENA >> 4) + random.below(0x100) : anySelector(random);
  const n = random.pick([0, 2, 3, 4, 5]);
  if (random.once(2)) e.movEax(selector).bytes(0x8e, 0xc0 | (n << 3));
  else e.push(size(random, e), selector).sized(size(random, e), ...[[0x07], [], [0x17], [0x1f], [0x0f, 0xa1], [0x0f, 0xa9]][n]!);
}

/** LAR, LSL, VERR, VERW, ARPL, SLDT, STR, SMSW, SGDT, SIDT, and what is privileged of their kind. */
function inspect(random: Random, test: PeerCase, e: Emitter): void {
  e.movEax(anySelector(random));
  const width = size(random, e);
  const modrm = (digit: number) => 0xc0 | (digit << 3);
  const list: (() => unknown)[] = [
    () => e.sized(width, 0x0f, 0x02, 0xc8), () => e.sized(width, 0x0f, 0x03, 0xd0), () => e.bytes(0x0f, 0x00, modrm(4)), () => e.bytes(0x0f, 0x00, modrm(5)),
    () => e.bytes(0x63, 0xc1), () => e.bytes(0x63, 0xc8), () => e.sized(width, 0x0f, 0x00, modrm(0)), () => e.sized(width, 0x0f, 0x00, modrm(1)), () => e.sized(width, 0x0f, 0x01, modrm(4)),
  ];
  if (test.ring > 0) list.push(() => e.bytes(0x0f, 0x00, modrm(2)), () => e.bytes(0x0f, 0x00, modrm(3)), () => e.bytes(0x0f, 0x22, 0xc0), () => e.bytes(0x0f, 0x20, 0xc0), () => e.bytes(0x0f, 0x06), () => e.bytes(0xf4));
  random.pick(list)();
}

/** INT n, INT3, INTO. */
function software(random: Random, _test: PeerCase, e: Emitter): void {
  if (random.once(6)) e.bytes(random.pick([0xcc, 0xce]));
  else e.bytes(0xcd, random.once(3) ? random.below(0x40) : FIRST_ODD_VECTOR + random.below(VECTORS - FIRST_ODD_VECTOR));
}

/** Control and debug registers at CPL 0, but for PE, PG, the directory and reserved bits, which the other emulator may accept. */
function control(random: Random, test: PeerCase, e: Emitter): void {
  const pg = test.paging ? 0x8000_0000 : 0;
  const cr0 = () => random.once(8) ? 0x2000_0031 | pg : 0x31 | pg | random.below(8) << 1 | (random.once(2) ? 0x1_0000 : 0) | (random.once(3) ? 0x4_0000 : 0) | (random.once(8) ? 0x4000_0000 : 0);
  const list: (() => unknown)[] = [
    () => e.movEax(cr0()).bytes(0x0f, 0x22, 0xc0),
    () => e.movEax(random.below(16) << 2 & 0x1c | (random.once(2) ? 0x80 : 0)).bytes(0x0f, 0x22, 0xe0),
    () => e.movEax(random.word()).bytes(0x0f, 0x22, 0xd0),
    () => e.movEax(PAGE_TABLES | random.pick([0, 8, 0x10])).bytes(0x0f, 0x22, 0xd8),
    () => e.bytes(0x0f, 0x20, 0xc0 | (random.below(8) << 3) | 1),
    () => e.bytes(0x0f, 0x06),
    () => e.movEax(random.below(16) | 1).bytes(0x0f, 0x01, 0xf0),
    () => e.bytes(0x0f, 0x09),
  ];
  if (random.once(3)) debugRegister(random, test, e);
  else random.pick(list)();
}

/** DR0 to DR7, without enabling anything outside the arena. */
function debugRegister(random: Random, test: PeerCase, e: Emitter): void {
  const base = test.mode === 'real' ? LOW_ARENA : ARENA;
  if (random.once(2)) { e.bytes(0x0f, 0x21, 0xc1 | (random.below(8) << 3)); return; }
  const n = random.below(8);
  e.movEax(n < 4 ? base + random.below(0x4000) : n === 6 ? random.word() & 0xffff : random.word() & 0xffff_03ff).bytes(0x0f, 0x23, 0xc0 | (n << 3));
}

/** LLDT and LTR. */
function tables(random: Random, _test: PeerCase, e: Emitter): void {
  e.movEax(random.once(3) ? random.pick([LDT_SELECTOR, TSS_B, TSS_16, 0]) : anySelector(random)).bytes(0x0f, 0x00, 0xc0 | ((2 + random.below(2)) << 3));
}
