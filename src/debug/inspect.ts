// Looking into a machine without touching it: linear and physical memory, page walks, descriptors and gates as records and
// as text. Nothing here sets accessed or dirty bits, reads a device or raises a fault; what is not there is null.

import type { Cpu } from '../cpu/cpu.ts';
import { hex, hex0x, bitNames } from './text.ts';

const PAGE_BITS = ['P', 'W', 'U', 'PWT', 'PCD', 'A', 'D', 'PS', 'G'];
const SYSTEM_TYPES = ['reserved', 'available 16-bit TSS', 'LDT', 'busy 16-bit TSS', '16-bit call gate', 'task gate', '16-bit interrupt gate', '16-bit trap gate',
  'reserved', 'available 32-bit TSS', 'reserved', 'busy 32-bit TSS', '32-bit call gate', 'reserved', '32-bit interrupt gate', '32-bit trap gate'];

/** One level of a page walk. */
export interface WalkStep {
  readonly name: 'PDE' | 'PTE';
  readonly at: number;
  readonly entry: number;
}

export interface Walk {
  readonly steps: readonly WalkStep[];
  /** Physical address, or null when an entry is not present. */
  readonly pa: number | null;
  /** Bits of the whole walk: 2 writable, 4 user. */
  readonly rights: number;
}

export interface Descriptor {
  readonly lo: number;
  readonly hi: number;
}

/** Is the processor translating addresses? */
export function paging(cpu: Cpu): boolean {
  return cpu.state.cr0 >= 0x8000_0000;
}

/** Bytes of RAM at a physical address, null when some lie outside RAM. */
export function readPhysical(cpu: Cpu, pa: number, length: number): Uint8Array | null {
  return pa >= 0 && pa + length <= cpu.ramBytes ? cpu.ram.slice(pa, pa + length) : null;
}

function physicalWord(cpu: Cpu, pa: number): number {
  const { ram } = cpu;
  return pa + 4 <= cpu.ramBytes ? (ram[pa]! | (ram[pa + 1]! << 8) | (ram[pa + 2]! << 16) | (ram[pa + 3]! << 24)) >>> 0 : 0;
}

/** The two-level walk of a linear address; without paging it has no steps. (Intel SDM vol. 3, 4.3.) */
export function walk(cpu: Cpu, la: number): Walk {
  if (!paging(cpu)) return { steps: [], pa: la >>> 0, rights: 6 };
  const { cr3, cr4 } = cpu.state;
  const pdeAt = (cr3 & 0xfffff000) >>> 0;
  const pde: WalkStep = { name: 'PDE', at: pdeAt + (la >>> 22) * 4, entry: physicalWord(cpu, pdeAt + (la >>> 22) * 4) };
  if (!(pde.entry & 1)) return { steps: [pde], pa: null, rights: 0 };
  if (pde.entry & 0x80 && cr4 & 0x10) return { steps: [pde], pa: ((pde.entry & 0xffc00000) | (la & 0x3fffff)) >>> 0, rights: pde.entry & 6 };
  const pteAt = ((pde.entry & 0xfffff000) >>> 0) + ((la >>> 12) & 1023) * 4;
  const pte: WalkStep = { name: 'PTE', at: pteAt, entry: physicalWord(cpu, pteAt) };
  const pa = pte.entry & 1 ? ((pte.entry & 0xfffff000) | (la & 0xfff)) >>> 0 : null;
  return { steps: [pde, pte], pa, rights: pde.entry & pte.entry & 6 };
}

/** A walk in words: `PDE[768] at 00012c00 = 00013067 (P W U A D); ...`. */
export function walkText(cpu: Cpu, la: number): string {
  const found = walk(cpu, la);
  if (!found.steps.length) return 'paging is off';
  const steps = found.steps.map(({ name, at, entry }) => {
    const index = name === 'PDE' ? la >>> 22 : (la >>> 12) & 1023;
    return `${name}[${index}] at ${hex(at)} = ${hex(entry)} (${entry & 1 ? bitNames(entry, PAGE_BITS) : 'not present'})`;
  });
  return [...steps, ...(found.pa === null ? [] : [`physical ${hex(found.pa)}`])].join(', ');
}

/** Bytes of linear memory through the current page tables; shorter than asked where a page is missing. */
export function readLinear(cpu: Cpu, la: number, length: number): Uint8Array {
  const out = new Uint8Array(length);
  let done = 0;
  while (done < length) {
    const at = (la + done) >>> 0;
    const pa = walk(cpu, at).pa;
    const part = Math.min(length - done, 4096 - (at & 4095));
    const bytes = pa === null ? null : readPhysical(cpu, pa, part);
    if (!bytes) break;
    out.set(bytes, done);
    done += part;
  }
  return out.subarray(0, done);
}

/** Writes RAM behind linear addresses, whatever the pages' rights; false (and nothing done) when one is missing. */
export function writeLinear(cpu: Cpu, la: number, bytes: Uint8Array): boolean {
  const places: number[] = [];
  for (let i = 0; i < bytes.length; i++) {
    const pa = walk(cpu, (la + i) >>> 0).pa;
    if (pa === null || pa >= cpu.ramBytes) return false;
    places.push(pa);
  }
  places.forEach((pa, i) => {
    cpu.dmaWritten(pa, 1);
    cpu.ram[pa] = bytes[i]!;
  });
  return true;
}

/** A 32-bit word of linear memory, or null. */
export function linearWord(cpu: Cpu, la: number): number | null {
  const bytes = readLinear(cpu, la, 4);
  return bytes.length === 4 ? new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true) : null;
}

/** The eight bytes of a descriptor or gate, or null where memory is missing. */
function descriptorAt(cpu: Cpu, la: number): Descriptor | null {
  const lo = linearWord(cpu, la);
  const hi = linearWord(cpu, la + 4);
  return lo === null || hi === null ? null : { lo, hi };
}

/** The descriptor of a selector in words; why there is none otherwise. */
export function selectorText(cpu: Cpu, selector: number): string {
  if (!(selector & 0xfffc)) return 'the null selector';
  const local = (selector & 4) !== 0;
  const { base, limit } = local ? cpu.state.segment(6) : { base: cpu.state.gdtBase, limit: cpu.state.gdtLimit };
  const table = local ? 'LDT' : 'GDT';
  if ((selector | 7) > limit) return `${table}[${selector >>> 3}] lies beyond the table's limit ${hex0x(limit)}`;
  const descriptor = descriptorAt(cpu, base + (selector & 0xfff8));
  if (!descriptor) return `${table}[${selector >>> 3}] at linear ${hex(base + (selector & 0xfff8))} is not mapped`;
  return `${table}[${selector >>> 3}] = ${descriptorText(descriptor)}`;
}

/** A segment descriptor in words: raw bytes, type, DPL, base, limit. */
export function descriptorText({ lo, hi }: Descriptor): string {
  const raw = `${hex(hi)}:${hex(lo)}`;
  const attr = (hi >>> 8) & 0xf0ff;
  const present = attr & 0x80 ? '' : ', not present';
  if (!(attr & 0x10) && [4, 5, 6, 7, 12, 14, 15].includes(attr & 15)) return `${raw} ${gateText({ lo, hi })}`;
  const base = ((lo >>> 16) | ((hi & 0xff) << 16) | (hi & 0xff000000)) >>> 0;
  const raw20 = (lo & 0xffff) | (hi & 0xf0000);
  const limit = attr & 0x8000 ? ((raw20 << 12) | 0xfff) >>> 0 : raw20;
  return `${raw} ${typeText(attr)}, DPL ${(attr >>> 5) & 3}, base ${hex(base)}, limit ${hex(limit)}${present}`;
}

/** Type of a segment from descriptor bits 8..15 (and 20..23 as bits 12..15). */
export function typeText(attr: number): string {
  if (!(attr & 0x10)) return SYSTEM_TYPES[attr & 15]!;
  const big = attr & 0x4000 ? '32' : '16';
  if (attr & 8) return `${big}-bit ${attr & 4 ? 'conforming ' : ''}code, ${attr & 2 ? 'readable' : 'execute-only'}`;
  return `${big}-bit ${attr & 4 ? 'expand-down ' : ''}data, ${attr & 2 ? 'writable' : 'read-only'}`;
}

function gateText({ lo, hi }: Descriptor): string {
  const type = (hi >>> 8) & 15;
  const offset = type & 8 ? (hi & 0xffff0000) | (lo & 0xffff) : lo & 0xffff;
  const target = type === 5 ? hex(lo >>> 16, 4) : `${hex(lo >>> 16, 4)}:${hex(offset)}`;
  return `${SYSTEM_TYPES[type]!}, DPL ${(hi >>> 13) & 3}, to ${target}${hi & 0x8000 ? '' : ', not present'}`;
}

/** What the IDT says of a vector in protected mode, line by line: the gate, its code segment, its stack. */
export function gateStory(cpu: Cpu, vector: number): string[] {
  const { idtBase, idtLimit, cr0 } = cpu.state;
  if (!(cr0 & 1)) return [`real mode: vector at ${hex(vector * 4)}, IDT limit ${hex0x(idtLimit)}`];
  if (vector * 8 + 7 > idtLimit) return [`IDT[${vector}] lies beyond the limit ${hex0x(idtLimit)} (IDT at ${hex(idtBase)})`];
  const gate = descriptorAt(cpu, idtBase + vector * 8);
  if (!gate) return [`IDT[${vector}] at linear ${hex(idtBase + vector * 8)} is not mapped: ${walkText(cpu, idtBase + vector * 8)}`];
  const raw = `${hex(gate.hi)}:${hex(gate.lo)}`;
  const type = (gate.hi >>> 8) & 0x1f;
  if (type !== 5 && (type & 0x16) !== 6) return [`IDT[${vector}] = ${raw} is no gate (type ${hex0x(type)})`];
  const selector = gate.lo >>> 16;
  const lines = [`IDT[${vector}] = ${raw} ${gateText(gate)}`, `its selector ${hex(selector, 4)}: ${selectorText(cpu, selector)}`];
  return type === 5 ? lines : [...lines, ...stackStory(cpu)];
}

/** Where the handler's stack would be: the current one in ring 0, else ss0:esp0 of the TSS. */
function stackStory(cpu: Cpu): string[] {
  const { state } = cpu;
  const line = (what: string, ss: number, top: number, base: number) => {
    const la = (base + top - 4) >>> 0;
    return `${what} ${hex(ss, 4)}:${hex(top)}, first push at linear ${hex(la)}: ${walkText(cpu, la)}`;
  };
  const ss = state.segment(2);
  if (state.cpl === 0) return [line('stack', ss.sel, ss.attr & 0x4000 ? state.esp : state.esp & 0xffff, ss.base)];
  const tss = state.segment(7);
  const esp0 = linearWord(cpu, tss.base + 4);
  const ss0 = linearWord(cpu, tss.base + 8);
  if (esp0 === null || ss0 === null) return [`TSS at linear ${hex(tss.base)} is not mapped: ${walkText(cpu, tss.base)}`];
  return [line('stack of ring 0 from the TSS', ss0 & 0xffff, esp0, 0), `its selector: ${selectorText(cpu, ss0 & 0xffff)}`];
}
