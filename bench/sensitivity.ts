// On which costs the ratio of processor times hangs: each cost of a table halved and doubled. The counts of events are taken
// from one run of each system; a different cost would move the timer's interrupts a little, and that is all it would change.

import { EVENTS } from '../src/cpu/timing.ts';
import type { EventKind, Timing } from '../src/cpu/timing.ts';
import type { Measurement } from './buildworld.ts';

/** Cycles that the machine was not idle, with one cost times `factor`. Halted time is no cycle of these. */
function busy(row: Measurement, timing: Timing, changed: EventKind | null, factor: number): number {
  return EVENTS.reduce((sum, event, n) => sum + row.events[n]! * timing.costs[event] * (event === changed ? factor : 1), row.instructions);
}

/** @param rows a native and a virtual one */
export function sensitivity(rows: readonly Measurement[], timing: Timing): string {
  const [native, virtual] = (['native', 'virtual'] as const).map((system) => rows.find((row) => row.system === system)!);
  const ratio = (event: EventKind | null, factor: number): number => busy(virtual!, timing, event, factor) / busy(native!, timing, event, factor);
  const lines = EVENTS.map((event, n) => ({ event, share: (native!.events[n]! * timing.costs[event]) / busy(native!, timing, null, 1), half: ratio(event, 0.5), double: ratio(event, 2) }))
    .filter(({ half, double }) => Math.abs(double - half) >= 0.0005)
    .sort((a, b) => Math.abs(b.double - b.half) - Math.abs(a.double - a.half))
    .map(({ event, share, half, double }) => `${event.padEnd(20)}${timing.costs[event].toString().padStart(8)}${`${(100 * share).toFixed(1)} %`.padStart(14)}${half.toFixed(3).padStart(10)}${double.toFixed(3).padStart(10)}`);
  return [
    `busy cycles of the whole machine, virtual / native: ${ratio(null, 1).toFixed(3)}; with one cost halved or doubled:`,
    `${''.padEnd(20)}${'cycles'.padStart(8)}${'native share'.padStart(14)}${'halved'.padStart(10)}${'doubled'.padStart(10)}`,
    ...lines,
  ].join('\n');
}
