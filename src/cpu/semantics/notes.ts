// What the `observed` engine adds to tier 0: it notes every transfer of control, with the instruction count at that moment,
// so that an observer outside can account for each executed instruction. Notes are records in a buffer of the CPU's memory;
// JavaScript is called when the buffer is full, and at once when the ring has changed, so that guest memory then still is
// what it was at that moment. Nothing that the guest can see changes; tier 0 has none of this code.
//
// A note says: from here on, instructions are executed one after the other from the linear address `la`, until the next note. So the
// instructions between two notes are those that begin at the first one's address.

import { EVENT_COUNTS, NOTE, NOTES, NOTES_END, NOTE_AT, NOTE_BYTES, NOTE_HOW, NOTE_MASK, NOTE_RING, U } from '../layout.ts';
import { eventIndex } from '../timing.ts';

const MISSES = EVENT_COUNTS + 8 * eventIndex('tlbMiss');

/** Texts for the marks in handlers.ts and run.ts: `%call%` and so on. Tier 0 has nothing there. */
export const OBSERVED: Readonly<Record<string, string>> = {
  call: `how = ${NOTE_HOW.call};`,
  ret: `how = ${NOTE_HOW.ret};`,
  iret: `how = ${NOTE_HOW.iret};`,
  linked: `note(t, csBase + vbase + m16[${U.off} : t]);`,
  entered: `note(ip, csBase + vbase + m16[${U.off} : ip]);`,
};

/** A text with its marks filled in, or without them. */
export function withMarks(text: string, observed: boolean): string {
  return text.replace(/%(call|ret|iret|linked|entered)%/g, (_, mark: string) => (observed ? OBSERVED[mark]! : ''));
}

export const notesText = `
extern fn notesReady();
state noteMask: i32 @ ${NOTE_MASK};    // bit 0: note jumps too, bit 1: note calls and returns
state noteAt: i32 @ ${NOTE_AT};        // where the next note goes
state noteRing: i32 @ ${NOTE_RING};    // CPL at the last note

global how: i32 = 0;                   // how control has left the trace before; survives a run that ends there

/// The trace at micro-op ip, linear address la, has been entered.
fn note(ip: i32, la: i32) {
  let turned = cpl != noteRing;
  if (!turned && !(noteMask & (how ? 2 : 1))) { how = 0; return; }
  let at = noteAt;
  m32[${NOTE.la} : at] = la;
  m32[${NOTE.count} : at] = lo(icEnd) - left - m8[${U.rem} : ip];
  m32[${NOTE.esp} : at] = esp;
  m32[${NOTE.how} : at] = how | (cpl << 4);
  m32[${NOTE.extra} : at] = lo(extra);
  m32[${NOTE.misses} : at] = lo(i64f(d64[${MISSES}]));
  how = 0;
  noteRing = cpl;
  at += ${NOTE_BYTES};
  noteAt = at;
  if (turned || at == ${NOTES_END}) { notesReady(); noteAt = ${NOTES}; }
}
`;
