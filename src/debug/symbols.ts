// Names of addresses, from the symbols of a kernel's ELF file. A file without symbols, or no ELF file at all, is a table
// without names. Addresses where a kernel is loaded (physical) are known as well as those where it runs (virtual).

import { readElf } from '../elf/read.ts';
import type { ElfFile, ElfSymbol } from '../elf/read.ts';

const [NOTYPE, OBJECT, FUNC] = [0, 1, 2];

export interface Place {
  readonly name: string;
  readonly start: number;
  readonly offset: number;
}

export class SymbolTable {
  private readonly sorted: readonly ElfSymbol[];
  private readonly byName = new Map<string, number>();
  private readonly segments: ElfFile['segments'];

  constructor(image: Uint8Array | null) {
    const file = image ? readElf(image, true) : null;
    const usable = file && !file.error ? file : null;
    this.segments = (usable?.segments ?? []).filter((segment) => segment.type === 1 && segment.paddr !== segment.vaddr);
    const named = (usable?.symbols ?? []).filter((s) => s.name && s.section !== 0 && s.section < 0xff00 && [NOTYPE, OBJECT, FUNC].includes(s.type));
    for (const symbol of named) if (!this.byName.has(symbol.name)) this.byName.set(symbol.name, symbol.addr >>> 0);
    this.sorted = named.sort((a, b) => (a.addr >>> 0) - (b.addr >>> 0) || a.type - b.type);
  }

  /** Virtual minus physical address of the first segment that is loaded elsewhere than it runs; 0 when there is none. */
  get loadOffset(): number {
    const segment = this.segments[0];
    return segment ? (segment.vaddr - segment.paddr) >>> 0 : 0;
  }

  /** Address of a symbol, or null. */
  address(name: string): number | null {
    return this.byName.get(name) ?? null;
  }

  /** The symbol an address lies in, or null. */
  find(address: number): Place | null {
    return this.lookUp(address >>> 0) ?? this.lookUp(this.virtualOf(address >>> 0));
  }

  private lookUp(address: number): Place | null {
    let low = 0;
    let high = this.sorted.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.sorted[middle]!.addr >>> 0 <= address) low = middle + 1;
      else high = middle;
    }
    const symbol = this.sorted[low - 1];
    if (!symbol) return null;
    const offset = address - (symbol.addr >>> 0);
    return offset === 0 || offset < (symbol.size || 4096) ? { name: symbol.name, start: symbol.addr >>> 0, offset } : null;
  }

  private virtualOf(address: number): number {
    const segment = this.segments.find(({ paddr, memSize }) => address >= paddr >>> 0 && address < (paddr >>> 0) + (memSize >>> 0));
    return segment ? (address - segment.paddr + segment.vaddr) >>> 0 : address;
  }

  /** `name+0x12`, `name`, or nothing. */
  text(address: number): string {
    const place = this.find(address);
    if (!place) return '';
    return place.offset ? `${place.name}+0x${place.offset.toString(16)}` : place.name;
  }
}
