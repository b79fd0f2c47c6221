// x87 loads, stores, comparisons, constants, conditional moves and stack instructions as microcode. A store computes its
// value first and takes back what that did to the status word when the write faults. (Intel SDM volume 1, 8.3.)
import * as L from './layout.ts';

/** FLDcc: the constant truncated, and for which rounding controls (bit per RC value) its last bit is one more. */
const constants: [string, string, string, number][] = [
  ['fld1', '0x3fff', '0x8000000000000000', 0],
  ['fldl2t', '0x4000', '0xd49a784bcd1b8afe', 0b0100],
  ['fldl2e', '0x3fff', '0xb8aa3b295c17f0bb', 0b0101],
  ['fldpi', '0x4000', '0xc90fdaa22168c234', 0b0101],
  ['fldlg2', '0x3ffd', '0x9a209a84fbcff798', 0b0101],
  ['fldln2', '0x3ffe', '0xb17217f7d1cf79ab', 0b0101],
  ['fldz', '0', '0', 0],
];

const constantText = constants.map(([name, se, sig, up]) => `
throws fn x87_${name}(ip: i32) {
  beginFpu();
  noteOperation(ip, m32[IMM : ip]);
  setZ(${se}, ${sig}L + u64((${up} >>> ((fpuControl >>> 10) & 3)) & 1));
  pushZ();
}`).join('\n');

export const constantNames = constants.map(([name]) => name);

export const x87MoveText = `
const IMM = ${L.U.imm};

/// The last instruction's address, opcode and operand, for FNSTENV and #MF handlers.
inline fn noteOperation(ip: i32, code: i32) {
  fpuIp = vbase + m16[${L.U.off} : ip];
  fpuCs = csSel;
  fpuOp = code & 0x7ff;
  if ((code & 0xc0) != 0xc0) {
    let seg = m16[${L.U.aux2} : ip];
    fpuDp = ea - segBase(seg);
    fpuDs = m32[${L.SEG + L.S.sel} : seg << 5];
  }
}

// ---- loads

/// A converted memory operand goes on the stack: SNaN and denormals of the shorter formats raise exceptions.
fn loadB() {
  setZ(bSe, bSig);
  if (kindOf(bSe, bSig) == K_SIGNAL) {
    if (filled(7)) { pushZ(); return; }
    zSig |= X_NAN;
    if (signal(X_IE)) { return; }
  }
  if (bTiny && !filled(7)) { if (signal(X_DE)) { return; } }
  pushZ();
}

throws fn x87_fld(ip: i32) {
  let code = m32[IMM : ip];
  waitFpu();
  if ((code & 0xc0) == 0xc0) {
    fpuStatus &= ~X_C1;
    noteOperation(ip, code);
    if (filled(code & 7)) { takeA(code & 7); setZ(aSe, aSig); pushZ(); return; }
    // the pushed register may be full as well: that is one stack fault, an underflow
    if (underflowed()) { turn(-1); putZ(0); }
    return;
  }
  switch ((code >>> 8) & 7) {
    case 1: { fromSingle(rd32(ea)); }
    case 5: { fromDouble(rd64(ea)); }
    default: { loadExtended(); }
  }
  noteOperation(ip, code);
  fpuStatus &= ~X_C1;
  if (code & 0x200) { setZ(bSe, bSig); pushZ(); } else { loadB(); }
}

throws fn loadExtended() {
  probeRead(ea, 10);
  bSig = rd64(ea);
  bSe = rd16(ea + 8);
  bTiny = 0;
}

throws fn x87_fild(ip: i32) {
  let code = m32[IMM : ip];
  waitFpu();
  if (!(code & 0x400)) { fromInt(i64(rd32(ea))); }
  else if (code & 0x20) { fromInt(rd64(ea)); }
  else { fromInt(i64(sext16(rd16(ea)))); }
  noteOperation(ip, code);
  fpuStatus &= ~X_C1;
  setZ(bSe, bSig);
  pushZ();
}

// ---- stores

throws fn x87_fst(ip: i32) {
  let code = m32[IMM : ip];
  if ((code & 0xc0) == 0xc0) { storeRegister(ip, code); return; }
  waitFpu();
  let old = fpuStatus;
  fpuStatus &= ~X_C1;
  if ((code & 0x20) != 0) { storeExtended(old); }
  else if (code & 0x400) { storeDouble(old); }
  else { storeSingle(old); }
  noteOperation(ip, code);
  if ((code & 8) && zSe != STORE_NOTHING) { popStack(); }
}
const STORE_NOTHING = 0x10000;         // in zSe: an unmasked exception keeps the operand

/// Only the DD D0 form does not pop.
throws fn storeRegister(ip: i32, code: i32) {
  beginFpu();
  noteOperation(ip, code);
  let stores = 1;
  if (filled(0)) { takeA(0); setZ(aSe, aSig); } else { stores = underflowed(); }
  if (!stores) { return; }
  putZ(code & 7);
  if ((code & 0x738) != 0x510) { popStack(); }
}

throws fn storeExtended(old: i32) {
  let stores = 1;
  if (filled(0)) { takeA(0); setZ(aSe, aSig); } else { stores = underflowed(); }
  if (!stores) { zSe = STORE_NOTHING; return; }
  try {
    probeWrite(ea, 10);
    wr64(ea, zSig);
    wr16(ea + 8, zSe);
  } catch { fpuStatus = old; raise; }
}

/// z := ST(0) in a shorter format: zSe has the sign and the format's exponent, zSig the significand.
fn narrowed(drop: i32, bias: i32, infinite: i32): i32 {
  if (!filled(0)) {
    let stores = underflowed();
    setZ(0x8000 | infinite, X_NAN);
    return stores;
  }
  takeA(0);
  let ka = kindOf(aSe, aSig);
  let sign = aSe & 0x8000;
  if (ka == K_BAD) {
    let stores = invalid();
    setZ(0x8000 | infinite, X_NAN);
    return stores;
  }
  if (ka == K_ZERO) { setZ(sign, 0L); return 1; }
  if (ka >= K_INF) {
    setZ(sign | infinite, ka == K_INF ? X_TOP : aSig | X_NAN);
    return ka == K_SIGNAL ? !signal(X_IE) : 1;
  }
  if (ka == K_TINY) { if (signal(X_DE)) { return 0; } }
  return roundTo(sign, exponentOf(aSe, aSig) - bias, normalized(aSig), 0L, drop, infinite, 0);
}

throws fn storeSingle(old: i32) {
  if (!narrowed(40, 16256, 0xff)) { zSe = STORE_NOTHING; return; }
  let v = ((zSe & 0x8000) << 16) | ((zSe & 0xff) << 23) | (lo(zSig >>> 40) & 0x7fffff);
  try { wr32(ea, v); } catch { fpuStatus = old; raise; }
}

throws fn storeDouble(old: i32) {
  if (!narrowed(11, 15360, 0x7ff)) { zSe = STORE_NOTHING; return; }
  let v = (u64(zSe & 0x8000) << 48) | (u64(zSe & 0x7ff) << 52) | ((zSig >>> 11) & 0xfffffffffffffL);
  try { wr64(ea, v); } catch { fpuStatus = old; raise; }
}

/// z := ST(0) as a signed integer of a size in bits, in zSig. 0 when an unmasked exception forbids the store.
fn integerStored(bits: i32): i32 {
  if (!filled(0)) {
    let stores = underflowed();
    zSig = -1L << (bits - 1);
    return stores;
  }
  takeA(0);
  let ka = kindOf(aSe, aSig);
  let sign = aSe & 0x8000;
  if (ka == K_ZERO) { zSig = 0L; return 1; }
  if (ka >= K_INF || (aSe & 0x7fff) > X_ONE + 63) { return notAnInteger(bits); }
  let rest = integerOf(aSe, aSig);
  let up = roundsUp(sign, lo(zSig) & 1, rest);
  let size = zSig + u64(up);
  if (size - u64(sign != 0) >=u 1L << (bits - 1)) {
    if (size != 0L || sign == 0) { return notAnInteger(bits); }
  }
  zSig = sign ? -size : size;
  inexact(rest, up);
  return 1;
}

fn notAnInteger(bits: i32): i32 {
  zSig = -1L << (bits - 1);
  return !signal(X_IE);
}

throws fn x87_fist(ip: i32) {
  let code = m32[IMM : ip];
  waitFpu();
  let old = fpuStatus;
  fpuStatus &= ~X_C1;
  let bits = (code & 0x20) ? 64 : (code & 0x400) ? 16 : 32;
  let stores = integerStored(bits);
  if (stores) {
    try {
      if (bits == 64) { wr64(ea, zSig); }
      else if (bits == 32) { wr32(ea, lo(zSig)); }
      else { wr16(ea, lo(zSig)); }
    } catch { fpuStatus = old; raise; }
  }
  noteOperation(ip, code);
  if (stores && (code & 8)) { popStack(); }
}

// ---- packed decimal

throws fn x87_fbld(ip: i32) {
  waitFpu();
  probeRead(ea, 10);
  let n = 0L;
  let i = 8;
  while (i >= 0) {
    let digits = rd8(ea + i);
    n = n * 100L + i64((digits >>> 4) * 10 + (digits & 15));
    i -= 1;
  }
  let sign = (rd8(ea + 9) & 0x80) << 8;
  noteOperation(ip, m32[IMM : ip]);
  fpuStatus &= ~X_C1;
  fromInt(n);
  setZ(bSe | sign, bSig);
  pushZ();
}

throws fn x87_fbstp(ip: i32) {
  waitFpu();
  let old = fpuStatus;
  fpuStatus &= ~X_C1;
  let stores = integerStored(64);
  let sign = aSe & 0x8000;
  let size = zSig < 0L ? -zSig : zSig;
  let failed = (fpuStatus & ~old & X_IE) || zSig == X_TOP;
  if (size >=u 1000000000000000000L && !failed) {
    fpuStatus = old & ~X_C1;
    stores = notAnInteger(64);
    failed = 1;
  }
  if (stores) {
    try {
      probeWrite(ea, 10);
      if (failed) { wr64(ea, X_NAN); wr16(ea + 8, 0xffff); } else { storeDigits(size, sign); }
    } catch { fpuStatus = old; raise; }
  }
  noteOperation(ip, m32[IMM : ip]);
  if (stores) { popStack(); }
}

throws fn storeDigits(size: i64, sign: i32) {
  let i = 0;
  while (i < 9) {
    let pair = lo(size %u 100L);
    size = size /u 100L;
    wr8(ea + i, ((pair / 10) << 4) | (pair % 10));
    i += 1;
  }
  wr8(ea + 9, sign >>> 8);
}

// ---- comparisons

/// Condition codes of a compared with b: 0 greater, C0 less, C3 equal, all three unordered. -1 when an unmasked exception
/// stops the instruction. quiet: quiet NaNs are not invalid.
fn compare(quiet: i32): i32 {
  let ka = kindOf(aSe, aSig); let kb = kindOf(bSe, bSig);
  if (ka >= K_QUIET || kb >= K_QUIET) {
    if (quiet && ka <= K_QUIET && kb <= K_QUIET) { return 0x4500; }
    return signal(X_IE) ? -1 : 0x4500;
  }
  if (ka == K_TINY || kb == K_TINY || bTiny) { if (signal(X_DE)) { return -1; } }
  if (ka == K_ZERO && kb == K_ZERO) { return X_C3; }
  let sa = aSe & 0x8000;
  if (sa != (bSe & 0x8000)) { return sa ? X_C0 : 0; }
  let ea1 = ka == K_ZERO ? -1000 : exponentOf(aSe, aSig); let eb = kb == K_ZERO ? -1000 : exponentOf(bSe, bSig);
  let ma = ka == K_ZERO ? 0L : normalized(aSig); let mb = kb == K_ZERO ? 0L : normalized(bSig);
  if (ea1 == eb && ma == mb) { return X_C3; }
  let less = ea1 < eb || (ea1 == eb && ma <u mb);
  return less == (sa == 0) ? X_C0 : 0;
}

/// Compares ST(0) with b, or says that a register is empty.
inline fn compareTop(full: i32, quiet: i32): i32 {
  if (!full) { return signal(X_IE | X_SF) ? -1 : 0x4500; }
  takeA(0);
  return compare(quiet);
}

inline throws fn compareTo(ip: i32, quiet: i32) {
  let code = m32[IMM : ip];
  waitFpu();
  let memory = (code & 0xc0) != 0xc0;
  // DE D9 and DA E9 compare with ST(1) and pop twice
  let both = (code & 0x73f) == 0x619 || (code & 0x73f) == 0x229;
  let i = memory ? 0 : both ? 1 : code & 7;
  if (memory) { fetchB(code); } else { takeB(i); }
  noteOperation(ip, code);
  fpuStatus &= ~X_C1;
  let result = compareTop(filled(0) && filled(i), quiet);
  if (result < 0) { return; }
  fpuStatus = (fpuStatus & ~X_CC) | result;
  // memory: reg 3 pops; registers: D8 and DC and DD: reg odd, DE D0 always
  if (both) { popStack(); popStack(); }
  else if ((code & 8) || (code & 0x738) == 0x610) { popStack(); }
}
throws fn x87_fcom(ip: i32) { compareTo(ip, 0); }
throws fn x87_fucom(ip: i32) { compareTo(ip, 1); }

/// DB: to EFLAGS; DF: and pop.
inline throws fn compareFlags(ip: i32, quiet: i32) {
  let code = m32[IMM : ip];
  beginFpu();
  noteOperation(ip, code);
  takeB(code & 7);
  let result = compareTop(filled(0) && filled(code & 7), quiet);
  if (result < 0) { return; }
  // C3 C2 C0 are ZF PF CF
  setFlags((getFlags() & ~0x8d5) | ((result >>> 8) & 0x45));
  if (code & 0x400) { popStack(); }
}
throws fn x87_fcomi(ip: i32) { compareFlags(ip, 0); }
throws fn x87_fucomi(ip: i32) { compareFlags(ip, 1); }

throws fn x87_ftst(ip: i32) {
  beginFpu();
  noteOperation(ip, m32[IMM : ip]);
  bSe = 0; bSig = 0L; bTiny = 0;
  let result = compareTop(filled(0), 0);
  if (result >= 0) { fpuStatus = (fpuStatus & ~X_CC) | result; }
}

throws fn x87_fxam(ip: i32) {
  waitFpu();
  noteOperation(ip, m32[IMM : ip]);
  takeA(0);
  let class = 0x4100;
  if (filled(0)) {
    switch (kindOf(aSe, aSig)) {
      case K_ZERO: { class = 0x4000; }
      case K_TINY: { class = 0x4400; }
      case K_NORMAL: { class = 0x0400; }
      case K_INF: { class = 0x0500; }
      case K_BAD: { class = 0; }
      default: { class = 0x0100; }
    }
  }
  fpuStatus = (fpuStatus & ~X_CC) | class | ((aSe & 0x8000) ? X_C1 : 0);
}

// ---- moves between registers

throws fn x87_fxch(ip: i32) {
  let code = m32[IMM : ip];
  beginFpu();
  noteOperation(ip, code);
  let i = code & 7;
  if (!(filled(0) && filled(i))) {
    if (!underflowed()) { return; }
    if (!filled(0)) { putZ(0); }
    if (!filled(i)) { putZ(i); }
  }
  takeA(0);
  takeB(i);
  setZ(bSe, bSig);
  putZ(0);
  setZ(aSe, aSig);
  putZ(i);
}

throws fn x87_fcmov(ip: i32) {
  let code = m32[IMM : ip];
  beginFpu();
  noteOperation(ip, code);
  if (!(filled(0) && filled(code & 7))) {
    if (underflowed()) { putZ(0); }
    return;
  }
  let holds = 0;
  switch ((code >>> 3) & 3) {
    case 0: { holds = fx < 0; }
    case 1: { holds = fr == 0; }
    case 2: { holds = fx < 0 || fr == 0; }
    default: { holds = parity(); }
  }
  // DB: the negated conditions
  if ((holds != 0) == ((code & 0x100) != 0)) { return; }
  takeA(code & 7);
  setZ(aSe, aSig);
  putZ(0);
}

throws fn x87_ffree(ip: i32) {
  let code = m32[IMM : ip];
  waitFpu();
  noteOperation(ip, code);
  fpuFull &= ~(1 << ((topOf() + code) & 7));
  if (code & 0x200) { popStack(); }
}

throws fn x87_fincstp(ip: i32) { beginFpu(); noteOperation(ip, m32[IMM : ip]); turn(1); }
throws fn x87_fdecstp(ip: i32) { beginFpu(); noteOperation(ip, m32[IMM : ip]); turn(-1); }
throws fn x87_fnop(ip: i32) { if ((m32[IMM : ip] & 0x700) == 0x100) { waitFpu(); } }
${constantText}
`;
