// Guest memory as instructions see it: linear reads and writes through the TLB, with the slow path behind them
// (page walk, page crossing, device memory, pages with micro-ops, alignment checks, data breakpoints).
// rd*/wr* access with the rights of CPL; srd*/swr* with supervisor rights (descriptor tables, TSS). A write that crosses
// a page is checked on both pages before its first byte is written. All of them raise faults; `cur` must be set before.
import * as L from '../layout.ts';

const entryOf = (table: string, base: string, la: string) => `m32[${table} : ${base} + ((${la} >>> 10) & 0x3ffffc)]`;
/** Whether an access of some bytes at `la` lies in the page of the TLB entry `e`, and there is one. */
const fits = (bytes: number, la: string) => (bytes === 1 ? 'e != 0' : `(e & 0xfff) - (${la} & 0xfff) >= ${bytes - 1}`);
const cellOf = (bytes: number) => `m${bytes * 8}`;

// Accesses in handlers of the main loop: the fast path in place, the slow path a call that gets the micro-op. After any call
// a handler takes `ip` from `cur` again: a local that no call has to preserve stays in a register, and on `ip` everything waits.

/** Statements: local `to` := the operand at a linear address. `%slow%` marks the end of the slow path. */
export const loadText = (bits: number, to: string, ea: string): string => `let la = ${ea}; let e = ${entryOf('TLB_READ', 'tlb', 'la')}; let ${to} = 0;
  if (${fits(bits / 8, 'la')}) { ${to} = m${bits}[1 : la + e]; } else { ${to} = slowLoad(ip, la, ${bits / 8}); ip = cur; %slow% }`;
/** Statements: the operand at a linear address := v, marked likewise. */
export const storeText = (bits: number, ea: string, v: string): string => `let la = ${ea}; let e = ${entryOf('TLB_WRITE', 'tlb', 'la')};
  if (${fits(bits / 8, 'la')}) { m${bits}[1 : la + e] = ${v}; } else { slowStore(ip, la, ${bits / 8}, ${v}); ip = cur; %slow% }`;
/** Statements: h := host address of an operand that will be read and then written (or of the bounce buffer). */
export const modifyText = (bits: number, ea: string): string => `let la = ${ea}; let e = ${entryOf('TLB_WRITE', 'tlb', 'la')}; let h = la + e + 1;
  if (!(${fits(bits / 8, 'la')})) { h = slowModify(ip, la, ${bits / 8}); ip = cur; }`;
/** Statements that follow when the operand at h has been written. */
export const modifiedText = (bits: number): string => `if (h == BOUNCE) { cur = ip; rmwCommit(${bits / 8}); ip = cur; }`;

/** Out-of-line accessors for everything else. */
function access(bytes: number): string {
  const bits = bytes * 8;
  return `
throws fn rd${bits}(la: i32): i32 {
  let e = ${entryOf('TLB_READ', 'tlb', 'la')};
  if (${fits(bytes, 'la')}) { return ${cellOf(bytes)}[1 : la + e]; }
  return readSlow(la, ${bytes}, cpl == 3);
}
throws fn wr${bits}(la: i32, v: i32) {
  let e = ${entryOf('TLB_WRITE', 'tlb', 'la')};
  if (${fits(bytes, 'la')}) { ${cellOf(bytes)}[1 : la + e] = v; }
  else { writeSlow(la, ${bytes}, v, cpl == 3); }
}
throws fn srd${bits}(la: i32): i32 {
  let e = ${entryOf('TLB_READ', '(tlb & TLB_NONE)', 'la')};
  if (${fits(bytes, 'la')}) { return ${cellOf(bytes)}[1 : la + e]; }
  return readSlow(la, ${bytes}, 0);
}
throws fn swr${bits}(la: i32, v: i32) {
  let e = ${entryOf('TLB_WRITE', '(tlb & TLB_NONE)', 'la')};
  if (${fits(bytes, 'la')}) { ${cellOf(bytes)}[1 : la + e] = v; }
  else { writeSlow(la, ${bytes}, v, 0); }
}
fn physRead${bits}(pa: i32): i32 {
  if (isRam(pa & 0xfffff000)) { return ${cellOf(bytes)}[RAM : pa]; }
  charge(EV_DEVICEMEMORY);
  return mmioRead(pa, ${bytes})${bytes === 4 ? '' : ` & ${bytes === 1 ? 0xff : 0xffff}`};
}
fn physWrite${bits}(pa: i32, v: i32) {
  if (isRam(pa & 0xfffff000)) {
    if (m64[GRANULES : (pa >>> 12) << 3] != 0L) { touchCode(pa, ${bytes}); }
    ${cellOf(bytes)}[RAM : pa] = v;
  } else { charge(EV_DEVICEMEMORY); mmioWrite(pa, ${bytes}, v); afterDevice(); }
}
`;
}

export const memoryText = `
extern fn mmioRead(pa: i32, size: i32): i32;
extern fn mmioWrite(pa: i32, size: i32, value: i32);
extern fn codeWritten(pa: i32, size: i32);
extern fn fpuError(): i32;
extern fn fpuCleared();
extern fn dataAccess(la: i32, size: i32, write: i32);
const BOUNCE = ${L.cell('bounce')};

throws fn raiseFault(vector: i32) { faultVector = vector; faultError = 0; faultHasError = 0; raise; }
throws fn raiseError(vector: i32, error: i32) { faultVector = vector; faultError = error; faultHasError = 1; raise; }

${[1, 2, 4].map(access).join('')}

/// Drops micro-ops made from bytes that are about to change.
fn touchCode(pa: i32, size: i32) {
  let bits = m64[GRANULES : (pa >>> 12) << 3];
  let last = (pa + size - 1) & 0xfff;
  if (((bits >>> u64((pa & 0xfff) >>> 6)) | (bits >>> u64(last >>> 6))) & 1L) { codeWritten(pa, size); }
}

/// A device may have raised an interrupt or shortened the run: stop at the next instruction boundary.
fn afterDevice() {
  if (kicked) { breakAfter(); }
}

throws fn slowLoad(ip: i32, la: i32, size: i32): i32 {
  cur = ip;
  limitCheck(la, size);
  return readSlow(la, size, cpl == 3);
}

throws fn slowStore(ip: i32, la: i32, size: i32, v: i32) {
  cur = ip;
  limitCheck(la, size);
  writeSlow(la, size, v, cpl == 3);
}

/// Segment limits of the flat modes: only an address that has no TLB entry can violate one.
throws fn limitCheck(la: i32, size: i32) {
  let last = la + size - 1;
  if (last >=u la && (cpl != 3 || last <=u flatLimitU)) { return; }
  let n = m8[cur + ${L.U.seg}];
  if (n > 5) { return; }
  if (last <u la || last >u m32[${L.SEG + L.S.hi} : n << 5]) { raiseError(n == 2 ? 12 : 13, 0); }
}

throws fn readSlow(la: i32, size: i32, user: i32): i32 {
  if (tlb == TLB_NONE) { watch(la, size, 0, user); }
  let t = translate(la, 0, user);
  let offset = la & 0xfff;
  if (offset + size > 0x1000) { return readSplit(la, size, t & 0xfffff000, user); }
  tlbFill(la, t, user);
  let pa = (t & 0xfffff000) | offset;
  if (size == 4) { return physRead32(pa); }
  return size == 1 ? physRead8(pa) : physRead16(pa);
}

throws fn readSplit(la: i32, size: i32, page: i32, user: i32): i32 {
  let second = translate((la + size - 1) & 0xfffff000, 0, user) & 0xfffff000;
  let v = 0; let i = 0;
  while (i < size) {
    let at = la + i;
    let pa = (at & 0xfff) | (((at ^ la) & 0xfffff000) ? second : page);
    v |= physRead8(pa) << (i << 3);
    i += 1;
  }
  return v;
}

throws fn writeSlow(la: i32, size: i32, v: i32, user: i32) {
  if (tlb == TLB_NONE) { watch(la, size, 1, user); }
  let t = translate(la, 1, user);
  let offset = la & 0xfff;
  if (offset + size > 0x1000) { writeSplit(la, size, v, t & 0xfffff000, user); return; }
  tlbFill(la, t, user);
  let pa = (t & 0xfffff000) | offset;
  if (size == 4) { physWrite32(pa, v); }
  else if (size == 1) { physWrite8(pa, v); }
  else { physWrite16(pa, v); }
}

throws fn writeSplit(la: i32, size: i32, v: i32, page: i32, user: i32) {
  let second = translate((la + size - 1) & 0xfffff000, 1, user) & 0xfffff000;
  let i = 0;
  while (i < size) {
    let at = la + i;
    let pa = (at & 0xfff) | (((at ^ la) & 0xfffff000) ? second : page);
    physWrite8(pa, v >>> (i << 3));
    i += 1;
  }
}

/// Slow half of a modification: faults like a write, then hands out a buffer when the operand cannot be modified in place.
throws fn slowModify(ip: i32, la: i32, size: i32): i32 {
  cur = ip;
  limitCheck(la, size);
  return modify(la, size);
}

throws fn modify(la: i32, size: i32): i32 {
  let user = cpl == 3;
  if (tlb == TLB_NONE) { watch(la, size, 1, user); }
  let t = translate(la, 1, user);
  let page = t & 0xfffff000;
  rmwLa = la;
  if ((la & 0xfff) + size > 0x1000) {
    translate((la + size - 1) & 0xfffff000, 1, user);
    m32[BOUNCE] = readSplit(la, size, page, user);
    return BOUNCE;
  }
  tlbFill(la, t, user);
  if (isRam(page) && m64[GRANULES : page >>> 9] == 0L) { return RAM + (page | (la & 0xfff)); }
  let pa = page | (la & 0xfff);
  m32[BOUNCE] = size == 4 ? physRead32(pa) : size == 1 ? physRead8(pa) : physRead16(pa);
  return BOUNCE;
}

/// Writes the bounce buffer back; cannot fault because slowModify has checked the pages.
throws fn rmwCommit(size: i32) {
  let armed = tlb;
  if (armed == TLB_NONE) { tlb = cpl == 3 ? TLB_USER : 0; }
  writeSlow(rmwLa, size, m32[BOUNCE], cpl == 3);
  tlb = armed;
}

/// Checks that a range may be written by the current CPL, without writing.
throws fn probeWrite(la: i32, size: i32) {
  let user = cpl == 3;
  if (m32[TLB_WRITE : tlb + ((la >>> 10) & 0x3ffffc)] == 0) { tlbFill(la, translate(la, 1, user), user); }
  let last = la + size - 1;
  if ((last ^ la) & 0xfffff000) { tlbFill(last, translate(last & 0xfffff000, 1, user), user); }
}

/// Checks that a range may be read by the current CPL.
throws fn probeRead(la: i32, size: i32) {
  let user = cpl == 3;
  if (m32[TLB_READ : tlb + ((la >>> 10) & 0x3ffffc)] == 0) { tlbFill(la, translate(la, 0, user), user); }
  let last = la + size - 1;
  if ((last ^ la) & 0xfffff000) { tlbFill(last, translate(last & 0xfffff000, 0, user), user); }
}

/// 64-bit operands: two words, both checked first.
throws fn rd64(la: i32): i64 {
  probeRead(la, 8);
  let low = u64(rd32(la));
  return low | (u64(rd32(la + 4)) << 32L);
}
throws fn wr64(la: i32, v: i64) {
  probeWrite(la, 8);
  wr32(la, lo(v));
  wr32(la + 4, hi(v));
}

/// Armed accesses: alignment check (CR0.AM, EFLAGS.AC at CPL 3) and data breakpoints.
throws fn watch(la: i32, size: i32, write: i32, user: i32) {
  if (user && (eflags & AC) && (cr0 & 0x40000) && (la & (size - 1))) { raiseError(17, 0); }
  if (dr7 & 0xff) { trapBits |= matchBreakpoints(la, size, write ? 2 : 4); }
  if (debug & ${L.DEBUG.data}) { dataAccess(la, size, write); }
}

/// DR6 bits of the breakpoints that an access hits. kinds: 1 execute, 2 write, 4 read, 8 port.
fn matchBreakpoints(la: i32, size: i32, kinds: i32): i32 {
  let hit = 0; let i = 0;
  while (i < 4) {
    let control = dr7 >>> (16 + (i << 2));
    let wants = (control & 3) == 0 ? 1 : (control & 3) == 1 ? 2 : (control & 3) == 3 ? 6 : (cr4 & 8) ? 8 : 0;
    let length = (control & 3) == 0 ? 0 : (control >>> 2) & 3;
    let start = m32[${L.cell('dr0')} : i << 2] & ~length;
    if ((dr7 & (3 << (i << 1))) && (wants & kinds) && la <=u start + length && start <=u la + size - 1) { hit |= 1 << i; }
    i += 1;
  }
  return hit;
}

/// Segment check of a logical address: linear address, or #SS / #GP. need: 1 read, 2 write, 3 both.
throws fn segCheck(n: i32, offset: i32, size: i32, need: i32): i32 {
  let last = offset + size - 1;
  if ((m32[${L.SEG + L.S.ok} : n << 5] & need) != need || last >u m32[${L.SEG + L.S.hi} : n << 5]
      || offset <u m32[${L.SEG + L.S.lo} : n << 5] || last <u offset) {
    raiseError(n == 2 ? 12 : 13, 0);
  }
  return m32[${L.SEG + L.S.base} : n << 5] + offset;
}

inline fn segBase(n: i32): i32 { return m32[${L.SEG + L.S.base} : n << 5]; }
`;
