// x87 arithmetic as microcode: exact integer algorithms on 64-bit significands, then one rounding. Each computes z from a
// and b (see x87-values.ts) and says whether z is to be stored; an unmasked exception that is found before there is a
// result keeps the operands. Order of checks: empty register, unsupported format, NaN, other invalid operation or division by
// zero, denormal operand (Intel SDM volume 1, 4.9.2).
export const x87ArithmeticText = `
global restLow: i64 = 0L;          // remainder of divide()

// ---- 128-bit integers

inline fn mulHighHere(a: i64, b: i64): i64 {
  let al = a & 0xffffffffL; let ah = a >>> 32;
  let bl = b & 0xffffffffL; let bh = b >>> 32;
  let mid = ah * bl + (al * bl >>> 32);
  let low = al * bh + (mid & 0xffffffffL);
  return ah * bh + (mid >>> 32) + (low >>> 32);
}

fn mulHigh(a: i64, b: i64): i64 { return mulHighHere(a, b); }

/// One 32-bit digit of a quotient: (high, next) / d for high < d; restLow := the remainder.
inline fn quotientDigit(high: i64, next: i64, d: i64): i64 {
  let dh = d >>> 32; let dl = d & 0xffffffffL;
  let q = high /u dh;
  let rest = high - q * dh;
  while (q >u 0xffffffffL || q * dl >u ((rest << 32) | next)) {
    q -= 1L;
    rest += dh;
    if (rest >u 0xffffffffL) { break; }
  }
  restLow = (high << 32) + next - q * d;
  return q;
}

/// (high, low) / d for high < d and bit 63 of d set; restLow := the remainder.
fn divide(high: i64, low: i64, d: i64): i64 {
  let first = quotientDigit(high, low >>> 32, d);
  let second = quotientDigit(restLow, low & 0xffffffffL, d);
  return (first << 32) + second;
}

// ---- add, multiply, divide

inline fn addZ(sa: i32, ea: i32, ma: i64, sb: i32, eb: i32, mb: i64) {
  let d = ea - eb;
  let m = mb;
  if (d < 0) {
    m = ma; ma = mb;
    let sign = sa; sa = sb; sb = sign;
    ea = eb;
    d = -d;
  }
  let low = 0L;
  if (d) {
    if (d < 64) { low = m << (64 - d); m = m >>> d; }
    else { low = shiftOut(m, 0L, d); m = 0L; }
  }
  if (sa != sb) { subZ(sa, ea, ma, m, low); return; }
  let s = ma + m;
  if (s <u ma) {
    low = (low >>> 1) | (low & 1L) | (s << 63);
    s = (s >>> 1) | X_TOP;
    ea += 1;
  }
  roundZ(sa, ea, s, low);
}

/// z := (sign, e, a) - (sign, e, b.low).
fn subZ(sign: i32, e: i32, a: i64, b: i64, low: i64) {
  if (a <u b) { subZ(sign ^ 0x8000, e, b, a, 0L); return; }
  let s = a - b - i64(low != 0L);
  low = -low;
  if (s == 0L) {
    if (low == 0L) { setZ(zeroSign(), 0L); return; }
    s = low;
    low = 0L;
    e -= 64;
  }
  let n = clz(s);
  if (n != 0L) {
    s = (s << n) | (low >>> (64L - n));
    low = low << n;
  }
  roundZ(sign, e - lo(n), s, low);
}

/// Sign of an exact zero difference.
inline fn zeroSign(): i32 { return (fpuControl & 0xc00) == 0x400 ? 0x8000 : 0; }

inline fn mulZ(sign: i32, e: i32, a: i64, b: i64) {
  let s = mulHighHere(a, b);
  let r = a * b;
  if (s >= 0L) {
    s = (s << 1) | (r >>> 63);
    r = r << 1;
    e -= 1;
  }
  roundZ(sign, e, s, r);
}

/// The fraction that a remainder of a division by d stands for.
inline fn fractionOf(rest: i64, d: i64): i64 {
  let other = d - rest;
  return rest == 0L ? 0L : rest == other ? X_TOP : rest >u other ? X_TOP | 1L : 1L;
}

inline fn divZ(sign: i32, e: i32, a: i64, b: i64) {
  let high = a;
  let low = 0L;
  if (a >=u b) { high = a >>> 1; low = a << 63; } else { e -= 1; }
  let q = divide(high, low, b);
  roundZ(sign, e, q, fractionOf(restLow, b));
}

/// op: 0 add, 1 multiply, 4 subtract, 6 divide (the reg field of the opcode); for normal numbers.
inline fn combine(op: i32, sa: i32, ea: i32, ma: i64, sb: i32, eb: i32, mb: i64) {
  switch (op) {
    case 0: { addZ(sa, ea, ma, sb, eb, mb); }
    case 1: { mulZ(sa ^ sb, ea + eb - (X_ONE - 1), ma, mb); }
    case 4: { addZ(sa, ea, ma, sb ^ 0x8000, eb, mb); }
    default: { divZ(sa ^ sb, ea - eb + X_ONE, ma, mb); }
  }
}

inline fn compute(op: i32): i32 {
  if (isNormal(aSe, aSig) && isNormal(bSe, bSig) && !bTiny) {
    combine(op, aSe & 0x8000, aSe & 0x7fff, aSig, bSe & 0x8000, bSe & 0x7fff, bSig);
    return 1;
  }
  return computeSpecial(op);
}

/// Exponent of a finite number other than zero as if it were normal.
fn exponentOf(se: i32, sig: i64): i32 {
  let e = se & 0x7fff;
  return (e == 0 ? 1 : e) - lo(clz(sig));
}
inline fn normalized(sig: i64): i64 { return sig << clz(sig); }

fn computeSpecial(op: i32): i32 {
  let ka = kindOf(aSe, aSig); let kb = kindOf(bSe, bSig);
  if (ka == K_BAD || kb == K_BAD) { return invalid(); }
  if (ka >= K_QUIET || kb >= K_QUIET) { return nanResult(ka, kb); }
  let sign = (aSe ^ bSe) & 0x8000;
  if (impossible(op, ka, kb, sign)) { return invalid(); }
  if (op == 6 && kb == K_ZERO && ka != K_INF) {
    setZ(sign | 0x7fff, X_TOP);
    return !signal(X_ZE);
  }
  if (ka == K_TINY || kb == K_TINY || bTiny) { if (signal(X_DE)) { return 0; } }
  if (op == 4) { bSe ^= 0x8000; }
  if (ka == K_INF || kb == K_INF || ka == K_ZERO || kb == K_ZERO) { edgeResult(op & 3, ka, kb, sign); return 1; }
  let ea = exponentOf(aSe, aSig); let eb = exponentOf(bSe, bSig);
  combineTiny(op == 4 ? 0 : op, ea, eb);
  return 1;
}

/// combine() for operands of which one is denormal.
fn combineTiny(op: i32, ea: i32, eb: i32) {
  combine(op, aSe & 0x8000, ea, normalized(aSig), bSe & 0x8000, eb, normalized(bSig));
}

/// Whether infinities and zeros have no result under an operation.
fn impossible(op: i32, ka: i32, kb: i32, sign: i32): i32 {
  switch (op) {
    case 0: { return ka == K_INF && kb == K_INF && sign != 0; }
    case 1: { return (ka == K_INF && kb == K_ZERO) || (ka == K_ZERO && kb == K_INF); }
    case 4: { return ka == K_INF && kb == K_INF && sign == 0; }
    default: { return ka == kb && (ka == K_INF || ka == K_ZERO); }
  }
}

/// z for an operand that is infinite or zero. op: 0 add, 1 multiply, 2 divide.
fn edgeResult(op: i32, ka: i32, kb: i32, sign: i32) {
  if (op == 1) { setZ(sign | (ka == K_INF || kb == K_INF ? 0x7fff : 0), ka == K_INF || kb == K_INF ? X_TOP : 0L); return; }
  if (op == 2) { setZ(sign | (ka == K_INF ? 0x7fff : 0), ka == K_INF ? X_TOP : 0L); return; }
  if (ka == K_INF) { setZ(aSe, X_TOP); return; }
  if (kb == K_INF) { setZ(bSe, X_TOP); return; }
  if (ka == K_ZERO && kb == K_ZERO) { setZ(((aSe ^ bSe) & 0x8000) ? zeroSign() : aSe, 0L); return; }
  if (ka == K_ZERO) { roundZ(bSe & 0x8000, exponentOf(bSe, bSig), normalized(bSig), 0L); return; }
  roundZ(aSe & 0x8000, exponentOf(aSe, aSig), normalized(aSig), 0L);
}

inline fn swapOperands() {
  let se = aSe; let sig = aSig;
  aSe = bSe; aSig = bSig;
  bSe = se; bSig = sig;
}

/// The two-operand instructions. D8 and memory: ST(0) := ST(0) op source; DC, DE: ST(i) := ST(i) op ST(0); DE pops.
inline throws fn arith(ip: i32, op: i32, reversed: i32) {
  let code = m32[IMM : ip];
  let memory = (code & 0xc0) != 0xc0;
  if (memory) { fetchB(code); }
  noteOperation(ip, code);
  fpuStatus &= ~X_C1;
  let i = memory ? 0 : code & 7;
  let to = (code & 0x400) ? i : 0;
  let stores = 0;
  if (filled(0) && filled(i)) {
    takeA(to);
    if (!memory) { takeB(i ^ to); }
    if (reversed) { swapOperands(); }
    stores = compute(op);
  } else { stores = underflowed(); }
  if (stores) {
    putZ(to);
    if (!memory && (code & 0x200)) { popStack(); }
  }
}

throws fn x87_fadd(ip: i32) { arith(ip, 0, 0); }
throws fn x87_fmul(ip: i32) { arith(ip, 1, 0); }
throws fn x87_fsub(ip: i32) { arith(ip, 4, 0); }
throws fn x87_fsubr(ip: i32) { arith(ip, 4, 1); }
throws fn x87_fdiv(ip: i32) { arith(ip, 6, 0); charge(EV_X87DIVIDE); }
throws fn x87_fdivr(ip: i32) { arith(ip, 6, 1); charge(EV_X87DIVIDE); }

// ---- square root

/// z := square root of (0, e, m): two 32-bit digits, then the remainder decides the rounding.
fn sqrtZ(e: i32, m: i64) {
  let odd = (e - X_ONE) & 1;
  let high = odd ? m : m >>> 1;
  let low = odd ? 0L : m << 63;
  let first = i64f(sqrt(f64l(high >>> 1) * 2.0));
  if (first >u 0xffffffffL) { first = 0xffffffffL; }
  while (first * first >u high) { first -= 1L; }
  while (high - first * first >u first + first) { first += 1L; }
  let rest = high - first * first;
  let twice = (rest << 31) | (low >>> 33);
  let second = twice /u first;
  if (second >u 0xffffffffL) { second = 0xffffffffL; }
  let over = twice - second * first;
  let s = (first << 32) | second;
  let square = second * second;
  let restHigh = over >>> 31;
  let restHere = (over << 33) | (low & 0x1ffffffffL);
  restHigh -= i64(restHere <u square);
  restHere -= square;
  while (restHigh < 0L) {
    s -= 1L;
    let add = (s << 1) | 1L;
    restHere += add;
    restHigh += (s >>> 63) + i64(restHere <u add);
  }
  let r = (restHigh | restHere) == 0L ? 0L : (restHigh != 0L || restHere >u s) ? X_TOP | 1L : 1L;
  roundZ(0, ((e - X_ONE) >> 1) + X_ONE, s, r);
}

fn sqrtA(): i32 {
  let ka = kindOf(aSe, aSig);
  if (ka == K_BAD) { return invalid(); }
  if (ka >= K_QUIET) { bSe = 0; bSig = 0L; return nanResult(ka, K_ZERO); }
  if (ka == K_ZERO) { setZ(aSe, aSig); return 1; }
  if (aSe & 0x8000) { return invalid(); }
  if (ka == K_TINY) { if (signal(X_DE)) { return 0; } }
  if (ka == K_INF) { setZ(aSe, aSig); return 1; }
  sqrtZ(exponentOf(aSe, aSig), normalized(aSig));
  return 1;
}

/// An instruction that replaces ST(0).
throws fn x87_fsqrt(ip: i32) {
  charge(EV_X87DIVIDE);
  fpuStatus &= ~X_C1;
  noteOperation(ip, m32[IMM : ip]);
  let stores = 0;
  if (filled(0)) { takeA(0); stores = sqrtA(); } else { stores = underflowed(); }
  if (stores) { putZ(0); }
}

// ---- integers

/// zSig := a (not infinite, not a NaN) as an integer magnitude; the result is the fraction that is left. The exponent must be
/// less than that of 2^64.
fn integerOf(se: i32, sig: i64): i64 { return shiftOut(sig, 0L, X_ONE + 63 - ((se & 0x7fff) == 0 ? 1 : se & 0x7fff)); }

fn rndintA(): i32 {
  let ka = kindOf(aSe, aSig);
  if (ka == K_BAD) { return invalid(); }
  if (ka >= K_QUIET) { bSe = 0; bSig = 0L; return nanResult(ka, K_ZERO); }
  if (ka == K_TINY) { if (signal(X_DE)) { return 0; } }
  setZ(aSe, aSig);
  if (ka == K_ZERO || (aSe & 0x7fff) >= X_ONE + 63) { return 1; }
  let rest = integerOf(aSe, aSig);
  let up = roundsUp(aSe & 0x8000, lo(zSig) & 1, rest);
  let whole = zSig + u64(up);
  if (whole == 0L) { setZ(aSe & 0x8000, 0L); }
  else { setZ((aSe & 0x8000) | (X_ONE + 63 - lo(clz(whole))), normalized(whole)); }
  inexact(rest, up);
  return 1;
}

throws fn x87_frndint(ip: i32) {
  fpuStatus &= ~X_C1;
  noteOperation(ip, m32[IMM : ip]);
  let stores = 0;
  if (filled(0)) { takeA(0); stores = rndintA(); } else { stores = underflowed(); }
  if (stores) { putZ(0); }
}

// ---- scale, extract

/// b truncated to an integer, far enough out of the exponent range when it is large.
fn scaleOf(): i32 {
  let e = bSe & 0x7fff;
  if (e < X_ONE) { return 0; }
  let n = e > X_ONE + 16 ? 0x20000 : lo(bSig >>> (X_ONE + 63 - e));
  return (bSe & 0x8000) ? -n : n;
}

fn scaleA(): i32 {
  let ka = kindOf(aSe, aSig); let kb = kindOf(bSe, bSig);
  if (ka == K_BAD || kb == K_BAD) { return invalid(); }
  if (ka >= K_QUIET || kb >= K_QUIET) { return nanResult(ka, kb); }
  let down = bSe & 0x8000;
  if (kb == K_INF && ka == (down ? K_INF : K_ZERO)) { return invalid(); }
  if (ka == K_TINY || kb == K_TINY) { if (signal(X_DE)) { return 0; } }
  setZ(aSe, aSig);
  if (kb == K_INF) {
    if (down) { setZ(aSe & 0x8000, 0L); } else { setZ((aSe & 0x8000) | 0x7fff, X_TOP); }
    return 1;
  }
  if (ka == K_INF || ka == K_ZERO) { return 1; }
  roundWide(aSe & 0x8000, exponentOf(aSe, aSig) + scaleOf(), normalized(aSig), 0L);
  return 1;
}

throws fn x87_fscale(ip: i32) {
  fpuStatus &= ~X_C1;
  noteOperation(ip, m32[IMM : ip]);
  let stores = 0;
  if (filled(0) && filled(1)) { takeA(0); takeB(1); stores = scaleA(); } else { stores = underflowed(); }
  if (stores) { putZ(0); }
}

/// ST(0) := exponent, then push significand.
throws fn x87_fxtract(ip: i32) {
  fpuStatus &= ~X_C1;
  noteOperation(ip, m32[IMM : ip]);
  if (!filled(0)) {
    if (underflowed()) { putZ(0); turn(-1); putZ(0); }
    return;
  }
  if (filled(7)) {
    fpuStatus |= X_C1;
    defaultNan();
    if (!signal(X_IE | X_SF)) { putZ(0); turn(-1); putZ(0); }
    return;
  }
  takeA(0);
  extractA();
}

fn extractA() {
  let ka = kindOf(aSe, aSig);
  if (ka == K_BAD || ka >= K_QUIET) {
    let stores = 0;
    if (ka == K_BAD) { stores = invalid(); } else { bSe = 0; bSig = 0L; stores = nanResult(ka, K_ZERO); }
    if (stores) { putZ(0); turn(-1); putZ(0); }
    return;
  }
  if (ka == K_ZERO) {
    if (signal(X_ZE)) { return; }
    setZ(0xffff, X_TOP);
  } else if (ka == K_INF) { setZ(0x7fff, X_TOP); }
  else {
    if (ka == K_TINY) { if (signal(X_DE)) { return; } }
    fromInt(i64(exponentOf(aSe, aSig) - X_ONE));
    setZ(bSe, bSig);
    aSe = (aSe & 0x8000) | X_ONE;
    aSig = normalized(aSig);
  }
  putZ(0);
  turn(-1);
  setZ(aSe, aSig);
  putZ(0);
}

// ---- partial remainder

/// The quotient's low bits to C0 C3 C1.
fn setQuotient(q: i32) {
  fpuStatus = (fpuStatus & ~X_CC) | ((q & 4) << 6) | ((q & 2) << 13) | ((q & 1) << 9);
}

fn remainderA(nearest: i32): i32 {
  let ka = kindOf(aSe, aSig); let kb = kindOf(bSe, bSig);
  if (ka == K_BAD || kb == K_BAD) { return invalid(); }
  if (ka >= K_QUIET || kb >= K_QUIET) { return nanResult(ka, kb); }
  if (ka == K_INF || kb == K_ZERO) { return invalid(); }
  if (ka == K_TINY || kb == K_TINY) { if (signal(X_DE)) { fpuStatus &= ~X_C2; return 0; } }
  setZ(aSe, aSig);
  setQuotient(0);
  if (ka == K_ZERO || kb == K_INF) { return 1; }
  let ea = exponentOf(aSe, aSig); let eb = exponentOf(bSe, bSig);
  let d = ea - eb;
  if (d >= 64) { partRemainder(ea, d); return 1; }
  if (d < -1 || (d < 0 && !nearest)) { roundWide(aSe & 0x8000, ea, normalized(aSig), 0L); return 1; }
  wholeRemainder(nearest, eb, d);
  return 1;
}

/// The complete remainder, for an exponent difference from -1 to 63.
fn wholeRemainder(nearest: i32, eb: i32, d: i32) {
  let a = normalized(aSig); let b = normalized(bSig);
  let sign = aSe & 0x8000;
  let q = 0L;
  let rest = a;
  let back = 0;                          // b - rest is closer to zero
  if (d < 0) { back = a >u b; }
  else {
    if (d == 0) { q = i64(a >=u b); rest = q ? a - b : a; }
    else { q = divide(a >>> (64 - d), a << d, b); rest = restLow; }
    back = nearest && (rest >u b - rest || (rest == b - rest && (q & 1L)));
  }
  if (back) {
    // for d = -1, rest counts in units half as large as b's
    rest = d < 0 ? (b - a) + b : b - rest;
    q += 1L;
    sign ^= 0x8000;
  }
  setQuotient(lo(q));
  if (rest == 0L) { setZ(sign, 0L); return; }
  let e = d < 0 ? eb - 1 : eb;
  roundWide(sign, e - lo(clz(rest)), normalized(rest), 0L);
}

/// One step of a reduction that takes several: the exponent difference shrinks by 32 to 63.
fn partRemainder(ea: i32, d: i32) {
  let n = (d & 31) | 32;
  let a = normalized(aSig); let b = normalized(bSig);
  divide(a >>> (64 - n), a << n, b);
  fpuStatus = (fpuStatus & ~X_CC) | X_C2;
  if (restLow == 0L) { setZ(aSe & 0x8000, 0L); return; }
  roundWide(aSe & 0x8000, ea - n - lo(clz(restLow)), normalized(restLow), 0L);
}

inline throws fn remainder(ip: i32, nearest: i32) {
  fpuStatus &= ~X_C1;
  noteOperation(ip, m32[IMM : ip]);
  let stores = 0;
  if (filled(0) && filled(1)) { takeA(0); takeB(1); stores = remainderA(nearest); } else { stores = underflowed(); }
  if (stores) { putZ(0); }
}
throws fn x87_fprem(ip: i32) { charge(EV_X87FUNCTION); remainder(ip, 0); }
throws fn x87_fprem1(ip: i32) { charge(EV_X87FUNCTION); remainder(ip, 1); }

// ---- sign

throws fn x87_fchs(ip: i32) { changeSign(ip, 0x8000, 0); }
throws fn x87_fabs(ip: i32) { changeSign(ip, 0, 0x8000); }
inline throws fn changeSign(ip: i32, flip: i32, clear: i32) {
  fpuStatus &= ~X_C1;
  noteOperation(ip, m32[IMM : ip]);
  if (!filled(0)) {
    if (underflowed()) { putZ(0); }
    return;
  }
  let at = st(0) + 8;
  m16[at] = (m16[at] ^ flip) & ~clear;
}
`;
