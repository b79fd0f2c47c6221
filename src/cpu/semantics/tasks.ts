// Hardware task switching (Intel SDM vol. 3, chapter 7). A fault up to the point of no return belongs to the old task;
// later ones belong to the new one, whose eip is then the return address.

export const tasksText = `
const SWITCH_JUMP = 0; const SWITCH_CALL = 1; const SWITCH_IRET = 2;

/// RF for the outgoing task's EFLAGS when a fault switches tasks.
global taskRf: i32 = 0;

/// Switches to the available (or, for IRET, busy) TSS described by tx*. eip: where the old task will resume.
throws fn taskSwitch(sel: i32, how: i32) {
  let at = txAt; let descriptorHi = txHi;
  let base = txBaseOf(); let limit = txLimit();
  let wide = (txHi >>> 8) & 8;
  charge(EV_TASKSWITCH);
  if (limit <u (wide ? 0x67 : 0x2b)) { badSelector(10, sel); }
  let oldWide = trAttr & 8;
  let oldFlags = getFlags() | taskRf;
  taskRf = 0;
  if (how == SWITCH_IRET) { oldFlags &= ~NT; }
  probeSystem(trBase, oldWide ? 0x67 : 0x2b, 1);
  probeSystem(base, wide ? 0x67 : 0x2b, how == SWITCH_CALL);
  if (how != SWITCH_CALL) { swr8(gdtBase + (trSel & 0xfff8) + 5, srd8(gdtBase + (trSel & 0xfff8) + 5) & ~2); }
  if (oldWide) { saveTask32(oldFlags); } else { saveTask16(oldFlags); }
  if (how == SWITCH_CALL) { swr16(base, trSel); }
  if (how != SWITCH_IRET) { descriptorHi |= 0x200; swr8(at + 5, descriptorHi >>> 8); }
  // the new task
  setSeg(7, sel, base, limit, ((descriptorHi >>> 8) & 0xf0ff) | 2);
  cr0 |= 8;
  if (wide) { loadTask32(base, how); } else { loadTask16(base, how); }
}

/// Faults now if a range of system memory is not accessible.
throws fn probeSystem(la: i32, size: i32, write: i32) {
  translate(la, write, 0);
  if (((la + size) ^ la) & 0xfffff000) { translate((la + size) & 0xfffff000, write, 0); }
}

throws fn saveTask32(flags: i32) {
  let t = trBase;
  swr32(t + 0x20, eip); swr32(t + 0x24, flags);
  swr32(t + 0x28, eax); swr32(t + 0x2c, ecx); swr32(t + 0x30, edx); swr32(t + 0x34, ebx);
  swr32(t + 0x38, esp); swr32(t + 0x3c, ebp); swr32(t + 0x40, esi); swr32(t + 0x44, edi);
  swr16(t + 0x48, esSel); swr16(t + 0x4c, csSel); swr16(t + 0x50, ssSel); swr16(t + 0x54, dsSel);
  swr16(t + 0x58, fsSel); swr16(t + 0x5c, gsSel);
}

throws fn saveTask16(flags: i32) {
  let t = trBase;
  swr16(t + 0x0e, eip); swr16(t + 0x10, flags);
  swr16(t + 0x12, eax); swr16(t + 0x14, ecx); swr16(t + 0x16, edx); swr16(t + 0x18, ebx);
  swr16(t + 0x1a, esp); swr16(t + 0x1c, ebp); swr16(t + 0x1e, esi); swr16(t + 0x20, edi);
  swr16(t + 0x22, esSel); swr16(t + 0x24, csSel); swr16(t + 0x26, ssSel); swr16(t + 0x28, dsSel);
}

throws fn loadTask32(base: i32, how: i32) {
  let newCr3 = srd32(base + 0x1c);
  let newEip = srd32(base + 0x20);
  let flags = srd32(base + 0x24);
  let r0 = srd32(base + 0x28); let r1 = srd32(base + 0x2c); let r2 = srd32(base + 0x30); let r3 = srd32(base + 0x34);
  let r4 = srd32(base + 0x38); let r5 = srd32(base + 0x3c); let r6 = srd32(base + 0x40); let r7 = srd32(base + 0x44);
  let es = srd16(base + 0x48); let cs = srd16(base + 0x4c); let ss = srd16(base + 0x50); let ds = srd16(base + 0x54);
  let fs = srd16(base + 0x58); let gs = srd16(base + 0x5c); let ldt = srd16(base + 0x60);
  let debug = srd16(base + 0x64) & 1;
  eax = r0; ecx = r1; edx = r2; ebx = r3; esp = r4; ebp = r5; esi = r6; edi = r7;
  if ((cr0 & 0x80000000) && newCr3 != cr3) { cr3 = newCr3; tlbFlush((cr4 >>> 7) & 1); }
  enterTask(newEip, flags, how);
  taskSegments(es, cs, ss, ds, fs, gs, ldt, flags);
  if (debug) { trapBits |= 0x8000; kick(); }
  if (newEip >u csHi) { raiseError(13, 0); }
}

throws fn loadTask16(base: i32, how: i32) {
  let newEip = srd16(base + 0x0e);
  let flags = srd16(base + 0x10);
  let r0 = srd16(base + 0x12); let r1 = srd16(base + 0x14); let r2 = srd16(base + 0x16); let r3 = srd16(base + 0x18);
  let r4 = srd16(base + 0x1a); let r5 = srd16(base + 0x1c); let r6 = srd16(base + 0x1e); let r7 = srd16(base + 0x20);
  let es = srd16(base + 0x22); let cs = srd16(base + 0x24); let ss = srd16(base + 0x26); let ds = srd16(base + 0x28);
  let ldt = srd16(base + 0x2a);
  eax = r0; ecx = r1; edx = r2; ebx = r3; esp = r4; ebp = r5; esi = r6; edi = r7;
  enterTask(newEip, flags, how);
  taskSegments(es, cs, ss, ds, 0, 0, ldt, flags);
  if (newEip >u csHi) { raiseError(13, 0); }
}

/// From here on faults belong to the new task.
fn enterTask(newEip: i32, flags: i32, how: i32) {
  cur = IDLE;
  eip = newEip;
  let f = how == SWITCH_CALL ? flags | NT : flags;
  setArith(f);
  eflags = (f & ~ARITH & 0x277fd7) | 2;
  dr7 &= ~0x155;
}

throws fn taskSegments(es: i32, cs: i32, ss: i32, ds: i32, fs: i32, gs: i32, ldt: i32, flags: i32) {
  let ext = external;
  setSeg(0, es, 0, 0, 0); setSeg(1, cs, 0, 0, 0); setSeg(2, ss, 0, 0, 0); setSeg(3, ds, 0, 0, 0);
  setSeg(4, fs, 0, 0, 0); setSeg(5, gs, 0, 0, 0); setSeg(6, ldt, 0, 0, 0);
  cpl = (eflags & VM) ? 3 : cs & 3;
  refreshMode();
  if (ldt & 0xfffc) {
    if (ldt & 4) { badSelector(10, ldt); }
    readDescriptor(ldt, 10);
    if (txType() != 2 || !txPresent()) { badSelector(10, ldt); }
    loadTx(6, ldt);
  }
  if (eflags & VM) {
    setParagraph(0, es); setParagraph(1, cs); setParagraph(2, ss); setParagraph(3, ds); setParagraph(4, fs); setParagraph(5, gs);
    refreshMode();
    return;
  }
  if (!(cs & 0xfffc)) { badSelector(10, cs); }
  readDescriptor(cs, 10);
  if (!txIsCode() || (txConforming() ? txDpl() > (cs & 3) : txDpl() != (cs & 3))) { badSelector(10, cs); }
  if (!txPresent()) { badSelector(11, cs); }
  let codeLo = txLo; let codeHi = txHi; let codeAt = txAt;
  if (!(ss & 0xfffc)) { badSelector(10, ss); }
  readDescriptor(ss, 10);
  checkStackSegment(ss, cpl, 10);
  markAccessed();
  loadTx(2, ss);
  txLo = codeLo; txHi = codeHi; txAt = codeAt;
  markAccessed();
  loadCs(cs, cpl);
  refreshMode();
  taskData(0, es); taskData(3, ds); taskData(4, fs); taskData(5, gs);
  refreshMode();
}

throws fn taskData(n: i32, sel: i32) {
  if (!(sel & 0xfffc)) { return; }
  readDescriptor(sel, 10);
  checkDataSegment(sel, 10);
  markAccessed();
  loadTx(n, sel);
}
`;
