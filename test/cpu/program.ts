// A bare machine for tests of the CPU: 16 MiB, a flat GDT, an IDT on request, identity paging on request, and a bus that
// records port accesses. Programs are Intel-syntax text, assembled at 0x1000 unless said otherwise.
import { assemble, AsmEnv } from '../../src/asm/assemble.ts';
import { Cpu, type CpuBus } from '../../src/cpu/cpu.ts';
import type { EngineKind } from '../../src/cpu/engine.ts';
import { FLAT, type Timing } from '../../src/cpu/timing.ts';
import { CS, TR } from '../../src/cpu/layout.ts';

export const GDT = 0x500, IDT = 0x800, TSS = 0x600, CODE = 0x1000, PAGES = 0x20_0000, STACK0 = 0x8000, STACK3 = 0x9000;
export const CODE0 = 0x08, DATA0 = 0x10, CODE3 = 0x1b, DATA3 = 0x23, TSS_SELECTOR = 0x28;

export interface PortEvent { port: number; value: number; at: number }

export class Program {
  readonly cpu: Cpu;
  readonly view: DataView;
  readonly labels = new Map<string, number>();
  /** Everything written to ports, with the instruction count at that moment. */
  readonly outputs: PortEvent[] = [];
  /** Called on every port write. */
  onOutput: (event: PortEvent) => void = () => {};
  irqVector = 0x20;

  constructor(engine: EngineKind = 'tier0', timing: Timing = FLAT) {
    const bus: CpuBus = {
      portRead: (port) => port & 0xff,
      portWrite: (port, _size, value) => {
        const event = { port, value, at: this.cpu.instructions };
        this.outputs.push(event);
        this.onOutput(event);
      },
      mmioRead: (pa) => (pa >>> 12) & 0xff,
      mmioWrite: (pa, _size, value) => { this.outputs.push({ port: pa, value, at: this.cpu.instructions }); this.onOutput(this.outputs.at(-1)!); },
      acknowledge: () => { this.cpu.setIrq(false); return this.irqVector; },
    };
    this.cpu = new Cpu({ ramBytes: 16 << 20, bus, engine, timing });
    this.view = new DataView(this.cpu.ram.buffer, this.cpu.ram.byteOffset, this.cpu.ram.byteLength);
    this.tables();
    this.protectedMode();
  }

  /** Assembles text at an address and remembers its labels. */
  load(text: string, at = CODE): this {
    const env = new AsmEnv();
    env.hasOrigin = true;
    env.origin = at;
    const result = assemble(text, env);
    if (result.errors.length) throw new Error(`line ${result.errors[0]!.line}: ${result.errors[0]!.message}\n${text}`);
    this.cpu.ram.set(result.bytes, at);
    this.cpu.dmaWritten(at, result.bytes.length);
    for (const l of result.labels) this.labels.set(l.name, at + l.offset);
    return this;
  }

  label(name: string): number { return this.labels.get(name)!; }

  private descriptor(index: number, base: number, limit: number, access: number, flags: number): void {
    this.view.setUint32(GDT + index * 8, (limit & 0xffff) | (base << 16), true);
    this.view.setUint32(GDT + index * 8 + 4,
      ((base >>> 16) & 0xff) | (access << 8) | (limit & 0xf0000) | (flags << 20) | (base & 0xff000000), true);
  }

  private tables(): void {
    this.descriptor(1, 0, 0xfffff, 0x9b, 0xc);
    this.descriptor(2, 0, 0xfffff, 0x93, 0xc);
    this.descriptor(3, 0, 0xfffff, 0xfb, 0xc);
    this.descriptor(4, 0, 0xfffff, 0xf3, 0xc);
    this.descriptor(5, TSS, 0x67, 0x89, 0);
    this.view.setUint32(TSS + 4, STACK0, true);
    this.view.setUint32(TSS + 8, DATA0, true);
    this.view.setUint16(TSS + 0x66, 0x68, true);
  }

  /** Defines a further GDT entry; returns its selector. */
  segment(index: number, base: number, limit: number, access: number, flags: number): number {
    this.descriptor(index, base, limit, access, flags);
    return index * 8;
  }

  private protectedMode(): void {
    const s = this.cpu.state;
    s.cr0 = 0x60000031;
    s.gdtBase = GDT; s.gdtLimit = 0xff;
    s.idtBase = IDT; s.idtLimit = 0x7ff;
    this.ring(0);
    s.setSegment(TR, { sel: TSS_SELECTOR, base: TSS, limit: 0x67, attr: 0x8b });
    s.eip = CODE;
    s.esp = STACK0;
  }

  /** Flat segments of ring 0 or 3. */
  ring(level: 0 | 3): this {
    const s = this.cpu.state;
    s.cpl = level;
    for (let n = 0; n < 6; n++) {
      const code = n === CS;
      s.setSegment(n, { sel: level ? (code ? CODE3 : DATA3) : code ? CODE0 : DATA0, base: 0, limit: 0xffffffff, attr: (code ? 0xc09b : 0xc093) | (level << 5) });
    }
    s.esp = level ? STACK3 : STACK0;
    return this;
  }

  /** Installs a gate: type 0xe interrupt, 0xf trap; target a label or address. */
  gate(vector: number, target: string | number, dpl = 0, type = 0xe, selector = CODE0): this {
    const at = typeof target === 'string' ? this.label(target) : target;
    this.view.setUint32(IDT + vector * 8, (selector << 16) | (at & 0xffff), true);
    this.view.setUint32(IDT + vector * 8 + 4, (at & 0xffff0000) | 0x8000 | (dpl << 13) | (type << 8), true);
    return this;
  }

  /** Identity-maps the first 4 MiB with the given PTE bits and turns paging on. */
  paging(bits = 7): this {
    this.view.setUint32(PAGES, (PAGES + 0x1000) | 7, true);
    for (let n = 0; n < 1024; n++) this.view.setUint32(PAGES + 0x1000 + n * 4, (n << 12) | bits, true);
    const s = this.cpu.state;
    s.cr3 = PAGES;
    s.cr0 = (s.cr0 | 0x80010000) >>> 0;
    return this;
  }

  pte(page: number): number { return this.view.getUint32(PAGES + 0x1000 + page * 4, true); }
  setPte(page: number, value: number): void { this.view.setUint32(PAGES + 0x1000 + page * 4, value, true); }
  word(at: number): number { return this.view.getUint32(at, true); }

  /** Runs to HLT (or `max` instructions); returns the number of instructions retired. */
  run(max = 1_000_000): number {
    const before = this.cpu.instructions;
    this.cpu.run(before + max);
    return this.cpu.instructions - before;
  }

  get state() { return this.cpu.state; }
}
