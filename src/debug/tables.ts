// The page tables as lists: every mapping, and ranges of equal rights. Read from RAM as the processor would, without side
// effects; without paging there is nothing to list.

import type { Cpu } from '../cpu/cpu.ts';
import { paging, readPhysical } from './inspect.ts';
import { hex } from './text.ts';

interface Mapping {
  readonly la: number;
  readonly pa: number;
  readonly bytes: number;
  /** The leaf entry with U and W cut to what the directory allows. */
  readonly flags: number;
}

function words(cpu: Cpu, pa: number): Uint32Array | null {
  const bytes = readPhysical(cpu, pa, 4096);
  return bytes ? new Uint32Array(bytes.buffer) : null;
}

function* tableMappings(cpu: Cpu, pde: number, la: number): Generator<Mapping> {
  const table = words(cpu, (pde & 0xfffff000) >>> 0);
  if (!table) return;
  for (let i = 0; i < 1024; i++) {
    const pte = table[i]!;
    if (pte & 1) yield { la: la + i * 4096, pa: (pte & 0xfffff000) >>> 0, bytes: 4096, flags: pte & (pde | ~6) & 0x1ff };
  }
}

/** Every page that is mapped, in order of linear address. */
export function* mappings(cpu: Cpu): Generator<Mapping> {
  const directory = paging(cpu) ? words(cpu, (cpu.state.cr3 & 0xfffff000) >>> 0) : null;
  if (!directory) return;
  const largePages = (cpu.state.cr4 & 0x10) !== 0;
  for (let i = 0; i < 1024; i++) {
    const pde = directory[i]!;
    if (!(pde & 1)) continue;
    if (pde & 0x80 && largePages) yield { la: i * 0x400000, pa: (pde & 0xffc00000) >>> 0, bytes: 0x400000, flags: pde & 0x1ff };
    else yield* tableMappings(cpu, pde, i * 0x400000);
  }
}

function rights(flags: number): string {
  return `${flags & 4 ? 'u' : '-'}r${flags & 2 ? 'w' : '-'}`;
}

/** `FIRST-END LENGTH urw` for each run of pages with equal rights. */
export function memoryRanges(cpu: Cpu): string[] {
  const ranges: { from: number; to: number; rights: string }[] = [];
  for (const { la, bytes, flags } of mappings(cpu)) {
    const last = ranges.at(-1);
    if (last && last.to === la && last.rights === rights(flags)) last.to += bytes;
    else ranges.push({ from: la, to: la + bytes, rights: rights(flags) });
  }
  return ranges.map(({ from, to, rights: text }) => `${hex(from)}-${to === 0x1_0000_0000 ? '100000000' : hex(to)} ${hex(to - from)} ${text}`);
}

/** `LINEAR: PHYSICAL GPDACTUW` for each page. */
export function pageList(cpu: Cpu): string[] {
  const letters: readonly [number, string][] = [[8, 'G'], [7, 'P'], [6, 'D'], [5, 'A'], [4, 'C'], [3, 'T'], [2, 'U'], [1, 'W']];
  const large = (bytes: number, bit: number) => bit !== 7 || bytes > 4096;
  return [...mappings(cpu)].map(({ la, pa, bytes, flags }) =>
    `${hex(la)}: ${hex(pa)} ${letters.map(([bit, letter]) => (flags & (1 << bit) && large(bytes, bit) ? letter : '-')).join('')}`);
}
