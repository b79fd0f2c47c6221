// x87 values as microcode: the register stack, exception flags, conversion of memory formats to the 80-bit format, and
// rounding. (Intel SDM volume 1, chapter 8; 80387 Programmer's Reference.)
//
// An operand is a pair: `Se` is sign (bit 15) and biased exponent, `Sig` the 64-bit significand with its explicit integer
// bit. Operands are passed in the globals aSe/aSig and bSe/bSig, results in zSe/zSig. Inside the arithmetic a number is
// (sign, e, s, r): sign 0 or 0x8000, value s.r * 2^(e - 16383 - 63) with bit 63 of s set; r is the fraction below s, its
// lowest bit standing for everything further down; e may leave the range of the format until the number is rounded.
import * as L from './layout.ts';

/** Accessors of the operand at `ea`, of 2, 4 or 8 bytes. */
function accessText(bytes: number): string {
  const bits = bytes * 8;
  const type = bytes === 8 ? 'i64' : 'i32';
  const fits = `(e & 0xfff) - (ea & 0xfff) >= ${bytes - 1}`;
  return `
inline throws fn fpuRead${bits}(): ${type} {
  let e = m32[TLB_READ : tlb + ((ea >>> 10) & 0x3ffffc)];
  return ${fits} ? m${bits}[1 : ea + e] : fpuReadSlow${bits}();
}
throws fn fpuReadSlow${bits}(): ${type} {
  limitCheck(ea, ${bytes});
  return rd${bits}(ea);
}
inline throws fn fpuWrite${bits}(v: ${type}) {
  let e = m32[TLB_WRITE : tlb + ((ea >>> 10) & 0x3ffffc)];
  if (${fits}) { m${bits}[1 : ea + e] = v; } else { fpuWriteSlow${bits}(v); }
}
throws fn fpuWriteSlow${bits}(v: ${type}) {
  limitCheck(ea, ${bytes});
  wr${bits}(ea, v);
}`;
}

export const x87ValuesText = `
const X_IE = 0x01; const X_DE = 0x02; const X_ZE = 0x04; const X_OE = 0x08; const X_UE = 0x10; const X_PE = 0x20;
const X_SF = 0x40; const X_C0 = 0x100; const X_C1 = 0x200; const X_C2 = 0x400; const X_C3 = 0x4000; const X_CC = 0x4700;
const FPU_REGISTERS = ${L.FPU};
const X_ONE = 0x3fff;              // biased exponent of 1.0
const X_TOP = 0x8000000000000000L; // the integer bit of a significand
const X_NAN = 0xc000000000000000L;

// kinds of values
const K_ZERO = 0; const K_TINY = 1; const K_NORMAL = 2; const K_INF = 3; const K_QUIET = 4; const K_SIGNAL = 5; const K_BAD = 6;

global aSe: i32 = 0; global aSig: i64 = 0L;
global bSe: i32 = 0; global bSig: i64 = 0L;
global zSe: i32 = 0; global zSig: i64 = 0L;
global bTiny: i32 = 0;             // b came from a denormal of a shorter format

// ---- the register stack

inline fn topOf(): i32 { return (fpuStatus >>> 11) & 7; }
/// Address of ST(i).
inline fn st(i: i32): i32 { return ${L.FPU} + ((((fpuStatus >>> 11) + i) & 7) << 4); }
inline fn filled(i: i32): i32 { return (fpuFull >>> (((fpuStatus >>> 11) + i) & 7)) & 1; }
inline fn turn(by: i32) { fpuStatus = (fpuStatus & ~0x3800) | ((fpuStatus + (by << 11)) & 0x3800); }
inline fn popStack() { fpuFull &= ~(1 << topOf()); turn(1); }
inline fn popIf(pops: i32) { if (pops) { popStack(); } }
inline fn takeA(i: i32) { let at = st(i); aSe = m16[at + 8]; aSig = m64[at]; }
inline fn takeB(i: i32) { let at = st(i); bSe = m16[at + 8]; bSig = m64[at]; bTiny = 0; }
inline fn putZ(i: i32) { let at = st(i); m16[at + 8] = zSe; m64[at] = zSig; fpuFull |= 1 << (((fpuStatus >>> 11) + i) & 7); }
inline fn setZ(se: i32, sig: i64) { zSe = se; zSig = sig; }
inline fn defaultNan() { zSe = 0xffff; zSig = X_NAN; }

/// Pushes a value when there is room, else as pushZ.
inline fn push(se: i32, sig: i64) {
  let slot = (topOf() - 1) & 7;
  if ((fpuFull >>> slot) & 1) { setZ(se, sig); pushZ(); return; }
  let at = FPU_REGISTERS + (slot << 4);
  m16[at + 8] = se;
  m64[at] = sig;
  fpuFull |= 1 << slot;
  fpuStatus = (fpuStatus & ~0x3800) | (slot << 11);
}

/// Pushes z. A full register is a stack fault: masked, the default NaN is pushed instead; else nothing changes.
fn pushZ() {
  if (filled(7)) {
    fpuStatus |= X_C1;
    if (signal(X_IE | X_SF)) { return; }
    defaultNan();
  }
  turn(-1);
  putZ(0);
}

// ---- exceptions

/// Adds exception flags; not 0 when one of them is unmasked.
fn signal(flags: i32): i32 {
  fpuStatus |= flags;
  let open = flags & ~fpuControl & 0x3f;
  if (open) { fpuStatus |= 0x8080; }
  return open;
}

/// Recomputes the summary bits after a change of control or status word.
fn summarize() {
  fpuStatus &= 0x7f7f;
  if (fpuStatus & ~fpuControl & 0x3f) { fpuStatus |= 0x8080; }
}


/// Invalid operation: masked, z is the default NaN. Not 0 when z is to be stored.
fn invalid(): i32 { defaultNan(); return !signal(X_IE); }
/// The same for an empty register.
fn underflowed(): i32 { defaultNan(); return !signal(X_IE | X_SF); }

// ---- kinds

fn kindOf(se: i32, sig: i64): i32 {
  let e = se & 0x7fff;
  if (e == 0) { return sig == 0L ? K_ZERO : K_TINY; }
  if (sig >= 0L) { return K_BAD; }
  if (e != 0x7fff) { return K_NORMAL; }
  if (sig == X_TOP) { return K_INF; }
  return (hi(sig) & 0x40000000) ? K_QUIET : K_SIGNAL;
}
inline fn isNormal(se: i32, sig: i64): i32 { return sig < 0L && ((se + 1) & 0x7fff) >u 1; }

/// z := what an operation gives for operands of which at least one is a NaN. Not 0 when z is to be stored.
fn nanResult(ka: i32, kb: i32): i32 {
  let useA = ka >= K_QUIET;
  if (ka >= K_QUIET && kb >= K_QUIET) {
    if (ka != kb) { useA = ka == K_QUIET; }
    else if (aSig != bSig) { useA = aSig >u bSig; }
    else { useA = aSe <u bSe; }
  }
  zSe = useA ? aSe : bSe;
  zSig = (useA ? aSig : bSig) | X_NAN;
  return ka == K_SIGNAL || kb == K_SIGNAL ? !signal(X_IE) : 1;
}

// ---- rounding

/// Whether the rounding control adds one to a significand: odd is its last bit, rest the fraction below.
fn roundsUp(sign: i32, odd: i32, rest: i64): i32 {
  switch ((fpuControl >>> 10) & 3) {
    case 0: { return rest < 0L && (rest != X_TOP || odd); }
    case 1: { return sign != 0 && rest != 0L; }
    case 2: { return sign == 0 && rest != 0L; }
    default: { return 0; }
  }
}

/// s.r shifted right: the new significand is in z, what falls out is the result, sticky.
fn shiftOut(s: i64, r: i64, n: i32): i64 {
  if (n == 0) { zSig = s; return r; }
  if (n < 64) { zSig = s >>> n; return (s << (64 - n)) | i64(r != 0L); }
  zSig = 0L;
  if (n == 64) { return s | i64(r != 0L); }
  return i64((s | r) != 0L);
}

/// z := (sign, e, s, r) rounded as the precision control says. In place: 64 bits, to nearest, inexact results masked.
inline fn roundZ(sign: i32, e: i32, s: i64, r: i64) {
  if ((fpuControl & 0xf20) == 0x320 && (e - 1) <u 0x7ffd) {
    if (r == 0L) { zSe = sign | e; zSig = s; return; }
    let up = lo(r >>> 63) & ((r != X_TOP) | lo(s)) & 1;
    let sum = s + u64(up);
    zSe = sign | (e + (sum == 0L));
    zSig = sum | X_TOP;
    fpuStatus |= X_PE | (up << 9);
    return;
  }
  roundAny(sign, e, s, r);
}

fn roundAny(sign: i32, e: i32, s: i64, r: i64) {
  let pc = fpuControl & 0x300;
  roundTo(sign, e, s, r, pc == 0 ? 40 : pc == 0x200 ? 11 : 0, 0x7fff, 0x6000);
}

/// z := (sign, e, s, r) rounded to 64 bits.
fn roundWide(sign: i32, e: i32, s: i64, r: i64) { roundTo(sign, e, s, r, 0, 0x7fff, 0x6000); }

/// z := (sign, e, s, r) without its lowest \`drop\` bits, in a format whose largest exponent is \`infinite\` - 1 and whose
/// smallest is 1. wrap: how far unmasked overflow and underflow move the exponent; 0 for a result that goes to memory,
/// which such exceptions keep from being stored (the answer is 0 then).
fn roundTo(sign: i32, e: i32, s: i64, r: i64, drop: i32, infinite: i32, wrap: i32): i32 {
  let ulp = 1L << drop;
  let rest = drop ? (s << (64 - drop)) | i64(r != 0L) : r;
  let kept = s & -ulp;
  let up = roundsUp(sign, (kept & ulp) != 0L, rest);
  let from = e;
  if (up) {
    kept += ulp;
    if (kept == 0L) { kept = X_TOP; e += 1; }
  }
  if (e >= infinite) { return overflowed(sign, e, kept, rest, up, ulp, infinite, wrap); }
  if (e < 1) { return tinyResult(sign, e, from, s, r, kept, rest, up, drop, wrap); }
  setZ(sign | e, kept);
  inexact(rest, up);
  return 1;
}

inline fn inexact(rest: i64, up: i32) {
  if (rest != 0L) {
    if (up) { fpuStatus |= X_C1; }
    signal(X_PE);
  }
}

fn overflowed(sign: i32, e: i32, kept: i64, rest: i64, up: i32, ulp: i64, infinite: i32, wrap: i32): i32 {
  if (signal(X_OE)) {
    if (wrap == 0) { return 0; }
    if (e - wrap < infinite) {
      setZ(sign | (e - wrap), kept);
      inexact(rest, up);
      return 1;
    }
    // too large even for that
    setZ(sign | infinite, X_TOP);
    fpuStatus |= X_C1;
    signal(X_PE);
    return 1;
  }
  let mode = (fpuControl >>> 10) & 3;
  if (mode == 0 || mode == (sign ? 1 : 2)) {
    setZ(sign | infinite, X_TOP);
    fpuStatus |= X_C1;
  } else {
    setZ(sign | (infinite - 1), -ulp);
  }
  signal(X_PE);
  return 1;
}

/// The result is smaller than the smallest normal number; e, kept, rest and up are its rounding as if it were not, of
/// (sign, from, s, r).
fn tinyResult(sign: i32, e: i32, from: i32, s: i64, r: i64, kept: i64, rest: i64, up: i32, drop: i32, wrap: i32): i32 {
  if (!(fpuControl & X_UE)) {
    signal(X_UE);
    if (wrap == 0) { return 0; }
    if (e + wrap > 0) {
      setZ(sign | (e + wrap), kept);
      inexact(rest, up);
      return 1;
    }
  }
  let ulp = 1L << drop;
  let out = shiftOut(s, r, 1 - from);
  let lost = drop ? (zSig << (64 - drop)) | i64(out != 0L) : out;
  let short = zSig & -ulp;
  let more = roundsUp(sign, (short & ulp) != 0L, lost);
  if (more) { short += ulp; }
  setZ(sign | (short < 0L), short);
  if (lost != 0L) {
    signal(X_UE);
    inexact(lost, more);
  }
  return 1;
}

// ---- memory operands: the fast path in place; segment limits of flat segments only matter without a TLB entry

${[2, 4, 8].map(accessText).join('')}
throws fn fpuRead80() {
  bTiny = 0;
  let e = m32[TLB_READ : tlb + ((ea >>> 10) & 0x3ffffc)];
  if ((e & 0xfff) - (ea & 0xfff) >= 9) { bSig = m64[1 : ea + e]; bSe = m16[9 : ea + e]; return; }
  limitCheck(ea, 10);
  probeRead(ea, 10);
  bSig = rd64(ea);
  bSe = rd16(ea + 8);
}
throws fn fpuWrite80(sig: i64, se: i32) {
  let e = m32[TLB_WRITE : tlb + ((ea >>> 10) & 0x3ffffc)];
  if ((e & 0xfff) - (ea & 0xfff) >= 9) { m64[1 : ea + e] = sig; m16[9 : ea + e] = se; return; }
  fpuProbe(10);
  wr64(ea, sig);
  wr16(ea + 8, se);
}
/// A store that does not happen still faults.
throws fn fpuProbe(size: i32) {
  limitCheck(ea, size);
  probeWrite(ea, size);
}

// ---- memory formats to b

inline fn fromSingle(v: i32) {
  let e = (v >>> 23) & 0xff;
  bTiny = 0;
  if (e != 0 && e != 0xff) { bSe = ((v >>> 16) & 0x8000) | (e + 16256); bSig = (u64(v) << 40) | X_TOP; }
  else { fromSpecialSingle(v, e); }
}
fn fromSpecialSingle(v: i32, e: i32) {
  let sign = (v >>> 16) & 0x8000;
  let f = v & 0x7fffff;
  if (e != 0) { bSe = sign | 0x7fff; bSig = (u64(f) << 40) | X_TOP; return; }
  if (f == 0) { bSe = sign; bSig = 0L; return; }
  let n = clz(f) - 8;
  bSe = sign | (16257 - n);
  bSig = u64(f) << (40 + n);
  bTiny = 1;
}

inline fn fromDouble(v: i64) {
  let e = (hi(v) >>> 20) & 0x7ff;
  bTiny = 0;
  if (e != 0 && e != 0x7ff) { bSe = ((hi(v) >>> 16) & 0x8000) | (e + 15360); bSig = (v << 11) | X_TOP; }
  else { fromSpecialDouble(v, e); }
}
fn fromSpecialDouble(v: i64, e: i32) {
  let sign = (hi(v) >>> 16) & 0x8000;
  let f = v & 0xfffffffffffffL;
  if (e != 0) { bSe = sign | 0x7fff; bSig = (f << 11) | X_TOP; return; }
  if (f == 0L) { bSe = sign; bSig = 0L; return; }
  let n = lo(clz(f)) - 11;
  bSe = sign | (15361 - n);
  bSig = f << (11 + n);
  bTiny = 1;
}

fn fromInt(v: i64) {
  bTiny = 0;
  if (v == 0L) { bSe = 0; bSig = 0L; return; }
  let size = v < 0L ? -v : v;
  let n = clz(size);
  bSe = (v < 0L ? 0x8000 : 0) | (X_ONE + 63 - lo(n));
  bSig = size << n;
}

/// Memory operand of an arithmetic instruction (first byte D8 single, DA 32-bit, DC double, DE 16-bit integer) to b.
throws fn fetchB(code: i32) {
  switch ((code >>> 9) & 3) {
    case 0: { fromSingle(fpuRead32()); }
    case 1: { fromInt(i64(fpuRead32())); }
    case 2: { fromDouble(fpuRead64()); }
    case 3: { fromInt(i64(sext16(fpuRead16()))); }
  }
}
`;
