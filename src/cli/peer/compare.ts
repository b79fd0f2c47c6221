// Compares what two processors made of the same case, leaving out what the manual leaves open.

import { Insn } from '../../isa/decode.ts';
import { Kind, ROWS } from '../../isa/rows.ts';
import type { PeerCase } from './cases.ts';
import type { Outcome } from './run.ts';
import { addInstruction, type Executed } from './trace.ts';
import { CASE, RESULT_NAMES } from './layout.ts';

/** Fields of a result by name; x87 registers as text. */
type Result = Record<string, number | string>;
export interface Verdict extends Executed { differs: string[]; here: Result; there: Result }

/** RF, which the other does not push; VIF and VIP, which it shows although neither has VME. */
const STRAY_FLAGS = 0x19_0000;

function resultOf(outcome: Outcome): Result {
  if (typeof outcome === 'string') return { end: outcome };
  const bytes = outcome, at = 0;
  const out: Result = {};
  RESULT_NAMES.forEach((name, i) => { out[name] = bytes.readUInt32LE(at + 4 * i); });
  const fpu = at + RESULT_NAMES.length * 4;
  ['fcw', 'fsw', 'ftw'].forEach((name, i) => { out[name] = bytes.readUInt16LE(fpu + 4 * i); });
  for (let r = 0; r < 8; r++) out[`st${r}`] = Buffer.from(bytes.subarray(fpu + 28 + r * 10, fpu + 38 + r * 10)).reverse().toString('hex');
  return out;
}

/** The instructions that a case may run: from its start, and from where its relative branches lead inside it. */
function decodeCase({ big, bytes }: PeerCase): Executed {
  const list: Executed = { rows: [], code: [], x87: new Set(), traced: false };
  const insn = new Insn();
  const length = bytes[CASE.codeBytes]!;
  const text = new Uint8Array(length + 16).fill(0xcc);            // INT3 is what follows in memory
  text.set(bytes.subarray(CASE.code, CASE.code + length));
  const seen = new Set<number>();
  for (const todo = [0]; todo.length > 0;) {
    const at = todo.pop()!;
    if (at < 0 || at >= length || seen.has(at)) continue;
    seen.add(at);
    const size = addInstruction(list, text.subarray(at), at, big, insn);
    if (size <= 0) continue;
    if (ROWS[insn.row]!.args.some((arg) => arg.kind === Kind.REL)) todo.push(at + size + insn.imm);
    todo.push(at + size);
  }
  return list;
}

/** What to compare of a field: a mask, or 0 for nothing. */
function maskOf(name: string, vector: number, undefinedFlags: number): number {
  if (name === 'cr2' && vector !== 14) return 0;
  if (name === 'dr6') return 0xe00f;
  if (name === 'eflags') return ~(STRAY_FLAGS | undefinedFlags);
  if (name === 'w2') return ~undefinedFlags;             // EFLAGS, where an interrupt gate led inward
  if (['cs', 'ss', 'ds', 'es', 'fs', 'gs', 'ldtr', 'tr'].includes(name)) return 0xffff;
  return -1;
}

/** The verdict on a case, from the instructions that it may run or that it did run; null when both agree. */
export function compareCase(test: PeerCase, here: Outcome, there: Outcome, ran = decodeCase(test)): Verdict | null {
  const [a, b] = [resultOf(here), resultOf(there)];
  const undefinedFlags = ran.rows.reduce((mask, row) => mask | row.undef, 0);
  if ('end' in a || 'end' in b) return a.end === b.end ? null : { differs: ['end'], here: a, there: b, ...ran };
  const differs = Object.keys(a).filter((name) => {
    const [x, y] = [a[name]!, b[name]!];
    if (typeof x === 'string') return x !== y;
    return ((x ^ (y as number)) & maskOf(name, a.vector as number, undefinedFlags)) !== 0;
  });
  return differs.length ? { differs, here: a, there: b, ...ran } : null;
}

/** A case as lines: its code, and each difference. */
export function describe(v: Verdict, test: PeerCase, seed: number, n: number): string[] {
  const show = (x: number | string | undefined) => (typeof x === 'number' ? `0x${x.toString(16)}` : x ?? 'a result');
  return [
    `seed ${seed}, case ${n} (${test.mode}, ${test.big ? 32 : 16}-bit${test.paging ? ', paging' : ''}${test.tasks ? ', task gates' : ''}): ${v.code.join('; ')}`,
    ...v.differs.map((name) => `   ${name}: ${show(v.here[name])} here, ${show(v.there[name])} there`),
  ];
}
