// An engine that plays sequences: it is put on the stage, runs a sequence, and shows what a guest could see afterwards. It ends
// a sequence at an instruction count, or when exceptions have taken its patience: each costs a cycle, and cycles have a
// deadline. In some batches every kind of event costs something, so that the shortening of runs is played too.

import { Cpu, type CpuBus } from '../../cpu/cpu.ts';
import type { EngineKind } from '../../cpu/engine.ts';
import { CELLS, EVENT_COSTS, EVENT_COUNTS, FPU, S, SEG, SEG_BYTES, SEG_NAMES } from '../../cpu/layout.ts';
import { eventIndex, EVENTS } from '../../cpu/timing.ts';
import { hex } from '../text.ts';
import type { Random } from './random.ts';
import { RAM_BYTES, Stage, type Situation } from './situation.ts';

/** Cycles that the events of a sequence may take: more than the faults in a row after which one counts as an instruction. */
const PATIENCE = 80;

/** State that a guest can see, or that decides what it sees next. */
const VISIBLE = ['eax', 'ecx', 'edx', 'ebx', 'esp', 'ebp', 'esi', 'edi', 'eip', 'cpl', 'halted', 'dead', 'trapBits',
  'gdtBase', 'gdtLimit', 'idtBase', 'idtLimit', 'cr0', 'cr2', 'cr3', 'cr4', 'dr0', 'dr1', 'dr2', 'dr3', 'dr6', 'dr7',
  'sysenterCs', 'sysenterEsp', 'sysenterEip', 'patLow', 'patHigh', 'fpuControl', 'fpuStatus', 'fpuFull', 'fpuIp', 'fpuCs', 'fpuDp', 'fpuDs', 'fpuOp'];
interface Place { name: string; at: number }
const PLACES: readonly Place[] = [
  ...CELLS.filter(([name]) => VISIBLE.includes(name)).map(([name, , at]) => ({ name, at })),
  ...SEG_NAMES.flatMap((name, n) => (['sel', 'base', 'limit', 'attr'] as const).map((f) => ({ name: `${name}.${f}`, at: SEG + n * SEG_BYTES + S[f] }))),
  ...Array.from({ length: 8 }, (_, n) => [0, 4, 8].map((o) => ({ name: `x87 p${n}+${o}`, at: FPU + n * 16 + o }))).flat(),
];
/** The words to compare; of the counts of events the upper halves, which are exact for what a batch can count. */
const WORDS = Int32Array.from([...PLACES.map(({ at }) => at >> 2), ...EVENTS.map((_, n) => (EVENT_COUNTS >> 2) + n * 2 + 1)]);

/** A CPU with its stage; devices answer from the address, ports also from the number of reads, so that two of them answer alike. */
export class Player {
  readonly cpu: Cpu;
  readonly stage: Stage;
  private readonly words: Int32Array;
  private readonly eventCounts: Float64Array;
  private portReads = 0;
  /** A digest of what was written to devices. */
  written = 0;
  private base = 0;
  private baseCycles = 0;

  /** Of an arbiter: instructions before the one that overwrote page tables in use, which ended the sequence; null: none did. */
  clean: number | null = null;

  /** An arbiter goes one instruction at a time, with something to do after each. */
  constructor(readonly engine: EngineKind, private readonly afterEach?: (cpu: Cpu) => void) {
    const answer = (at: number, size: number) => Math.imul(at, 0x9e3779b1) >>> (32 - 8 * size);
    const note = (at: number, size: number, value: number) => { this.written = Math.imul(this.written ^ at ^ (size << 28) ^ value, 0x01000193); };
    const bus: CpuBus = {
      portRead: (port, size) => answer(port + (++this.portReads << 16), size), portWrite: note,
      mmioRead: answer, mmioWrite: note,
      acknowledge: () => { this.cpu.setIrq(false); return 0x20 + (this.written & 15); },
    };
    this.cpu = new Cpu({ ramBytes: RAM_BYTES, bus, engine });
    this.cpu.setDevicePages(0xa_0000, 0x1000, true);
    this.stage = new Stage(this.cpu);
    this.words = new Int32Array(this.cpu.memory.buffer);
    this.eventCounts = new Float64Array(this.cpu.memory.buffer, EVENT_COUNTS, EVENTS.length);
  }

  /** Begins a batch; with another player, that has begun it, in the same way. */
  begin(seed: Random, other: Player | null): void {
    this.portReads = this.written = 0;
    this.cpu.reset();
    this.eventCounts.fill(0);
    const dear = seed.once(4);
    for (let n = 0; n < EVENTS.length; n++) this.words[(EVENT_COSTS >> 2) + n] = dear ? seed.below(4) : 0;
    this.words[(EVENT_COSTS >> 2) + eventIndex('exception')] = 1;
    if (other) this.stage.beginLike(other.stage);
    else this.stage.begin(seed);
  }

  /** Prepares a sequence of `budget` instructions and runs at most the first `limit` of them. */
  play(seed: Random, budget: number, limit: number): Situation {
    const situation = this.stage.prepare(seed);
    const irqAfter = seed.once(8) ? seed.below(8) : -1;
    this.clean = null;
    this.base = this.cpu.instructions;
    this.baseCycles = this.cpu.cycles;
    const deadline = this.baseCycles + budget + PATIENCE;
    const run = this.afterEach ? this.step : this.runOn;
    if (irqAfter >= 0 && irqAfter < limit) {
      run.call(this, irqAfter, deadline);
      if (this.clean === null) this.cpu.setIrq(true);
    }
    if (this.clean === null) run.call(this, limit, deadline);
    return situation;
  }

  private runOn(until: number, deadline: number): void {
    if (this.cpu.cycles < deadline) this.cpu.run(this.base + until, deadline);
  }

  private step(until: number, deadline: number): void {
    const { cpu, stage } = this;
    for (let n = cpu.instructions; n < this.base + until && cpu.cycles < deadline; n = cpu.instructions) {
      const reason = cpu.run(n + 1, deadline);
      this.afterEach!(cpu);
      if (stage.translationsChanged) this.clean = n - this.base;
      if (reason !== 'budget' || this.clean !== null) return;
    }
  }

  /** Instructions of this sequence so far. */
  get retired(): number { return this.cpu.instructions - this.base; }

  /** Cycles of this sequence so far. */
  get cycles(): number { return this.cpu.cycles - this.baseCycles; }

  /** Has the other player come to another state? Of memory only what was written to devices is looked at. */
  differs(other: Player): boolean {
    const { words } = this, { words: others } = other;
    for (let n = 0; n < WORDS.length; n++) if (words[WORDS[n]!] !== others[WORDS[n]!]) return true;
    return this.retired !== other.retired || this.cycles !== other.cycles || this.written !== other.written || this.cpu.state.eflags !== other.cpu.state.eflags;
  }

  memoryDiffers(other: Player): boolean {
    return Buffer.compare(this.cpu.ram, other.cpu.ram) !== 0;
  }

  /** Each difference to another player as a line, bytes of memory included. */
  differences(other: Player): string[] {
    const list = PLACES.filter(({ at }) => this.words[at >> 2] !== other.words[at >> 2])
      .map(({ name, at }) => `${name}: ${this.engine} ${hex(this.words[at >> 2]! >>> 0)}, ${other.engine} ${hex(other.words[at >> 2]! >>> 0)}`);
    const extra: [string, number, number][] = [
      ['eflags', this.cpu.state.eflags, other.cpu.state.eflags], ['instructions', this.retired, other.retired],
      ['cycles', this.cycles, other.cycles], ['device writes', this.written, other.written],
      ...EVENTS.map((event, n): [string, number, number] => [`events: ${event}`, this.eventCounts[n]!, other.eventCounts[n]!]),
    ];
    for (const [name, a, b] of extra) if (a !== b) list.push(`${name}: ${this.engine} ${hex(a >>> 0)}, ${other.engine} ${hex(b >>> 0)}`);
    for (let pa = 0; pa < RAM_BYTES && list.length < 40; pa++) {
      if (this.cpu.ram[pa] !== other.cpu.ram[pa]) list.push(`physical ${hex(pa)}: ${this.engine} ${hex(this.cpu.ram[pa]!, 2)}, ${other.engine} ${hex(other.cpu.ram[pa]!, 2)}`);
    }
    return list;
  }
}
