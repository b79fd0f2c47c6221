// The situations in which random instructions run: real mode, VM86, and protected mode of every ring, code of 16 and 32 bits,
// paging on and off, with tables full of descriptors of every kind. All of it lies in the first MiB:
//
//   00000 IVT   01000 IDT   02000 GDT   02800 LDT   03000 TSSs   04000 page directory   05000, 06000 page tables
//   08000 handlers (random code too)   10000 code   20000 data   30000 stacks
//
// A situation writes the tables, the code and the whole state of a CPU from random numbers, so that two CPUs that are given
// equal random numbers are in equal states. Tables are written anew each time; the rest of memory stays what it has become.

import type { Cpu } from '../../cpu/cpu.ts';
import { cell, FPU, LDTR, TR } from '../../cpu/layout.ts';
import { bagOf, everything, InstructionWriter } from './instructions.ts';
import { Random } from './random.ts';

export const RAM_BYTES = 1 << 20;
const IDT = 0x1000, GDT = 0x2000, LDT = 0x2800, TSS = 0x3000, PAGES = 0x4000, HANDLERS = 0x8000, TABLES_END = 0x9000;
const CODE = 0x1_0000, DATA = 0x2_0000, STACKS = 0x3_0000;
const HANDLER_COUNT = 32, PAGE_WORDS = 0xc00;
const GUARD = (STACKS >> 12) - 1;     // the page below the stacks is absent, so that endless faults end soon

export const MODES = ['real', 'vm86', 'ring 0', 'ring 1', 'ring 2', 'ring 3'] as const;
export type Mode = (typeof MODES)[number];

/** What a situation was, for the story. */
export interface Situation { mode: Mode; big: boolean; paging: boolean; length: number }

const bag = bagOf(everything);
const FLAGS = 0x0cd5;
/** x87 registers worth having: sign and exponent, significand. */
const SPECIAL_FLOATS: readonly [number, bigint][] = [
  [0, 0n], [0x8000, 0n], [0x3fff, 1n << 63n], [0xbfff, 1n << 63n], [0x7fff, 1n << 63n], [0xffff, 1n << 63n],
  [0x7fff, 3n << 62n], [0x7fff, (1n << 63n) | 1n], [0, 1n], [0, (1n << 62n)], [0x4000, 3n], [0x7ffe, (1n << 64n) - 1n], [0x403e, (1n << 64n) - 1n],
];

/** Code descriptors and data descriptors of one ring: [selector, descriptor index] pairs are index * 8 + ring. */
const CODE32 = (ring: number) => 8 + ring * 32;
const CODE16 = (ring: number) => 16 + ring * 32;
const DATA32 = (ring: number) => 24 + ring * 32;
const DATA16 = (ring: number) => 32 + ring * 32;
const FIRST_ODD = 17, ODD_COUNT = 24;
const LDT_SELECTOR = 0x148, TSS_A = 0x150, TSS_B = 0x158, TSS_16 = 0x160, GATES = 0x168, GDT_ENTRIES = 56;

export class Stage {
  private readonly tables = new DataView(new ArrayBuffer(TABLES_END));
  private readonly handlers = new Uint8Array(this.tables.buffer, HANDLERS, TABLES_END - HANDLERS);
  private readonly pageWords = new Int32Array(PAGE_WORDS);
  private readonly tablesBefore = new Uint8Array(this.pageWords.buffer);
  private readonly i32: Int32Array;
  private readonly tablesNow: Uint8Array;

  constructor(private readonly cpu: Cpu) {
    this.i32 = new Int32Array(cpu.memory.buffer);
    this.tablesNow = cpu.ram.subarray(PAGES, PAGES + PAGE_WORDS * 4);
  }

  /** Fills memory at the start of a batch. */
  begin(random: Random): void {
    const words = new Uint32Array(this.cpu.ram.buffer, this.cpu.ram.byteOffset, RAM_BYTES >> 2);
    words.fill(0);
    for (const [from, bytes] of [[CODE, 0x4000], [DATA, 0x8000], [STACKS, 0x4000]] as const) {
      for (let at = from; at < from + bytes; at += 4) words[at >> 2] = random.once(3) ? this.pointer(random) : random.word();
    }
    this.cpu.dmaWritten(0, RAM_BYTES);
    this.buildTables(random);
  }

  /** The same as another stage has begun with. */
  beginLike(other: Stage): void {
    this.cpu.ram.set(other.cpu.ram);
    this.cpu.dmaWritten(0, RAM_BYTES);
    new Uint8Array(this.tables.buffer).set(new Uint8Array(other.tables.buffer));
  }

  /**
   * Have page tables in use been overwritten since the last call, or since they were prepared? Then translations may be stale, and
   * engines may differ in which. Walks set accessed and dirty bits; what is more than that is the guest's.
   */
  get translationsChanged(): boolean {
    if (!this.paging || Buffer.compare(this.tablesNow, this.tablesBefore) === 0) return false;
    const now = new Int32Array(this.tablesNow.buffer, this.tablesNow.byteOffset, PAGE_WORDS), before = this.pageWords;
    for (let n = 0; n < PAGE_WORDS; n++) {
      if (now[n] === before[n]) continue;
      if ((now[n]! ^ before[n]!) & ~0x60 || before[n]! & ~now[n]!) return true;
      before[n] = now[n]!;
    }
    return false;
  }

  /** Puts the CPU into a random situation with random code ahead. */
  prepare(random: Random): Situation {
    const mode = random.pick(MODES);
    const big = mode.startsWith('ring') && !random.once(3);
    const paging = mode !== 'real' && !random.once(3);
    this.paging = paging;
    this.writeTables(random);
    const length = this.writeCode(random, big);
    this.setControl(random, mode, paging);
    this.setSegments(random, mode, big);
    this.setRegisters(random, big);
    if (random.once(3)) this.setFpu(random);
    this.cpu.state.refresh();
    this.cpu.state.eflags = this.flags(random, mode);
    return { mode, big, paging, length };
  }

  // ---- memory ----

  private descriptor(at: number, base: number, limit: number, access: number, flags: number): void {
    this.tables.setUint32(at, (limit & 0xffff) | (base << 16), true);
    this.tables.setUint32(at + 4, ((base >>> 16) & 0xff) | (access << 8) | (limit & 0xf0000) | (flags << 20) | (base & 0xff000000), true);
  }

  private gate(at: number, selector: number, offset: number, type: number, count = 0): void {
    this.tables.setUint32(at, (selector << 16) | (offset & 0xffff), true);
    this.tables.setUint32(at + 4, (offset & 0xffff0000) | (type << 8) | count, true);
  }

  private handler(random: Random): number { return HANDLERS + random.below(HANDLER_COUNT) * 64; }

  private buildTables(random: Random): void {
    const view = this.tables;
    for (let at = 0; at < TABLES_END; at += 4) view.setUint32(at, 0, true);
    for (let n = 0; n < 256; n++) view.setUint32(n * 4, this.handler(random), true);
    for (let ring = 0; ring < 4; ring++) {
      const dpl = ring << 5;
      this.descriptor(GDT + CODE32(ring), 0, 0xfffff, 0x9b | dpl, 0xc);
      this.descriptor(GDT + CODE16(ring), random.pick([0, CODE]), 0xffff, 0x9b | dpl, 0);
      this.descriptor(GDT + DATA32(ring), 0, 0xfffff, 0x93 | dpl, 0xc);
      this.descriptor(GDT + DATA16(ring), random.pick([0, DATA, STACKS]), 0xffff, 0x93 | dpl, 0);
    }
    for (let n = 0; n < ODD_COUNT; n++) this.oddDescriptor(random, GDT + (FIRST_ODD + n) * 8);
    for (let n = 0; n < 16; n++) this.oddDescriptor(random, LDT + n * 8);
    this.descriptor(GDT + LDT_SELECTOR, LDT, 0x7f, 0x82, 0);
    this.descriptor(GDT + TSS_A, TSS, 0x1ff, 0x8b, 0);
    this.descriptor(GDT + TSS_B, TSS + 0x400, 0x67, 0xe9, 0);
    this.descriptor(GDT + TSS_16, TSS + 0x600, 0x2b, 0xe1, 0);
    for (let n = GATES / 8; n < GDT_ENTRIES; n++) this.callGate(random, GDT + n * 8);
    for (let n = 0; n < 256; n++) this.interruptGate(random, IDT + n * 8);
    this.buildTasks(random);
    this.buildPages(random);
    const writer = new InstructionWriter(this.handlers, bag, random);
    while (writer.at < this.handlers.length - 16) {
      if (random.once(8)) { this.handlers[writer.at++] = 0xcf; continue; }
      writer.instruction(!random.once(4));
    }
  }

  private oddDescriptor(random: Random, at: number): void {
    const access = random.once(3) ? random.below(256) : 0x90 | random.below(16) | (random.below(4) << 5);
    const base = random.once(2) ? 0 : random.pick([CODE, DATA, STACKS]) + (random.once(2) ? random.below(0x2000) : 0);
    const limit = random.pick([0, 1, 0xff, 0xfff, 0x1fff, 0xffff, 0x2_0fff, 0xf_ffff, random.below(0x10000)]);
    this.descriptor(at, base, limit, access, random.below(16) & 0xd);
  }

  private callGate(random: Random, at: number): void {
    const ring = random.below(4);
    const selector = random.once(5) ? random.below(0x1c0) : random.pick([CODE32, CODE16])(ring);
    this.gate(at, selector, this.handler(random), random.pick([0xec, 0xec, 0xe4, 0xe5, 0x8c, 0x6c]), random.below(5));
  }

  private interruptGate(random: Random, at: number): void {
    if (random.once(25)) { this.gate(at, random.pick([TSS_B, TSS_16, TSS_A]), 0, random.pick([0xe5, 0x85])); return; }
    const ring = random.once(4) ? random.below(4) : 0;
    const selector = random.once(30) ? random.below(0x1c0) : random.once(5) ? CODE16(ring) : CODE32(ring);
    this.gate(at, selector, this.handler(random), random.pick([0x8e, 0xee, 0xef, 0xee, 0xe6, 0xe7, 0x8f]));
  }

  private buildTasks(random: Random): void {
    const view = this.tables;
    for (const at of [TSS, TSS + 0x400]) {
      for (let ring = 0; ring < 3; ring++) {
        view.setUint32(at + 4 + ring * 8, STACKS + 0x1000 * (ring + 1), true);
        view.setUint32(at + 8 + ring * 8, (random.once(5) ? DATA16 : DATA32)(ring) | ring, true);
      }
      view.setUint32(at + 0x1c, PAGES, true);
      view.setUint32(at + 0x20, this.handler(random), true);
      view.setUint32(at + 0x24, 2 | (random.word() & FLAGS), true);
      for (let n = 0; n < 8; n++) view.setUint32(at + 0x28 + n * 4, this.pointer(random), true);
      this.taskSegments(random, at);
      view.setUint16(at + 0x60, random.once(3) ? 0 : LDT_SELECTOR, true);
      view.setUint16(at + 0x64, random.once(8) ? 1 : 0, true);
      view.setUint16(at + 0x66, 0x68, true);
      for (let n = 0x68; n < 0x1f0; n++) view.setUint8(at + (at === TSS ? n : 0x67), random.once(2) ? 0 : random.below(256));
    }
    const at = TSS + 0x600;
    for (let ring = 0; ring < 3; ring++) {
      view.setUint16(at + 2 + ring * 4, 0x1000 * (ring + 1), true);
      view.setUint16(at + 4 + ring * 4, DATA16(ring) | ring, true);
    }
    view.setUint16(at + 0x0e, this.handler(random), true);
    view.setUint16(at + 0x10, 2, true);
    const ring = random.below(4);
    for (const [n, selector] of [DATA16(ring), CODE16(ring), DATA16(ring), DATA16(ring)].entries()) view.setUint16(at + 0x22 + n * 2, selector | ring, true);
    view.setUint16(at + 0x2a, LDT_SELECTOR, true);
  }

  private taskSegments(random: Random, at: number): void {
    const ring = random.below(4);
    const data = DATA32(ring) | ring;
    const code = (random.once(4) ? CODE16 : CODE32)(ring) | ring;
    for (const [n, selector] of [data, code, data, data, 0, this.selector(random)].entries()) this.tables.setUint16(at + 0x48 + n * 4, selector, true);
  }

  /** Identity for the first MiB with some pages amiss; the 4 MiB above show the same memory through one large page. */
  private buildPages(random: Random): void {
    const view = this.tables;
    view.setUint32(PAGES, (PAGES + 0x1000) | 7, true);
    view.setUint32(PAGES + 4, 0x87 | (random.below(8) << 5) | (random.once(2) ? 0x100 : 0), true);
    view.setUint32(PAGES + 8, (PAGES + 0x2000) | (random.once(2) ? 7 : random.below(8)), true);
    for (let n = 0; n < 1024; n++) {
      const rights = n < 16 ? (random.once(6) ? 5 : 7) : random.once(5) ? random.below(8) : 7;
      const bits = rights | (random.below(4) << 5) | (random.once(6) ? 0x100 : 0);
      view.setUint32(PAGES + 0x1000 + n * 4, (n < 9 ? 7 | (random.below(4) << 5) : n === GUARD ? 0 : bits) | (n << 12), true);
      view.setUint32(PAGES + 0x2000 + n * 4, (random.below(256) << 12) | bits, true);
    }
  }

  private writeTables(random: Random): void {
    const { cpu } = this;
    const from = random.once(4) ? 0 : 0x1000;
    cpu.ram.set(new Uint8Array(this.tables.buffer, from, HANDLERS - from), from);
    cpu.dmaWritten(from, HANDLERS - from);
    if (random.once(8)) {
      cpu.ram.set(this.handlers, HANDLERS);
      cpu.dmaWritten(HANDLERS, this.handlers.length);
    }
    if (random.once(12)) cpu.ram[random.pick([IDT, GDT, LDT, TSS, PAGES + 0x1000]) + random.below(0x200)]! ^= 1 << random.below(8);
    this.tablesBefore.set(this.tablesNow);
  }

  private codeAt = 0;
  private paging = false;

  private writeCode(random: Random, big: boolean): number {
    const bytes = new Uint8Array(160);
    const writer = new InstructionWriter(bytes, bag, random);
    const count = 2 + random.below(12);
    for (let n = 0; n < count && writer.at < 140; n++) writer.instruction(big);
    const offset = random.once(4) ? 0xfe0 + random.below(32) : random.below(0x3000);
    this.codeAt = CODE + offset;
    this.cpu.ram.set(bytes.subarray(0, writer.at), this.codeAt);
    this.cpu.dmaWritten(this.codeAt, writer.at);
    return count;
  }

  // ---- state ----

  private pointer(random: Random): number {
    const kind = random.below(8);
    if (kind < 4) return DATA + random.below(0x8000);
    if (kind === 4) return STACKS + random.below(0x4000);
    if (kind === 5) return CODE + random.below(0x4000);
    if (kind === 6) return 0x40_0000 + random.pick([CODE, DATA, STACKS]) + random.below(0x1000);
    return 0x80_0000 + random.below(0x10_0000);
  }

  private value(random: Random): number {
    switch (random.below(6)) {
      case 0: case 1: return this.pointer(random);
      case 2: return random.below(64);
      case 3: return random.pick([0, 0xffffffff, 0x80000000, 0x7fffffff, 0xffff, 0x8000, 0xff, 0x80, 0xfffffffe]);
      case 4: return this.selector(random);
      default: return random.word();
    }
  }

  private selector(random: Random): number {
    return random.once(8) ? random.below(0x10000) : (random.below(GDT_ENTRIES) << 3) | random.below(4) | (random.once(6) ? 4 : 0);
  }

  private set(name: string, value: number): void { this.i32[cell(name) >> 2] = value; }

  private setControl(random: Random, mode: Mode, paging: boolean): void {
    const extra = (random.once(2) ? 0x10000 : 0) | (random.once(3) ? 0x40000 : 0) | (random.once(3) ? 0x20 : 0) | (random.once(12) ? random.below(8) << 1 : 0);
    this.set('cr0', 0x10 | extra | (mode === 'real' ? 0 : 1) | (paging ? 0x80000000 : 0));
    this.set('cr2', 0);
    this.set('cr3', PAGES);
    this.set('cr4', 0x10 | (random.once(2) ? 0x80 : 0) | (random.once(8) ? random.below(16) : 0));
    this.set('gdtBase', GDT); this.set('gdtLimit', GDT_ENTRIES * 8 - 1);
    this.set('idtBase', mode === 'real' ? 0 : IDT); this.set('idtLimit', random.once(30) ? random.below(0x800) : mode === 'real' ? 0x3ff : 0x7ff);
    const debug = random.once(16);
    for (let n = 0; n < 4; n++) this.set(`dr${n}`, debug ? (random.once(2) ? this.codeAt + random.below(32) : DATA + random.below(0x200)) : 0);
    this.set('dr6', 0xffff0ff0);
    this.set('dr7', 0x400 | (debug ? random.word() & 0xffff03ff : 0));
    new BigInt64Array(this.cpu.memory.buffer, cell('tsc'), 1)[0] = BigInt(-this.cpu.cycles);
    for (const name of ['sysenterCs', 'sysenterEsp', 'sysenterEip']) this.set(name, name === 'sysenterCs' ? CODE32(0) : this.handler(random));
    for (const name of ['halted', 'dead', 'trapBits', 'stopAsked', 'delivering', 'external', 'irq']) this.set(name, 0);
  }

  private setSegments(random: Random, mode: Mode, big: boolean): void {
    const { state } = this.cpu;
    const ring = mode.startsWith('ring') ? Number(mode.slice(5)) : mode === 'vm86' ? 3 : 0;
    this.set('cpl', ring);
    this.set('eflags', mode === 'vm86' ? 0x2_0002 : 2);
    state.setSegment(LDTR, { sel: LDT_SELECTOR, base: LDT, limit: 0x7f, attr: 0x82 });
    state.setSegment(TR, { sel: TSS_A, base: TSS, limit: 0x1ff, attr: 0x8b });
    if (!mode.startsWith('ring')) { this.setParagraphs(random, mode); return; }
    const code = big ? CODE32(ring) : CODE16(ring);
    for (let n = 0; n < 6; n++) {
      const selector = n === 1 ? code : n === 2 ? (random.once(5) ? DATA16 : DATA32)(ring) : random.once(5) ? (random.once(4) ? 0 : DATA16(ring)) : DATA32(ring);
      this.loadHidden(n, selector ? selector | ring : 0);
    }
  }

  private loadHidden(n: number, selector: number): void {
    const at = GDT + (selector & 0xfff8);
    const low = this.tables.getUint32(at, true), high = this.tables.getUint32(at + 4, true);
    const limit = (low & 0xffff) | (high & 0xf0000);
    this.cpu.state.setSegment(n, selector === 0 ? { sel: 0, base: 0, limit: 0, attr: 0 } : {
      sel: selector, base: (low >>> 16) | ((high & 0xff) << 16) | (high & 0xff000000),
      limit: high & 0x800000 ? (limit << 12) | 0xfff : limit, attr: (high >>> 8) & 0xf0ff,
    });
  }

  private setParagraphs(random: Random, mode: Mode): void {
    const attr = mode === 'vm86' ? 0xf3 : 0x93;
    for (let n = 0; n < 6; n++) {
      const sel = n === 1 ? CODE >> 4 : n === 2 ? STACKS >> 4 : random.once(3) ? random.below(0x10000) : random.pick([CODE, DATA, STACKS]) >> 4;
      this.cpu.state.setSegment(n, { sel, base: sel << 4, limit: 0xffff, attr });
    }
  }

  private setRegisters(random: Random, big: boolean): void {
    const { state } = this.cpu;
    for (const name of ['eax', 'ecx', 'edx', 'ebx', 'ebp', 'esi', 'edi']) this.set(name, this.value(random));
    if (!random.once(8)) this.set('ecx', random.below(40));
    const wide = (state.segment(2).attr & 0x4000) !== 0;
    this.set('esp', random.once(20) ? random.word() : wide ? STACKS + 0x200 + random.below(0x3000) : 0x200 + random.below(0x3000));
    const base = state.segment(1).base;
    this.set('eip', (this.codeAt - base) & (big ? -1 : 0xffff));
  }

  private setFpu(random: Random): void {
    const view = new DataView(this.cpu.memory.buffer, FPU, 128);
    for (let n = 0; n < 8; n++) {
      const [exponent, significand] = random.once(2) ? random.pick(SPECIAL_FLOATS)
        : [(random.below(2) << 15) | (0x3fc0 + random.below(128)), (1n << 63n) | (BigInt(random.word()) << 31n) | BigInt(random.word() >>> 1)];
      view.setBigUint64(n * 16, significand, true);
      view.setUint16(n * 16 + 8, exponent, true);
    }
    this.set('fpuControl', random.once(3) ? 0x40 | (random.word() & 0x1f3f) : 0x37f);
    this.set('fpuStatus', random.once(3) ? random.word() & 0x7f00 : 0);
    this.set('fpuFull', random.once(3) ? random.below(256) : 0xff);
  }

  private flags(random: Random, mode: Mode): number {
    let flags = 2 | (random.word() & FLAGS & ~0x400) | (random.once(4) ? 0x400 : 0);
    if (random.once(2)) flags |= 0x200;
    flags |= random.once(2) ? 0x3000 : random.below(4) << 12;
    if (random.once(30)) flags |= 0x100;
    if (random.once(40)) flags |= 0x4000;
    if (random.once(30)) flags |= 0x1_0000;
    if (random.once(6)) flags |= 0x4_0000;
    return mode === 'vm86' ? flags | 0x2_0000 : flags;
  }
}
