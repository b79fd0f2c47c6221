// The fuzzer in small, and that it would notice: an arbiter with one falsified instruction must differ.
import { describe, expect, it } from 'vitest';
import { ENGINE_KINDS } from '../../src/cpu/engine.ts';
import { bagOf, everything, InstructionWriter } from '../../src/debug/fuzz/instructions.ts';
import { fuzzPair } from '../../src/debug/fuzz/pair.ts';
import { Random } from '../../src/debug/fuzz/random.ts';
import { MODES } from '../../src/debug/fuzz/situation.ts';
import { ROWS } from '../../src/isa/rows.ts';

describe('fuzz', () => {
  it.each(ENGINE_KINDS)('finds no difference between %s and the reference, in all modes', (engine) => {
    const result = fuzzPair({ seed: 4, count: 1500, batch: 0, engines: [engine, 'reference'] });
    expect(result.story).toBe(null);
    expect(result.sequences).toBe(1500);
    for (const mode of MODES) expect(result.modes[mode === 'real' ? mode : `${mode}, paging`], mode).toBeGreaterThan(50);
    expect(result.instructions).toBeGreaterThan(10_000);
  });

  it('gives the same run for the same seed', () => {
    const run = () => fuzzPair({ seed: 9, count: 200, batch: 3, engines: ['tier0', 'tier0'] });
    expect(run()).toEqual(run());
  });

  it('gives the same results when batches are run by themselves', () => {
    const options = { seed: 6, engines: ['tier0', 'tier0'] as const };
    const [first, second, both] = [fuzzPair({ ...options, count: 128, batch: 0 }), fuzzPair({ ...options, count: 128, batch: 2 }), fuzzPair({ ...options, count: 256, batch: 0 })];
    expect([first.instructions + second.instructions, first.short + second.short]).toEqual([both.instructions, both.short]);
    expect(both.short).toBeGreaterThan(0);
  });

  it('goes on behind a sequence that overwrites page tables, and still compares it', () => {
    const result = fuzzPair({ seed: 1, count: 2000, batch: 0, engines: ['tier0', 'reference'] });
    expect(result).toMatchObject({ sequences: 2000, story: null });
    expect(result.short).toBeGreaterThan(20);
  });

  it('tells the story of a difference', () => {
    const result = fuzzPair({ seed: 1, count: 5000, batch: 0, engines: ['tier0', 'reference'], falsify: (cpu) => { if ((cpu.state.eax & 0xff) === 0x21) cpu.state.edx = cpu.state.edx ^ 4; } });
    expect(result.story![0]).toMatch(/^seed 1, batch \d+, sequence \d+ \(.*\): the engines differ after instruction \d+: [0-9a-f]{8} /);
    expect(result.story!.slice(1, 3).join('\n')).toMatch(/edx: tier0 [0-9a-f]{8}, reference [0-9a-f]{8}/);
    expect(result.story!.join('\n')).toMatch(/the last \d+ instructions:/);
  });
});

describe('random instructions', () => {
  it('cover every row', () => {
    const random = new Random(3);
    const weights = bagOf(everything);
    expect(new Set(weights).size).toBe(ROWS.length);
    const bytes = new Uint8Array(200_000);
    const writer = new InstructionWriter(bytes, weights, random);
    while (writer.at < bytes.length) writer.instruction(true);
    expect(new Set(bytes).size).toBe(256);
  });
});
