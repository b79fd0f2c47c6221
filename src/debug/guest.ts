// What the kernels of our own system know, read from outside: processes, threads, VM spaces, page tables, in the host kernel and,
// nested, in each virtual kernel that runs on it. Pure observation: symbols say where the roots are, layout listings where
// the fields lie, and nothing is ever written. Records may be half changed when they are read; whoever reads gets null or a
// shorter list then, never an endless loop.
//
// A kernel's own memory is reached through `Memory`: for the host kernel the linear map of RAM, for a virtual kernel the user
// memory of its process, whose page tables (and, for pages they have forgotten, whose map and VPTEs) are followed as the
// host kernel would. So a virtual kernel in a virtual kernel is read by the same code.

import { VPTE_FRAME, VPTE_PS, VPTE_V } from '../abi/mman.ts';
import type { Cpu } from '../cpu/cpu.ts';
import type { Layout } from './layout.ts';
import type { SymbolTable } from './symbols.ts';

/** Lists longer than this are damaged. */
const MOST = 100_000;
/** The name `vkernel` as two words. */
const VKERNEL = [0x72656b76, 0x006c656e] as const;
const VME_VPAGETABLE = 8;

/** What is known of a kernel from its files. */
export interface KernelFiles {
  readonly symbols: SymbolTable;
  readonly layout: Layout;
}

/** Our own system's files. */
export interface SystemFiles {
  readonly host: KernelFiles;
  readonly virtual: KernelFiles;
}

export interface Proc {
  readonly at: number;
  readonly pid: number;
  readonly name: string;
  readonly parent: number;
  readonly state: number;
  readonly vmspace: number;
  /** Its VkernelProc, 0 when it owns no VM spaces. */
  readonly vkernel: number;
  readonly lwps: readonly Lwp[];
}

export interface Lwp {
  readonly at: number;
  readonly proc: number;
  readonly tid: number;
  /** The VmspaceEntry it runs inside of, or 0. */
  readonly ve: number;
}

/** A VM space that a process owns. */
export interface Space {
  readonly at: number;
  readonly id: number;
  readonly vmspace: number;
  readonly refs: number;
}

export interface MapEntry {
  readonly start: number;
  readonly end: number;
  readonly object: number;
  readonly offset: number;
  readonly prot: number;
  /** Root VPTE, or null when the mapping is linear. */
  readonly root: number | null;
}

/** One VPTE of a walk: which word of which page of the image, and what it says. */
export interface VpteStep {
  readonly page: number;
  readonly index: number;
  readonly entry: number | null;
}

export interface VpteWalk {
  readonly entry: MapEntry;
  readonly steps: readonly VpteStep[];
  /** Page of the mapped object, or null. */
  readonly page: number | null;
  /** Machine address of the byte, null when the page is not in memory. */
  readonly pa: number | null;
}

/** Words at addresses of some address space. */
export abstract class Memory {
  constructor(protected readonly ram: Uint32Array) {}

  /** Physical address in the machine, or -1. */
  abstract translate(va: number): number;

  /** The aligned word at an address; 0 where there is none. */
  word(va: number): number {
    const pa = this.translate(va);
    return pa < 0 ? 0 : this.ram[pa >>> 2]! >>> 0;
  }

  byte(va: number): number {
    return (this.word((va & ~3) >>> 0) >>> ((va & 3) * 8)) & 0xff;
  }

  /** A NUL-terminated string of at most `most` bytes; null where memory is missing. */
  text(va: number, most: number): string | null {
    let text = '';
    for (let i = 0; i < most; i++) {
      if (this.translate((va + i) >>> 0) < 0) return null;
      const byte = this.byte((va + i) >>> 0);
      if (byte === 0) break;
      text += String.fromCharCode(byte);
    }
    return text;
  }
}

/** The host kernel's memory: all of RAM from its base up. */
class LinearMemory extends Memory {
  constructor(ram: Uint32Array, private readonly base: number) {
    super(ram);
  }

  translate(va: number): number {
    const pa = va - this.base;
    return pa >= 0 && pa < this.ram.length * 4 ? pa : -1;
  }
}

/** User memory of an address space that a kernel keeps. */
class UserMemory extends Memory {
  constructor(ram: Uint32Array, private readonly kernel: KernelView, private readonly vmspace: number) {
    super(ram);
  }

  translate(va: number): number {
    const { kernel, vmspace } = this;
    const pte = kernel.pageTableEntry(vmspace, va);
    if (pte & VPTE_V) return kernel.physical(((pte & VPTE_FRAME) | (va & 0xfff)) >>> 0);
    return kernel.walk(vmspace, va)?.pa ?? -1;
  }
}

/** One kernel's records. */
export class KernelView {
  /** 0 for the host kernel, 1 for a virtual kernel on it, and so on. */
  readonly depth: number;
  /** Process ids of the kernels from the host kernel's process to this one: empty for the host kernel, `2`, `2.4`. */
  readonly chain: string;
  private readonly nested = new Map<number, KernelView>();
  private readonly curLwpAt: number;
  private readonly procListAt: number;
  private base = 0;

  constructor(
    private readonly ram: Uint32Array,
    readonly memory: Memory,
    readonly files: KernelFiles,
    private readonly inner: KernelFiles,
    /** The kernel below, and which of its processes this one is; null and 0 for the host kernel. */
    outer: KernelView | null,
    private readonly pid: number,
  ) {
    this.depth = outer ? outer.depth + 1 : 0;
    this.chain = outer ? `${outer.chain && `${outer.chain}.`}${pid}` : '';
    this.curLwpAt = files.symbols.address('curLwp') ?? 0;
    this.procListAt = files.symbols.address('procList') ?? 0;
  }

  /** A field that is a word. */
  field(at: number, name: string): number {
    return this.memory.word((at + this.files.layout.offset(name)) >>> 0);
  }

  /** The thread on its processor, or 0 before there is one. */
  curLwp(): number {
    return this.memory.word(this.curLwpAt);
  }

  /** Machine address of a physical address of this kernel, or -1. */
  physical(pa: number): number {
    return this.memory.translate((pa + this.kernelBase()) >>> 0);
  }

  /** Where this kernel sees its physical address 0. */
  private kernelBase(): number {
    if (this.base === 0) {
      const vmspaces = this.list(this.memory.word(this.procListAt), 'Proc.next').map((proc) => this.field(proc, 'Proc.vmspace'));
      const vmspace = vmspaces.find((at) => at !== 0);
      const pmap = vmspace ? this.field(vmspace, 'Vmspace.pmap') : 0;
      if (pmap) this.base = (this.field(pmap, 'Pmap.pd') - this.field(pmap, 'Pmap.pdPa')) >>> 0;
    }
    return this.base;
  }

  private physicalWord(pa: number): number {
    return this.memory.word((pa + this.kernelBase()) >>> 0);
  }

  /** The page table entry of a user address, as this kernel wrote it; 0 when there is none. */
  pageTableEntry(vmspace: number, va: number): number {
    const pde = this.directoryEntry(vmspace, va);
    return pde & VPTE_V ? this.physicalWord((((pde & VPTE_FRAME) >>> 0) + ((va >>> 12) & 1023) * 4) >>> 0) : 0;
  }

  directoryEntry(vmspace: number, va: number): number {
    const pmap = vmspace ? this.field(vmspace, 'Vmspace.pmap') : 0;
    return pmap ? this.physicalWord((this.field(pmap, 'Pmap.pdPa') + (va >>> 22) * 4) >>> 0) : 0;
  }

  proc(at: number): Proc {
    return {
      at,
      pid: this.field(at, 'Proc.pid'),
      name: this.memory.text((at + this.files.layout.offset('Proc.comm')) >>> 0, 16) ?? '',
      parent: this.field(at, 'Proc.parent'),
      state: this.field(at, 'Proc.state'),
      vmspace: this.field(at, 'Proc.vmspace'),
      vkernel: this.field(at, 'Proc.vkernel'),
      lwps: this.lwpsOf(at),
    };
  }

  lwp(at: number): Lwp {
    const { layout } = this.files;
    return { at, proc: this.field(at, 'Lwp.proc'), tid: layout.has('Lwp.tid') ? this.field(at, 'Lwp.tid') : 1, ve: this.field(at, 'Lwp.ve') };
  }

  private lwpsOf(proc: number): Lwp[] {
    const { layout } = this.files;
    if (!layout.has('Proc.lwps')) return [this.lwp(this.field(proc, 'Proc.lwp'))];
    return this.list(this.field(proc, 'Proc.lwps'), 'Lwp.sibling').map((at) => this.lwp(at)).reverse();
  }

  /** Addresses of a linked list's records. */
  private list(first: number, next: string): number[] {
    const found: number[] = [];
    for (let at = first; at !== 0 && found.length < MOST; at = this.field(at, next)) found.push(at);
    return found;
  }

  /** All processes, by process id. */
  processes(): Proc[] {
    return this.list(this.memory.word(this.procListAt), 'Proc.next').map((at) => this.proc(at)).sort((a, b) => a.pid - b.pid);
  }

  /** The VM spaces that a process owns, by id. */
  spaces(proc: Proc): Space[] {
    if (proc.vkernel === 0) return [];
    const { layout } = this.files;
    const chains = proc.vkernel + layout.offset('VkernelProc.chains');
    const count = (layout.size('VkernelProc') - layout.offset('VkernelProc.chains')) >>> 2;
    const found: Space[] = [];
    for (let i = 0; i < count; i++) {
      for (const at of this.list(this.memory.word((chains + i * 4) >>> 0), 'VmspaceEntry.next')) found.push(this.space(at));
    }
    return found.sort((a, b) => a.id - b.id);
  }

  space(at: number): Space {
    return { at, id: this.field(at, 'VmspaceEntry.id'), vmspace: this.field(at, 'VmspaceEntry.space'), refs: this.field(at, 'VmspaceEntry.refs') };
  }

  /** User pages that the page tables of an address space map. */
  residentPages(vmspace: number): number {
    return vmspace ? this.field(this.field(vmspace, 'Vmspace.pmap'), 'Pmap.resident') : 0;
  }

  /** The mappings of an address space. */
  mapEntries(vmspace: number): MapEntry[] {
    return vmspace ? this.list(this.field(vmspace, 'Vmspace.first'), 'VmMapEntry.next').map((at) => this.mapEntry(at)) : [];
  }

  private mapEntry(at: number): MapEntry {
    const word = (name: string) => this.field(at, `VmMapEntry.${name}`);
    return { start: word('start'), end: word('end'), object: word('object'), offset: word('offset'), prot: word('prot'),
      root: word('flags') & VME_VPAGETABLE ? word('root') : null };
  }

  /** How an address is found in the map of an address space, VPTE by VPTE; null when nothing is mapped there. */
  walk(vmspace: number, va: number): VpteWalk | null {
    const entry = this.mapEntries(vmspace).find(({ start, end }) => va >= start && va < end);
    if (!entry) return null;
    const index = (entry.offset + (va - entry.start)) >>> 12;
    const steps: VpteStep[] = [];
    const page = entry.root === null ? index : this.follow(entry, entry.root, index, steps);
    const found = page === null ? null : this.objectPage(entry.object, page);
    return { entry, steps, page, pa: found === null ? null : this.physical(found + (va & 0xfff)) };
  }

  /** The tree below a root VPTE (kern/vpagetable.ts); the page it leads to. */
  private follow(entry: MapEntry, root: number, index: number, steps: VpteStep[]): number | null {
    let vpte = root;
    let remaining = 20;
    while (remaining > 0 && vpte & VPTE_V && !(vpte & VPTE_PS)) {
      remaining -= 10;
      const page = vpte >>> 12;
      const slot = (index >>> remaining) & 1023;
      const table = this.objectPage(entry.object, page);
      const word = table === null ? null : this.physicalWord(table + slot * 4);
      steps.push({ page, index: slot, entry: word });
      if (word === null) return null;
      vpte = word;
    }
    return vpte & VPTE_V ? (vpte >>> 12) + (index & ((1 << remaining) - 1)) : null;
  }

  /** Physical address of a page of an object, or of the objects behind it; null when it is not in memory. */
  private objectPage(object: number, pindex: number): number | null {
    for (const at of this.list(object, 'VmObject.shadow')) {
      const page = this.list(this.field(at, 'VmObject.pages'), 'VmPage.objNext').find((p) => this.field(p, 'VmPage.pindex') === pindex);
      if (page !== undefined) return this.field(page, 'VmPage.pa');
      if (pindex >= this.field(at, 'VmObject.shadowLimit')) return null;
    }
    return null;
  }

  /** User memory of an address space. */
  userMemory(vmspace: number): Memory {
    return new UserMemory(this.ram, this, vmspace);
  }

  /** The kernel that a process is, when it is our virtual kernel and has started. */
  virtualKernel(proc: Proc): KernelView | null {
    return this.virtualKernelOf(proc.at);
  }

  /** The same by the address of its record. */
  virtualKernelOf(proc: number): KernelView | null {
    const vmspace = this.field(proc, 'Proc.vmspace');
    if (vmspace === 0 || this.field(proc, 'Proc.vkernel') === 0 || !this.isNamedVkernel(proc)) return null;
    const pid = this.field(proc, 'Proc.pid');
    let view = this.nested.get(vmspace);
    if (view?.pid !== pid) this.nested.set(vmspace, (view = new KernelView(this.ram, this.userMemory(vmspace), this.inner, this.inner, this, pid)));
    return view.curLwp() !== 0 ? view : null;
  }

  /** Differs when the names of two processes do (nearly always). */
  nameHash(proc: number): number {
    const comm = (proc + this.files.layout.offset('Proc.comm')) >>> 0;
    let hash = 0;
    for (let i = 0; i < 16; i += 4) hash = (Math.imul(hash, 31) + this.memory.word(comm + i)) | 0;
    return hash;
  }

  private isNamedVkernel(proc: number): boolean {
    const comm = (proc + this.files.layout.offset('Proc.comm')) >>> 0;
    return this.memory.word(comm) === VKERNEL[0] && this.memory.word(comm + 4) === VKERNEL[1];
  }

  /** Is this the address space that the kernel below knows as VM space `id`? */
  private isSpace(vmspace: number, id: number): boolean {
    return vmspace !== 0 && this.field(this.field(vmspace, 'Vmspace.pmap'), 'Pmap.space') === id;
  }

  /**
   * The process whose address space this kernel has given to the kernel below as VM space `id`: its own, or that of one of the
   * VM spaces that it owns.
   */
  processOfSpace(id: number): Proc | null {
    const procs = this.list(this.memory.word(this.procListAt), 'Proc.next');
    const found = procs.find((at) => this.isSpace(this.field(at, 'Proc.vmspace'), id))
      ?? procs.find((at) => this.field(at, 'Proc.vkernel') !== 0 && this.spaces(this.proc(at)).some(({ vmspace }) => this.isSpace(vmspace, id)));
    return found === undefined ? null : this.proc(found);
  }

  /** The thread that runs in VM space `id` of the kernel below, or 0: the current one, else the first that uses it. */
  lwpOfSpace(id: number): number {
    const current = this.curLwp();
    if (current && this.isSpace(this.field(current, 'Lwp.vmspace'), id)) return current;
    const procs = this.list(this.memory.word(this.procListAt), 'Proc.next');
    for (const at of procs) {
      const lwp = this.lwpsOf(at).find((candidate) => this.isSpace(this.field(candidate.at, 'Lwp.vmspace'), id));
      if (lwp) return lwp.at;
    }
    return 0;
  }
}

/** The host kernel of a machine that runs our own system. */
export function hostView(cpu: Cpu, files: SystemFiles): KernelView {
  const ram = new Uint32Array(cpu.ram.buffer, cpu.ram.byteOffset, cpu.ramBytes >>> 2);
  return new KernelView(ram, new LinearMemory(ram, files.host.symbols.loadOffset), files.host, files.virtual, null, 0);
}
