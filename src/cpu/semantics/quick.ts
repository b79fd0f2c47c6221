// Quick ways for what kernels do most: interrupt and trap gates between flat 4 GiB segments of rings 0 and 3, IRETD back,
// and loads of flat data segments. A quick way looks at every word that the long way would look at (gate, descriptors, TSS)
// and is taken only when they all have their usual values and nothing in it can fault, so what it then does is a few
// stores. It answers 0 when it has done nothing, and the long way (interrupts.ts, far.ts, segments.ts) follows.
// test/cpu/quick.test.ts holds both to the same results.
import { SEG, S } from '../layout.ts';

const seg = (field: keyof typeof S) => `m32[${SEG + S[field]} : n << 5]`;

export const quickText = `
// High words of the descriptors of flat segments that have been used.
const CODE_0 = 0x00cf9b00; const DATA_0 = 0x00cf9300; const CODE_3 = 0x00cffb00; const DATA_3 = 0x00cff300;

/// Where system structures of some bytes lie in this memory when the TLB has their page, or 0.
inline fn systemHost(la: i32, bytes: i32): i32 {
  let e = m32[TLB_READ : (la >>> 10) & 0x3ffffc];
  return (e & 0xfff) - (la & 0xfff) >= bytes - 1 ? la + e + 1 : 0;
}

/// Whether a selector names a descriptor of a flat segment with this high word.
fn namesFlat(sel: i32, high: i32): i32 {
  let base = gdtBase; let limit = gdtLimit;
  if (sel & 4) {
    if (!ldtrOk) { return 0; }
    base = ldtrBase; limit = ldtrLimit;
  } else if (!(sel & 0xfffc)) { return 0; }
  if ((sel | 7) >u limit) { return 0; }
  let host = systemHost(base + (sel & 0xfff8), 8);
  if (!host) { return 0; }
  return m32[host] == 0xffff && m32[4 : host] == high;
}

/// Fills a segment register for a flat segment.
inline fn putFlat(n: i32, sel: i32, attr: i32, ok: i32) {
  ${seg('sel')} = sel; ${seg('base')} = 0; ${seg('limit')} = -1; ${seg('attr')} = attr;
  ${seg('lo')} = 0; ${seg('hi')} = -1; ${seg('ok')} = ok;
}

/// Where \`bytes\` below a stack pointer lie in this memory when the supervisor may write them in one page, or 0.
inline fn stackRoom(top: i32, bytes: i32): i32 {
  let from = top - bytes;
  let e = m32[TLB_WRITE : (from >>> 10) & 0x3ffffc];
  return e != 0 && ((from ^ (top - 1)) & 0xfffff000) == 0 ? from + e + 1 : 0;
}
inline fn stackIsFlat(): i32 { return ssBase == 0 && ssLo == 0 && ssHi == -1 && ssOk == 3 && (ssAttr & 0x4000); }
inline fn quickAllowed(): i32 { return (cr0 & 1) && tlb != TLB_NONE && !debug && !(eflags & VM); }

/// A 32-bit interrupt or trap gate to ring 0.
fn quickInterrupt(vector: i32, kind: i32, hasError: i32, error: i32): i32 {
  let at = vector << 3;
  if (!quickAllowed() || (at | 7) >u idtLimit) { return 0; }
  let gate = systemHost(idtBase + at, 8);
  if (!gate) { return 0; }
  let high = m32[4 : gate];
  if ((high & 0x9e00) != 0x8e00 || (kind == INTR_SOFT && ((high >>> 13) & 3) < cpl)) { return 0; }
  let low = m32[gate];
  let sel = low >>> 16;
  if (!namesFlat(sel, CODE_0)) { return 0; }
  let h = 0;
  if (cpl == 3) {
    if (!(trAttr & 8) || trLimit <u 9) { return 0; }
    let stack = systemHost(trBase + 4, 6);
    if (!stack) { return 0; }
    let ss = m16[4 : stack];
    if ((ss & 3) || !namesFlat(ss, DATA_0)) { return 0; }
    let top = m32[stack];
    h = stackRoom(top, 24);
    if (!h) { return 0; }
    m32[20 : h] = ssSel; m32[16 : h] = esp;
    esp = top - 20;
    putFlat(2, ss, 0xc093, 3);
  } else {
    if (cpl != 0 || !stackIsFlat()) { return 0; }
    h = stackRoom(esp, 16);
    if (!h) { return 0; }
    esp -= 12;
  }
  m32[12 : h] = savedFlags(kind); m32[8 : h] = csSel; m32[4 : h] = eip;
  if (hasError) { m32[h] = error; esp -= 4; }
  putFlat(1, sel & 0xfffc, 0xc09b, 1);
  cpl = 0;
  eflags &= (high & 0x100) ? ~(TF | NT | RF) : ~(TF | NT | RF | IF);
  eip = (high & 0xffff0000) | (low & 0xffff);
  external = 0;
  refreshMode();
  return 1;
}

const QUICK_FLAGS = 0x203602;      // IF DF IOPL ID and the bit that is always set; RF is not taken from a stack

/// IRETD from ring 0, to ring 3 or ring 0.
fn quickReturn(): i32 {
  if (!quickAllowed() || cpl != 0 || (eflags & (NT | RF)) || !stackIsFlat()) { return 0; }
  let h = systemHost(esp, 20);
  if (!h) { return 0; }
  let flags = m32[8 : h];
  let sel = m16[4 : h];
  if (flags & ~ARITH & ~RF & ~QUICK_FLAGS) { return 0; }
  if ((sel & 3) == 3) {
    let ss = m16[16 : h];
    if ((ss & 3) != 3 || !namesFlat(sel, CODE_3) || !namesFlat(ss, DATA_3)) { return 0; }
    esp = m32[12 : h];
    putFlat(2, ss, 0xc0f3, 3);
    putFlat(1, sel, 0xc0fb, 1);
    cpl = 3;
    if (esAttr != 0xc0f3) { dropPrivilegedSegment(0); }
    if (dsAttr != 0xc0f3) { dropPrivilegedSegment(3); }
    if (fsAttr) { dropPrivilegedSegment(4); }
    if (gsAttr) { dropPrivilegedSegment(5); }
  } else {
    if ((sel & 3) || !namesFlat(sel, CODE_0)) { return 0; }
    esp += 12;
    putFlat(1, sel, 0xc09b, 1);
  }
  eip = m32[h];
  setArith(flags);
  eflags = (flags & QUICK_FLAGS) | 2;
  refreshMode();
  return 1;
}

/// MOV and POP to ES, DS, FS, GS.
fn quickSegment(n: i32, sel: i32): i32 {
  if (n == 2 || !quickAllowed()) { return 0; }
  let attr = 0xc0f3;
  if (!namesFlat(sel, DATA_3)) {
    if (cpl != 0 || (sel & 3) || !namesFlat(sel, DATA_0)) { return 0; }
    attr = 0xc093;
  }
  let before = isFlat(n);
  putFlat(n, sel, attr, 3);
  if (n < 4 && !before) { refreshMode(); }
  return 1;
}
`;
