// npx tsx test/vectors/sample.ts DIR [N]
// Writes the committed sample: of every form of DIR/*.jsonl.gz (but real-mode-286, which has another licence) N vectors,
// each kind of outcome first, the rest evenly spaced. The same input gives the same bytes.

import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { readVectors, type VectorEntry } from '../../src/cli/vector-file.ts';

const LONGEST = 2000;       // characters of a line: long string moves would fill the sample

/** What a vector shows: its exception, and whether memory or segments change. */
function outcome({ vector: v }: VectorEntry): string {
  return JSON.stringify([v.x?.[0] ?? -1, !!v.M, !!v.S, !!v.F, v.T ?? 0, (v.K ?? []).filter((_, i) => i % 2 === 0)]);
}

function choose(all: readonly VectorEntry[], count: number): VectorEntry[] {
  const short = all.filter((e) => e.text.length <= LONGEST);
  const chosen = new Set<VectorEntry>();
  const seen = new Set<string>();
  for (const entry of short) {
    if (chosen.size >= count || seen.has(outcome(entry))) continue;
    seen.add(outcome(entry));
    chosen.add(entry);
  }
  for (let i = 0; i < count && chosen.size < count; i++) chosen.add(short[Math.floor((i * short.length) / count)]!);
  return short.filter((e) => chosen.has(e));
}

function sampleOf(path: string, count: number): Buffer {
  const { head, entries } = readVectors(path);
  const forms = new Map<string, VectorEntry[]>();
  for (const entry of entries) forms.set(entry.form, [...(forms.get(entry.form) ?? []), entry]);
  const lines = [JSON.stringify(head)];
  for (const [form, all] of forms) {
    const chosen = choose(all, count);
    lines.push(JSON.stringify({ form, n: chosen.length }), ...chosen.map((e) => e.text));
  }
  return gzipSync(Buffer.from(`${lines.join('\n')}\n`, 'latin1'), { level: 9 });
}

const [dir, count] = [process.argv[2]!, Number(process.argv[3] ?? 24)];
const target = join(import.meta.dirname, 'sample');
mkdirSync(target, { recursive: true });
for (const name of readdirSync(dir).filter((f) => f.endsWith('.jsonl.gz') && f !== 'real-mode-286.jsonl.gz')) {
  writeFileSync(join(target, name), sampleOf(join(dir, name), count));
}
