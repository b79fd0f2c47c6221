// From the program in IR to the bytes of an ELF32 executable: generates code for every function, gives sections and symbols
// their addresses, resolves relocations and hands all to the ELF writer. Two segments: headers, text and read-only data
// (R X) from the base address on, and from the next page data and bss (RW). Small variables come before large ones, so that those that
// are used all the time lie in few pages.
import { ElfImage } from "../elf/image.ts";
import { PF_R, PF_W, PF_X, SHF_ALLOC, SHF_EXECINSTR, SHF_WRITE, SHT_PROGBITS, STT_FUNC, STT_NOTYPE, STT_OBJECT } from "../elf/format.ts";
import { Codegen } from "./codegen.ts";
import type { Diags } from "./diag.ts";
import { RELOC_REL } from "./emit.ts";
import type { SymbolTable } from "./emit.ts";
import { SEC_BSS, SEC_DATA, SEC_RODATA } from "./ir.ts";
import type { IrData, IrFunc, IrModule } from "./ir.ts";
import { Optimizer } from "./irpasses.ts";
import { Inliner } from "./irpasses-inline.ts";
import { recycle } from "./irpasses-ops.ts";
import { runtimeFunction, runtimeNames } from "./link-runtime.ts";

const PAGE: i32 = 4096;
const SMALL: i32 = 256;                  // bytes of a variable that comes before the larger ones
const MULTIBOOT_MAGIC: i32 = 0x1BADB002;
const MULTIBOOT_FLAGS: i32 = 3;          // page-aligned modules, memory information
const MULTIBOOT_BYTES: i32 = 12;

/** Where and how the program is to be loaded. */
export class LinkOptions {
  base: i32 = 0x08048000;                // address of the ELF header
  physOffset: i32 = 0;                   // physical address = address - physOffset
  multiboot: bool = false;
  entry: string = "_start";
}

/** Compile a program to an executable file, in parts; null after errors, which are in diags. */
export function emitProgram(m: IrModule, options: LinkOptions, diags: Diags): u8[][] | null {
  const l = new Linker(m, options, diags);
  return l.run();
}

/** Sets of symbols by number. */
function mark(set: bool[], id: i32): void {
  while (set.length <= id) set.push(false);
  set[id] = true;
}

function isMarked(set: bool[], id: i32): bool {
  return id < set.length && set[id]!;
}

function alignUp(n: i32, to: i32): i32 {
  return (n + to - 1) & -to;
}

function putWord(bytes: u8[], at: i32, value: i32): void {
  bytes[at] = (value & 255) as u8;
  bytes[at + 1] = ((value >> 8) & 255) as u8;
  bytes[at + 2] = ((value >> 16) & 255) as u8;
  bytes[at + 3] = ((value >> 24) & 255) as u8;
}

class Linker {
  private m: IrModule;
  private options: LinkOptions;
  private diags: Diags;
  private codegen: Codegen;
  private optimizer: Optimizer = new Optimizer();
  private image: ElfImage = new ElfImage();
  private header: u8[] = [];
  private rodata: u8[] = [];
  private data: u8[] = [];
  private textAddr: i32 = 0;
  private rodataAddr: i32 = 0;
  private dataAddr: i32 = 0;
  private bssAddr: i32 = 0;
  private endAddr: i32 = 0;
  private funcs: IrFunc[] = [];          // in the order of the text
  private dataAt: i32[] = [];            // by data object: its address
  private readonly symbols: SymbolTable;
  private known: bool[] = [];            // by symbol: it has an address
  private addresses: i32[] = [];         // by symbol

  constructor(m: IrModule, options: LinkOptions, diags: Diags) {
    this.m = m;
    this.options = options;
    this.diags = diags;
    this.codegen = new Codegen(m, diags);
    this.symbols = this.codegen.text.symbols;
  }

  run(): u8[][] | null {
    this.generate();
    this.place();
    this.resolveText();
    this.resolveData();
    if (this.diags.count > 0) return null;
    const parts = this.write();
    return this.diags.count > 0 ? null : parts;
  }

  // ---- code ----

  /** Function by function, so that only one at a time needs memory for more than its plain IR. Small ones come last. */
  private generate(): void {
    const inliner = new Inliner(this.m);
    for (const k of this.textOrder()) {
      inliner.prepare(k);
      if (!inliner.isSmall(k)) this.generateOne(this.m.funcs[k]!);
    }
    this.generateSmall(inliner);
    this.addRuntime();
  }

  /** Numbers of the functions: what shall come first, then the others as they were met. */
  private textOrder(): i32[] {
    const numbers: Map<string, i32> = new Map<string, i32>();
    const order: i32[] = [];
    const placed: bool[] = [];
    for (let k = 0; k < this.m.funcs.length; k++) {
      numbers.set(this.m.funcs[k]!.name, k);
      placed.push(false);
    }
    for (const name of this.m.first) {
      if (!numbers.has(name) || placed[numbers.get(name)!]!) continue;
      order.push(numbers.get(name)!);
      placed[numbers.get(name)!] = true;
    }
    for (let k = 0; k < placed.length; k++) {
      if (!placed[k]!) order.push(k);
    }
    return order;
  }

  private generateOne(f: IrFunc): void {
    this.optimizer.run(f);
    this.codegen.run(f);
    this.funcs.push(f);
    recycle(f);
  }

  /** Those that something still refers to: code, data, or another of them. */
  private generateSmall(inliner: Inliner): void {
    const wanted: bool[] = [];
    mark(wanted, this.symbols.id(this.options.entry));
    for (const d of this.m.data) {
      for (const r of d.relocs) mark(wanted, this.symbols.id(r.sym));
    }
    const done: bool[] = [];
    for (let k = 0; k < this.m.funcs.length; k++) done.push(!inliner.isSmall(k));
    let seen = 0;
    let more = true;
    while (more) {
      const syms = this.codegen.text.relocs.sym;
      for (; seen < syms.length; seen++) mark(wanted, syms[seen]!);
      more = false;
      for (let k = 0; k < done.length; k++) {
        if (done[k]! || !isMarked(wanted, this.symbols.id(this.m.funcs[k]!.name))) continue;
        this.generateOne(this.m.funcs[k]!);
        done[k] = true;
        more = true;
      }
    }
  }

  private addRuntime(): void {
    const wanted: bool[] = [];
    for (const sym of this.codegen.text.relocs.sym) mark(wanted, sym);
    for (const name of runtimeNames()) {
      const sym = this.symbols.id(name);
      if (!isMarked(wanted, sym) || this.isGenerated(name)) continue;
      const f = runtimeFunction(name);
      this.codegen.run(f);
      this.funcs.push(f);
    }
  }

  private isGenerated(name: string): bool {
    for (const f of this.funcs) {
      if (f.name == name) return true;
    }
    return false;
  }

  // ---- addresses ----

  private place(): void {
    let at = this.image.headerBytes(2);
    if (this.options.multiboot) at += MULTIBOOT_BYTES;
    this.textAddr = (this.options.base + alignUp(at, 16)) | 0;
    if (this.options.multiboot) this.textAddr = (this.textAddr - MULTIBOOT_BYTES) | 0;
    this.putMultiboot();
    const code = (this.textAddr + this.header.length) | 0;
    this.rodataAddr = alignUp((code + this.codegen.text.bytes.length) | 0, 16);
    for (let k = 0; k < this.funcs.length; k++) this.give(this.funcs[k]!.name, (code + this.codegen.funcAt[k]!) | 0);
    for (let k = 0; k < this.m.data.length; k++) this.dataAt.push(0);
    this.placeData(SEC_RODATA, this.rodataAddr, this.rodata);
    this.dataAddr = alignUp((this.rodataAddr + this.rodata.length) | 0, PAGE);
    this.placeData(SEC_DATA, this.dataAddr, this.data);
    this.bssAddr = alignUp((this.dataAddr + this.data.length) | 0, 16);
    this.endAddr = this.placeBss();
    this.linkerSymbols(code);
  }

  /** The multiboot header (specification 0.6.96, section 3.1) is the start of the text section, right behind the ELF headers. */
  private putMultiboot(): void {
    if (!this.options.multiboot) return;
    for (let k = 0; k < MULTIBOOT_BYTES; k++) this.header.push(0);
    putWord(this.header, 0, MULTIBOOT_MAGIC);
    putWord(this.header, 4, MULTIBOOT_FLAGS);
    putWord(this.header, 8, -(MULTIBOOT_MAGIC + MULTIBOOT_FLAGS) | 0);
  }

  private placeData(section: i32, addr: i32, out: u8[]): void {
    for (let k = 0; k < this.m.data.length; k++) {
      const d = this.m.data[k]!;
      if (d.section != section) continue;
      while ((out.length & (d.align - 1)) != 0) out.push(0);
      this.define(d, k, (addr + out.length) | 0);
      for (const b of d.bytes) out.push(b);
    }
  }

  private placeBss(): i32 {
    return this.placeZeros(this.placeZeros(this.bssAddr, true), false);
  }

  /** The small variables that start as zeros, or the others, from `from` on; where they end. */
  private placeZeros(from: i32, small: bool): i32 {
    let at = from;
    for (let k = 0; k < this.m.data.length; k++) {
      const d = this.m.data[k]!;
      if (d.section != SEC_BSS || (d.size <= SMALL) != small) continue;
      at = alignUp(at, d.align);
      this.define(d, k, at);
      at = (at + d.size) | 0;
    }
    return at;
  }

  private define(d: IrData, k: i32, addr: i32): void {
    this.dataAt[k] = addr;
    this.give(d.name, addr);
  }

  private give(sym: string, addr: i32): void {
    const id = this.symbols.id(sym);
    mark(this.known, id);
    while (this.addresses.length <= id) this.addresses.push(0);
    this.addresses[id] = addr;
  }

  private linkerSymbols(code: i32): void {
    this.give("_text", code);
    this.give("_etext", (code + this.codegen.text.bytes.length) | 0);
    this.give("_data", this.dataAddr);
    this.give("_edata", (this.dataAddr + this.data.length) | 0);
    this.give("_bss", this.bssAddr);
    this.give("_end", this.endAddr);
  }

  private addressOf(sym: string, from: string): i32 {
    return this.addressOfId(this.symbols.id(sym), from);
  }

  private addressOfId(id: i32, from: string): i32 {
    if (isMarked(this.known, id)) return this.addresses[id]!;
    this.diags.error(null, 0, `${from} refers to ${this.symbols.name(id)}, which is not defined`);
    return 0;
  }

  // ---- relocations ----

  private resolveText(): void {
    const text = this.codegen.text;
    const relocs = text.relocs;
    const code = (this.textAddr + this.header.length) | 0;
    for (let k = 0; k < relocs.at.length; k++) {
      const at = relocs.at[k]!;
      let value = (this.addressOfId(relocs.sym[k]!, "the code") + relocs.addend[k]!) | 0;
      if (relocs.kind[k] == RELOC_REL) value = (value - (code + at + 4)) | 0;
      putWord(text.bytes, at, value);
    }
  }

  private resolveData(): void {
    for (let k = 0; k < this.m.data.length; k++) {
      const d = this.m.data[k]!;
      const out = d.section == SEC_RODATA ? this.rodata : this.data;
      const start = d.section == SEC_RODATA ? this.rodataAddr : this.dataAddr;
      for (const r of d.relocs) {
        putWord(out, (this.dataAt[k]! - start + r.offset) | 0, (this.addressOf(r.sym, d.name) + r.addend) | 0);
      }
    }
  }

  // ---- the file ----

  private write(): u8[][] {
    const image = this.image;
    const entry = this.addressOf(this.options.entry, "the file header");
    image.entry = (entry - this.options.physOffset) | 0;
    image.physOffset = this.options.physOffset;
    if (this.funcs.length > 0) image.unitName = this.funcs[0]!.file;
    const text = image.addSection(".text", SHT_PROGBITS, SHF_ALLOC | SHF_EXECINSTR, this.textAddr, 4, this.textBytes());
    let last = text;
    let rodata = text;
    if (this.rodata.length > 0) {
      rodata = image.addSection(".rodata", SHT_PROGBITS, SHF_ALLOC, this.rodataAddr, 16, this.rodata);
      last = rodata;
    }
    const data = image.addSection(".data", SHT_PROGBITS, SHF_ALLOC | SHF_WRITE, this.dataAddr, 16, this.data);
    const bss = image.addNobits(".bss", SHF_ALLOC | SHF_WRITE, this.bssAddr, 16, (this.endAddr - this.bssAddr) | 0);
    image.addSegment(PF_R | PF_X, text, last, true);
    image.addSegment(PF_R | PF_W, data, bss, false);
    this.writeSymbols(text, rodata, data, bss);
    this.writeLines();
    return image.write();
  }

  private textBytes(): u8[] {
    if (this.header.length == 0) return this.codegen.text.bytes;
    const bytes = this.header;
    for (const b of this.codegen.text.bytes) bytes.push(b);
    return bytes;
  }

  private writeSymbols(text: i32, rodata: i32, data: i32, bss: i32): void {
    for (let k = 0; k < this.funcs.length; k++) {
      const name = this.funcs[k]!.name;
      this.image.addSymbol(name, this.addressOf(name, name), this.codegen.funcSize[k]!, STT_FUNC, text);
    }
    for (let k = 0; k < this.m.data.length; k++) {
      const d = this.m.data[k]!;
      const section = d.section == SEC_RODATA ? rodata : d.section == SEC_DATA ? data : bss;
      this.image.addSymbol(d.name, this.dataAt[k]!, d.section == SEC_BSS ? d.size : d.bytes.length, STT_OBJECT, section);
    }
    this.mark("_text", text);
    this.mark("_etext", text);
    this.mark("_data", data);
    this.mark("_edata", data);
    this.mark("_bss", bss);
    this.mark("_end", bss);
  }

  private mark(name: string, section: i32): void {
    this.image.addSymbol(name, this.addressOf(name, name), 0, STT_NOTYPE, section);
  }

  private writeLines(): void {
    const text = this.codegen.text;
    const code = this.addressOf("_text", "the line table");
    let line = 0;
    for (let k = 0; k < this.funcs.length; k++) {
      const end = this.codegen.funcAt[k]! + this.codegen.funcSize[k]!;
      while (line < text.lineAt.length && text.lineAt[line]! < end) {
        this.image.addLine((code + text.lineAt[line]!) | 0, this.funcs[k]!.file, text.lineNumber[line]!);
        line++;
      }
    }
  }
}
