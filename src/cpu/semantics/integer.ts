// Integer operations that are calls, not inline handlers: shifts and rotates, multiplication, division, bit tests,
// decimal adjustment, exchange-and-add. Each takes values and returns the result; flags go to fr and fx. Where the
// architecture leaves a flag undefined the P6 value or "unchanged" is used. (Intel SDM vol. 2.)
import type { Bits } from './flags.ts';

const up = (bits: Bits) => 32 - bits;
const sx = (bits: Bits, e: string) => (bits === 32 ? `(${e})` : `(((${e}) << ${up(bits)}) >> ${up(bits)})`);
const msb = (bits: Bits, e: string) => `(((${e}) >>> ${bits - 1}) & 1)`;

function shifts(bits: Bits): string {
  const result = (expr: string) => `fr = ${sx(bits, expr)};`;
  return `
fn shl${bits}(a: i32, count: i32): i32 {
  let n = count & 31;
  if (n == 0) { return a; }
  let r = a << n;
  let cf = ${bits === 32 ? '(a >>> (32 - n)) & 1' : msb(bits, 'a << (n - 1)')};
  ${result('r')}
  fx = (cf << 31) | (${msb(bits, 'r')} << 30);
  return r;
}
fn shr${bits}(a: i32, count: i32): i32 {
  let n = count & 31;
  if (n == 0) { return a; }
  let r = a >>> n;
  let cf = (a >>> (n - 1)) & 1;
  ${result('r')}
  fx = (cf << 31) | ((cf ^ ${msb(bits, 'a')}) << 30);
  return r;
}
fn sar${bits}(a: i32, count: i32): i32 {
  let n = count & 31;
  if (n == 0) { return a; }
  let s = ${sx(bits, 'a')};
  let cf = (s >> (n - 1)) & 1;
  fr = s >> n;
  fx = (cf << 31) | (cf << 30);
  return fr;
}
fn rol${bits}(a: i32, count: i32): i32 {
  if ((count & 31) == 0) { return a; }
  let n = count & ${bits - 1};
  let r = ${bits === 32 ? 'rotl(a, n)' : `(a << n) | (a >>> (${bits} - n))`};
  setRotate(r & 1, (r & 1) ^ ${msb(bits, 'r')});
  return r;
}
fn ror${bits}(a: i32, count: i32): i32 {
  if ((count & 31) == 0) { return a; }
  let n = count & ${bits - 1};
  let r = ${bits === 32 ? 'rotr(a, n)' : `(a >>> n) | (a << (${bits} - n))`};
  setRotate(${msb(bits, 'r')}, ${msb(bits, 'r')} ^ ((r >>> ${bits - 2}) & 1));
  return r;
}
fn rcl${bits}(a: i32, count: i32): i32 {
  let n = (count & 31)${bits === 32 ? '' : ` %u ${bits + 1}`};
  if ((count & 31) == 0) { return a; }
  let wide = u64(a) | (u64(fx >>> 31) << ${bits}L);
  let t = (wide << u64(n)) | (wide >>> u64(${bits + 1} - n));
  let r = lo(t);
  let cf = lo(t >>> ${bits}L) & 1;
  setRotate(cf, cf ^ ${msb(bits, 'r')});
  return r;
}
fn rcr${bits}(a: i32, count: i32): i32 {
  let n = (count & 31)${bits === 32 ? '' : ` %u ${bits + 1}`};
  if ((count & 31) == 0) { return a; }
  let wide = u64(a) | (u64(fx >>> 31) << ${bits}L);
  let t = (wide >>> u64(n)) | (wide << u64(${bits + 1} - n));
  let r = lo(t);
  let cf = lo(t >>> ${bits}L) & 1;
  setRotate(cf, ${msb(bits, 'r')} ^ ((r >>> ${bits - 2}) & 1));
  return r;
}
`;
}

function doubleShifts(bits: 16 | 32): string {
  const left = bits === 32
    ? '(a << n) | (b >>> (32 - n))'
    : 'lo((((u64(a) << 32L) | (u64(b) << 16L) | u64(a)) << u64(n)) >>> 32L)';
  const right = bits === 32
    ? '(a >>> n) | (b << (32 - n))'
    : 'lo(((u64(a) << 32L) | (u64(b) << 16L) | u64(a)) >>> u64(n))';
  const leftCarry = bits === 32 ? '(a >>> (32 - n)) & 1' : 'lo(((u64(a) << 32L) | (u64(b) << 16L) | u64(a)) >>> u64(48 - n)) & 1';
  const rightCarry = bits === 32 ? '(a >>> (n - 1)) & 1' : 'lo(((u64(a) << 32L) | (u64(b) << 16L) | u64(a)) >>> u64(n - 1)) & 1';
  return `
fn shld${bits}(a: i32, b: i32, count: i32): i32 {
  let n = count & 31;
  if (n == 0) { return a; }
  let r = ${left};
  let cf = ${leftCarry};
  fr = ${sx(bits, 'r')};
  fx = (cf << 31) | ((cf ^ ${msb(bits, 'r ^ a')}) << 30);
  return r;
}
fn shrd${bits}(a: i32, b: i32, count: i32): i32 {
  let n = count & 31;
  if (n == 0) { return a; }
  let r = ${right};
  let cf = ${rightCarry};
  fr = ${sx(bits, 'r')};
  fx = (cf << 31) | ((cf ^ ${msb(bits, 'r ^ a')}) << 30);
  return r;
}
`;
}

function bitOps(bits: 16 | 32): string {
  const op = (name: string, expr: string) => `
fn ${name}${bits}(a: i32, index: i32): i32 {
  let n = index & ${bits - 1};
  setCarry((a >>> n) & 1);
  return ${expr};
}`;
  return `${op('bt', 'a')}${op('bts', 'a | (1 << n)')}${op('btr', 'a & ~(1 << n)')}${op('btc', 'a ^ (1 << n)')}
fn bsf${bits}(old: i32, v: i32): i32 {
  fr = ${sx(bits, 'v')}; fx = 0;
  return v == 0 ? old : ctz(v);
}
fn bsr${bits}(old: i32, v: i32): i32 {
  fr = ${sx(bits, 'v')}; fx = 0;
  return v == 0 ? old : 31 - clz(v);
}
fn imul${bits}(a: i32, b: i32): i32 {
  let p = i64(${sx(bits, 'a')}) * i64(${sx(bits, 'b')});
  let r = lo(p);
  let over = ${bits === 32 ? 'p != i64(r)' : `r != ${sx(16, 'r')}`};
  setRotate(over, over);
  return r;
}
`;
}

export const integerText = `
/// CF and OF; the other flags stay.
inline fn setRotate(cf: i32, of: i32) {
  fx = (fx & 0x3fffffff) | (cf << 31) | ((cf ^ of) << 30);
}
${([8, 16, 32] as const).map(shifts).join('')}
${([16, 32] as const).map(doubleShifts).join('')}
${([16, 32] as const).map(bitOps).join('')}

inline fn setAx(v: i32) { eax = (eax & 0xffff0000) | (v & 0xffff); }
inline fn setDx(v: i32) { edx = (edx & 0xffff0000) | (v & 0xffff); }
inline fn setAl(v: i32) { eax = (eax & ~0xff) | (v & 0xff); }

fn mul8(v: i32) { let p = (eax & 0xff) * v; setAx(p); let over = (p >>> 8) != 0; setRotate(over, over); }
fn mul16(v: i32) {
  let p = (eax & 0xffff) * v;
  setAx(p); setDx(p >>> 16);
  let over = (p >>> 16) != 0;
  setRotate(over, over);
}
fn mul32(v: i32) {
  let p = u64(eax) * u64(v);
  eax = lo(p); edx = hi(p);
  let over = edx != 0;
  setRotate(over, over);
}
fn imulWide8(v: i32) {
  let p = ((eax << 24) >> 24) * ((v << 24) >> 24);
  setAx(p);
  let over = p != ((p << 24) >> 24);
  setRotate(over, over);
}
fn imulWide16(v: i32) {
  let p = ((eax << 16) >> 16) * ((v << 16) >> 16);
  setAx(p); setDx(p >>> 16);
  let over = p != ((p << 16) >> 16);
  setRotate(over, over);
}
fn imulWide32(v: i32) {
  let p = i64(eax) * i64(v);
  eax = lo(p); edx = hi(p);
  let over = p != i64(lo(p));
  setRotate(over, over);
}

throws fn div8(v: i32) {
  charge(EV_DIVIDE);
  if (v == 0) { raiseFault(0); }
  let n = eax & 0xffff;
  let q = n /u v;
  if (q >u 0xff) { raiseFault(0); }
  setAx(q | ((n %u v) << 8));
}
throws fn div16(v: i32) {
  charge(EV_DIVIDE);
  if (v == 0) { raiseFault(0); }
  let n = (eax & 0xffff) | (edx << 16);
  let q = n /u v;
  if (q >u 0xffff) { raiseFault(0); }
  setDx(n %u v); setAx(q);
}
throws fn div32(v: i32) {
  charge(EV_DIVIDE);
  if (edx >=u v) { raiseFault(0); }
  if (edx == 0) { let n = eax; eax = n /u v; edx = n %u v; return; }
  let n = u64(eax) | (u64(edx) << 32L);
  let d = u64(v);
  eax = lo(n /u d); edx = lo(n %u d);
}
throws fn idiv8(value: i32) {
  charge(EV_DIVIDE);
  let v = (value << 24) >> 24;
  if (v == 0) { raiseFault(0); }
  let n = (eax << 16) >> 16;
  let q = n / v;
  if (q != ((q << 24) >> 24)) { raiseFault(0); }
  setAx((q & 0xff) | ((n % v) << 8));
}
throws fn idiv16(value: i32) {
  charge(EV_DIVIDE);
  let v = (value << 16) >> 16;
  if (v == 0) { raiseFault(0); }
  let n = (eax & 0xffff) | (edx << 16);
  if (n == 0x80000000 && v == -1) { raiseFault(0); }
  let q = n / v;
  if (q != ((q << 16) >> 16)) { raiseFault(0); }
  setDx(n % v); setAx(q);
}
throws fn idiv32(v: i32) {
  charge(EV_DIVIDE);
  if (v == 0) { raiseFault(0); }
  let n = u64(eax) | (u64(edx) << 32L);
  if (v == -1 && n == (1L << 63L)) { raiseFault(0); }
  let q = n / i64(v);
  if (q != i64(lo(q))) { raiseFault(0); }
  edx = lo(n % i64(v)); eax = lo(q);
}

// ---- decimal adjustment ----

fn setDecimal(result: i32, cf: i32, af: i32) {
  fr = (result << 24) >> 24;
  fx = (cf << 31) | (cf << 30) | (af << 3);
}
fn daa() {
  let al = eax & 0xff; let cf = fx >>> 31; let af = (fx >>> 3) & 1;
  let r = al;
  if ((al & 15) > 9 || af) { r += 6; af = 1; }
  if (al > 0x99 || cf) { r += 0x60; cf = 1; }
  setAl(r);
  setDecimal(r, cf, af);
}
fn das() {
  let al = eax & 0xff; let cf = fx >>> 31; let af = (fx >>> 3) & 1;
  let r = al; let borrow = cf;
  if ((al & 15) > 9 || af) { borrow |= r < 6; r -= 6; af = 1; }
  if (al > 0x99 || cf) { r -= 0x60; borrow = 1; }
  setAl(r);
  setDecimal(r, borrow, af);
}
fn aaa() {
  let adjust = (eax & 15) > 9 || (fx & 8);
  if (adjust) { setAx((eax & 0xffff) + 0x106); }
  eax &= 0xffffff0f;
  setDecimal(eax & 0xff, adjust, adjust);
}
fn aas() {
  let adjust = (eax & 15) > 9 || (fx & 8);
  if (adjust) { setAx((eax & 0xffff) - 0x106); }
  eax &= 0xffffff0f;
  setDecimal(eax & 0xff, adjust, adjust);
}
throws fn aam(base: i32) {
  if ((base & 0xff) == 0) { raiseFault(0); }
  let al = eax & 0xff;
  setAx(((al /u (base & 0xff)) << 8) | (al %u (base & 0xff)));
  setDecimal(eax & 0xff, 0, 0);
}
fn aad(base: i32) {
  let al = ((eax & 0xff) + ((eax >>> 8) & 0xff) * (base & 0xff)) & 0xff;
  setAx(al);
  setDecimal(al, 0, 0);
}
`;
