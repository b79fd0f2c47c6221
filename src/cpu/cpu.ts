// The CPU as the rest of the machine sees it: memory, named state, run until an instruction count, an interrupt line.
// run() stops exactly at its limit, counts every retired instruction (each iteration of a REP string instruction is one,
// a faulting instruction is none), and gives the same results however a run is cut into calls. Inside a bus call the
// instruction that made it has not retired yet. All guest faults are delivered inside; nothing is thrown at the caller.
import { createEngine, type Engine, type EngineKind } from './engine.ts';
import * as L from './layout.ts';
import { Predecoder, type CpuModel } from './predecode.ts';
import { EVENTS, eventIndex, FLAT, type EventKind, type Timing } from './timing.ts';

/** Port I/O, physical accesses outside RAM, interrupt acknowledge: provided by the machine. */
export interface CpuBus {
  portRead(port: number, size: 1 | 2 | 4): number;
  portWrite(port: number, size: 1 | 2 | 4, value: number): void;
  mmioRead(pa: number, size: 1 | 2 | 4): number;
  mmioWrite(pa: number, size: 1 | 2 | 4, value: number): void;
  acknowledge(): number;
  /** FERR# is asserted, with CR0.NE clear: 1 the processor waits for an interrupt, 2 IGNNE# lets it go on. Absent: #MF. */
  fpuError?(): 1 | 2;
  /** FERR# is no longer asserted. */
  fpuCleared?(): void;
}

/** What a debugger may listen to. Nothing it does here changes what the guest sees. */
export interface CpuHooks {
  /** A vector is about to be delivered; kind 0 hardware, 1 INT instruction, 2 fault. The state is still the old one. */
  interrupt?(vector: number, kind: number, error: number | null): void;
  /** Is there a breakpoint at a linear address? 2 stops the run before the instruction, 1 asks again at the next one. */
  breakpoint?(la: number): 0 | 1 | 2;
  /** Does the page of a linear address have breakpoints? */
  breakpointPage?(la: number): boolean;
  /**
   * A page walk has succeeded and fills the TLB: whatever user or supervisor code then does to this page, loads, or stores too
   * when `write`, it does to physical page `page` without another walk.
   */
  walk?(la: number, page: number, write: boolean, user: boolean): void;
  /** A data access of the guest, before it happens. */
  access?(la: number, size: number, write: boolean): void;
}

/** Notes of the `observed` engine: where control went, and when. */
export interface CpuObserver {
  /** Which notes are wanted: 1 jumps, 2 calls and returns, 3 both, 0 changes of ring only. Those always come. */
  wanted(): number;
  /** Notes (layout.NOTE) in the words [from, to); the last one is of this moment when it changes the ring. */
  notes(memory: Int32Array, from: number, to: number): void;
}

/** A fault of a delivery that failed: what it was, and which vector was being delivered then (-1: none). */
export interface FaultRecord {
  vector: number;
  error: number;
  during: number;
  /** CR2 at that time. */
  address: number;
  /** Where the processor stood; a failed delivery changes it only through a task gate. */
  cs: number; eip: number; ss: number; esp: number;
}

export interface CpuOptions {
  ramBytes: number;
  bus: CpuBus;
  engine?: EngineKind;
  model?: CpuModel;
  /** What events cost. Default FLAT. */
  timing?: Timing;
}
export type StopReason = 'budget' | 'halt' | 'shutdown' | 'stopped';
export interface FpuRegister { significand: bigint; exponent: number }
export interface FpuState { control: number; status: number; tag: number; registers: FpuRegister[] }
export interface SegmentState { sel: number; base: number; limit: number; attr: number }

/** Instructions in one call of the engine: small enough for V8 to swap in optimised code between calls. */
const SLICE = 1_000_000;
/** Word indices of the cells that every device access or run touches. */
const [IC_END, IC_LIMIT, LEFT, CUR, EXTRA] = ['icEnd', 'icLimit', 'left', 'cur', 'extra'].map((n) => L.cell(n) >> 2) as [number, number, number, number, number];
const REASONS: StopReason[] = ['budget', 'budget', 'halt', 'shutdown', 'stopped'];

/** The event counters, exact at every instruction boundary and, for an instruction in progress, up to the call that reads. */
export class EventCounts {
  private readonly counts: Float64Array;

  constructor(buffer: ArrayBufferLike) {
    this.counts = new Float64Array(buffer, L.EVENT_COUNTS, EVENTS.length);
  }

  /** How often a kind of event has happened since power-on. */
  of(event: EventKind): number { return this.counts[eventIndex(event)]!; }

  /** All counts, in the order of EVENTS; a copy. */
  snapshot(): Float64Array { return this.counts.slice(); }

  /** Cycles by event since an earlier snapshot, in the order of EVENTS. */
  cyclesSince(before: Float64Array, timing: Timing): number[] {
    return EVENTS.map((event, n) => (this.counts[n]! - before[n]!) * timing.costs[event]);
  }
}

/** Machine state by name. Numbers are unsigned; setting a control register takes effect at once. */
export class CpuState {
  [name: string]: any;
  declare eax: number; declare ecx: number; declare edx: number; declare ebx: number;
  declare esp: number; declare ebp: number; declare esi: number; declare edi: number;
  declare eip: number; declare eflags: number; declare cpl: number;
  declare cr0: number; declare cr2: number; declare cr3: number; declare cr4: number;
  declare dr0: number; declare dr1: number; declare dr2: number; declare dr3: number; declare dr6: number; declare dr7: number;
  declare gdtBase: number; declare gdtLimit: number; declare idtBase: number; declare idtLimit: number;

  constructor(private readonly buffer: ArrayBufferLike, private readonly engine: Engine) {
    const u32 = new Uint32Array(buffer);
    const refresh = new Set(['cr0', 'cr3', 'cr4', 'cpl', 'dr7']);
    for (const [name, type, at] of L.CELLS) {
      if (name === 'eflags' || type !== 'i32') continue;
      Object.defineProperty(this, name, {
        enumerable: true,
        get: () => u32[at >> 2]!,
        set: (v: number) => { u32[at >> 2] = v; if (refresh.has(name)) this.refresh(); },
      });
    }
    Object.defineProperty(this, 'eflags', {
      enumerable: true,
      get: () => engine.getFlags() >>> 0,
      set: (v: number) => engine.setFlags(v),
    });
  }

  /** Recomputes what depends on control registers and drops translations; needed only after writing raw memory cells. */
  refresh(): void {
    this.engine.tlbFlush(0);
    this.engine.refreshMode();
  }

  /** Segment register n (order es cs ss ds fs gs ldtr tr); attr is descriptor bits 8..23 of the high word. */
  segment(n: number): SegmentState {
    const u32 = new Uint32Array(this.buffer, L.SEG + n * L.SEG_BYTES, 4);
    return { sel: u32[0]!, base: u32[1]!, limit: u32[2]!, attr: u32[3]! };
  }

  /** Loads a hidden part without checks; setting CS does not change CPL. */
  setSegment(n: number, s: SegmentState): void {
    this.engine.setSeg(n, s.sel, s.base, s.limit, s.attr);
    this.engine.refreshMode();
  }
}

export class Cpu {
  readonly memory: WebAssembly.Memory;
  readonly ram: Uint8Array;
  readonly state: CpuState;
  readonly ramBytes: number;
  readonly timing: Timing;
  readonly events: EventCounts;
  private readonly engine: Engine;
  private readonly predecoder: Predecoder;
  private readonly i32: Int32Array;
  private readonly u8: Uint8Array;
  private limitAt = 0;
  private deadline = Infinity;
  private hooks: CpuHooks = {};
  private readonly kind: EngineKind;
  private observer: CpuObserver | null = null;
  /** The faults that ended in the last double or triple fault, first to last. */
  faultChain: FaultRecord[] = [];

  constructor(options: CpuOptions) {
    this.ramBytes = options.ramBytes;
    const pages = Math.ceil((L.RAM + options.ramBytes) / 65536);
    this.memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
    this.ram = new Uint8Array(this.memory.buffer, L.RAM, options.ramBytes);
    this.i32 = new Int32Array(this.memory.buffer);
    this.u8 = new Uint8Array(this.memory.buffer);
    this.timing = options.timing ?? FLAT;
    EVENTS.forEach((event, n) => { this.i32[(L.EVENT_COSTS >> 2) + n] = this.timing.costs[event]; });
    this.events = new EventCounts(this.memory.buffer);
    const bus = options.bus;
    const predecoder = new Predecoder(this.memory, {
      protect: (page) => this.engine.protectPage(page),
      flush: () => this.engine.tlbFlush(0),
      readByte: (pa) => bus.mmioRead(pa, 1),
    }, options.ramBytes, options.model ?? 'p6');
    this.predecoder = predecoder;
    this.kind = options.engine ?? 'tier0';
    this.i32[L.NOTE_AT >> 2] = L.NOTES;
    this.engine = createEngine(this.kind, this.memory, {
      portRead: (port, size) => bus.portRead(port, size as 1),
      portWrite: (port, size, value) => bus.portWrite(port, size as 1, size === 4 ? value >>> 0 : value),
      mmioRead: (pa, size) => bus.mmioRead(pa >>> 0, size as 1),
      mmioWrite: (pa, size, value) => bus.mmioWrite(pa >>> 0, size as 1, size === 4 ? value >>> 0 : value & (size === 1 ? 0xff : 0xffff)),
      interruptAcknowledge: () => bus.acknowledge(),
      fpuError: () => bus.fpuError?.() ?? 0,
      fpuCleared: () => bus.fpuCleared?.(),
      codeSlots: (page) => predecoder.codeSlots(page),
      decodeBlock: (pa) => predecoder.decodeBlock(pa),
      decodeSingle: (pa, bytes, page2, bytes2) => predecoder.decodeSingle(pa, bytes, page2, bytes2),
      resolve: (at) => predecoder.resolve(at),
      decodeSplit: (pa, page2) => predecoder.decodeSplit(pa, page2),
      codeWritten: (pa, size) => predecoder.written(pa, size),
      interruptStarts: (vector, kind, hasError, error) => this.hooks.interrupt?.(vector, kind, hasError ? error : null),
      deliveryFailed: (depth, vector, error, address) => this.recordFault(depth, vector, error, address),
      codeBreakpoint: (la, exact) => (exact ? this.hooks.breakpoint?.(la >>> 0) ?? 0 : this.hooks.breakpointPage?.(la >>> 0) ? 1 : 0),
      dataAccess: (la, size, write) => this.hooks.access?.(la >>> 0, size, write !== 0),
      walked: (la, t, access) => this.hooks.walk?.(la >>> 0, (t & 0xfffff000) >>> 0, ((t | access << 1) & 2) !== 0, (access & 2) !== 0),
      notesReady: () => this.takeNotes(),
    });
    this.state = new CpuState(this.memory.buffer, this.engine);
    this.reset();
  }

  /** Real-mode reset state; RAM and the instruction counter are left alone. */
  reset(): void {
    const count = this.instructions;
    this.engine.tlbFlush(0);
    this.u8.fill(0, L.REG, L.SCRATCH);
    this.u8.fill(0, L.CODE_TLB, L.CODE_TLB + L.CODE_TLB_ENTRIES * 8);
    this.set('ramBytes', this.ramBytes);
    this.set('a20', -1);
    this.set('flatLimitU', -1);
    this.set('cur', L.IDLE);
    this.setCount('icEnd', count);
    this.engine.reset();
    this.set('cr0', 0x60000010);
    this.set('dr6', 0xffff0ff0 | 0);
    this.set('dr7', 0x400);
    this.set('edx', 0x673);
    this.set('patLow', L.POWER_ON_PAT);
    this.set('patHigh', L.POWER_ON_PAT);
    this.set('idtLimit', 0x3ff);
    this.set('gdtLimit', 0xffff);
    for (let n = 0; n < 6; n++) this.engine.setSeg(n, 0, 0, 0xffff, 0x93);
    this.engine.setSeg(L.CS, 0xf000, 0xffff0000 | 0, 0xffff, 0x9b);
    this.engine.setSeg(L.LDTR, 0, 0, 0xffff, 0x82);
    this.engine.setSeg(L.TR, 0, 0, 0xffff, 0x8b);
    this.engine.setFlags(2);
    this.set('eip', 0xfff0);
    this.predecoder.clear();
    this.setHooks(this.hooks);
  }

  /** Replaces the debugger's hooks; absent ones cost nothing. */
  setHooks(hooks: CpuHooks): void {
    this.hooks = hooks;
    const { interrupts, code, data, walks } = L.DEBUG;
    this.set('debug', (hooks.interrupt ? interrupts : 0) | (hooks.breakpoint ? code : 0) | (hooks.access ? data : 0) | (hooks.walk ? walks : 0));
    this.state.refresh();
  }

  /** Installs an observer. @throws when the engine is another than `observed` */
  observe(observer: CpuObserver): void {
    if (this.kind !== 'observed') throw new Error(`engine ${this.kind} takes no notes`);
    this.observer = observer;
    this.i32[L.NOTE_AT >> 2] = L.NOTES;
    this.i32[L.NOTE_MASK >> 2] = observer.wanted();
  }

  /** Hands the notes so far to the observer. */
  takeNotes(): void {
    const end = this.i32[L.NOTE_AT >> 2]!;
    this.i32[L.NOTE_AT >> 2] = L.NOTES;
    this.observer?.notes(this.i32, L.NOTES >> 2, end >> 2);
    if (this.observer) this.i32[L.NOTE_MASK >> 2] = this.observer.wanted();
  }

  /** The observer has learned of a change of ring in another way: the next note is a change again if the ring is another. */
  turned(ring: number): void {
    this.i32[L.NOTE_RING >> 2] = ring;
  }

  private recordFault(depth: number, vector: number, error: number, address: number): void {
    const { state } = this;
    const place = { cs: state.segment(L.CS).sel, eip: state.eip, ss: state.segment(L.SS).sel, esp: state.esp };
    if (depth === 0) this.faultChain = [{ vector, error, during: -1, address: address >>> 0, ...place }];
    this.faultChain.push({ vector: state.faultVector as number, error: state.faultError as number, during: vector, address: state.cr2, ...place });
  }

  /**
   * Runs until the instruction counter equals `until`, to the first instruction boundary at which the cycle counter has
   * reached `deadline`, or until something else stops the machine.
   */
  run(until: bigint | number, deadline = Infinity): StopReason {
    this.limitAt = Number(until);
    this.deadline = deadline;
    this.engine.kick();
    for (;;) {
      const now = this.instructions;
      this.setCount('icLimit', Math.min(this.limitAt, now + SLICE, now + this.deadline - this.cycles));
      const reason = REASONS[this.engine.run()]!;
      this.set('cur', L.IDLE);
      if (reason !== 'budget' || this.instructions >= this.limitAt || this.cycles >= this.deadline) return reason;
    }
  }

  /** One instruction, or the delivery of the fault it raises; a REP string instruction makes one iteration. */
  step(): 'retired' | 'faulted' | StopReason {
    this.set('stopOnFault', 1);
    const before = this.instructions;
    const reason = this.run(before + 1);
    this.set('stopOnFault', 0);
    if (this.instructions > before) return 'retired';
    return reason === 'stopped' ? 'faulted' : reason;
  }

  /** True after a triple fault. */
  get shutDown(): boolean { return this.i32[L.cell('dead') >> 2] !== 0; }

  /** x87 registers in physical order; tag has one bit per register, 1 = not empty. */
  getFpu(): FpuState {
    const view = new DataView(this.memory.buffer, L.FPU, 128);
    const registers: FpuRegister[] = [];
    for (let n = 0; n < 8; n++) registers.push({ significand: view.getBigUint64(n * 16, true), exponent: view.getUint16(n * 16 + 8, true) });
    return { control: this.state.fpuControl, status: this.state.fpuStatus, tag: this.state.fpuFull, registers };
  }

  setFpu(f: FpuState): void {
    const view = new DataView(this.memory.buffer, L.FPU, 128);
    f.registers.forEach((r, n) => { view.setBigUint64(n * 16, r.significand, true); view.setUint16(n * 16 + 8, r.exponent, true); });
    this.state.fpuControl = f.control;
    this.state.fpuStatus = f.status;
    this.state.fpuFull = f.tag;
  }

  /** Instructions retired since power-on; inside a bus call, those before the calling instruction. */
  get instructions(): number {
    const end = (this.i32[IC_END]! >>> 0) + this.i32[IC_END + 1]! * 0x1_0000_0000;
    return end - this.i32[LEFT]! - this.u8[this.i32[CUR]! + L.U.rem]!;
  }

  /** Cycles since power-on: instructions, and what events cost. Inside a bus call, those before the calling instruction. */
  get cycles(): number {
    return this.instructions + (this.i32[EXTRA]! >>> 0) + this.i32[EXTRA + 1]! * 0x1_0000_0000;
  }

  /** The INTR line, sampled at instruction boundaries. */
  setIrq(level: boolean): void {
    this.set('irq', level ? 1 : 0);
    if (level) this.engine.kick();
  }

  /** Makes run() return at the next instruction boundary. */
  stop(): void {
    this.set('stopAsked', 1);
    this.engine.kick();
  }

  /** Lowers the limit, in cycles, of the run in progress: a device has scheduled an earlier event. */
  limit(cycle: number): void {
    if (cycle >= this.deadline) return;
    this.deadline = cycle;
    const limit = (this.i32[IC_LIMIT]! >>> 0) + this.i32[IC_LIMIT + 1]! * 0x1_0000_0000;
    const count = this.instructions + cycle - this.cycles;
    if (count < limit) this.setCount('icLimit', count);
    this.engine.kick();
  }

  /** The A20 gate: closed, bit 20 of every physical address is 0. */
  setA20(open: boolean): void {
    this.set('a20', open ? -1 : ~0x100000);
    this.engine.tlbFlush(0);
    this.engine.kick();
  }

  /** RAM was written from outside (DMA, loaders): stale micro-ops go. */
  dmaWritten(pa: number, length: number): void {
    this.predecoder.written(pa, length);
  }

  /** Declares physical pages inside RAM to be device memory (or RAM again). */
  setDevicePages(pa: number, length: number, device: boolean): void {
    this.u8.fill(device ? 1 : 0, L.PAGE_ATTR + (pa >>> 12), L.PAGE_ATTR + Math.ceil((pa + length) / 4096));
    this.predecoder.clear();
    this.state.refresh();
  }

  /** Physical address of a linear one, null when not mapped. No side effects. */
  translate(linear: number): { pa: number } | null {
    const pa = this.engine.peek(linear | 0);
    return pa < 0n ? null : { pa: Number(pa) };
  }

  /** Lets the time-stamp counter run on while the processor is halted. */
  addTimeStamp(cycles: number): void {
    const cell = new BigInt64Array(this.memory.buffer, L.cell('tsc'), 1);
    cell[0] = cell[0]! + BigInt(Math.round(cycles));
  }

  /** True after HLT, until an interrupt. */
  get halted(): boolean { return this.i32[L.cell('halted') >> 2] !== 0; }

  private set(name: string, value: number): void {
    this.i32[L.cell(name) >> 2] = value;
  }

  private setCount(name: string, value: number): void {
    const at = L.cell(name) >> 2;
    this.i32[at] = value | 0;
    this.i32[at + 1] = Math.floor(value / 0x1_0000_0000);
    if (name === 'icEnd') this.set('left', 0);
  }
}
