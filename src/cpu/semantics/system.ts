// System instructions: I/O permission, control and debug registers, descriptor-table registers, selector tests, CPUID,
// MSRs, time stamp, HLT, BOUND, CMPXCHG8B and flags instructions. (Intel SDM vol. 2 and vol. 3, chapter 2.)
import { cell, U } from '../layout.ts';

export const systemText = `
extern fn portRead(port: i32, size: i32): i32;
extern fn portWrite(port: i32, size: i32, value: i32);

inline fn iopl(): i32 { return (eflags >>> 12) & 3; }

throws fn needRing0() { if ((cr0 & 1) && cpl != 0) { raiseError(13, 0); } }
throws fn needProtected() { if (realLike()) { raiseFault(6); } }

/// I/O permission: IOPL, then the bitmap of a 32-bit TSS.
throws fn checkPort(port: i32, size: i32) {
  if (!(cr0 & 1)) { return; }
  if (!(eflags & VM) && cpl <= iopl()) { return; }
  if (!trOk || !(trAttr & 8) || trLimit <u 0x67) { raiseError(13, 0); }
  let at = srd16(trBase + 0x66) + (port >>> 3);
  if (at + 1 >u trLimit) { raiseError(13, 0); }
  let bits = srd16(trBase + at) >>> (port & 7);
  if (bits & ((1 << size) - 1)) { raiseError(13, 0); }
}

/// Permission for a port access, and the I/O breakpoints of CR4.DE, which trap after it.
throws fn usePort(port: i32, size: i32) {
  checkPort(port, size);
  if ((dr7 & 0xff) && (cr4 & 8)) { trapBits |= matchBreakpoints(port, size, 8); }
}

throws fn input(port: i32, size: i32) {
  usePort(port, size);
  charge(EV_PORTREAD);
  let v = portRead(port, size);
  if (size == 4) { eax = v; } else if (size == 1) { setAl(v); } else { setAx(v); }
}
throws fn output(port: i32, size: i32) {
  usePort(port, size);
  charge(EV_PORTWRITE);
  portWrite(port, size, size == 4 ? eax : size == 1 ? eax & 0xff : eax & 0xffff);
}

throws fn clearInterrupts() {
  if ((cr0 & 1) && ((eflags & VM) ? iopl() != 3 : cpl > iopl())) { raiseError(13, 0); }
  charge(EV_FLAGSLOAD);
  eflags &= ~IF;
}
throws fn setInterrupts() {
  if ((cr0 & 1) && ((eflags & VM) ? iopl() != 3 : cpl > iopl())) { raiseError(13, 0); }
  charge(EV_FLAGSLOAD);
  if (!(eflags & IF)) { castShadow(); }
  eflags |= IF;
  if (irq) { kick(); }
}
throws fn halt() { needRing0(); halted = 1; kick(); }

throws fn moveToControl(n: i32, v: i32) {
  needRing0();
  charge(n == 3 ? EV_DIRECTORYLOAD : EV_CONTROLLOAD);
  if (n == 0) { writeCr0(v); }
  else if (n == 2) { cr2 = v; }
  else if (n == 3) { cr3 = v; tlbFlush((cr4 >>> 7) & 1); }
  else if (n == 4) {
    if (v & 0xfffff823) { raiseError(13, 0); }      // VME, PVI and PAE, which CPUID does not report, are reserved
    cr4 = v; tlbFlush(0);
  }
  else { raiseFault(6); }
}
throws fn writeCr0(v: i32) {
  if ((v & 0x80000000) && !(v & 1)) { raiseError(13, 0); }
  if ((v & 0x20000000) && !(v & 0x40000000)) { raiseError(13, 0); }
  let old = cr0;
  cr0 = (v & 0xe005003f) | 0x10;
  if ((old ^ cr0) & 0x80010001) { tlbFlush(0); }
  if ((old ^ cr0) & 1) { cpl = 0; }
  refreshMode();
}
throws fn moveFromControl(n: i32): i32 {
  needRing0();
  if (n == 1 || n > 4) { raiseFault(6); }
  return m32[${cell('cr0')} : (n == 0 ? 0 : n - 1) << 2];
}
throws fn loadMachineStatus(v: i32) {
  needRing0();
  charge(EV_CONTROLLOAD);
  writeCr0((cr0 & ~0xe) | (v & 0xe) | ((v | cr0) & 1));
}
throws fn clearTaskSwitched() { needRing0(); charge(EV_CONTROLLOAD); cr0 &= ~8; }

throws fn debugIndex(n: i32): i32 {
  if (n == 4 || n == 5) {
    if (cr4 & 8) { raiseFault(6); }
    return n + 2;
  }
  return n;
}
throws fn moveToDebug(register: i32, v: i32) {
  let n = debugIndex(register);
  needRing0();
  debugGuard();
  if (n == 6) { dr6 = (v & 0xe00f) | 0xffff0ff0; }
  else if (n == 7) { dr7 = (v & 0xffff2fff) | 0x400; }
  else { m32[${cell('dr0')} : n << 2] = v; }
  refreshMode();
}
throws fn moveFromDebug(register: i32): i32 {
  let n = debugIndex(register);
  needRing0();
  debugGuard();
  return m32[${cell('dr0')} : (n >= 6 ? n - 2 : n) << 2];
}
throws fn debugGuard() {
  if (dr7 & 0x2000) { dr6 |= 0x2000; dr7 &= ~0x2000; raiseFault(1); }
}

throws fn invalidatePage(la: i32) { needRing0(); charge(EV_TLBINVALIDATE); tlbDrop(la); }

// ---- descriptor tables ----

throws fn storeTable(la: i32, base: i32, limit: i32, size: i32) {
  probeWrite(la, 6);
  wr16(la, limit);
  wr32(la + 2, base);
}
throws fn loadGdt(la: i32, size: i32) {
  needRing0();
  charge(EV_TABLELOAD);
  let limit = rd16(la); let base = rd32(la + 2);
  gdtLimit = limit; gdtBase = size == 4 ? base : base & 0xffffff;
}
throws fn loadIdt(la: i32, size: i32) {
  needRing0();
  charge(EV_TABLELOAD);
  let limit = rd16(la); let base = rd32(la + 2);
  idtLimit = limit; idtBase = size == 4 ? base : base & 0xffffff;
}
throws fn loadLocalTable(sel: i32) {
  needProtected(); needRing0();
  charge(EV_TABLELOAD);
  if (!(sel & 0xfffc)) { setSeg(6, sel, 0, 0, 0); return; }
  if (sel & 4) { badSelector(13, sel); }
  readDescriptor(sel, 13);
  if (txType() != 2) { badSelector(13, sel); }
  if (!txPresent()) { badSelector(11, sel); }
  loadTx(6, sel);
}
throws fn loadTaskRegister(sel: i32) {
  needProtected(); needRing0();
  charge(EV_TABLELOAD);
  if (!(sel & 0xfffc)) { raiseError(13, 0); }
  if (sel & 4) { badSelector(13, sel); }
  readDescriptor(sel, 13);
  if ((txType() & 0x17) != 1) { badSelector(13, sel); }
  if (!txPresent()) { badSelector(11, sel); }
  txHi |= 0x200;
  swr8(txAt + 5, txHi >>> 8);
  loadTx(7, sel);
}

// ---- selector tests: 1 = the descriptor is there (in tx*) ----

throws fn findDescriptor(sel: i32): i32 {
  if (!(sel & 0xfffc)) { return 0; }
  let limit = (sel & 4) ? (ldtrOk ? ldtrLimit : -1) : gdtLimit;
  if ((sel & 4) && !ldtrOk) { return 0; }
  if ((sel | 7) >u limit) { return 0; }
  readDescriptor(sel, 13);
  return 1;
}
fn levelsAllow(sel: i32): i32 {
  return txConforming() || (cpl <= txDpl() && (sel & 3) <= txDpl());
}
inline fn setZero(z: i32) { let f = getFlags(); setArith((f & ~ZF) | (z << 6)); }

/// LAR: 1 and the rights in tmp0.
throws fn accessRights(sel: i32): i32 {
  needProtected();
  if (!findDescriptor(sel)) { return 0; }
  let type = txType();
  if (type < 16) { if (!((0x1a3e >>> type) & 1)) { return 0; } }
  if (!levelsAllow(sel)) { return 0; }
  tmp0 = txHi & 0x00ffff00;
  return 1;
}
/// LSL: 1 and the limit in tmp0.
throws fn segmentLimit(sel: i32): i32 {
  needProtected();
  if (!findDescriptor(sel)) { return 0; }
  let type = txType();
  if (type < 16) { if (!((0x0a0e >>> type) & 1)) { return 0; } }
  if (!levelsAllow(sel)) { return 0; }
  tmp0 = txLimit();
  return 1;
}
throws fn verify(sel: i32, write: i32): i32 {
  needProtected();
  if (!findDescriptor(sel) || !(txHi & 0x1000)) { return 0; }
  if (write) { if (!txIsWritableData()) { return 0; } }
  else if (!txIsReadable()) { return 0; }
  return levelsAllow(sel);
}

// ---- the rest ----

throws fn boundCheck(n: i32, index: i32, size: i32) {
  let low = boundAt(segCheck(n, ea, size, 1), size);
  let high = boundAt(segCheck(n, eaPlus(size), size, 1), size);
  let i = size == 4 ? index : (index << 16) >> 16;
  if (i < low || i > high) { raiseFault(5); }
}
throws fn boundAt(la: i32, size: i32): i32 {
  if (size == 4) { return rd32(la); }
  return (rd16(la) << 16) >> 16;
}

throws fn compareExchange8(la: i32) {
  probeWrite(la, 8);
  let low = rd32(la); let high = rd32(la + 4);
  let same = low == eax && high == edx;
  wr32(la, same ? ebx : low); wr32(la + 4, same ? ecx : high);
  if (!same) { eax = low; edx = high; }
  setZero(same);
}

/// Instructions retired, as seen by the instruction itself.
fn retired(): i64 { return icEnd - i64(left) - i64(m8[${U.rem} : cur]); }

throws fn readTimeStamp() {
  if ((cr4 & 4) && cpl != 0) { raiseError(13, 0); }
  let t = cycles() + tsc;
  eax = lo(t); edx = hi(t);
  charge(EV_TIMESTAMP);
}

fn identify() {
  charge(EV_SERIALIZE);
  if (eax == 0) { eax = 1; ebx = 0x756e6547; edx = 0x49656e69; ecx = 0x6c65746e; }
  else {
    // family 6, FPU DE PSE TSC MSR CX8 SEP PGE CMOV FXSR
    eax = 0x00000673; ebx = 0; ecx = 0;
    edx = 0x0100a93d;
  }
}

/// MSRs of a P6 that read as zero and ignore writes: platform identification, power-on configuration, microcode revision.
/// Two more have no effect but values: the local APIC's place, which does not move, and the page attribute table.
fn quietMsr(): i32 { return ecx == 0x17 || ecx == 0x2a || ecx == 0x8b; }

/// A half of the page attribute table with memory types that do not exist: 2, 3 and those above 7.
fn badTypes(types: i32): i32 { return (types & 0xf8f8f8f8) != 0 || ((types >> 1) & ~(types >> 2) & 0x01010101) != 0; }

throws fn readMsr() {
  needRing0();
  charge(EV_MODELREGISTER);
  if (ecx == 0x10) { let t = cycles() + tsc; eax = lo(t); edx = hi(t); }
  else if (ecx == 0x174) { eax = sysenterCs; edx = 0; }
  else if (ecx == 0x175) { eax = sysenterEsp; edx = 0; }
  else if (ecx == 0x176) { eax = sysenterEip; edx = 0; }
  else if (ecx == 0x1b) { eax = 0xfee00900; edx = 0; }
  else if (ecx == 0x277) { eax = patLow; edx = patHigh; }
  else if (quietMsr()) { eax = 0; edx = 0; }
  else { raiseError(13, 0); }
}
throws fn writeMsr() {
  needRing0();
  charge(EV_MODELREGISTER);
  if (ecx == 0x10) { tsc = (u64(eax) | (u64(edx) << 32L)) - cycles(); }
  else if (ecx == 0x174) { sysenterCs = eax & 0xffff; }
  else if (ecx == 0x175) { sysenterEsp = eax; }
  else if (ecx == 0x176) { sysenterEip = eax; }
  else if (ecx == 0x277) {
    if (badTypes(eax) || badTypes(edx)) { raiseError(13, 0); }
    patLow = eax; patHigh = edx;
  }
  else if (ecx == 0x1b || quietMsr()) { }
  else { raiseError(13, 0); }
}

/// #NM for x87 instructions, then a pending #MF. how: bit 0 for FWAIT, which CR0.MP lets through; bit 1 for instructions
/// that wait.
throws fn needFpu(how: i32) {
  if ((how & 1) ? (cr0 & 10) == 10 : (cr0 & 12) != 0) { raiseFault(7); }
  if ((how & 2) && (fpuStatus & 0x80)) { fpuFails(); }
}

/// A pending x87 error: #MF, or with CR0.NE clear FERR#, at which the processor waits for an interrupt before it tries the
/// instruction again, unless IGNNE# tells it to go on. (Intel SDM vol. 1, 8.7.)
throws fn fpuFails() {
  let answer = (cr0 & 0x20) ? 0 : fpuError();
  if (answer == 0) { raiseFault(16); }
  if (answer == 1) { raiseFault(WAIT_FOR_INTERRUPT); }
}
`;
