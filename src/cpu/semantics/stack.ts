// Instructions on the stack that are calls: general-width PUSH and POP, PUSHA/POPA, PUSHF/POPF, ENTER, LEAVE, near
// returns and calls in 16-bit code. The flat 32-bit forms of the hot ones are inline handlers.

import { SEG, S } from '../layout.ts';

export const stackText = `
throws fn pushValue(size: i32, v: i32) {
  openStack();
  pushSized(size, v);
  commitStack();
}
throws fn popValue(size: i32): i32 {
  openStack();
  let v = popSized(size);
  commitStack();
  return v;
}

/// PUSH Sreg: a 32-bit push writes only the low half on P6 processors.
throws fn pushSegment(size: i32, n: i32) {
  let sel = m32[${SEG + S.sel} : n << 5];
  openStack();
  if (size == 4) {
    let offset = (vsp - 4) & vsMask;
    wr16(stackLinear(offset, 4, 2), sel);
    vsp = offset;
  } else { push16(sel); }
  commitStack();
}
throws fn popSegment(size: i32, n: i32) {
  openStack();
  loadSegment(n, popSized(size) & 0xffff);
  commitStack();
  if (n == 2) { castStackShadow(); }
}

/// PUSHA: a fault in the middle leaves what was pushed below ESP.
throws fn pushAll(size: i32) {
  openStack();
  let host = size == 4 ? stackBelow(32) : 0;
  if (host) {
    m32[28 : host] = eax; m32[24 : host] = ecx; m32[20 : host] = edx; m32[16 : host] = ebx;
    m32[12 : host] = esp; m32[8 : host] = ebp; m32[4 : host] = esi; m32[host] = edi;
    esp -= 32;
    return;
  }
  pushSized(size, eax); pushSized(size, ecx); pushSized(size, edx); pushSized(size, ebx);
  pushSized(size, esp); pushSized(size, ebp); pushSized(size, esi); pushSized(size, edi);
  commitStack();
}
/// POPA: a page fault in the middle leaves the registers popped so far, as silicon does; restarting repeats them.
throws fn popAll(size: i32) {
  openStack();
  let host = size == 4 ? stackAbove(32) : 0;
  if (host) {
    edi = m32[host]; esi = m32[4 : host]; ebp = m32[8 : host]; ebx = m32[16 : host];
    edx = m32[20 : host]; ecx = m32[24 : host]; eax = m32[28 : host];
    esp += 32;
    return;
  }
  let keep = size == 4 ? 0 : 0xffff0000;
  edi = (edi & keep) | popSized(size); esi = (esi & keep) | popSized(size); ebp = (ebp & keep) | popSized(size);
  popSized(size);
  ebx = (ebx & keep) | popSized(size); edx = (edx & keep) | popSized(size);
  ecx = (ecx & keep) | popSized(size); eax = (eax & keep) | popSized(size);
  commitStack();
}

throws fn pushFlags(size: i32) {
  if ((eflags & VM) && (eflags & 0x3000) != 0x3000) { raiseError(13, 0); }
  pushValue(size, getFlags() & ~(RF | VM));
}
throws fn popFlags(size: i32) {
  if ((eflags & VM) && (eflags & 0x3000) != 0x3000) { raiseError(13, 0); }
  let bits = changeableFlags(size);
  let f = popValue(size);
  charge(EV_FLAGSLOAD);
  setFlags((getFlags() & ~bits & ~(size == 4 ? RF : 0)) | (f & bits));
}

throws fn enterFrame(size: i32, frame: i32, levels: i32) {
  let depth = levels & 31;
  openStack();
  let bp = ebp;
  pushSized(size, bp);
  let pointer = vsMask == -1 ? vsp : (esp & 0xffff0000) | (vsp & 0xffff);
  if (depth > 0) {
    let i = 1;
    while (i < depth) {
      bp -= size;
      let la = stackLinear(bp & vsMask, size, 1);
      pushSized(size, size == 4 ? rd32(la) : rd16(la));
      i += 1;
    }
    pushSized(size, pointer);
  }
  vsp = vsp - frame;
  let top = vsp & vsMask;
  probeWrite(stackLinear(top, size, 2), size);
  commitStack();
  if (size == 4) { ebp = pointer; } else { ebp = (ebp & 0xffff0000) | (pointer & 0xffff); }
}
throws fn leaveFrame(size: i32) {
  openStack();
  vsp = ebp;
  let v = popSized(size);
  commitStack();
  if (size == 4) { ebp = v; } else { ebp = (ebp & 0xffff0000) | v; }
}

/// Near transfers of every operand size. target is already truncated.
throws fn nearJump(target: i32) {
  if (target >u csHi) { raiseError(13, 0); }
  eip = target;
}
throws fn nearCall(size: i32, target: i32) {
  openStack();
  if (target >u csHi) { probePush(size); raiseError(13, 0); }
  pushSized(size, eip);
  commitStack();
  eip = target;
}
throws fn nearReturn(size: i32, dropped: i32) {
  openStack();
  let target = popSized(size);
  if (target >u csHi) { raiseError(13, 0); }
  vsp = vsp + dropped;
  commitStack();
  eip = target;
}
`;
