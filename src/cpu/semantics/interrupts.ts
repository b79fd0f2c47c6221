// Delivery of exceptions, hardware interrupts and INT n: real mode, protected mode with and without privilege change,
// from VM86, through task gates; double and triple faults. State changes only after everything that can fault.
// (Intel SDM vol. 3, chapter 6.)

import { DEBUG } from '../layout.ts';

export const interruptsText = `
extern fn interruptAcknowledge(): i32;
extern fn interruptStarts(vector: i32, kind: i32, hasError: i32, error: i32);
extern fn deliveryFailed(depth: i32, vector: i32, error: i32, address: i32);
const INTR_HARD = 0; const INTR_SOFT = 1; const INTR_FAULT = 2;

global stepping: i32 = 0;         // TF was set when the current instruction began

/// Delivers a vector. kind: INTR_*; eip is the return address.
throws fn interrupt(vector: i32, kind: i32, hasError: i32, error: i32) {
  stepping = 0; taskRf = 0;
  if (debug & ${DEBUG.interrupts}) { interruptStarts(vector, kind, hasError, error); }
  charge(kind == INTR_HARD ? EV_HARDWAREINTERRUPT : kind == INTR_SOFT ? EV_SOFTWAREINTERRUPT : EV_EXCEPTION);
  if (quickInterrupt(vector, kind, hasError, error)) { return; }
  if (vector == 1 && kind != INTR_SOFT) { dr7 &= ~0x2000; }
  if (!(cr0 & 1)) { interruptReal(vector); return; }
  external = kind != INTR_SOFT;
  let at = vector << 3;
  let where = at | 2 | external;
  if ((at | 7) >u idtLimit) { raiseError(13, where); }
  let low = srd32(idtBase + at);
  let high = srd32(idtBase + at + 4);
  let type = (high >>> 8) & 0x1f;
  if (type != 5 && (type & 0x16) != 6) { raiseError(13, where); }
  if (kind == INTR_SOFT && ((high >>> 13) & 3) < cpl) { raiseError(13, where); }
  if (!(high & 0x8000)) { raiseError(11, where); }
  if (type == 5) {
    taskRf = kind == INTR_FAULT ? RF : 0;
    interruptTask(low >>> 16, hasError, error);
  }
  else { interruptGate(low, high, kind, hasError, error); }
  external = 0;
}

/// Flags that a fault saves have RF set.
fn savedFlags(kind: i32): i32 {
  return getFlags() | (kind == INTR_FAULT ? RF : 0);
}

throws fn interruptReal(vector: i32) {
  if (((vector << 2) | 3) >u idtLimit) { raiseFault(13); }
  let target = srd32(idtBase + (vector << 2));
  openStack();
  push16(getFlags()); push16(csSel); push16(eip);
  commitStack();
  eflags &= ~(IF | TF | AC | RF);
  setParagraph(1, target >>> 16);
  eip = target & 0xffff;
  refreshMode();
}

throws fn interruptTask(sel: i32, hasError: i32, error: i32) {
  if (sel & 4) { badSelector(13, sel); }
  if (!(sel & 0xfffc)) { raiseError(13, external); }
  readDescriptor(sel, 13);
  if ((txType() & 0x17) != 1) { badSelector(13, sel); }
  if (!txPresent()) { badSelector(11, sel); }
  taskSwitch(sel, SWITCH_CALL);
  if (hasError) {
    openStack();
    pushSized((trAttr & 8) ? 4 : 2, error);
    commitStack();
  }
}

throws fn interruptGate(low: i32, high: i32, kind: i32, hasError: i32, error: i32) {
  let type = (high >>> 8) & 0x1f;
  let size = (type & 8) ? 4 : 2;
  let sel = low >>> 16;
  let target = size == 4 ? (high & 0xffff0000) | (low & 0xffff) : low & 0xffff;
  if (!(sel & 0xfffc)) { raiseError(13, external); }
  readDescriptor(sel, 13);
  if (!txIsCode() || txDpl() > cpl) { badSelector(13, sel); }
  if (!txPresent()) { badSelector(11, sel); }
  let level = txConforming() ? cpl : txDpl();
  let codeLo = txLo; let codeHi = txHi; let codeAt = txAt;
  let flags = savedFlags(kind);
  let fromVm = (eflags & VM) != 0;
  if (fromVm && level != 0) { badSelector(13, sel); }
  let stackSel = 0;
  if (level < cpl) {
    stackSel = openInnerStack(level);
    let stackLo = txLo; let stackHi = txHi; let stackAt = txAt;
    if (fromVm) {
      pushSized(size, gsSel); pushSized(size, fsSel); pushSized(size, dsSel); pushSized(size, esSel);
    }
    pushSized(size, ssSel); pushSized(size, esp);
    pushFrame(size, flags, hasError, error);
    checkTarget(codeLo, codeHi, target);
    txLo = stackLo; txHi = stackHi; txAt = stackAt;
    markAccessed();
    eflags &= ~VM;
    if (fromVm) {
      setSeg(0, 0, 0, 0, 0); setSeg(3, 0, 0, 0, 0); setSeg(4, 0, 0, 0, 0); setSeg(5, 0, 0, 0, 0);
    }
    loadTx(2, stackSel);
    esp = vsMask == -1 ? vsp : (esp & 0xffff0000) | (vsp & 0xffff);
  } else {
    openStack();
    pushFrame(size, flags, hasError, error);
    checkTarget(codeLo, codeHi, target);
    commitStack();
  }
  txLo = codeLo; txHi = codeHi; txAt = codeAt;
  markAccessed();
  loadCs(sel, level);
  eflags &= ~(TF | NT | RF | VM);
  if (!(type & 1)) { eflags &= ~IF; }
  eip = target;
  refreshMode();
}

throws fn pushFrame(size: i32, flags: i32, hasError: i32, error: i32) {
  let host = size == 4 ? stackBelow(16) : 0;
  if (host) {
    m32[8 : host] = csSel; m32[12 : host] = flags; m32[4 : host] = eip;
    if (hasError) { m32[host] = error; }
    vsp = vsp - (hasError ? 16 : 12);
    return;
  }
  pushSized(size, flags); pushSized(size, csSel); pushSized(size, eip);
  if (hasError) { pushSized(size, error); }
}

throws fn checkTarget(descriptorLo: i32, descriptorHi: i32, target: i32) {
  txLo = descriptorLo; txHi = descriptorHi;
  if (target >u txLimit()) { raiseError(13, external); }
}

/// No vector of a fault: the instruction begins again after the next interrupt.
const WAIT_FOR_INTERRUPT = 256;

/// Handlers that fault at once, for ever, retire nothing; so that time passes, every so many faults count as an instruction.
fn countFault() {
  let now = icEnd - i64(left);
  faultsInRow = now == faultAt ? faultsInRow + 1 : 0;
  faultAt = now;
  if (faultsInRow >= 32) { icEnd += 1L; kick(); }
}

/// Delivers the fault that has just been raised, and what follows when that fails. eip: the faulting instruction. Benign
/// faults (#AC while #AC is pushed for CPL 3) can follow each other for ever: then the instruction is tried again.
fn deliverFault() {
  let depth = 0;
  if (faultVector == WAIT_FOR_INTERRUPT) { halted = 1; kick(); return; }
  loop {
    let vector = faultVector; let error = faultError; let hasError = faultHasError; let address = cr2;
    shadowAt = -1L; stackShadowAt = -1L;
    countFault();
    try {
      interrupt(vector, vector == 1 ? INTR_HARD : INTR_FAULT, hasError, error);
      if (stopOnFault) { stopAsked = 1; kick(); }
      return;
    } catch {
      external = 0;
      deliveryFailed(depth, vector, error, address);
      depth += 1;
      if (depth > 32) { kick(); return; }
      if (vector == 8) { dead = 1; kick(); return; }
      if (becomesDouble(vector, faultVector)) { faultVector = 8; faultError = 0; faultHasError = 1; }
    }
  }
}

fn isContributory(vector: i32): i32 { return vector == 0 || (vector >= 10 && vector <= 13); }

fn becomesDouble(first: i32, second: i32): i32 {
  if (first == 14) { return second == 14 || isContributory(second); }
  return isContributory(first) && isContributory(second);
}

/// INT n, INT3, INTO: eip already points behind the instruction.
throws fn softInterrupt(vector: i32, byNumber: i32) {
  if (byNumber && (eflags & VM) && (eflags & 0x3000) != 0x3000) { raiseError(13, 0); }
  interrupt(vector, INTR_SOFT, 0, 0);
}
`;
