// Files of recorded vectors (format x86-oracle-1): gzip'ed lines, a header, then forms each followed by its vectors. Reading
// checks the frame (compression, JSON, header, counts); what a vector needs is checked where it is run.

import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import type { Vector, VectorHead } from '../cpu/vectors.ts';

export class VectorFileError extends Error {}

/** One vector with its form, its line number in the file and the text of that line. */
export interface VectorEntry { form: string; line: number; text: string; vector: Vector }

function unpack(path: string): string {
  try {
    return gunzipSync(readFileSync(path)).toString('latin1');
  } catch (error) {
    throw new VectorFileError(`${path}: expected gzip'ed lines: ${(error as Error).message}`);
  }
}

function parseLine(path: string, line: number, text: string): Record<string, unknown> {
  try {
    const value = JSON.parse(text) as unknown;
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  } catch { /* said below */ }
  throw new VectorFileError(`${path}, line ${line}: expected a JSON object`);
}

function headOf(path: string, text: string): VectorHead {
  const head = parseLine(path, 1, text);
  if (head.format !== 'x86-oracle-1') throw new VectorFileError(`${path}, line 1: expected "format":"x86-oracle-1"`);
  if (!['user3', 'sys', 'real'].includes(head.env as string)) throw new VectorFileError(`${path}, line 1: expected "env" to be user3, sys or real`);
  const wants = { user3: ['ldt', 'arenas'], sys: ['base'], real: [] }[head.env as string]!;
  const missing = wants.find((key) => !Array.isArray(head[key]));
  if (missing) throw new VectorFileError(`${path}, line 1: expected a list "${missing}" in environment ${head.env as string}`);
  return head as unknown as VectorHead;
}

/** The vectors of a file, parsed one at a time. @throws VectorFileError */
export function readVectors(path: string): { head: VectorHead; entries: Iterable<VectorEntry> } {
  const lines = unpack(path).split('\n');
  return { head: headOf(path, lines[0]!), entries: entriesOf(path, lines) };
}

function* entriesOf(path: string, lines: readonly string[]): Generator<VectorEntry> {
  let form = '';
  let due = 0;
  for (let i = 1; i < lines.length; i++) {
    const text = lines[i]!;
    if (!text) continue;
    const record = parseLine(path, i + 1, text);
    if (typeof record.form === 'string') {
      if (due !== 0) throw new VectorFileError(`${path}, line ${i + 1}: form ${form} lacks ${due} of its vectors`);
      form = record.form;
      due = record.n as number;
      continue;
    }
    if (typeof record.c !== 'string' || !Array.isArray(record.r) || record.r.length !== 10) throw new VectorFileError(`${path}, line ${i + 1}: expected a vector with c and r`);
    due--;
    yield { form, line: i + 1, text, vector: record as unknown as Vector };
  }
  if (due !== 0) throw new VectorFileError(`${path}: form ${form} has ${due > 0 ? `${due} vectors too few` : `${-due} vectors too many`}`);
}

/** The name of a vector in DISPUTED.md: its group and the start of the SHA-256 of its line. */
export function vectorId(group: string, text: string): string {
  return `${group}/${createHash('sha256').update(text, 'latin1').digest('hex').slice(0, 16)}`;
}

/** The ids that begin the rows of the table in DISPUTED.md. */
export function readDisputes(path: string): ReadonlySet<string> {
  const ids = [...readFileSync(path, 'utf8').matchAll(/^\| `([\w-]+\/[0-9a-f]{16})` \|/gm)].map((m) => m[1]!);
  return new Set(ids);
}
