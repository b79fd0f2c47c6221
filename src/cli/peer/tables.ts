// The descriptor tables of the judging kernel, made from a seed: sound segments of every ring over the arena, odd ones of every
// type, call gates, a TSS for each vector, and two IDTs, one of interrupt gates and one of task gates. Vectors 28h to 2Fh
// are odd gates for INT.

import { Random } from '../../debug/fuzz/random.ts';
import { ARENA, CODE0, CODE3, DATA0, DATA3, FIRST_GATE, FIRST_ODD, FIRST_ODD_VECTOR, FIRST_VECTOR_TSS, GATE_COUNT, LDT_SELECTOR, LOW_CODE, LOW_DATA,
  ODD_COUNT, PAGE_TABLES, ringSelector, SYS, SYSTEM, TSS_16, TSS_A, TSS_B, TSS_BYTES, VECTORS } from './layout.ts';

/** Some of the eight ports from here on are open to everybody: nothing happens there. */
const OPEN_PORTS = 0x80;

/** Where the kernel's entries for the vectors are: for interrupt gates and for tasks. */
export interface Entries { gates: readonly number[]; tasks: readonly number[]; stack: number }

class TableWriter {
  readonly bytes = new Uint8Array(SYS.end);
  private readonly view = new DataView(this.bytes.buffer);

  word(at: number, value: number): void { this.view.setUint32(at, value, true); }
  half(at: number, value: number): void { this.view.setUint16(at, value, true); }

  descriptor(at: number, base: number, limit: number, access: number, flags: number): void {
    this.word(at, (limit & 0xffff) | (base << 16));
    this.word(at + 4, ((base >>> 16) & 0xff) | (access << 8) | (limit & 0xf0000) | (flags << 20) | (base & 0xff000000));
  }

  gate(at: number, selector: number, offset: number, access: number, count = 0): void {
    this.word(at, (selector << 16) | (offset & 0xffff));
    this.word(at + 4, (offset & 0xffff0000) | (access << 8) | count);
  }

  /** A 32-bit TSS with flat kernel segments. */
  task(at: number, eip: number, esp: number): void {
    this.word(at + 0x1c, PAGE_TABLES);
    this.word(at + 0x20, eip);
    this.word(at + 0x24, 2);
    this.word(at + 0x38, esp);
    [DATA0, CODE0, DATA0, DATA0, DATA0, DATA0].forEach((selector, n) => this.word(at + 0x48 + n * 4, selector));
    this.word(at + 0x60, LDT_SELECTOR);
    this.half(at + 0x66, TSS_BYTES);
  }
}

function segments(w: TableWriter): void {
  w.descriptor(CODE0, 0, 0xfffff, 0x9b, 0xc);
  w.descriptor(DATA0, 0, 0xfffff, 0x93, 0xc);
  w.descriptor(CODE3 & ~7, 0, 0xfffff, 0xfb, 0xc);
  w.descriptor(DATA3 & ~7, 0, 0xfffff, 0xf3, 0xc);
  w.descriptor(LOW_CODE, 0, 0xffff, 0x9b, 0);
  w.descriptor(LOW_DATA, 0, 0xffff, 0x93, 0);
  for (let ring = 0; ring < 4; ring++) {
    for (const [what, access, flags] of [['code32', 0x9b, 4], ['code16', 0x9b, 0], ['data32', 0x93, 4], ['data16', 0x93, 0]] as const) {
      w.descriptor(ringSelector(ring, what) & ~7, ARENA, 0xffff, access | (ring << 5), flags);
    }
  }
}

function systemSegments(w: TableWriter): void {
  w.descriptor(LDT_SELECTOR, SYSTEM + SYS.ldt, 0x7f, 0x82, 0);
  w.descriptor(TSS_A, SYSTEM + SYS.tssA, TSS_BYTES + 0x1f, 0x89, 0);
  w.descriptor(TSS_B, SYSTEM + SYS.tssB, TSS_BYTES - 1, 0xe9, 0);
  w.descriptor(TSS_16, SYSTEM + SYS.tss16, 0x2b, 0xe1, 0);
  for (let n = 0; n < VECTORS; n++) w.descriptor(FIRST_VECTOR_TSS + n * 8, SYSTEM + SYS.vectorTss + n * TSS_BYTES, TSS_BYTES - 1, 0x89, 0);
}

/** Anything that a descriptor can be, but nothing that leads out of the arena. */
function odd(w: TableWriter, random: Random, at: number): void {
  const access = random.once(4) ? random.pick([0, 0x80, 0x81, 0x82, 0x89, 0x8b, 0x8c, 0x8e, 0x12, 0x1a, 0x72]) : 0x90 | random.below(16) | (random.below(4) << 5);
  const limit = random.pick([0, 1, 0xff, 0xfff, 0x1fff, 0x3fff, 0xffff]);
  const isCode = (access & 0x18) === 0x18;
  w.descriptor(at, ARENA + (isCode ? 0 : random.pick([0, 0, 0x1000, 0x2010])), limit, access, random.below(2) << 2);
}

function code(random: Random): number {
  return random.once(6) ? FIRST_ODD + random.below(ODD_COUNT) * 8 : ringSelector(random.below(4), random.once(3) ? 'code16' : 'code32');
}

function gates(w: TableWriter, random: Random, entries: Entries): void {
  for (let n = 0; n < GATE_COUNT; n++) w.gate(FIRST_GATE + n * 8, code(random), random.below(0xf00), random.pick([0xec, 0xec, 0xec, 0xe4, 0xe4, 0x8c, 0xac, 0x6c]), random.below(4));
  for (let n = 0; n < VECTORS; n++) {
    const dpl = n === 3 || n === 4 || n > 0x20 ? 0x60 : 0;
    const task = FIRST_VECTOR_TSS + n * 8;
    if (n === 8) w.gate(SYS.idtGates + 64, task, 0, 0x85);
    else w.gate(SYS.idtGates + n * 8, CODE0, entries.gates[n]!, 0x8e | dpl);
    w.gate(SYS.idtTasks + n * 8, task, 0, 0x85 | dpl);
  }
  for (let n = FIRST_ODD_VECTOR; n < VECTORS; n++) {
    const at = n * 8, kind = random.below(8);
    for (const idt of [SYS.idtGates, SYS.idtTasks]) {
      if (kind === 0) w.gate(idt + at, random.pick([TSS_B, TSS_16]), 0, 0xe5);
      else if (kind === 1) w.gate(idt + at, FIRST_ODD + random.below(ODD_COUNT) * 8, 0x800, 0xee);
      else w.gate(idt + at, ringSelector(random.once(3) ? random.below(4) : 0, random.once(3) ? 'code16' : 'code32'), 0x100 + random.below(0xe00), random.pick([0xee, 0xef, 0xe6, 0xe7, 0x6e, 0xed]));
    }
  }
}

function tasks(w: TableWriter, random: Random, entries: Entries): void {
  for (let n = 0; n < VECTORS; n++) w.task(SYS.vectorTss + n * TSS_BYTES, entries.tasks[n]!, entries.stack);
  w.word(SYS.tssA + 4, SYSTEM + SYS.end);
  w.word(SYS.tssA + 8, DATA0);
  for (const ring of [1, 2]) {
    w.word(SYS.tssA + 4 + ring * 8, 0x3c00 + ring * 0x100);
    w.word(SYS.tssA + 8 + ring * 8, ringSelector(ring, random.once(3) ? 'data16' : 'data32'));
  }
  w.half(SYS.tssA + 0x66, TSS_BYTES);
  for (let n = 0; n < 0x20; n++) w.bytes[SYS.tssA + TSS_BYTES + n] = n === OPEN_PORTS >> 3 ? random.below(256) : 0xff;
  const ring = random.below(4);
  const data = ringSelector(ring, 'data32');
  w.task(SYS.tssB, random.below(0xf00), 0x3a00);
  w.word(SYS.tssB + 4, SYSTEM + SYS.end);
  w.word(SYS.tssB + 8, DATA0);
  [data, ringSelector(ring, 'code32'), data, data, 0, data].forEach((selector, n) => w.word(SYS.tssB + 0x48 + n * 4, selector));
  for (let n = 0; n < 8; n++) if (n !== 4) w.word(SYS.tssB + 0x28 + n * 4, random.word());
  w.half(SYS.tss16 + 2, 0x3f00);
  w.half(SYS.tss16 + 4, ringSelector(0, 'data16'));
  w.half(SYS.tss16 + 0x0e, random.below(0xf00));
  w.half(SYS.tss16 + 0x10, 2);
  w.half(SYS.tss16 + 0x1a, 0x3b00);
  const narrow = ringSelector(ring, 'data16');
  [narrow, ringSelector(ring, 'code16'), narrow, narrow].forEach((selector, n) => w.half(SYS.tss16 + 0x22 + n * 2, selector));
  w.half(SYS.tss16 + 0x2a, LDT_SELECTOR);
}

/** The system region. */
export function systemTables(seed: number, entries: Entries): Uint8Array {
  const random = new Random(seed, 0x7ab1e5);
  const w = new TableWriter();
  segments(w);
  systemSegments(w);
  for (let n = 0; n < ODD_COUNT; n++) {
    odd(w, random, FIRST_ODD + n * 8);
    odd(w, random, SYS.ldt + n * 8);
  }
  gates(w, random, entries);
  tasks(w, random, entries);
  return w.bytes;
}
