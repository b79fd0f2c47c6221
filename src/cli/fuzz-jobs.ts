// Random sequences on several processes. Batches depend on nothing but their number, so a run is cut into pieces of some batches,
// whoever is free takes the next piece, and results are added up in the order of the pieces, as far as the first difference:
// the report is the same for any number of processes.

import { type ChildProcess, fork } from 'node:child_process';
import type { EngineKind } from '../cpu/engine.ts';
import { BATCH, FuzzPair, fuzzPair, type FuzzResult } from '../debug/fuzz/pair.ts';

export interface FuzzRun { seed: number; count: number; batch: number; engines: readonly [EngineKind, EngineKind]; progress?: (done: number) => void }
interface Piece { index: number; seed: number; count: number; batch: number; engines: readonly [EngineKind, EngineKind] }
interface Finished { index: number; result: FuzzResult }

const BATCHES = 16;
const JOB = 'job';

/** The pieces of a run, in order. */
function piecesOf({ seed, count, batch, engines }: FuzzRun): Piece[] {
  const size = BATCHES * BATCH;
  return Array.from({ length: Math.ceil(count / size) }, (_, index) => ({ index, seed, engines, batch: batch + index * BATCHES, count: Math.min(size, count - index * size) }));
}

/** Adds one result to another. */
function add(sum: FuzzResult, { sequences, instructions, modes, short, story }: FuzzResult): void {
  sum.sequences += sequences;
  sum.instructions += instructions;
  sum.short += short;
  sum.story = story;
  for (const [mode, n] of Object.entries(modes)) sum.modes[mode] = (sum.modes[mode] ?? 0) + n;
}

/** Runs sequences on `jobs` processes; ends at the first difference. @throws when a process ends by itself */
export async function fuzzInJobs(run: FuzzRun, jobs: number): Promise<FuzzResult> {
  if (jobs === 1) return fuzzPair(run);
  const pieces = piecesOf(run);
  const sum: FuzzResult = { sequences: 0, instructions: 0, modes: {}, short: 0, story: null };
  const waiting = new Map<number, FuzzResult>();
  const processes = Array.from({ length: Math.min(jobs, pieces.length) }, () => fork(import.meta.filename, [JOB]));
  let given = 0, entered = 0;
  const give = (job: ChildProcess) => { if (given < pieces.length) job.send(pieces[given++]!); };
  await new Promise<void>((resolve, reject) => {
    for (const job of processes) {
      job.on('error', reject);
      job.on('exit', (code, signal) => reject(new Error(`a job ended with ${code ?? signal}`)));
      job.on('message', ({ index, result }: Finished) => {
        waiting.set(index, result);
        for (let next = waiting.get(entered); next && !sum.story; next = waiting.get(++entered)) add(sum, next);
        run.progress?.(sum.sequences);
        if (sum.story || entered === pieces.length) resolve();
        else give(job);
      });
      give(job);
    }
  }).finally(() => { for (const job of processes) job.kill(); });
  return sum;
}

if (process.argv[1] === import.meta.filename && process.argv[2] === JOB) {
  let pair: FuzzPair | null = null;
  process.on('message', ({ index, seed, engines, ...piece }: Piece) => {
    pair ??= new FuzzPair(seed, engines);
    process.send!({ index, result: pair.run(piece) } satisfies Finished);
  });
}
