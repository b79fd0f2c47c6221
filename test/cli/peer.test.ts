// The judging kernel on our machine with both engines, and beside QEMU where it is installed.
import { describe, expect, it } from 'vitest';
import { arenaOf, caseOf, PEER_MODES, type PeerCase } from '../../src/cli/peer/cases.ts';
import { compareCase, describe as story } from '../../src/cli/peer/compare.ts';
import { fuzzPeer } from '../../src/cli/peer/fuzz.ts';
import { groupOf } from '../../src/cli/peer/groups.ts';
import { buildKernel } from '../../src/cli/peer/kernel.ts';
import { ARENA, CASE, KIND, LOW_ARENA, RESULT_NAMES, ringSelector, TSS_B } from '../../src/cli/peer/layout.ts';
import { isInstalled, type Outcome, runHere } from '../../src/cli/peer/run.ts';
import { executed } from '../../src/cli/peer/trace.ts';

const QEMU = 'qemu-system-i386';
const installed = isInstalled(QEMU);
if (!installed) console.log(`${QEMU} is not installed: random cases are not compared with it`);

const kernelOf = (cases: readonly PeerCase[]) => (first: number) => buildKernel(cases.slice(first).map((c) => c.bytes), arenaOf(1), 1);
const run = (cases: readonly PeerCase[], engine: 'tier0' | 'reference' = 'tier0') => runHere(cases.length, kernelOf(cases), engine);
const word = (outcome: Outcome, name: (typeof RESULT_NAMES)[number]) => (outcome as Buffer).readUInt32LE(RESULT_NAMES.indexOf(name) * 4);
const words = (outcome: Outcome, ...names: (typeof RESULT_NAMES)[number][]) => names.map((name) => word(outcome, name));

const cases = Array.from({ length: 80 }, (_, n) => caseOf(1, n));
const here = run(cases);

/** A case with given code and frame, everything else plain. */
function plain(mode: PeerCase['mode'], code: readonly number[], frame: readonly number[], kind = 0, stackAt = 0): PeerCase {
  const test: PeerCase = { mode, ring: 0, big: true, paging: false, tasks: false, bytes: new Uint8Array(512) };
  const view = new DataView(test.bytes.buffer);
  const low = mode === 'real' || mode === 'vm86';
  frame.forEach((value, n) => view.setUint32(CASE.frame + n * 4, value, true));
  view.setUint32(CASE.kind, kind | (low ? KIND.low : 0), true);
  view.setUint32(CASE.codeAt, (low ? LOW_ARENA : ARENA) + 0x10, true);
  view.setUint32(CASE.codeBytes, code.length, true);
  view.setUint32(CASE.stackAt, stackAt, true);
  view.setUint32(CASE.cr0, 0x31, true);
  view.setUint32(CASE.fpu, 0x37f, true);
  test.bytes.set(code, CASE.code);
  return test;
}

const MOV_EAX = [0xb8, 0x78, 0x56, 0x34, 0x12];
const ring3 = [0x10, ringSelector(3, 'code32'), 0x202, 0x3800, ...Array(5).fill(ringSelector(3, 'data32'))];

describe('the judging kernel', () => {
  it('gives a result for every case, the same on both engines', () => {
    expect(here.every((outcome) => typeof outcome !== 'string')).toBe(true);
    expect(here).toEqual(run(cases, 'reference'));
    const vectors = new Set(here.map((outcome) => word(outcome, 'vector')));
    for (const vector of [3, 6, 13]) expect(vectors).toContain(vector);
    expect(new Set(cases.map((c) => c.mode))).toEqual(new Set(PEER_MODES));
  });

  it('shows how a case ended: by an interrupt gate, by a task gate, and in real mode', () => {
    const seg = LOW_ARENA >> 4;
    const [gate, task, real, virtual] = run([
      plain('ring 3', [...MOV_EAX, 0xcd, 0x10], ring3),
      plain('ring 3', [...MOV_EAX, 0xcd, 0x10], ring3, KIND.tasks),
      plain('real', [0x66, ...MOV_EAX, 0xcd, 0x10], [0x10, seg, 0x202, 0x3800, seg, seg, seg, seg, seg], KIND.real, LOW_ARENA + 0x37f4),
      plain('vm86', [0x66, ...MOV_EAX, 0xf4], [0x10, seg, 0x2_0202, 0x3800, seg, seg, seg, seg, seg]),
    ]) as [Outcome, Outcome, Outcome, Outcome];
    const names = ['eax', 'vector', 'error', 'eip', 'cs', 'esp', 'ss', 'ds'] as const;
    const data = ringSelector(3, 'data32');
    expect(words(gate, ...names)).toEqual([0x12345678, 13, 0x10 * 8 + 2, 0x15, ringSelector(3, 'code32'), 0x3800, data, data]);
    expect(words(task, ...names)).toEqual(words(gate, ...names));
    expect(words(real, ...names)).toEqual([0x12345678, 16, 0, 0x18, seg, 0x37fa, seg, seg]);
    expect(words(virtual, ...names)).toEqual([0x12345678, 13, 0, 0x16, seg, 0x3800, seg, seg]);
  });

  it('goes on behind a case that shuts the processor down', () => {
    const ring0 = [0x10, ringSelector(0, 'code32'), 0x202, 0x3800, ...Array(5).fill(ringSelector(0, 'data32'))];
    const noTables = [0x0f, 0x01, 0x1d, 0x00, 0x39, 0x00, 0x00];          // lidt [0x3900], where zeros lie
    const zeroed = [0xc7, 0x05, 0x00, 0x39, 0, 0, 0, 0, 0, 0];
    const [dead, next] = run([plain('ring 0', [...zeroed, ...noTables], ring0, KIND.ring0 | KIND.tasks, ARENA + 0x37f4), plain('ring 3', MOV_EAX, ring3)]) as [Outcome, Outcome];
    expect(dead).toBe('triple fault');
    expect(words(next, 'eax', 'vector')).toEqual([0x12345678, 3]);
  });

  it('knows the task that a task gate left, and what a case really ran', () => {
    const call = plain('ring 3', [0x9a, 0, 0, 0, 0, TSS_B, 0], ring3, KIND.tasks);
    const [outcome] = run([call]) as [Outcome];
    expect(word(outcome, 'tr')).toBe(TSS_B);
    expect(executed(kernelOf([call])(0), 'tier0').code.map((line) => line.split(' ').slice(1).join(' '))).toEqual([`call 0x${TSS_B.toString(16)}:0x0`, 'int3']);
  });

  it('finds a falsified register, which no group explains', () => {
    const n = here.findIndex((outcome, i) => cases[i]!.mode === 'flat' && word(outcome, 'vector') === 3);
    const wrong = Buffer.from(here[n] as Buffer);
    wrong[RESULT_NAMES.indexOf('edi') * 4]! ^= 1;
    expect(compareCase(cases[n]!, here[n]!, here[n]!)).toBe(null);
    const verdict = compareCase(cases[n]!, here[n]!, wrong)!;
    expect(verdict.differs).toEqual(['edi']);
    expect(groupOf({ ...verdict, rows: [], code: [] }, cases[n]!)).toBe(null);
    expect(story(verdict, cases[n]!, 1, n).join('\n')).toMatch(/^seed 1, case \d+ \(.*\n {3}edi: 0x/);
  });

  it('lets no x87 group explain what it does not name', () => {
    const n = here.findIndex((outcome, i) => cases[i]!.mode === 'flat' && word(outcome, 'vector') === 3);
    const wrong = Buffer.from(here[n] as Buffer);
    wrong[RESULT_NAMES.length * 4 + 28]! ^= 1;                           // a bit of ST(0)
    const verdict = compareCase(cases[n]!, here[n]!, wrong, { rows: [], code: ['d8c1 fadd st,st(1)'], x87: new Set(['remainder']), traced: true })!;
    expect(groupOf(verdict, cases[n]!)).toMatch(/^FPREM/);
    expect(groupOf({ ...verdict, x87: new Set() }, cases[n]!)).toBe(null);
  });
});

describe.skipIf(!installed)('beside QEMU', () => {
  it('every difference has an explanation, in every mode', () => {
    const report = fuzzPeer({ seed: 4, count: 600, command: QEMU, engine: 'tier0' });
    expect(report.findings).toEqual([]);
    expect(report.agreed).toBeGreaterThan(400);
    expect(report.modes.size).toBe(20);
  }, 300_000);
});
