// Two engines on the same random situations. One runs straight through; the arbiter goes one instruction at a time, so that
// traces, fused micro-ops and linked branches are judged by an engine that has none of them. Registers are compared after
// every sequence, memory after every batch; where something differs the batch is run again to find the first instruction that did it.

import type { Cpu } from '../../cpu/cpu.ts';
import type { EngineKind } from '../../cpu/engine.ts';
import { disassemble, linearEip } from '../code.ts';
import { fpuText, registersText } from '../registers.ts';
import { hex } from '../text.ts';
import { Player } from './player.ts';
import { Random } from './random.ts';
import type { Situation } from './situation.ts';

/** Sequences between comparisons of memory. Batches are independent of each other. */
export const BATCH = 64;
const RECENT = 20;

/** short: sequences that ended early because they overwrote a page table. */
export interface FuzzResult { sequences: number; instructions: number; modes: Record<string, number>; short: number; story: string[] | null }

export interface FuzzOptions {
  seed: number;
  /** Sequences to run. */
  count: number;
  /** Where to begin. */
  batch: number;
  /** One that runs straight through, and the arbiter. */
  engines: readonly [EngineKind, EngineKind];
  /** For tests: changes the arbiter's state after each of its instructions. */
  falsify?: (cpu: Cpu) => void;
  progress?: (done: number) => void;
}

/** Runs random sequences on two engines; stops at the first difference. */
export function fuzzPair({ seed, engines, falsify, ...run }: FuzzOptions): FuzzResult {
  return new FuzzPair(seed, engines, falsify).run(run);
}

/** Two engines that stay warm from run to run. */
export class FuzzPair {
  private readonly players: readonly [Player, Player];
  /** Sequences of the present batch that end before they overwrite page tables in use: after how many instructions. */
  private readonly cuts = new Map<number, number>();

  constructor(private readonly seed: number, engines: readonly [EngineKind, EngineKind], falsify: (cpu: Cpu) => void = () => {}) {
    this.players = [new Player(engines[0]), new Player(engines[1], falsify)];
  }

  /** Runs sequences from a batch on; stops at the first difference. */
  run({ count, batch: first, progress }: Pick<FuzzOptions, 'count' | 'batch' | 'progress'>): FuzzResult {
    const result: FuzzResult = { sequences: 0, instructions: 0, modes: {}, short: 0, story: null };
    for (let batch = first; result.sequences < count && !result.story; batch++) {
      result.story = this.batch(batch, Math.min(BATCH, count - result.sequences), result);
      progress?.(result.sequences);
    }
    return result;
  }

  private begin(batch: number): void {
    const [a, b] = this.players;
    a.begin(new Random(this.seed, batch), null);
    b.begin(new Random(this.seed, batch), a);
  }

  private budget(batch: number, n: number): number {
    return 6 + new Random(this.seed, batch, n, 1).below(20);
  }

  /** The arbiter goes first: where it overwrites page tables in use, both end. */
  private play(batch: number, n: number, limit = Infinity): Situation {
    const [a, b] = this.players;
    const budget = this.budget(batch, n);
    const most = Math.min(limit, this.cuts.get(n) ?? budget);
    b.play(new Random(this.seed, batch, n), budget, most);
    return a.play(new Random(this.seed, batch, n), budget, b.clean === null ? most : b.retired);
  }

  /** Plays the first `size` sequences of a batch again. */
  private replay(batch: number, size: number): void {
    this.begin(batch);
    for (let n = 0; n < size; n++) this.play(batch, n);
  }

  private get memoryDiffers(): boolean {
    const [a, b] = this.players;
    return a.memoryDiffers(b);
  }

  /** One batch; the story of a difference, or null. */
  private batch(batch: number, size: number, result: FuzzResult): string[] | null {
    const [a, b] = this.players;
    let n = 0;
    try {
      this.cuts.clear();
      this.begin(batch);
      for (; n < size; n++) {
        const { mode, paging } = this.play(batch, n);
        if (b.clean !== null) result.short++;
        const story = a.differs(b) ? this.settle(batch, n) : null;
        const key = `${mode}${paging ? ', paging' : ''}`;
        result.modes[key] = (result.modes[key] ?? 0) + 1;
        result.sequences++;
        result.instructions += a.retired;
        if (story) return story;
      }
      return this.memoryDiffers ? this.findInMemory(batch, size) : null;
    } catch (error) {
      return [`seed ${this.seed}, batch ${batch}, sequence ${n}: the emulator itself failed: ${(error as Error).stack}`];
    }
  }

  /** Sequence n differs: because the overwriting instruction met its own changes? Then one before it counts. If not, a story. */
  private settle(batch: number, n: number): string[] | null {
    const [a, b] = this.players;
    if (b.clean === null) return this.explain(batch, n);
    this.cuts.set(n, b.clean);
    this.replay(batch, n + 1);
    return a.differs(b) || this.memoryDiffers ? this.explain(batch, n) : null;
  }

  /** Memory differed at the end of a batch: in which sequence first? */
  private findInMemory(batch: number, size: number): string[] | null {
    this.begin(batch);
    for (let n = 0; n < size; n++) {
      this.play(batch, n);
      const story = this.memoryDiffers ? this.settle(batch, n) : null;
      if (story) return story;
    }
    return this.memoryDiffers || this.cuts.size === 0 ? [`seed ${this.seed}, batch ${batch}: memory differs, but not when the batch is run again`] : null;
  }

  /** Sequence n of a batch ends differently: after which instruction first? */
  private explain(batch: number, n: number): string[] {
    const [a, b] = this.players;
    const trace: string[] = [];
    for (let budget = 0; budget <= this.budget(batch, n); budget++) {
      this.replay(batch, n);
      const situation = this.play(batch, n, budget);
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
