// Counting events (timing.ts) and letting their cycles pass. A cost shortens the run in progress by that many
// instructions; when nothing is left of it, the run stops at the next instruction boundary, wherever that is in its trace.
// So an event of a device comes at the first boundary at or after its cycle, on every engine and in every slicing.
import * as L from '../layout.ts';
import { EVENTS } from '../timing.ts';

/** Microcode name of an event: EV_TLBMISS for tlbMiss. */
const name = (event: string): string => `EV_${event.toUpperCase()}`;

export const eventsText = `
${EVENTS.map((event, n) => `const ${name(event)} = ${n};`).join('\n')}

/// One more event of a kind.
fn charge(kind: i32) {
  d64[${L.EVENT_COUNTS} : kind << 3] = d64[${L.EVENT_COUNTS} : kind << 3] + 1.0;
  let cost = m32[${L.EVENT_COSTS} : kind << 2];
  if (cost) { spend(cost); }
}

/// Lets cycles pass in the current instruction.
fn spend(cycles: i32) {
  extra += i64(cycles);
  icLimit -= i64(cycles);
  if (left >= cycles) { left -= cycles; icEnd -= i64(cycles); }
  else { kick(); breakAfter(); }
}

/// Cycles since power-on, as seen by the instruction itself.
fn cycles(): i64 { return retired() + extra; }
`;
