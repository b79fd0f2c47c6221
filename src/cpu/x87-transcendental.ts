// x87 transcendental instructions as microcode: argument reduction and power series in 128-bit fixed point, then one
// rounding; the error is below one unit in the last place. A wide number is (wE, wH, wL): wH:wL / 2^127 * 2^(wE - 16383),
// normalized when bit 63 of wH is set. As on every x87, trigonometric arguments are reduced with a pi of 66 bits.
// (Intel SDM volume 1, 8.3.7 to 8.3.10; the tables of special operands are those of volume 2.)
import {
  arctangentCases, arctangentSteps, cosineSteps, exponentialSteps, halfPiPair, ln2Pair, logarithmSteps, piPair, sineSteps,
} from './x87-constants.ts';

export const x87TranscendentalText = `
global wE: i32 = 0; global wH: i64 = 0L; global wL: i64 = 0L;
global uH: i64 = 0L; global uL: i64 = 0L;                       // the variable of a series, a fraction of 128 bits
global argE: i32 = 0; global argH: i64 = 0L; global argL: i64 = 0L; global argSign: i32 = 0;
global quadrant: i32 = 0;

// ---- wide numbers

inline fn setW(high: i64, low: i64) { wH = high; wL = low; }

/// w := top 128 bits of the 256-bit product.
fn mulWide(ah: i64, al: i64, bh: i64, bl: i64) {
  let low = ah * bh;
  let one = low + mulHigh(ah, bl);
  let two = one + mulHigh(al, bh);
  wH = mulHigh(ah, bh) + u64(one <u low) + u64(two <u one);
  wL = two;
}

fn normalizeW() {
  if (wH == 0L) { wH = wL; wL = 0L; wE -= 64; }
  let n = clz(wH);
  if (n == 0L || wH == 0L) { return; }
  wH = (wH << n) | (wL >>> (64L - n));
  wL = wL << n;
  wE -= lo(n);
}

/// w := w >> n.
fn shiftW(n: i32) {
  if (n == 0) { return; }
  if (n >= 128) { setW(0L, 0L); return; }
  if (n >= 64) { setW(0L, wH >>> (n - 64)); return; }
  wL = (wL >>> n) | (wH << (64 - n));
  wH = wH >>> n;
}

/// w := a / b for normalized mantissas; its exponent is the difference of theirs.
fn divideWide(ah: i64, al: i64, bh: i64, bl: i64) {
  let q = divide(ah >>> 1, (ah << 63) | (al >>> 1), bh);
  let next = divide(restLow, 0L, bh);
  // b is not bh alone: divided by 1 + bl / (bh * 2^64), of which t is half the fraction
  let t = divide(bl >>> 1, bl << 63, bh);
  let less = mulHigh(q, t);
  let low = next - (less << 1);
  wH = q - (less >>> 63) - u64(next <u less << 1);
  wL = low;
}

fn addW(high: i64, low: i64) { wL += low; wH += high + u64(wL <u low); }
/// w := (high, low) - w.
fn fromW(high: i64, low: i64) { let borrow = u64(low <u wL); wL = low - wL; wH = high - wH - borrow; }

fn hornerPlus(high: i64, low: i64) { mulWide(uH, uL, wH, wL); addW(high, low); }
fn hornerMinus(high: i64, low: i64) { mulWide(uH, uL, wH, wL); fromW(high, low); }

/// u := arg^2, for |arg| < 1.
fn squareArg() {
  mulWide(argH, argL, argH, argL);
  shiftW(2 * (X_ONE - argE) - 2);
  uH = wH;
  uL = wL;
}

/// w := arg * w, where w has \`whole\` bits before its point.
fn timesArg(whole: i32) {
  mulWide(argH, argL, wH, wL);
  wE = argE + whole;
  normalizeW();
}

fn argFromW() { argE = wE; argH = wH; argL = wL; }

/// z := the wide number, rounded; something is always lost.
fn roundW(sign: i32) { roundWide(sign, wE, wH, wL | 1L); }

// ---- sine and cosine

const HALF_PI = 0xc90fdaa22168c234L;       // the top 64 of its 66 bits; the other two are ones

/// arg := a reduced to at most pi/4, argSign its sign, quadrant the number of quarter turns taken away (for |a|).
fn reduceAngle() {
  let e = exponentOf(aSe, aSig);
  argE = e; argH = normalized(aSig); argL = 0L;
  argSign = 0;
  quadrant = 0;
  if (e < X_ONE - 1 || (e == X_ONE - 1 && argH <u HALF_PI)) { return; }
  // in units of 2^-65: x = (high, low), pi/2 = 4 * HALF_PI + 3
  let n = e - X_ONE + 2;
  let high = n == 64 ? argH : argH >>> (64 - n);
  let low = n == 64 ? 0L : argH << n;
  let turns = divide(high >>> 2, (low >>> 2) | (high << 62), HALF_PI);
  let three = turns * 3L;
  let fourHigh = (mulHigh(turns, HALF_PI) << 2) | (turns * HALF_PI >>> 62);
  let fourLow = turns * HALF_PI << 2;
  let takeLow = fourLow + three;
  let takeHigh = fourHigh + mulHigh(turns, 3L) + u64(takeLow <u three);
  wH = high - takeHigh - u64(low <u takeLow);
  wL = low - takeLow;
  if (wH < 0L) { turns -= 1L; addW(3L, (HALF_PI << 2) | 3L); }
  // more than half of it: the next multiple is nearer
  if (wH > 1L || (wH == 1L && wL >u ((HALF_PI << 1) | 1L))) {
    turns += 1L;
    fromW(3L, (HALF_PI << 2) | 3L);
    argSign = 0x8000;
  }
  quadrant = lo(turns) & 3;
  wE = X_ONE + 62;
  normalizeW();
  argFromW();
}

/// w := sine of arg (without its sign).
fn sineOfArg() { squareArg(); ${sineSteps}
  timesArg(1); }
/// w := cosine of arg.
fn cosineOfArg() { squareArg(); ${cosineSteps}
  wE = X_ONE; normalizeW(); }

/// z := sine of the reduced angle turned by \`turn\` quarters; sign: the sign it had.
fn sineZ(turn: i32, sign: i32) {
  let q = (quadrant + turn) & 3;
  if (q & 1) { cosineOfArg(); } else { sineOfArg(); sign ^= argSign; }
  roundW(sign ^ ((q & 2) << 14));
}

/// Operands of the trigonometric instructions: 0 stopped, 1 z is the result, 2 to be computed, 3 out of range.
fn angleKind(): i32 {
  let ka = kindOf(aSe, aSig);
  if (ka == K_BAD || ka == K_INF) { return invalid(); }
  if (ka >= K_QUIET) { bSe = 0; bSig = 0L; return nanResult(ka, K_ZERO); }
  if ((aSe & 0x7fff) >= X_ONE + 63) { return 3; }
  if (ka == K_TINY) { if (signal(X_DE)) { return 0; } }
  return 2;
}

inline throws fn trigonometric(ip: i32, turn: i32) {
  beginRegister(ip);
  fpuStatus &= ~X_C2;
  if (!filled(0)) { if (underflowed()) { putZ(0); } return; }
  takeA(0);
  let how = angleKind();
  if (how == 0) { return; }
  if (how == 3) { fpuStatus |= X_C2; return; }
  if (how == 2) { sineOrCosine(turn); }
  putZ(0);
}
fn sineOrCosine(turn: i32) {
  if (aSig == 0L) { if (turn) { setZ(X_ONE, X_TOP); } else { setZ(aSe, aSig); } return; }
  reduceAngle();
  sineZ(turn, turn ? 0 : aSe & 0x8000);
}
throws fn x87_fsin(ip: i32) { charge(EV_X87FUNCTION); trigonometric(ip, 0); }
throws fn x87_fcos(ip: i32) { charge(EV_X87FUNCTION); trigonometric(ip, 1); }

inline fn beginRegister(ip: i32) {
  fpuStatus &= ~X_C1;
  noteOperation(ip, m32[IMM : ip]);
}

/// What FSINCOS and FPTAN share: the sine or tangent replaces ST(0), then the cosine or 1 is pushed.
inline throws fn twoResults(ip: i32, tangent: i32) {
  beginRegister(ip);
  fpuStatus &= ~X_C2;
  if (!filled(0) || filled(7)) {
    // an empty operand or no room for the second result
    if (filled(0)) { fpuStatus |= X_C1; }
    if (underflowed()) { putZ(0); turn(-1); putZ(0); }
    return;
  }
  takeA(0);
  let how = angleKind();
  if (how == 0) { return; }
  if (how == 3) { fpuStatus |= X_C2; return; }
  if (how == 1) { putZ(0); turn(-1); putZ(0); return; }
  if (tangent) { tangentZ(); } else { sineOrCosine(0); }
  putZ(0);
  turn(-1);
  if (tangent) { setZ(X_ONE, X_TOP); } else { sineOrCosine(1); }
  putZ(0);
}
throws fn x87_fsincos(ip: i32) { charge(EV_X87FUNCTION); twoResults(ip, 0); }
throws fn x87_fptan(ip: i32) { charge(EV_X87FUNCTION); twoResults(ip, 1); }

fn tangentZ() {
  if (aSig == 0L) { setZ(aSe, aSig); return; }
  reduceAngle();
  sineOfArg();
  let sE = wE; let sH = wH; let sL = wL;
  cosineOfArg();
  let sign = (aSe & 0x8000) ^ argSign;
  if (quadrant & 1) {
    let e = wE - sE;
    divideWide(wH, wL, sH, sL);
    wE = e + X_ONE;
    sign ^= 0x8000;
  } else {
    let e = sE - wE;
    divideWide(sH, sL, wH, wL);
    wE = e + X_ONE;
  }
  normalizeW();
  roundW(sign);
}

// ---- two operands: ST(1) := f(ST(1), ST(0)), pop. a is ST(1) and b is ST(0).

/// Stores z in ST(1) and pops, or leaves everything.
inline fn finishTwo(stores: i32) {
  if (stores) { putZ(1); popStack(); }
}

inline fn beginTwo(ip: i32): i32 {
  beginRegister(ip);
  if (!(filled(0) && filled(1))) { finishTwo(underflowed()); return 0; }
  takeA(1);
  takeB(0);
  return 1;
}

// ---- arctangent

throws fn x87_fpatan(ip: i32) { charge(EV_X87FUNCTION); if (beginTwo(ip)) { finishTwo(arctangent()); } }

/// z := the angle of the point (b, a).
fn arctangent(): i32 {
  let ka = kindOf(aSe, aSig); let kb = kindOf(bSe, bSig);
  if (ka == K_BAD || kb == K_BAD) { return invalid(); }
  if (ka >= K_QUIET || kb >= K_QUIET) { return nanResult(ka, kb); }
  if (ka == K_TINY || kb == K_TINY) { if (signal(X_DE)) { return 0; } }
  let sign = aSe & 0x8000;
  let left = bSe & 0x8000;
  if (ka == K_INF || kb == K_ZERO || ka == K_ZERO || kb == K_INF) { axisAngle(ka, kb, sign, left); return 1; }
  let ea1 = exponentOf(aSe, aSig); let ma = normalized(aSig);
  let eb = exponentOf(bSe, bSig); let mb = normalized(bSig);
  let steep = ea1 > eb || (ea1 == eb && ma >u mb);
  let turned = 0;
  if (steep) { turned = octant(eb, mb, ea1, ma); } else { turned = octant(ea1, ma, eb, mb); }
  if (steep || left) {
    if (!turned) { shiftW(X_ONE + 1 - wE); }
    if (steep) { fromW(${halfPiPair}); }
    if (left) { fromW(${piPair}); }
    wE = X_ONE + 1;
  } else if (turned) { wE = X_ONE + 1; }
  normalizeW();
  roundW(sign);
  return 1;
}

/// An angle that is a multiple of pi/4.
fn axisAngle(ka: i32, kb: i32, sign: i32, left: i32) {
  let eighths = 0;                       // of the full circle
  if (ka == K_INF && kb == K_INF) { eighths = left ? 3 : 1; }
  else if (ka == K_INF || (kb == K_ZERO && ka != K_ZERO)) { eighths = 2; }
  else { eighths = left ? 4 : 0; }
  if (eighths == 0) { setZ(sign, 0L); return; }
  setW(${piPair});
  wE = X_ONE + 1;
  if (eighths == 3) { shiftW(2); fromW(${piPair}); } else { wE -= eighths == 1 ? 2 : eighths == 2 ? 1 : 0; }
  normalizeW();
  roundW(sign);
}

/// w := atan(y / x) for y <= x: 1 as a fraction with 126 bits, 0 as a normalized wide number.
fn octant(ey: i32, my: i64, ex: i32, mx: i64): i32 {
  let d = ex - ey;
  let k = 0;
  let down = 0;
  if (d < 6) { k = i32f(f64l(my >>> 1) / f64l(mx >>> 1) * 16.0 / f64(1 << d) + 0.5); }
  if (k == 0) {
    divideWide(my, 0L, mx, 0L);
    wE = ey - ex + X_ONE;
    normalizeW();
  } else { down = tangentDifference(k, d, my, mx); }
  if ((wH | wL) != 0L) {
    argFromW();
    squareArg();
    ${arctangentSteps}
    timesArg(1);
  }
  if (k == 0) { return 0; }
  shiftW(X_ONE + 1 - wE);
  let high = wH; let low = wL;
  switch (k) {
    ${arctangentCases}
  }
  if (down) { let borrow = u64(wL <u low); wL -= low; wH = wH - high - borrow; } else { addW(high, low); }
  return 1;
}

/// w := |16 y - k x| / (16 x + k y), the tangent of the angle that is left; not 0 when it is negative.
fn tangentDifference(k: i32, d: i32, my: i64, mx: i64): i32 {
  let kk = u64(k);
  // everything in units of y's last place; x = mx << d
  let kxHigh = mulHigh(mx, kk << d); let kxLow = mx * (kk << d);
  let yHigh = my >>> 60; let yLow = my << 4;
  let down = kxHigh >u yHigh || (kxHigh == yHigh && kxLow >u yLow);
  setW(yHigh, yLow);
  if (down) { let borrow = u64(kxLow <u wL); wL = kxLow - wL; wH = kxHigh - wH - borrow; }
  else { let borrow = u64(wL <u kxLow); wL -= kxLow; wH = wH - kxHigh - borrow; }
  if ((wH | wL) == 0L) { return 0; }
  wE = X_ONE;
  normalizeW();
  let nE = wE; let nH = wH; let nL = wL;
  setW(mulHigh(mx, 16L << d), mx * (16L << d));
  addW(mulHigh(my, kk), my * kk);
  wE = X_ONE;
  normalizeW();
  let e = nE - wE;
  divideWide(nH, nL, wH, wL);
  wE = e + X_ONE;
  normalizeW();
  return down;
}

// ---- logarithms

/// w := |2/ln 2 * atanh(arg)|.
fn logarithmOfArg() {
  squareArg();
  ${logarithmSteps}
  timesArg(2);
}

/// arg := n / d, where n and d are integers of 128 bits.
fn argRatio(nH: i64, nL: i64, dH: i64, dL: i64) {
  setW(dH, dL);
  wE = X_ONE;
  normalizeW();
  let e = wE; let h = wH; let l = wL;
  setW(nH, nL);
  wE = X_ONE;
  normalizeW();
  e = wE - e;
  divideWide(wH, wL, h, l);
  wE = e + X_ONE;
  normalizeW();
  argFromW();
}

/// w := |log2 x| for x = (e, m) other than 1; not 0 when it is negative.
fn logarithm(e: i32, m: i64): i32 {
  let high = m >u 0xb504f333f9de6484L;   // more than the square root of 2
  let whole = e - X_ONE + high;
  let down = 0;
  if (high) { argRatio(0L, -m, 1L, m); down = 1; }
  else if (m == X_TOP) { setW(0L, 0L); wE = X_ONE - 1; }
  else { argRatio(0L, m - X_TOP, 1L, m - X_TOP); }
  if (high || m != X_TOP) { logarithmOfArg(); }
  if (whole == 0) { return down; }
  shiftW(X_ONE + 15 - wE);
  let size = u64(whole < 0 ? -whole : whole) << 48;
  if ((whole < 0) != down) { fromW(size, 0L); } else { addW(size, 0L); }
  wE = X_ONE + 15;
  normalizeW();
  return whole < 0;
}

/// z := w * a.
fn timesA(sign: i32, exact: i32) {
  let e = exponentOf(aSe, aSig);
  mulWide(wH, wL, normalized(aSig), 0L);
  wE = wE + e - X_ONE + 1;
  normalizeW();
  roundWide(sign, wE, wH, exact ? wL : wL | 1L);
}

throws fn x87_fyl2x(ip: i32) { charge(EV_X87FUNCTION); if (beginTwo(ip)) { finishTwo(yLogX()); } }

fn yLogX(): i32 {
  let ka = kindOf(aSe, aSig); let kb = kindOf(bSe, bSig);
  if (ka == K_BAD || kb == K_BAD) { return invalid(); }
  if (ka >= K_QUIET || kb >= K_QUIET) { return nanResult(ka, kb); }
  if (kb != K_ZERO && (bSe & 0x8000)) { return invalid(); }
  if (ka == K_ZERO && (kb == K_ZERO || kb == K_INF)) { return invalid(); }
  let one = bSe == X_ONE && bSig == X_TOP;
  if (ka == K_INF && one) { return invalid(); }
  let sign = aSe & 0x8000;
  if (kb == K_ZERO) {
    setZ((sign ^ 0x8000) | 0x7fff, X_TOP);
    return ka == K_INF ? 1 : !signal(X_ZE);
  }
  if (ka == K_TINY || kb == K_TINY) { if (signal(X_DE)) { return 0; } }
  if (kb == K_INF) { setZ(sign | 0x7fff, X_TOP); return 1; }
  let e = exponentOf(bSe, bSig);
  let m = normalized(bSig);
  if (ka == K_INF) { setZ((e < X_ONE ? sign ^ 0x8000 : sign) | 0x7fff, X_TOP); return 1; }
  if (ka == K_ZERO) { setZ(e < X_ONE ? sign ^ 0x8000 : sign, 0L); return 1; }
  if (one) { setZ(sign, 0L); return 1; }
  if (logarithm(e, m)) { sign ^= 0x8000; }
  timesA(sign, m == X_TOP);
  return 1;
}

throws fn x87_fyl2xp1(ip: i32) { charge(EV_X87FUNCTION); if (beginTwo(ip)) { finishTwo(yLogXPlus1()); } }

/// Defined for |x| < 1 - sqrt(1/2) only; the others get the logarithm of what 1 + x is in 64 bits.
fn yLogXPlus1(): i32 {
  let ka = kindOf(aSe, aSig); let kb = kindOf(bSe, bSig);
  if (ka == K_BAD || kb == K_BAD) { return invalid(); }
  if (ka >= K_QUIET || kb >= K_QUIET) { return nanResult(ka, kb); }
  if ((ka == K_INF && kb == K_ZERO) || (kb == K_INF && (ka == K_ZERO || (bSe & 0x8000)))) { return invalid(); }
  if (ka == K_TINY || kb == K_TINY) { if (signal(X_DE)) { return 0; } }
  let sign = (aSe ^ bSe) & 0x8000;
  if (ka == K_INF || kb == K_INF) { setZ(sign | 0x7fff, X_TOP); return 1; }
  if (ka == K_ZERO || kb == K_ZERO) { setZ(sign, 0L); return 1; }
  let e = exponentOf(bSe, bSig);
  if (e >= X_ONE - 1) { return largePlus1(); }
  // x / (2 + x), with 126 fraction bits for 2 + x
  setW(normalized(bSig), 0L);
  shiftW(X_ONE + 1 - e);
  if (bSe & 0x8000) { fromW(X_TOP, 0L); } else { addW(X_TOP, 0L); }
  wE = X_ONE + 1;
  normalizeW();
  let difference = e - wE;
  divideWide(normalized(bSig), 0L, wH, wL);
  wE = difference + X_ONE;
  normalizeW();
  argFromW();
  logarithmOfArg();
  timesA(sign, 0);
  return 1;
}

fn largePlus1(): i32 {
  let e = exponentOf(bSe, bSig);
  let m = normalized(bSig);
  if (bSe & 0x8000) {
    if (e >= X_ONE) { return invalid(); }
    logarithm(exponentOf(X_ONE - 1, -m), normalized(-m));
    timesA((aSe & 0x8000) ^ 0x8000, 0);
    return 1;
  }
  setW(m, 0L);
  if (e < X_ONE) { shiftW(X_ONE - e); e = X_ONE; }
  if (e < X_ONE + 64) { addW(X_TOP >>> (e - X_ONE), 0L); }
  if (wH >= 0L) { shiftW(1); wH |= X_TOP; e += 1; }
  logarithm(e, wH);
  timesA(aSe & 0x8000, 0);
  return 1;
}

// ---- 2^x - 1

throws fn x87_f2xm1(ip: i32) {
  charge(EV_X87FUNCTION);
  beginRegister(ip);
  let stores = 0;
  if (filled(0)) { takeA(0); stores = powerMinus1(); } else { stores = underflowed(); }
  if (stores) { putZ(0); }
}

fn powerMinus1(): i32 {
  let ka = kindOf(aSe, aSig);
  if (ka == K_BAD) { return invalid(); }
  if (ka >= K_QUIET) { bSe = 0; bSig = 0L; return nanResult(ka, K_ZERO); }
  let sign = aSe & 0x8000;
  setZ(aSe, aSig);
  if (ka == K_INF) { if (sign) { setZ(0x8000 | X_ONE, X_TOP); } return 1; }
  if (ka == K_ZERO) { return 1; }
  if (ka == K_TINY) { if (signal(X_DE)) { return 0; } }
  let e = exponentOf(aSe, aSig);
  if (e >= X_ONE) {
    // defined for -1 and 1 only; larger operands are left alone
    if (e != X_ONE || aSig != X_TOP) { signal(X_PE); }
    else if (sign) { zSe = 0x8000 | (X_ONE - 1); }
    return 1;
  }
  mulWide(normalized(aSig), 0L, ${ln2Pair});
  wE = e;
  normalizeW();
  argFromW();
  shiftW(X_ONE - 1 - wE);
  uH = wH;
  uL = wL;
  if (sign) { ${exponentialSteps('hornerMinus')} } else { ${exponentialSteps('hornerPlus')} }
  timesArg(1);
  roundW(sign);
  return 1;
}
`;
