// The committed sample of recorded vectors on both engines, and the runner itself: every kind of expectation, once
// falsified, must be noticed.
import { readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readDisputes, readVectors, type VectorEntry } from '../../src/cli/vector-file.ts';
import { runGroup } from '../../src/cli/vectors.ts';
import { ENGINE_KINDS } from '../../src/cpu/engine.ts';
import { runnerFor, type Vector } from '../../src/cpu/vectors.ts';

const SAMPLE = resolve(import.meta.dirname, '../vectors/sample');
const disputes = readDisputes(resolve(import.meta.dirname, '../vectors/DISPUTED.md'));
const groups = readdirSync(SAMPLE).map((f) => f.replace('.jsonl.gz', ''));
const pathOf = (group: string) => join(SAMPLE, `${group}.jsonl.gz`);

describe.each(ENGINE_KINDS)('%s passes the sample', (engine) => {
  it.each(groups)('%s', (group) => {
    const problems: string[] = [];
    const tally = runGroup(pathOf(group), { engine, form: '', max: Infinity, show: 3 }, disputes, (text) => problems.push(text));
    expect(problems).toEqual([]);
    expect(tally.passed).toBeGreaterThan(20);
  });
});

describe('the sample', () => {
  it('has every form of the vectors it was taken from', () => {
    const forms = groups.flatMap((g) => [...new Set([...readVectors(pathOf(g)).entries].map((e) => `${g} ${e.form}`))]);
    expect(forms.length).toBe(962);
  });

  it('disputes at most 0.01 %', () => {
    expect(disputes.size).toBeLessThanOrEqual(32);
  });
});

type Fault = [number, number, number?];
type Change = (v: Vector) => Vector | null;
const without = ({ x: _, ...rest }: Vector): Vector => rest;
const flat = (list: readonly (number | string)[] | undefined, n: number, to: (x: number | string) => number | string) => {
  const copy = [...(list ?? [])];
  copy[n] = to(copy[n]!);
  return copy;
};
const plusOne = (x: number | string) => (x as number) ^ 1;

/** One falsified expectation each: what the runner must not overlook. */
const CHANGES: Record<string, Change> = {
  'a register that did not change': (v) => (v.R?.includes(7) || v.ur?.length ? null : { ...v, R: [...(v.R ?? []), 7, (v.r[7]! ^ 0x10) >>> 0] }),
  'a register that changed': (v) => (!v.R?.length || v.R[0] === 9 || v.ur?.length ? null : { ...v, R: flat(v.R, 1, (x) => ((x as number) ^ 1) >>> 0) as number[] }),
  'a flag': (v) => ((v.u ?? 0) & 1 ? null : { ...v, R: [...(v.R ?? []), 9, (v.R?.includes(9) ? v.R[v.R.indexOf(9) + 1]! : v.r[9]!) ^ 1] }),
  'a byte that changed': (v) => (!v.M?.length || v.xf !== undefined || v.um?.length || v.rf?.length ? null : { ...v, M: [[v.M[0]![0], (parseInt(v.M[0]![1].slice(0, 2), 16) ^ 0xff).toString(16).padStart(2, '0') + v.M[0]![1].slice(2)]] }),
  'a byte that must not have changed': (v) => (!v.M?.length || v.um?.length || v.rf?.length ? null : { ...v, M: v.M.slice(1) }),
  'a segment register': (v) => (!v.s ? null : { ...v, S: flat(v.S ?? v.s, 4, (x) => (x as number) ^ 8) as number[] }),
  'an exception that was not': (v) => (v.x ? null : { ...v, x: [13, 0] }),
  'an exception that was': (v) => (v.x ? without(v) : null),
  'its vector': (v) => (v.x ? { ...v, x: [(v.x as Fault)[0] ^ 1, ...v.x.slice(1)] as Fault } : null),
  'its error code': (v) => (!v.x || v.x[1] === -1 ? null : { ...v, x: [v.x[0], v.x[1]! ^ 4, ...v.x.slice(2)] as Fault }),
  'cr2': (v) => (!v.x || v.x[0] !== 14 ? null : { ...v, x: [14, v.x[1]!, v.x[2]! ^ 1] }),
  'the control word': (v) => (v.f ? { ...v, F: [...(v.F ?? []), 0, ((v.F && v.F.indexOf(0) % 2 === 0 ? v.F[v.F.indexOf(0) + 1]! : v.f[0]!) as number) ^ 0x100] } : null),
  'the tags': (v) => (v.f && !v.F?.includes(2) ? { ...v, F: [...(v.F ?? []), 2, plusOne(v.f[2]!)] } : null),
  'an x87 register': (v) => (v.f && !v.F ? { ...v, F: [10, '3fff8000000000000001'] } : null),
  'the task register': (v) => (v.k ? { ...v, T: (v.T ?? 0x40) ^ 8 } : null),
  'cr4': (v) => (v.k && !v.K?.includes(4) ? { ...v, K: [...(v.K ?? []), 4, v.k[3]! ^ 8] } : null),
  'dr6': (v) => (v.k && !v.K?.includes(6) ? { ...v, K: [...(v.K ?? []), 6, 1] } : null),
  'the GDT register': (v) => (v.k && !v.K?.includes('gdtr') ? { ...v, K: [...(v.K ?? []), 'gdtr', [1, 2]] } : null),
  'a shutdown that was not': (v) => (v.k ? { ...v, x: ['triple'] } : null),
};
/** Which environments say something about it. */
const WHERE: Record<string, string[]> = {
  'a segment register': ['seg', 'sys-seg', 'real-mode-386'], 'a shutdown that was not': ['sys-far'],
  'an exception that was not': ['alu', 'seg'], 'an exception that was': ['alu', 'seg'], 'its vector': ['alu', 'seg', 'priv'],
  'its error code': ['seg', 'mov'], cr2: ['mov', 'alu'], 'the control word': ['fpu-ctl', 'fpu-arith'], 'the tags': ['fpu-move', 'fpu-arith'],
  'an x87 register': ['fpu-ctl', 'fpu-cmp'], 'the task register': ['sys-far', 'sys-io'], cr4: ['sys-far', 'sys-priv'], dr6: ['sys-far', 'sys-page'],
  'the GDT register': ['sys-far', 'sys-seg'],
};

describe('the runner notices', () => {
  it.each(Object.entries(CHANGES))('%s', (name, change) => {
    for (const group of WHERE[name] ?? ['alu', 'stack', 'sys-int', 'real-mode-386']) {
      const { head, entries } = readVectors(pathOf(group));
      const run = runnerFor(head, 'tier0');
      const changed = [...entries].filter((_, i) => i % 7 === 0).flatMap((e): [VectorEntry, Vector][] => {
        const v = e.vector.x?.[0] === 'triple' ? null : change(e.vector);
        return v ? [[e, v]] : [];
      });
      expect(changed.length, group).toBeGreaterThan(0);
      for (const [e, v] of changed) expect(run(v), `${group}, ${e.form}, line ${e.line}`).not.toBe(null);
    }
  });
});

describe('group real-mode-286', () => {
  const run = (group: string, c: string, after: Partial<Vector>) => {
    const v: Vector = { c, r: [0x1234, 0, 0, 0, 0x100, 0, 0, 0, 0x50, 2], s: [0, 0x1000, 0x2000, 0, 0, 0], ...after };
    return runnerFor({ group, env: 'real', fill: 0 }, 'tier0')(v);
  };
  const pushed: Partial<Vector> = { R: [4, 0xfe, 8, 0x52], M: [[0x200fe, '3412']] };
  const overlong = `${'26'.repeat(10)}90`;
  it('lets LOCK stand anywhere, as an 80286 does', () => {
    expect(run('real-mode-286', 'f050', pushed)).toBe(null);
    expect(run('real-mode-386', 'f050', pushed)).not.toBe(null);
  });
  it('ends instructions after 10 bytes', () => {
    const after: Partial<Vector> = { R: [8, 0x5b] };
    expect(run('real-mode-286', overlong, after)).not.toBe(null);
    expect(run('real-mode-386', overlong, after)).toBe(null);
  });
});
