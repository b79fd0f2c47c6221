// Segment registers, descriptors and the two stacks an instruction may touch. Faults carry the selector as the manual
// says (Intel SDM vol. 3, chapters 3, 5). A segment record holds the checked range [lo, hi] of offsets and what may be
// done there (ok: 1 read, 2 write), so that a check is three comparisons whatever the segment type.
import { DEBUG, SEG, S, MODE } from '../layout.ts';

const seg = (field: keyof typeof S) => `m32[${SEG + S[field]} : n << 5]`;

export const segmentsText = `
/// Fills a segment register's hidden part.
export fn setSeg(n: i32, sel: i32, base: i32, limit: i32, attr: i32) {
  ${seg('sel')} = sel; ${seg('base')} = base; ${seg('limit')} = limit; ${seg('attr')} = attr;
  ${seg('lo')} = 0; ${seg('hi')} = limit;
  let type = attr & 0xf;
  let ok = 0;
  if ((attr & 0x90) == 0x90) {
    if (type & 8) { ok = (type >>> 1) & 1; }
    else {
      ok = 1 | (type & 2);
      if (type & 4) {
        ${seg('lo')} = limit + 1;
        ${seg('hi')} = (attr & 0x4000) ? -1 : 0xffff;
        if (limit == -1) { ok = 0; }
      }
    }
    if (!(cr0 & 1) || (eflags & VM)) { ok = 3; }
  } else if (n >= 6 && (attr & 0x80)) { ok = 1; }
  ${seg('ok')} = ok;
}

/// Real-mode and VM86 load: paragraph number to base.
fn setParagraph(n: i32, sel: i32) {
  if (eflags & VM) { setSeg(n, sel, sel << 4, 0xffff, 0xf3); }
  else if (n == 1) { setSeg(n, sel, sel << 4, csLimit, 0x93 | (csAttr & 0x4000)); }
  else { setSeg(n, sel, sel << 4, ${seg('limit')}, (${seg('attr')} & 0x4000) | 0x93); }
}

fn realLike(): i32 { return !(cr0 & 1) || (eflags & VM); }

inline fn isFlat(n: i32): i32 {
  if (${seg('ok')} != 3 || ${seg('base')} != 0 || ${seg('lo')} != 0) { return 0; }
  let top = ${seg('hi')};
  if (top == -1) { return 1; }
  if (cpl != 3 || (top & 0xfff) != 0xfff || top <u 0x0fffffff) { return 0; }
  if (top <u flatLimitU) { tlbLowerUserLimit(top); }
  return 1;
}

/// Recomputes what follows from CPL, CR0, EFLAGS and the segments: decoding mode, TLB bank, code TLB context.
export fn refreshMode() {
  let user = cpl == 3;
  let m = (csAttr >>> 14) & 1;
  if ((ssAttr & 0x4000) && isFlat(2)) { m |= ${MODE.stackFlat}; }
  if (isFlat(3)) { m |= ${MODE.dataFlat}; }
  if (isFlat(0)) { m |= ${MODE.extraFlat}; }
  mode = m;
  ctx = (generation << 5) | (m << 1) | user;
  codeHash = (user << 7) | ((m & 12) << 6);
  let armed = (dr7 & 0xff) || (debug & ${DEBUG.data}) || (user && (eflags & AC) && (cr0 & 0x40000));
  tlb = armed ? TLB_NONE : user ? TLB_USER : 0;
  let top = csBase + csHi;
  if (user) { if (top != codeTopU) { codeTopU = top; codeTlbFlush(); } }
  else if (top != codeTopS) { codeTopS = top; codeTlbFlush(); }
  if ((eflags & TF) || armed || (irq && (eflags & IF))) { kick(); }
}
/// Linear end of the code segment that the code TLB was filled under, for each class.
global codeTopU: i32 = 0; global codeTopS: i32 = 0;

// ---- descriptors ----

/// Reads a descriptor into tx*; raises the vector with the selector when it lies outside its table.
throws fn readDescriptor(sel: i32, vector: i32) {
  let base = gdtBase; let limit = gdtLimit;
  if (sel & 4) {
    base = ldtrBase; limit = ldtrLimit;
    if (!ldtrOk) { raiseError(vector, (sel & 0xfffc) | external); }
  }
  if ((sel | 7) >u limit) { raiseError(vector, (sel & 0xfffc) | external); }
  txSel = sel;
  txAt = base + (sel & 0xfff8);
  txLo = srd32(txAt);
  txHi = srd32(txAt + 4);
}
fn txBaseOf(): i32 { return (txLo >>> 16) | ((txHi & 0xff) << 16) | (txHi & 0xff000000); }
fn txLimit(): i32 {
  let limit = (txLo & 0xffff) | (txHi & 0xf0000);
  return (txHi & 0x800000) ? (limit << 12) | 0xfff : limit;
}
inline fn txType(): i32 { return (txHi >>> 8) & 0x1f; }         // with the S bit
inline fn txDpl(): i32 { return (txHi >>> 13) & 3; }
inline fn txPresent(): i32 { return (txHi >>> 15) & 1; }
inline fn txIsCode(): i32 { return (txHi & 0x1800) == 0x1800; }
inline fn txConforming(): i32 { return (txHi & 0x1c00) == 0x1c00; }
inline fn txIsWritableData(): i32 { return (txHi & 0x1a00) == 0x1200; }
inline fn txIsReadable(): i32 { return (txHi & 0x1000) && (txHi & 0xa00) != 0x800; }

/// Sets the accessed bit of the descriptor in tx*.
throws fn markAccessed() {
  if (!(txHi & 0x100)) {
    txHi |= 0x100;
    swr8(txAt + 5, txHi >>> 8);
  }
}

/// Loads the descriptor in tx* into a register.
fn loadTx(n: i32, sel: i32) {
  setSeg(n, sel, txBaseOf(), txLimit(), (txHi >>> 8) & 0xf0ff);
}

/// Raises vector(selector).
throws fn badSelector(vector: i32, sel: i32) { raiseError(vector, (sel & 0xfffc) | external); }

/// Checks for loading SS: descriptor in tx*. vector is #GP for instructions, #TS for stacks out of a TSS.
throws fn checkStackSegment(sel: i32, level: i32, vector: i32) {
  if ((sel & 3) != level || txDpl() != level || !txIsWritableData()) { badSelector(vector, sel); }
  if (!txPresent()) { badSelector(12, sel); }
}

/// MOV Sreg, POP Sreg, LDS...: everything but CS.
throws fn loadSegment(n: i32, sel: i32) {
  charge(EV_SEGMENTLOAD);
  if (quickSegment(n, sel)) { return; }
  if (realLike()) { setParagraph(n, sel); refreshMode(); return; }
  if (!(sel & 0xfffc)) {
    if (n == 2) { raiseError(13, 0); }
    setSeg(n, sel, 0, 0, 0);
    refreshMode();
    return;
  }
  readDescriptor(sel, 13);
  if (n == 2) { checkStackSegment(sel, cpl, 13); }
  else { checkDataSegment(sel, 13); }
  markAccessed();
  loadTx(n, sel);
  refreshMode();
}

throws fn checkDataSegment(sel: i32, vector: i32) {
  if (!txIsReadable()) { badSelector(vector, sel); }
  if (!txConforming() && ((sel & 3) > txDpl() || cpl > txDpl())) { badSelector(vector, sel); }
  if (!txPresent()) { badSelector(11, sel); }
}

/// After a return to an outer level: data segments the new level may not see become null.
fn dropPrivilegedSegment(n: i32) {
  let attr = ${seg('attr')};
  if ((attr & 0x1c) == 0x1c || (attr & 0x10) == 0) {
    if (attr & 0x10) { return; }
    if (!(${seg('sel')} & 0xfffc) && attr == 0) { return; }
  }
  if (((attr >>> 5) & 3) < cpl) { setSeg(n, 0, 0, 0, 0); }
}
fn dropPrivilegedSegments() {
  dropPrivilegedSegment(0); dropPrivilegedSegment(3); dropPrivilegedSegment(4); dropPrivilegedSegment(5);
}

/// Loads CS from tx* at the given level.
fn loadCs(sel: i32, level: i32) {
  cpl = level;
  loadTx(1, (sel & 0xfffc) | level);
}

// ---- stacks: v* is the stack being written or read; ESP changes only at commitStack ----

global vsp: i32 = 0; global vsBase: i32 = 0; global vsLo: i32 = 0; global vsHi: i32 = 0; global vsOk: i32 = 0;
global vsMask: i32 = 0; global vsUser: i32 = 0; global vsError: i32 = 0;
global vsWraps: i32 = 0;          // an item may reach from the end of the segment to its start

/// The current stack.
fn openStack() {
  vsp = esp; vsBase = ssBase; vsLo = ssLo; vsHi = ssHi; vsOk = ssOk;
  vsMask = (ssAttr & 0x4000) ? -1 : 0xffff;
  vsUser = cpl == 3; vsError = 0; vsWraps = 0;
}

/// A stack that is about to become current: descriptor in tx*, used with the rights of a level. With an effective limit of
/// 4 GiB wrapping is up to the processor (SDM vol. 3, 5.3); here frames of inner levels do it and instructions do not.
fn openNewStack(sel: i32, sp: i32, level: i32) {
  setSeg(8, sel, txBaseOf(), txLimit(), (txHi >>> 8) & 0xf0ff);
  vsp = sp; vsBase = m32[${SEG + 8 * 32 + S.base}]; vsLo = m32[${SEG + 8 * 32 + S.lo}]; vsHi = m32[${SEG + 8 * 32 + S.hi}];
  vsOk = m32[${SEG + 8 * 32 + S.ok}];
  vsMask = (txHi & 0x400000) ? -1 : 0xffff;
  vsUser = level == 3;
  vsError = (sel & 0xfffc) | external;
  vsWraps = vsBase == 0 && vsLo == 0 && vsHi == -1;
}

inline throws fn stackLinear(offset: i32, size: i32, need: i32): i32 {
  let last = offset + size - 1;
  if (!(vsOk & need) || offset <u vsLo || last >u vsHi || (last <u offset && !vsWraps)) { raiseError(12, vsError); }
  return vsBase + offset;
}

throws fn push32(v: i32) {
  let offset = (vsp - 4) & vsMask;
  let la = stackLinear(offset, 4, 2);
  if (vsUser) { wr32(la, v); } else { swr32(la, v); }
  vsp = offset;
}
throws fn push16(v: i32) {
  let offset = (vsp - 2) & vsMask;
  let la = stackLinear(offset, 2, 2);
  if (vsUser) { wr16(la, v); } else { swr16(la, v); }
  vsp = offset;
}
throws fn pushSized(size: i32, v: i32) { if (size == 4) { push32(v); } else { push16(v); } }

/// Faults as a push would, without writing.
throws fn probePush(size: i32) {
  let la = stackLinear((vsp - size) & vsMask, size, 2);
  if (vsUser) { probeWrite(la, size); } else { probeSystem(la, size - 1, 1); }
}

throws fn pop32(): i32 {
  let offset = vsp & vsMask;
  let la = stackLinear(offset, 4, 1);
  let v = vsUser ? rd32(la) : srd32(la);
  vsp = offset + 4;
  return v;
}
throws fn pop16(): i32 {
  let offset = vsp & vsMask;
  let la = stackLinear(offset, 2, 1);
  let v = vsUser ? rd16(la) : srd16(la);
  vsp = offset + 2;
  return v;
}
throws fn popSized(size: i32): i32 { return size == 4 ? pop32() : pop16(); }

/// Host address of the next \`bytes\` below (or, for reading, at) the virtual stack pointer when they lie in one present
/// page of a flat 32-bit stack; 0 = go the long way.
fn stackBelow(bytes: i32): i32 {
  let from = vsp - bytes;
  if (vsMask != -1 || vsBase != 0 || (vsp & 0xfff) < bytes || from <u vsLo || vsp - 1 >u vsHi || !(vsOk & 2)) { return 0; }
  let e = m32[TLB_WRITE : (tlb == TLB_NONE ? TLB_NONE : vsUser ? TLB_USER : 0) + ((from >>> 10) & 0x3ffffc)];
  return e == 0 ? 0 : from + e + 1;
}
fn stackAbove(bytes: i32): i32 {
  let last = vsp + bytes - 1;
  if (vsMask != -1 || vsBase != 0 || (vsp & 0xfff) > 0x1000 - bytes || vsp <u vsLo || last >u vsHi || !(vsOk & 1)) { return 0; }
  let e = m32[TLB_READ : (tlb == TLB_NONE ? TLB_NONE : vsUser ? TLB_USER : 0) + ((vsp >>> 10) & 0x3ffffc)];
  return e == 0 ? 0 : vsp + e + 1;
}

/// ESP takes the virtual stack pointer; only SP when the stack is 16 bits wide.
fn commitStack() {
  if (vsMask == -1) { esp = vsp; } else { esp = (esp & 0xffff0000) | (vsp & 0xffff); }
}

/// Stack pointer and selector for a level out of the current TSS: txBase := new ESP, result: new SS.
throws fn innerStack(level: i32): i32 {
  let wide = trAttr & 8;
  let at = wide ? 4 + (level << 3) : 2 + (level << 2);
  if (at + (wide ? 5 : 3) >u trLimit) { badSelector(10, trSel); }
  if (wide) {
    txBase = srd32(trBase + at);
    return srd16(trBase + at + 4);
  }
  txBase = srd16(trBase + at);
  return srd16(trBase + at + 2);
}

/// Opens the stack of an inner level; leaves its descriptor in tx* and returns its selector.
throws fn openInnerStack(level: i32): i32 {
  let sel = innerStack(level);
  let sp = txBase;
  if (!(sel & 0xfffc)) { raiseError(10, external); }
  readDescriptor(sel, 10);
  checkStackSegment(sel, level, 10);
  openNewStack(sel, sp, level);
  return sel;
}
`;
