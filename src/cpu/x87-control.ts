// x87 control instructions as microcode: control and status word, environment, FNSAVE/FRSTOR and FXSAVE/FXRSTOR images.
// (Intel SDM volume 1, 8.1.10 and 10.5.) Reads are all done before anything changes; writes that may fault come first.
import * as L from './layout.ts';

export const x87ControlText = `
throws fn x87_fwait(ip: i32) {}  // needFpu has done it
throws fn x87_fnclex(ip: i32) {
  fpuStatus &= 0x7f00;
  if (!(cr0 & 0x20)) { fpuCleared(); }
}

fn fpuInit() {
  fpuControl = 0x37f;
  fpuStatus = 0;
  fpuFull = 0;
  fpuIp = 0; fpuCs = 0; fpuDp = 0; fpuDs = 0; fpuOp = 0;
}
throws fn x87_fninit(ip: i32) {
  fpuInit();
  if (!(cr0 & 0x20)) { fpuCleared(); }
}

fn setControl(v: i32) { fpuControl = (v & 0x1f3f) | 0x40; }

throws fn x87_fldcw(ip: i32) {
  setControl(fpuRead16());
  summarize();
}
throws fn x87_fnstcw(ip: i32) { fpuWrite16(fpuControl | 0x40); }
throws fn x87_fnstsw(ip: i32) {
  if ((m32[IMM : ip] & 0xff) == 0xe0) { m16[addr(eax)] = fpuStatus; } else { fpuWrite16(fpuStatus); }
}

/// Checks an image in memory: \`first\` bytes at its start, then its last one. (The order shows in %cr2.)
throws fn reachWrite(first: i32, size: i32) { limitCheck(ea, size); probeWrite(ea, first); probeWrite(ea + size - 1, 1); }
throws fn reachRead(first: i32, size: i32) { limitCheck(ea, size); probeRead(ea, first); probeRead(ea + size - 1, 1); }

/// The tag word of the environment: two bits per physical register.
fn tagWord(): i32 {
  let word = 0;
  let i = 0;
  while (i < 8) {
    let tag = 3;
    if ((fpuFull >>> i) & 1) {
      let at = ${L.FPU} + (i << 4);
      let kind = kindOf(m16[at + 8], m64[at]);
      tag = kind == K_NORMAL ? 0 : kind == K_ZERO ? 1 : 2;
    }
    word |= tag << (i << 1);
    i += 1;
  }
  return word;
}

fn setTags(word: i32) {
  fpuFull = 0;
  let i = 0;
  while (i < 8) {
    if (((word >>> (i << 1)) & 3) != 3) { fpuFull |= 1 << i; }
    i += 1;
  }
}

/// Real mode and virtual 8086 mode store linear addresses and put the opcode in with them.
inline fn realFormat(): i32 { return !(cr0 & 1) || (eflags & 0x20000); }

throws fn storeEnvironment(size: i32) {
  let code = fpuIp; let data = fpuDp;
  let codeSel = fpuCs; let dataSel = fpuDs;
  if (realFormat()) {
    code += fpuCs << 4;
    data += fpuDs << 4;
    codeSel = ((code >>> 16) << 12) | fpuOp;
    dataSel = (data >>> 16) << 12;
  }
  reachWrite(size, 7 * size);
  if (size == 2) {
    wr16(ea, fpuControl | 0x40); wr16(ea + 2, fpuStatus); wr16(ea + 4, tagWord());
    wr16(ea + 6, code); wr16(ea + 8, codeSel); wr16(ea + 10, data); wr16(ea + 12, dataSel);
    return;
  }
  wr32(ea, 0xffff0000 | fpuControl | 0x40); wr32(ea + 4, 0xffff0000 | fpuStatus); wr32(ea + 8, 0xffff0000 | tagWord());
  if (realFormat()) {
    wr32(ea + 12, 0xffff0000 | code); wr32(ea + 16, ((code >>> 16) << 12) | fpuOp);
    wr32(ea + 20, 0xffff0000 | data); wr32(ea + 24, (data >>> 16) << 12);
    return;
  }
  wr32(ea + 12, code); wr32(ea + 16, (codeSel & 0xffff) | (fpuOp << 16));
  wr32(ea + 20, data); wr32(ea + 24, 0xffff0000 | dataSel);
}

throws fn loadEnvironment(size: i32) {
  reachRead(size, 7 * size);
  let control = rd16(ea); let status = rd16(ea + size); let tags = rd16(ea + 2 * size);
  if (size == 2) { loadPointers(rd16(ea + 6), rd16(ea + 8), rd16(ea + 10), rd16(ea + 12)); }
  else { loadPointers32(rd32(ea + 12), rd32(ea + 16), rd32(ea + 20), rd32(ea + 24)); }
  setControl(control);
  fpuStatus = status;
  setTags(tags);
  summarize();
}

fn loadPointers(code: i32, codeSel: i32, data: i32, dataSel: i32) {
  if (realFormat()) {
    fpuIp = code | ((codeSel & 0xf000) << 4); fpuCs = 0; fpuOp = codeSel & 0x7ff;
    fpuDp = data | ((dataSel & 0xf000) << 4); fpuDs = 0;
    return;
  }
  fpuIp = code; fpuCs = codeSel; fpuDp = data; fpuDs = dataSel;
}
fn loadPointers32(code: i32, codeSel: i32, data: i32, dataSel: i32) {
  if (realFormat()) {
    fpuIp = (code & 0xffff) | ((codeSel & 0xffff000) << 4); fpuCs = 0; fpuOp = codeSel & 0x7ff;
    fpuDp = (data & 0xffff) | ((dataSel & 0xffff000) << 4); fpuDs = 0;
    return;
  }
  fpuIp = code; fpuCs = codeSel & 0xffff; fpuOp = (codeSel >>> 16) & 0x7ff; fpuDp = data; fpuDs = dataSel & 0xffff;
}

throws fn x87_fnstenv(ip: i32) {
  let size = m8[${L.U.aux} : ip];
  let n = m16[${L.U.aux2} : ip];
  probeWrite(ea, size);
  segCheck(n, ea - segBase(n), 7 * size, 2);
  storeEnvironment(size);
  fpuControl |= 0x3f;
  summarize();
}
throws fn x87_fldenv(ip: i32) { loadEnvironment(m8[${L.U.aux} : ip]); }

throws fn x87_fnsave(ip: i32) {
  let size = m8[${L.U.aux} : ip];
  let registers = 7 * size;
  reachWrite(size, registers + 80);
  storeEnvironment(size);
  let i = 0;
  while (i < 8) {
    takeA(i);
    wr64(ea + registers + i * 10, aSig);
    wr16(ea + registers + i * 10 + 8, aSe);
    i += 1;
  }
  charge(EV_FPUSAVE);
  fpuInit();
}

throws fn x87_frstor(ip: i32) {
  let size = m8[${L.U.aux} : ip];
  let registers = 7 * size;
  reachRead(size, registers + 80);
  loadEnvironment(size);
  let i = 0;
  while (i < 8) {
    let at = st(i);
    m64[at] = rd64(ea + registers + i * 10);
    m16[at + 8] = rd16(ea + registers + i * 10 + 8);
    i += 1;
  }
  charge(EV_FPURESTORE);
}

// ---- FXSAVE image: no SSE here, so bytes 24..31 and everything from 160 on are neither written nor read

throws fn x87_fxsave(ip: i32) {
  if (ea & 15) { raiseError(13, 0); }
  probeWrite(ea + 511, 1);
  reachWrite(1, 512);
  wr16(ea, fpuControl | 0x40); wr16(ea + 2, fpuStatus); wr16(ea + 4, fpuFull & 0xff); wr16(ea + 6, fpuOp);
  wr32(ea + 8, fpuIp); wr32(ea + 12, fpuCs & 0xffff);
  wr32(ea + 16, fpuDp); wr32(ea + 20, fpuDs & 0xffff);
  let i = 0;
  while (i < 8) {
    takeA(i);
    let at = ea + 32 + (i << 4);
    wr64(at, aSig);
    wr32(at + 8, aSe);
    wr32(at + 12, 0);
    i += 1;
  }
  charge(EV_FPUSAVE);
}

throws fn x87_fxrstor(ip: i32) {
  if (ea & 15) { raiseError(13, 0); }
  probeRead(ea + 511, 1);
  reachRead(1, 512);
  setControl(rd16(ea));
  fpuStatus = rd16(ea + 2);
  fpuFull = rd8(ea + 4);
  fpuOp = rd16(ea + 6) & 0x7ff;
  fpuIp = rd32(ea + 8); fpuCs = rd16(ea + 12);
  fpuDp = rd32(ea + 16); fpuDs = rd16(ea + 20);
  summarize();
  let i = 0;
  while (i < 8) {
    let at = st(i);
    m64[at] = rd64(ea + 32 + (i << 4));
    m16[at + 8] = rd16(ea + 40 + (i << 4));
    i += 1;
  }
  charge(EV_FPURESTORE);
}
`;
