// The interpreter loop. `run` executes micro-ops until something has to be decided at an instruction boundary; `enter`
// is that decision: interrupts, traps, stops, decoding. Instruction counting is exact: entering a trace charges all its
// instructions to `left`, leaving it early refunds those that did not run, and a trace that does not fit in what is left
// is executed one instruction at a time. So a run stops exactly at its limit, however runs are sliced.
import * as L from '../layout.ts';
import { allHandlers, handlerNumber, type Handler } from './handlers.ts';
import './pairs.ts';
import { withMarks } from './notes.ts';

const U = L.U;

/** Handlers that call functions work with `at`, so that `ip` itself never has to be kept during a call. */
function caseText({ name, kind, body: marked }: Handler, n: number): string {
  const body = marked.replaceAll('%slow%', '');
  const begin = `case ${n}: { // ${name}\n`;
  if (kind === 'next') return `${begin} ${body} ip += 32; continue; }`;
  if (kind === 'raw') return `${begin} ${body} }`;
  const calling = `cur = ip; let uop = cur; ${kind === 'end' ? `eip = vbase + m16[${U.next} : uop];` : ''} ${body.replace(/\bip\b/g, 'uop')}`;
  return `${begin} ${calling} ${kind === 'end' ? 'pc = eip; break;' : 'ip = cur + 32; continue;'} }`;
}

/** @param observed with the notes of notes.ts */
export function runText(observed: boolean): string {
  return withMarks(text(), observed);
}

function text(): string {
  return `
extern fn codeBreakpoint(la: i32, exact: i32): i32;
extern fn codeSlots(page: i32): i32;
extern fn decodeBlock(pa: i32): i32;
extern fn decodeSingle(pa: i32, bytes: i32, page2: i32, bytes2: i32): i32;
extern fn resolve(at: i32): i32;
extern fn decodeSplit(pa: i32, page2: i32): i32;
const IDLE = ${L.IDLE};

global kicked: i32 = 0;        // something wants a decision at the next instruction boundary
global brokenAt: i32 = 0; global brokenOp: i32 = 0;

/// Ends the current trace early: the next trace entry goes through enter(). Less than nothing is left then, so that what a
/// branch out of the middle of the trace gives back does not open another one.
export fn kick() {
  icEnd -= i64(left + NOTHING_LEFT);
  left = -NOTHING_LEFT;
  kicked = 1;
}
const NOTHING_LEFT = 0x10000;

/// Replaces the operation after the current instruction by a stop, once.
fn breakAfter() {
  if (brokenAt != 0 && m16[brokenAt] == ${handlerNumber('breakpoint')}) { m16[brokenAt] = brokenOp; }
  brokenAt = 0;
  if (cur == IDLE || m8[${U.rem} : cur] <= 1) { return; }
  let p = cur + 32;
  while (m16[${U.off} : p] == m16[${U.off} : cur]) { p += 32; }
  brokenAt = p; brokenOp = m16[p];
  m16[p] = ${handlerNumber('breakpoint')};
}

/// STI, MOV SS, POP SS: interrupts wait until one more instruction has retired.
fn castShadow() { shadowAt = retired() + 1L; }
/// MOV SS, POP SS: debug exceptions wait too (SDM vol. 3, 6.8.3).
fn castStackShadow() { castShadow(); stackShadowAt = shadowAt; }

/// Sets \`left\` from the limit of this run; only at instruction boundaries.
fn refill() {
  let now = icEnd - i64(left);
  let room = icLimit - now;
  if (room > 0x10000000L) { room = 0x10000000L; }
  if (room < 0L) { room = 0L; }
  left = lo(room);
  icEnd = now + room;
}

fn enter(): i32 {
  loop {
    try { return enterChecked(); }
    catch { cur = IDLE; deliverFault(); }
  }
  return 0;
}

/// Interrupts and traps that are due before the instruction at eip. 1: stop the run.
throws fn serveBoundary(): i32 {
  cur = IDLE;
  kicked = 0;
  refill();
  if (dead) { stopReason = ${L.STOP.shutdown}; return 1; }
  if (stopAsked) { stopAsked = 0; stopReason = ${L.STOP.stopped}; return 1; }
  let now = icEnd - i64(left);
  if (stepping) {
    stepping = 0;
    if (now != stackShadowAt) { trapBits |= 0x4000; }     // a step into the shadow is no trap, not a late one
  }
  let trapsWait = now == stackShadowAt; let interruptsWait = now == shadowAt;
  while ((trapBits && !trapsWait) || (irq && (eflags & IF) && !interruptsWait)) {
    halted = 0;
    if (trapBits && !trapsWait) {
      dr6 |= trapBits;
      trapBits = 0;
      interrupt(1, INTR_HARD, 0, 0);
    } else { interrupt(interruptAcknowledge(), INTR_HARD, 0, 0); }
  }
  if (left < 0) { kicked = 0; refill(); }       // the interrupt took time
  if (halted) { stopReason = ${L.STOP.halt}; return 1; }
  if (left <= 0) { stopReason = ${L.STOP.budget}; return 1; }
  return 0;
}

throws fn enterChecked(): i32 {
  if (serveBoundary()) { return 0; }
  let debugged = debug & ${L.DEBUG.data};
  if (debug & ${L.DEBUG.code}) {
    let found = codeBreakpoint(csBase + eip, 1);
    if (found == 2) { kick(); stopReason = ${L.STOP.stopped}; return 0; }
    debugged |= found;
  }
  let careful = (irq && (eflags & IF)) | (eflags & TF) | (dr7 & 0xff) | (left < 2) | debugged;
  if (dr7 & 0xff) {
    if (!(eflags & RF) && icEnd - i64(left) != stackShadowAt) {
      let hit = matchBreakpoints(csBase + eip, 1, 1);
      if (hit) { dr6 = (dr6 & ~15) | hit; raiseFault(1); }
    }
    eflags &= ~RF;
  }
  if (eip >u csHi) { raiseError(13, 0); }
  let user = cpl == 3;
  let la = csBase + eip;
  let offset = la & 0xfff;
  let t = translate(la, 0, user);
  let page = t & 0xfffff000;
  tlbFill(la, t, user);
  let room = csHi - eip;
  vbase = eip - offset;
  if (!careful && isRam(page) && 4095 - offset <=u room) {
    let slots = codeSlots(page);
    let k = codeSlot(la);
    m32[CODE_TLB : k] = (la & 0xfffff000) | ctx;
    m32[CODE_TLB + 4 : k] = slots;
    let ip = m32[slots + (offset << 2)];
    if (ip == 0) { ip = decodeBlock(page | offset); }
    if ((ip == 0 || m16[ip] == ${handlerNumber('split')}) && 4096 + 15 - offset <=u room) { ip = enterSplit(page | offset, la, user); }
    if (ip != 0) {
      let n = m8[${U.rem} : ip];
      if (n <= left) { left -= n; return ip; }
    }
  }
  fetchSingle(page | offset, la, room, user);
  if (eflags & TF) { stepping = 1; }
  icEnd = icEnd - i64(left) + 1L;
  left = 0;
  return ${L.SCRATCH};
}

/// Micro-ops of an instruction that straddles two pages; the second page is looked up now, and faults now.
throws fn enterSplit(pa: i32, la: i32, user: i32): i32 {
  let next = (la & 0xfffff000) + 0x1000;
  if ((debug & ${L.DEBUG.code}) && codeBreakpoint(next, 0)) { return 0; }
  let t = translate(next, 0, user);
  let second = t & 0xfffff000;
  tlbFill(next, t, user);
  if (!isRam(second)) { return 0; }
  codeSlots(second);
  let slots = codeSlots(pa & 0xfffff000);
  let slots2 = codeSlots(second);
  let k = codeSlot(next);
  m32[CODE_TLB : k] = next | ctx;
  m32[CODE_TLB + 4 : k] = slots2;
  let ip = m32[slots + ((pa & 0xfff) << 2)];
  if (ip != 0 && m32[${U.link} : ip] == slots2) { return ip; }
  return decodeSplit(pa, second);
}

/// Decodes one instruction into the scratch micro-ops; it may straddle two pages or meet the segment limit.
throws fn fetchSingle(pa: i32, la: i32, room: i32, user: i32) {
  let bytes = 0x1000 - (la & 0xfff);
  if (room <u bytes - 1) { bytes = room + 1; }
  if (decodeSingle(pa, bytes, 0, 0)) { return; }
  let rest = room + 1 - bytes;
  if (rest == 0) { raiseError(13, 0); }
  if (rest >u 15) { rest = 15; }
  let t = translate(la + bytes, 0, user);
  let second = t & 0xfffff000;
  tlbFill(la + bytes, t, user);
  if (!decodeSingle(pa, bytes, second, rest)) { raiseError(13, 0); }
}

/// A fault ended the instruction of the micro-op \`cur\`: nothing of it counts.
fn faulted() {
  if (cur != IDLE) {
    eip = vbase + m16[${U.off} : cur];
    left += m8[${U.rem} : cur];
    if (m8[${U.aux} : cur] == 0x80) { esp = tmp1; }
    trapBits = 0;
  }
  cur = IDLE;
  deliverFault();
}

export fn reset() { stepping = 0; kicked = 0; brokenAt = 0; shadowAt = -1L; stackShadowAt = -1L; }

export fn run(): i32 {
  let pc = eip;
  let ip = 0;
  loop {
    let va = pc + csBase;
    let k = codeSlot(va);
    ip = 0;
    if (m32[CODE_TLB : k] == ((va & 0xfffff000) | ctx)) {
      ip = m32[m32[CODE_TLB + 4 : k] + ((va & 0xfff) << 2)];
      if (ip != 0) {
        left -= m8[${U.rem} : ip];
        if (left < 0) { left += m8[${U.rem} : ip]; ip = 0; }
        else { vbase = pc - (va & 0xfff); }
      }
    }
    if (ip == 0) {
      eip = pc;
      ip = enter();
      if (ip == 0) { return stopReason; }
    }
    %entered%
    try {
      loop {
        switch (m16[ip]) {
${allHandlers().map(caseText).join('\n')}
          default: { trap(); }
        }
      }
    } catch {
      faulted();
      pc = eip;
    }
  }
  return 0;
}
`;
}
