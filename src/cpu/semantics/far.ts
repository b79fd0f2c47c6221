// Far jumps, calls, returns and IRET, with gates, privilege changes, task switches and VM86 (Intel SDM vol. 2 JMP, CALL,
// RET, IRET; vol. 3 chapters 5, 7, 20). `eip` is the following instruction on entry and the target on return.

// Stack items are read in the order of silicon: RETF takes CS, EIP, then SS, ESP before any check; IRET flags, CS, EIP.

import { U } from '../layout.ts';

export const farText = `
/// Offset of the second part of the operand at \`ea\`: wraps with the address size (aux2).
fn eaPlus(distance: i32): i32 {
  let at = ea + distance;
  return m16[${U.aux2} : cur] == 2 ? at & 0xffff : at;
}
/// The halves of a far pointer in memory: offset \`ea\` of segment n, each checked by itself.
throws fn farOffset(n: i32, size: i32): i32 {
  let la = segCheck(n, ea, size, 1);
  return size == 4 ? rd32(la) : rd16(la);
}
throws fn farSelector(n: i32, size: i32): i32 { return rd16(segCheck(n, eaPlus(size), 2, 1)); }

/// JMP ptr16:v, Mp (call = 0) and CALL ptr16:v, Mp (call = 1). size: operand size in bytes.
throws fn farTransfer(sel: i32, offset: i32, call: i32, size: i32) {
  external = 0;
  charge(EV_FARTRANSFER);
  if (realLike()) { farReal(sel, offset, call, size); return; }
  if (!(sel & 0xfffc)) { raiseError(13, 0); }
  readDescriptor(sel, 13);
  if (txHi & 0x1000) { farCode(sel, offset, call, size); return; }
  let type = txType();
  if (type != 4 && type != 12 && type != 5 && type != 1 && type != 9) { badSelector(13, sel); }
  if (txDpl() < cpl || txDpl() < (sel & 3)) { badSelector(13, sel); }
  if (!txPresent()) { badSelector(11, sel); }
  if (type == 4 || type == 12) { farGate(sel, call); return; }
  if (type == 5) {
    let task = txLo >>> 16;
    if ((task & 4) || !(task & 0xfffc)) { badSelector(13, task); }
    readDescriptor(task, 13);
    if ((txType() & 0x17) != 1) { badSelector(13, task); }
    if (!txPresent()) { badSelector(11, task); }
    taskSwitch(task, call ? SWITCH_CALL : SWITCH_JUMP);
    return;
  }
  if (sel & 4) { badSelector(13, sel); }
  taskSwitch(sel, call ? SWITCH_CALL : SWITCH_JUMP);
}

throws fn farReal(sel: i32, offset: i32, call: i32, size: i32) {
  if (call) {
    openStack();
    pushSized(size, csSel); pushSized(size, eip);
  }
  if (offset >u csLimit) { raiseError(13, 0); }
  if (call) { commitStack(); }
  setParagraph(1, sel);
  eip = offset;
  refreshMode();
}

throws fn farCode(sel: i32, offset: i32, call: i32, size: i32) {
  if (!txIsCode()) { badSelector(13, sel); }
  if (txConforming()) { if (txDpl() > cpl) { badSelector(13, sel); } }
  else if ((sel & 3) > cpl || txDpl() != cpl) { badSelector(13, sel); }
  if (!txPresent()) { badSelector(11, sel); }
  if (call) {
    openStack();
    pushSized(size, csSel); pushSized(size, eip);
  }
  if (offset >u txLimit()) { raiseError(13, 0); }
  markAccessed();
  if (call) { commitStack(); }
  loadCs(sel, cpl);
  eip = offset;
  refreshMode();
}

/// Through the call gate in tx*.
throws fn farGate(gateSel: i32, call: i32) {
  let size = (txHi & 0x800) ? 4 : 2;
  let count = txHi & 31;
  let sel = txLo >>> 16;
  let offset = size == 4 ? (txHi & 0xffff0000) | (txLo & 0xffff) : txLo & 0xffff;
  if (!(sel & 0xfffc)) { raiseError(13, 0); }
  readDescriptor(sel, 13);
  if (!txIsCode() || txDpl() > cpl) { badSelector(13, sel); }
  if (!call && !txConforming() && txDpl() != cpl) { badSelector(13, sel); }
  if (!txPresent()) { badSelector(11, sel); }
  let level = txConforming() ? cpl : txDpl();
  let codeLo = txLo; let codeHi = txHi; let codeAt = txAt;
  if (call && level < cpl) {
    let oldMask = (ssAttr & 0x4000) ? -1 : 0xffff;
    let stackSel = openInnerStack(level);
    let stackLo = txLo; let stackHi = txHi; let stackAt = txAt;
    pushSized(size, ssSel); pushSized(size, esp);
    let i = count;
    while (i > 0) {
      i -= 1;
      let from = segCheck(2, (esp + i * size) & oldMask, size, 1);
      pushSized(size, size == 4 ? rd32(from) : rd16(from));
    }
    pushSized(size, csSel); pushSized(size, eip);
    checkTarget(codeLo, codeHi, offset);
    txLo = stackLo; txHi = stackHi; txAt = stackAt;
    markAccessed();
    loadTx(2, stackSel);
    commitStack();
  } else {
    if (call) {
      openStack();
      pushSized(size, csSel); pushSized(size, eip);
    }
    checkTarget(codeLo, codeHi, offset);
    if (call) { commitStack(); }
  }
  txLo = codeLo; txHi = codeHi; txAt = codeAt;
  markAccessed();
  loadCs(sel, level);
  eip = offset;
  refreshMode();
}

/// Checks the code segment of a far return: descriptor to tx*.
throws fn checkReturnCode(sel: i32) {
  if (!(sel & 0xfffc)) { raiseError(13, 0); }
  readDescriptor(sel, 13);
  let rpl = sel & 3;
  if (!txIsCode() || rpl < cpl) { badSelector(13, sel); }
  if (txConforming() ? txDpl() > rpl : txDpl() != rpl) { badSelector(13, sel); }
  if (!txPresent()) { badSelector(11, sel); }
}

/// A stack item, without popping.
throws fn peekSized(distance: i32, size: i32): i32 {
  let la = stackLinear((vsp + distance) & vsMask, size, 1);
  return size == 4 ? rd32(la) : rd16(la);
}

/// Second half of a return to an outer level: checks SS, commits everything but flags.
throws fn returnOuter(sel: i32, offset: i32, dropped: i32, size: i32, sp: i32, ss: i32) {
  let codeLo = txLo; let codeHi = txHi; let codeAt = txAt;
  if (!(ss & 0xfffc)) { raiseError(13, 0); }
  readDescriptor(ss, 13);
  checkStackSegment(ss, sel & 3, 13);
  checkTarget(codeLo, codeHi, offset);
  let stackLo = txLo; let stackHi = txHi;
  readDescriptor(ss, 13);
  markAccessed();
  loadTx(2, ss);
  txLo = codeLo; txHi = codeHi; txAt = codeAt;
  markAccessed();
  loadCs(sel, sel & 3);
  if (ssAttr & 0x4000) { esp = sp + dropped; }
  else { esp = (esp & 0xffff0000) | ((sp + dropped) & 0xffff); }    // as on silicon, the upper half stays the inner level's
  eip = offset;
  dropPrivilegedSegments();
}

/// RETF, RETF Iw.
throws fn farReturn(dropped: i32, size: i32) {
  external = 0;
  charge(EV_FARTRANSFER);
  openStack();
  let sel = peekSized(size, size) & 0xffff;
  let offset = peekSized(0, size);
  if (realLike()) {
    if (offset >u csLimit) { raiseError(13, 0); }
    vsp = vsp + 2 * size + dropped;
    commitStack();
    setParagraph(1, sel);
    eip = offset;
    refreshMode();
    return;
  }
  let ss = 0; let sp = 0;
  if ((sel & 3) != cpl) { ss = peekSized(3 * size + dropped, size) & 0xffff; sp = peekSized(2 * size + dropped, size); }
  checkReturnCode(sel);
  if ((sel & 3) == cpl) {
    if (offset >u txLimit()) { raiseError(13, 0); }
    markAccessed();
    vsp = vsp + 2 * size + dropped;
    commitStack();
    loadCs(sel, cpl);
    eip = offset;
  } else { returnOuter(sel, offset, dropped, size, sp, ss); }
  refreshMode();
}

/// Bits of EFLAGS that POPF and IRET may change at the current CPL.
fn changeableFlags(size: i32): i32 {
  let bits = ARITH | TF | DF | NT;
  if (size == 4) { bits |= AC | ID; }
  if (!(cr0 & 1)) { return bits | IF | 0x3000; }
  if (eflags & VM) { return bits | IF; }
  if (cpl == 0) { bits |= 0x3000; }
  if (cpl <= ((eflags >>> 12) & 3)) { bits |= IF; }
  return bits;
}

/// IRET, IRETD.
throws fn interruptReturn(size: i32) {
  charge(EV_INTERRUPTRETURN);
  external = 0;
  if (size == 4 && quickReturn()) { return; }
  if (realLike()) { interruptReturnReal(size); return; }
  if (eflags & NT) { interruptReturnTask(); return; }
  openStack();
  let flags = 0; let sel = 0; let offset = 0;
  let host = size == 4 ? stackAbove(12) : 0;
  if (host) { flags = m32[8 : host]; sel = m16[4 : host]; offset = m32[host]; }
  else {
    flags = peekSized(2 * size, size);
    sel = peekSized(size, size) & 0xffff;
    offset = peekSized(0, size);
  }
  vsp = vsp + 3 * size;
  if (size == 4 && (flags & VM) && cpl == 0) { interruptReturnVm(offset, sel, flags); return; }
  checkReturnCode(sel);
  let bits = changeableFlags(size) | (size == 4 && (dr7 & 0xff) ? RF : 0);
  if (cpl == 0 && size == 4) { bits |= 0x180000; }
  if ((sel & 3) == cpl) {
    if (offset >u txLimit()) { raiseError(13, 0); }
    markAccessed();
    commitStack();
    loadCs(sel, cpl);
    eip = offset;
  } else {
    let ss = peekSized(size, size) & 0xffff;
    let sp = peekSized(0, size);
    returnOuter(sel, offset, 0, size, sp, ss);
  }
  setFlags((getFlags() & ~bits) | (flags & bits));
  refreshMode();
}

throws fn interruptReturnReal(size: i32) {
  if ((eflags & VM) && (eflags & 0x3000) != 0x3000) { raiseError(13, 0); }
  openStack();
  let offset = popSized(size);
  let sel = popSized(size) & 0xffff;
  let flags = popSized(size);
  if (offset >u csLimit) { raiseError(13, 0); }
  commitStack();
  setParagraph(1, sel);
  eip = offset;
  let bits = changeableFlags(size) | (size == 4 && (dr7 & 0xff) ? RF : 0);
  setFlags((getFlags() & ~bits) | (flags & bits));
  refreshMode();
}

throws fn interruptReturnTask() {
  let sel = srd16(trBase);
  if ((sel & 4) || !(sel & 0xfffc)) { badSelector(10, sel); }
  readDescriptor(sel, 10);
  if ((txType() & 0x17) != 3) { badSelector(10, sel); }
  if (!txPresent()) { badSelector(11, sel); }
  taskSwitch(sel, SWITCH_IRET);
}

throws fn interruptReturnVm(offset: i32, cs: i32, flags: i32) {
  let sp = pop32();
  let ss = pop32() & 0xffff; let es = pop32() & 0xffff; let ds = pop32() & 0xffff;
  let fs = pop32() & 0xffff; let gs = pop32() & 0xffff;
  esp = sp;
  eip = offset & 0xffff;
  cpl = 3;
  setArith(flags);
  eflags = (flags & ~ARITH & 0x3f7fd7) | 2;
  setParagraph(0, es); setParagraph(1, cs); setParagraph(2, ss); setParagraph(3, ds); setParagraph(4, fs); setParagraph(5, gs);
  refreshMode();
}

/// SYSENTER and SYSEXIT.
throws fn sysenter() {
  if (!(cr0 & 1) || !(sysenterCs & 0xfffc)) { raiseError(13, 0); }
  charge(EV_FASTCALL);
  eflags &= ~(VM | IF | RF);
  cpl = 0;
  setSeg(1, sysenterCs & 0xfffc, 0, -1, 0xc09b);
  setSeg(2, (sysenterCs & 0xfffc) + 8, 0, -1, 0xc093);
  esp = sysenterEsp; eip = sysenterEip;
  refreshMode();
}
throws fn sysexit() {
  if (!(cr0 & 1) || !(sysenterCs & 0xfffc) || cpl != 0) { raiseError(13, 0); }
  charge(EV_FASTRETURN);
  cpl = 3;
  setSeg(1, ((sysenterCs & 0xfffc) + 16) | 3, 0, -1, 0xc0fb);
  setSeg(2, ((sysenterCs & 0xfffc) + 24) | 3, 0, -1, 0xc0f3);
  esp = ecx; eip = edx;
  refreshMode();
}
`;
