// Two engines on the same random situations. One runs straight through; the arbiter goes one instruction at a time, so that
// traces, fused micro-ops and linked branches are judged by an engine that has none of them. Registers are compared after
// every sequence, memory after every batch; where something differs the batch is run again to find the first instruction that did it.

import { Cpu, type CpuBus } from '../../cpu/cpu.ts';
import type { EngineKind } from '../../cpu/engine.ts';
import { CELLS, FPU, S, SEG, SEG_BYTES, SEG_NAMES } from '../../cpu/layout.ts';
import { disassemble, linearEip } from '../code.ts';
import { fpuText, registersText } from '../registers.ts';
import { hex } from '../text.ts';
import { Random } from './random.ts';
import { RAM_BYTES, Stage, type Situation } from './situation.ts';

const BATCH = 64;                    // sequences between comparisons of memory
const RECENT = 20;

/** State that a guest can see, or that decides what it sees next. */
const VISIBLE = ['eax', 'ecx', 'edx', 'ebx', 'esp', 'ebp', 'esi', 'edi', 'eip', 'cpl', 'halted', 'dead', 'trapBits',
  'gdtBase', 'gdtLimit', 'idtBase', 'idtLimit', 'cr0', 'cr2', 'cr3', 'cr4', 'dr0', 'dr1', 'dr2', 'dr3', 'dr6', 'dr7',
  'sysenterCs', 'sysenterEsp', 'sysenterEip', 'fpuControl', 'fpuStatus', 'fpuFull', 'fpuIp', 'fpuCs', 'fpuDp', 'fpuDs', 'fpuOp'];
interface Place { name: string; at: number }
const PLACES: readonly Place[] = [
  ...CELLS.filter(([name]) => VISIBLE.includes(name)).map(([name, , at]) => ({ name, at })),
  ...SEG_NAMES.flatMap((name, n) => (['sel', 'base', 'limit', 'attr'] as const).map((f) => ({ name: `${name}.${f}`, at: SEG + n * SEG_BYTES + S[f] }))),
  ...Array.from({ length: 8 }, (_, n) => [0, 4, 8].map((o) => ({ name: `x87 p${n}+${o}`, at: FPU + n * 16 + o }))).flat(),
];

/** A CPU with its stage; devices answer from the address, ports also from the number of reads, so that two of them answer alike. */
class Player {
  readonly cpu: Cpu;
  readonly stage: Stage;
  private readonly words: Int32Array;
  private portReads = 0;
  /** A digest of what was written to devices. */
  written = 0;
  private base = 0;

  /** With something to do after each instruction it goes one instruction at a time. */
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
  }

  begin(seed: Random): void {
    this.portReads = this.written = 0;
    this.cpu.reset();
    this.stage.begin(seed);
  }

  /** Prepares a sequence and runs at most `budget` instructions of it. */
  play(seed: Random, budget: number): Situation {
    const situation = this.stage.prepare(seed);
    const irqAfter = seed.once(8) ? seed.below(8) : -1;
    this.base = this.cpu.instructions;
    if (irqAfter >= 0 && irqAfter < budget) {
      this.run(irqAfter);
      this.cpu.setIrq(true);
    }
    this.run(budget);
    return situation;
  }

  private run(until: number): void {
    const { cpu } = this;
    if (!this.afterEach) { cpu.run(this.base + until); return; }
    while (cpu.instructions < this.base + until) {
      if (cpu.run(cpu.instructions + 1) !== 'budget') return;
      this.afterEach(cpu);
    }
  }

  get retired(): number { return this.cpu.instructions - this.base; }

  /** First visible difference to another player; null when there is none. */
  differs(other: Player): boolean {
    for (let n = 0; n < PLACES.length; n++) {
      const at = PLACES[n]!.at >> 2;
      if (this.words[at] !== other.words[at]) return true;
    }
    return this.retired !== other.retired || this.written !== other.written || this.cpu.state.eflags !== other.cpu.state.eflags;
  }

  differences(other: Player): string[] {
    const list = PLACES.filter(({ at }) => this.words[at >> 2] !== other.words[at >> 2])
      .map(({ name, at }) => `${name}: ${this.engine} ${hex(this.words[at >> 2]! >>> 0)}, ${other.engine} ${hex(other.words[at >> 2]! >>> 0)}`);
    const extra: [string, number, number][] = [
      ['eflags', this.cpu.state.eflags, other.cpu.state.eflags], ['instructions', this.retired, other.retired], ['device writes', this.written, other.written],
    ];
    for (const [name, a, b] of extra) if (a !== b) list.push(`${name}: ${this.engine} ${hex(a >>> 0)}, ${other.engine} ${hex(b >>> 0)}`);
    for (let pa = 0; pa < RAM_BYTES && list.length < 40; pa++) {
      if (this.cpu.ram[pa] !== other.cpu.ram[pa]) list.push(`physical ${hex(pa)}: ${this.engine} ${hex(this.cpu.ram[pa]!, 2)}, ${other.engine} ${hex(other.cpu.ram[pa]!, 2)}`);
    }
    return list;
  }
}

/** abandoned: batches that ended early because a page table had been overwritten. */
export interface FuzzResult { sequences: number; instructions: number; modes: Record<string, number>; abandoned: number; story: string[] | null }

export interface FuzzOptions {
  seed: number;
  /** Sequences to run. */
  count: number;
  /** Where to begin: batches are independent of each other. */
  batch: number;
  /** One that runs straight through, and the arbiter. */
  engines: readonly [EngineKind, EngineKind];
  /** For tests: changes the arbiter's state after each of its instructions. */
  falsify?: (cpu: Cpu) => void;
  progress?: (done: number) => void;
}

/** Runs random sequences on two engines; stops at the first difference. */
export function fuzzPair({ seed, count, batch: first, engines, falsify, progress }: FuzzOptions): FuzzResult {
  const fuzz = new Fuzz(seed, engines, falsify);
  const result: FuzzResult = { sequences: 0, instructions: 0, modes: {}, abandoned: 0, story: null };
  for (let batch = first; result.sequences < count; batch++) {
    const size = Math.min(BATCH, count - result.sequences);
    result.story = fuzz.batch(batch, size, result);
    if (result.story) return result;
    progress?.(result.sequences);
  }
  return result;
}

class Fuzz {
  private readonly players: readonly [Player, Player];

  constructor(private readonly seed: number, engines: readonly [EngineKind, EngineKind], falsify: ((cpu: Cpu) => void) | undefined) {
    this.players = [new Player(engines[0]), new Player(engines[1], falsify ?? (() => {}))];
  }

  private begin(batch: number): void {
    for (const player of this.players) player.begin(new Random(this.seed, batch));
  }

  private play(batch: number, n: number): Situation {
    const budget = budgetOf(this.seed, batch, n);
    return this.players.map((player) => player.play(new Random(this.seed, batch, n), budget))[0]!;
  }

  private get memoryDiffers(): boolean {
    const [a, b] = this.players;
    return Buffer.compare(a.cpu.ram, b.cpu.ram) !== 0;
  }

  /** One batch; the story of a difference, or null. */
  batch(batch: number, size: number, result: FuzzResult): string[] | null {
    const [a, b] = this.players;
    let n = 0;
    try {
      this.begin(batch);
      for (; n < size; n++) {
        const { mode, paging } = this.play(batch, n);
        const key = `${mode}${paging ? ', paging' : ''}`;
        result.modes[key] = (result.modes[key] ?? 0) + 1;
        result.sequences++;
        result.instructions += a.retired;
        if (a.stage.translationsChanged || b.stage.translationsChanged) { result.abandoned++; return null; }
        if (a.differs(b)) return this.explain(batch, n);
      }
      return this.memoryDiffers ? this.findInMemory(batch, size) : null;
    } catch (error) {
      return [`seed ${this.seed}, batch ${batch}, sequence ${n}: the emulator itself failed: ${(error as Error).stack}`];
    }
  }

  /** Memory differed at the end of a batch: in which sequence first? */
  private findInMemory(batch: number, size: number): string[] {
    this.begin(batch);
    for (let n = 0; n < size; n++) {
      this.play(batch, n);
      if (this.memoryDiffers) return this.explain(batch, n);
    }
    return [`seed ${this.seed}, batch ${batch}: memory differs, but not when the batch is run again`];
  }

  /** Sequence n of a batch ends differently: after which instruction first? */
  private explain(batch: number, n: number): string[] {
    const [a, b] = this.players;
    const trace: string[] = [];
    for (let budget = 0; budget <= budgetOf(this.seed, batch, n); budget++) {
      this.begin(batch);
      for (let before = 0; before < n; before++) this.play(batch, before);
      const situation = this.players.map((player) => player.play(new Random(this.seed, batch, n), budget))[0]!;
      if (a.differs(b) || this.memoryDiffers) return this.story(batch, n, situation, trace);
      const line = disassemble(b.cpu, linearEip(b.cpu));
      trace.push(line ? `${hex(line.at)}  ${Buffer.from(line.bytes).toString('hex').padEnd(22)} ${line.text}` : `${hex(linearEip(b.cpu))}  (no memory here)`);
    }
    return [`seed ${this.seed}, batch ${batch}, sequence ${n}: a difference that went away when the batch was run again`];
  }

  private story(batch: number, n: number, situation: Situation, trace: readonly string[]): string[] {
    const [a, b] = this.players;
    const indent = (line: string) => `   ${line}`;
    return [
      `seed ${this.seed}, batch ${batch}, sequence ${n} (${situation.mode}, ${situation.big ? 32 : 16}-bit code, paging ${situation.paging ? 'on' : 'off'}): the engines differ after instruction ${trace.length}: ${trace.at(-1) ?? 'none'}`,
      ...a.differences(b).map(indent),
      ...[a, b].flatMap((player) => [`${player.engine}:`, ...[...registersText(player.cpu), ...fpuText(player.cpu)].map(indent)]),
      `the last ${Math.min(RECENT, trace.length)} instructions:`,
      ...trace.slice(-RECENT).map(indent),
    ];
  }
}

/** Instructions that a sequence may run. */
function budgetOf(seed: number, batch: number, n: number): number {
  return 6 + new Random(seed, batch, n, 1).below(20);
}
