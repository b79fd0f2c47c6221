// The judging kernel on our machine with both engines, and beside QEMU where it is installed.
import { describe, expect, it } from 'vitest';
import { arenaOf, caseOf } from '../../src/cli/peer/cases.ts';
import { compareCase, describe as story, groupOf } from '../../src/cli/peer/compare.ts';
import { fuzzPeer } from '../../src/cli/peer/fuzz.ts';
import { buildKernel, CASE, RESULT_BYTES, RESULT_NAMES } from '../../src/cli/peer/kernel.ts';
import { isInstalled, runHere } from '../../src/cli/peer/run.ts';

const QEMU = 'qemu-system-i386';
const installed = isInstalled(QEMU);
if (!installed) console.log(`${QEMU} is not installed: random cases are not compared with it`);

const cases = Array.from({ length: 60 }, (_, n) => caseOf(1, n));
const kernel = buildKernel(cases.map((c) => c.bytes), arenaOf(1));
const here = runHere(kernel, 'tier0');

describe('the judging kernel', () => {
  it('gives a result for every case, the same on both engines', () => {
    expect(here.length).toBe(cases.length * RESULT_BYTES);
    expect(Buffer.compare(here, runHere(kernel, 'reference'))).toBe(0);
    const vectors = new Set(cases.map((_, n) => here.readUInt32LE(n * RESULT_BYTES + RESULT_NAMES.indexOf('vector') * 4)));
    for (const vector of [3, 13, 14]) expect(vectors).toContain(vector);
  });

  it('shows the state at the end of a case', () => {
    const test = caseOf(1, 0);
    const view = new DataView(test.bytes.buffer);
    const code = [0xb8, 0x78, 0x56, 0x34, 0x12, 0xcd, 0x80];      // mov eax, 0x12345678; int 0x80: no gate for CPL 3
    view.setUint32(CASE.codeAt, 0x400010, true);
    view.setUint32(CASE.codeBytes, code.length, true);
    test.bytes.set(code, CASE.code);
    [0x400010, 0x1b, 0x202, 0x403800, 0x23, 0x23, 0x23, 0x23, 0x23].forEach((word, n) => view.setUint32(4 * n, word, true));
    const out = runHere(buildKernel([test.bytes], arenaOf(1)), 'tier0');
    const field = (name: (typeof RESULT_NAMES)[number]) => out.readUInt32LE(RESULT_NAMES.indexOf(name) * 4);
    expect([field('eax'), field('vector'), field('error'), field('eip'), field('esp')]).toEqual([0x12345678, 13, 0x80 * 8 + 2, 0x400015, 0x403800]);
  });

  it('finds a falsified register, which no group explains', () => {
    const wrong = Buffer.from(here);
    const n = cases.findIndex((_, i) => here.readUInt32LE(i * RESULT_BYTES + RESULT_NAMES.indexOf('vector') * 4) === 3);
    wrong[n * RESULT_BYTES + RESULT_NAMES.indexOf('edi') * 4]! ^= 1;
    expect(compareCase(cases[n]!, n, here, here)).toBe(null);
    const verdict = compareCase(cases[n]!, n, here, wrong)!;
    expect(verdict.differs).toEqual(['edi']);
    expect(groupOf({ ...verdict, rows: [] }, cases[n]!)).toBe(null);
    expect(story(verdict, cases[n]!, 1, n).join('\n')).toMatch(/^seed 1, case \d+ \(.*\n {3}edi: 0x/);
  });
});

describe.skipIf(!installed)('beside QEMU', () => {
  it('every difference has an explanation', () => {
    const report = fuzzPeer({ seed: 4, count: 1500, command: QEMU, engine: 'tier0' });
    expect(report.findings).toEqual([]);
    expect(report.agreed).toBeGreaterThan(800);
  });
});
