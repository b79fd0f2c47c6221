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
  fpuStatus &= ~X_C1;
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
  if (bTiny && !filled(7)) { signal(X_DE); }
  pushZ();
}

throws fn x87_fld(ip: i32) {
  let code = m32[IMM : ip];
  if ((code & 0xc0) == 0xc0) {
    fpuStatus &= ~X_C1;
    noteOperation(ip, code);
    if (filled(code & 7)) { takeA(code & 7); push(aSe, aSig); return; }
    // the pushed register may be full as well: that is one stack fault, an underflow
    if (underflowed()) { turn(-1); putZ(0); }
    return;
  }
  switch ((code >>> 8) & 7) {
    case 1: { fromSingle(fpuRead32()); }
    case 5: { fromDouble(fpuRead64()); }
    default: { fpuRead80(); }
  }
  noteOperation(ip, code);
  fpuStatus &= ~X_C1;
  if ((code & 0x200) || isNormal(bSe, bSig) && !bTiny) { push(bSe, bSig); } else { loadB(); }
}

throws fn x87_fild(ip: i32) {
  let code = m32[IMM : ip];
  if (!(code & 0x400)) { fromInt(i64(fpuRead32())); }
  else if (code & 0x20) { fromInt(fpuRead64()); }
  else { fromInt(i64(sext16(fpuRead16()))); }
  noteOperation(ip, code);
  fpuStatus &= ~X_C1;
  push(bSe, bSig);
}

// ---- stores

throws fn x87_fst(ip: i32) {
  let code = m32[IMM : ip];
  if ((code & 0xc0) == 0xc0) { storeRegister(ip, code); return; }
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
  fpuStatus &= ~X_C1;
  noteOperation(ip, code);
  let stores = 1;
  if (filled(0)) { takeA(0); setZ(aSe, aSig); }
  else if ((code & 0x7f8) == 0x1d8) { popStack(); return; }      // the D9 alias does not look at the tag
  else { stores = underflowed(); }
  if (!stores) { return; }
  putZ(code & 7);
  if ((code & 0x738) != 0x510) { popStack(); }
}

throws fn storeExtended(old: i32) {
  let stores = 1;
  if (filled(0)) { takeA(0); setZ(aSe, aSig); } else { stores = underflowed(); }
  try {
    if (stores) { fpuWrite80(zSig, zSe); } else { fpuProbe(10); zSe = STORE_NOTHING; }
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
  return roundTo(sign, exponentOf(aSe, aSig) - bias, normalized(aSig), 0L, drop, infinite, 0);
}

/// Whether a store of a (just taken from ST(0)) has nothing special: a normal number that stays one (exponents 1 to
/// most - 1), rounded to nearest, inexact results masked.
inline fn shortStore(e: i32, most: i32, rest: i64): i32 {
  return (fpuControl & 0xc20) == 0x20 && (e - 1) <u most - 1 && aSig < 0L && filled(0);
}

throws fn storeSingle(old: i32) {
  takeA(0);
  let e = (aSe & 0x7fff) - 16256;
  let rest = aSig << 24;
  if (shortStore(e, 0xfe, rest)) {
    let up = lo(rest >>> 63) & ((rest != X_TOP) | lo(aSig >>> 40)) & 1;
    // a carry out of the fraction goes to the exponent
    let v = ((e << 23) | (lo(aSig >>> 40) & 0x7fffff)) + up;
    try { fpuWrite32(v | ((aSe & 0x8000) << 16)); } catch { fpuStatus = old; raise; }
    if (rest != 0L) { fpuStatus |= X_PE | (up << 9); }
    zSe = 0;
    return;
  }
  let stores = narrowed(40, 16256, 0xff);
  let v = ((zSe & 0x8000) << 16) | ((zSe & 0xff) << 23) | (lo(zSig >>> 40) & 0x7fffff);
  try { if (stores) { fpuWrite32(v); } else { fpuProbe(4); zSe = STORE_NOTHING; } } catch { fpuStatus = old; raise; }
}

throws fn storeDouble(old: i32) {
  takeA(0);
  let e = (aSe & 0x7fff) - 15360;
  let rest = aSig << 53;
  if (shortStore(e, 0x7fe, rest)) {
    let up = rest >>> 63 & (u64(rest != X_TOP) | aSig >>> 11) & 1L;
    let v = ((u64(e) << 52) | (aSig >>> 11 & 0xfffffffffffffL)) + up;
    try { fpuWrite64(v | (u64(aSe & 0x8000) << 48)); } catch { fpuStatus = old; raise; }
    if (rest != 0L) { fpuStatus |= X_PE | (lo(up) << 9); }
    zSe = 0;
    return;
  }
  let stores = narrowed(11, 15360, 0x7ff);
  let v = (u64(zSe & 0x8000) << 48) | (u64(zSe & 0x7ff) << 52) | ((zSig >>> 11) & 0xfffffffffffffL);
  try { if (stores) { fpuWrite64(v); } else { fpuProbe(8); zSe = STORE_NOTHING; } } catch { fpuStatus = old; raise; }
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
  let old = fpuStatus;
  fpuStatus &= ~X_C1;
  let bits = (code & 0x20) ? 64 : (code & 0x400) ? 16 : 32;
  let stores = integerStored(bits);
  try {
    if (!stores) { fpuProbe(bits >>> 3); }
    else if (bits == 64) { fpuWrite64(zSig); }
    else if (bits == 32) { fpuWrite32(lo(zSig)); }
    else { fpuWrite16(lo(zSig)); }
  } catch { fpuStatus = old; raise; }
  noteOperation(ip, code);
  if (stores && (code & 8)) { popStack(); }
}

// ---- packed decimal

throws fn x87_fbld(ip: i32) {
  limitCheck(ea, 10);
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
  let old = fpuStatus;
  fpuStatus &= ~(X_C1 | X_IE);
  let stores = integerStored(64);
  let sign = aSe & 0x8000;
  let size = zSig < 0L ? -zSig : zSig;
  if (size >=u 1000000000000000000L && !(fpuStatus & X_IE)) {
    fpuStatus = old & ~X_C1;
    stores = notAnInteger(64);
  }
  try {
    fpuProbe(10);
    if (stores) {
      if (fpuStatus & X_IE) { wr64(ea, X_NAN); wr16(ea + 8, 0xffff); } else { storeDigits(size, sign); }
    }
  } catch { fpuStatus = old; raise; }
  fpuStatus |= old & X_IE;
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

const STOPPED = 0x10000;

/// Condition codes of a compared with b: 0 greater, C0 less, C3 equal, all three unordered; STOPPED is added when an
/// unmasked exception keeps the instruction from popping. quiet: quiet NaNs are not invalid.
fn compare(quiet: i32): i32 {
  let ka = kindOf(aSe, aSig); let kb = kindOf(bSe, bSig);
  if (ka >= K_QUIET || kb >= K_QUIET) {
    if (quiet && ka <= K_QUIET && kb <= K_QUIET) { return 0x4500; }
    return signal(X_IE) ? STOPPED | 0x4500 : 0x4500;
  }
  let stopped = 0;
  if (ka == K_TINY || kb == K_TINY || bTiny) { stopped = signal(X_DE) ? STOPPED : 0; }
  if (ka == K_ZERO && kb == K_ZERO) { return stopped | X_C3; }
  let sa = aSe & 0x8000;
  if (sa != (bSe & 0x8000)) { return stopped | (sa ? X_C0 : 0); }
  let ea1 = ka == K_ZERO ? -1000 : exponentOf(aSe, aSig); let eb = kb == K_ZERO ? -1000 : exponentOf(bSe, bSig);
  let ma = ka == K_ZERO ? 0L : normalized(aSig); let mb = kb == K_ZERO ? 0L : normalized(bSig);
  if (ea1 == eb && ma == mb) { return stopped | X_C3; }
  let less = ea1 < eb || (ea1 == eb && ma <u mb);
  return stopped | (less == (sa == 0) ? X_C0 : 0);
}

/// Compares ST(0) with b, or says that a register is empty.
inline fn compareTop(full: i32, quiet: i32): i32 {
  if (!full) { return signal(X_IE | X_SF) ? STOPPED | 0x4500 : 0x4500; }
  takeA(0);
  return compare(quiet);
}

inline throws fn compareTo(ip: i32, quiet: i32) {
  let code = m32[IMM : ip];
  let memory = (code & 0xc0) != 0xc0;
  // DE D9 and DA E9 compare with ST(1) and pop twice
  let both = (code & 0x7ff) == 0x6d9 || (code & 0x7ff) == 0x2e9;
  let i = memory ? 0 : both ? 1 : code & 7;
  if (memory) { fetchB(code); } else { takeB(i); }
  noteOperation(ip, code);
  fpuStatus &= ~X_C1;
  let result = compareTop(filled(0) && filled(i), quiet);
  fpuStatus = (fpuStatus & ~X_CC) | (result & X_CC);
  if (result & STOPPED) { return; }
  // memory: reg 3 pops; registers: D8 and DC and DD: reg odd, DE D0 always
  if (both) { popStack(); popStack(); }
  else if ((code & 8) || (code & 0x7f8) == 0x6d0) { popStack(); }
}
throws fn x87_fcom(ip: i32) { compareTo(ip, 0); }
throws fn x87_fucom(ip: i32) { compareTo(ip, 1); }

/// DB: to EFLAGS; DF: and pop.
inline throws fn compareFlags(ip: i32, quiet: i32) {
  let code = m32[IMM : ip];
  noteOperation(ip, code);
  takeB(code & 7);
  let full = filled(0) && filled(code & 7);
  if (!full) { fpuStatus &= ~X_C1; }
  let result = compareTop(full, quiet);
  // C3 C2 C0 are ZF PF CF
  setFlags((getFlags() & ~0x8d5) | ((result >>> 8) & 0x45));
  if ((code & 0x400) && !(result & STOPPED)) { popStack(); }
}
throws fn x87_fcomi(ip: i32) { compareFlags(ip, 0); }
throws fn x87_fucomi(ip: i32) { compareFlags(ip, 1); }

throws fn x87_ftst(ip: i32) {
  fpuStatus &= ~X_C1;
  noteOperation(ip, m32[IMM : ip]);
  bSe = 0; bSig = 0L; bTiny = 0;
  let result = compareTop(filled(0), 0);
  fpuStatus = (fpuStatus & ~X_CC) | (result & X_CC);
}

throws fn x87_fxam(ip: i32) {
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
  fpuStatus &= ~X_C1;
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
  noteOperation(ip, code);
  if (!(filled(0) && filled(code & 7))) {
    fpuStatus &= ~X_C1;
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
  noteOperation(ip, code);
  fpuFull &= ~(1 << ((topOf() + code) & 7));
  if (code & 0x200) { popStack(); }
}

throws fn x87_fincstp(ip: i32) { fpuStatus &= ~X_C1; noteOperation(ip, m32[IMM : ip]); turn(1); }
throws fn x87_fdecstp(ip: i32) { fpuStatus &= ~X_C1; noteOperation(ip, m32[IMM : ip]); turn(-1); }
throws fn x87_fnop(ip: i32) {}
${constantText}
`;
