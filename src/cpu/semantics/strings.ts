// String instructions. Every iteration of a REP string instruction counts as one retired instruction (a REP with count 0
// counts as one); the loop stops when the budget is used up and resumes by executing the instruction again, so results
// do not depend on how a run is sliced; one that has overwritten itself (its micro-op is gone) is fetched anew. MOVS and
// STOS move whole runs inside a page when direction and TLB allow it.
// Micro-op fields: aux = element size, aux2 = address size, imm = REP prefix, seg = source segment.
import { U, SEG, S } from '../layout.ts';

const indexed = (reg: 'esi' | 'edi') =>
  `inline fn move_${reg}(by: i32, mask: i32) { ${reg} = (${reg} & ~mask) | ((${reg} + by) & mask); }`;

const compare = (name: string, bits: number, up: number) => `
fn ${name}(x: i32, y: i32) {
  let a = ${up ? `x & ${bits === 8 ? 0xff : 0xffff}` : 'x'}; let b = ${up ? `y & ${bits === 8 ? 0xff : 0xffff}` : 'y'};
  let r = a - b;
  let borrow = (~a & b) | (~(a ^ b) & r);
  fr = ${up ? `(r << ${up}) >> ${up}` : 'r'};
  fx = ${up ? `((borrow & ${bits === 8 ? 0xc0 : 0xc000}) << ${up}) | (borrow & 8)` : 'borrow & 0xC0000008'};
}`;

/** A REP loop around one step; `stop` ends it early. The step is written in terms of n, the elements it moved. */
const loop = (name: string, step: string, stop: string) => `
throws fn ${name}(ip: i32) {
  let size = m8[${U.aux} : ip];
  let mask = m16[${U.aux2} : ip] == 4 ? -1 : 0xffff;
  let seg = m8[${U.seg} : ip];
  let rep = m32[${U.imm} : ip];
  let n = 1;
  if (!rep) { ${step} return; }
  let todo = ecx & mask;
  if (todo == 0) { return; }
  loop {
    n = 1;
    ${step}
    left -= n - 1;
    todo -= n;
    ecx = (ecx & ~mask) | todo;
    if (todo == 0${stop}) { return; }
    if (left <= 0 || kicked || m16[ip] == 0) { eip = vbase + m16[${U.off} : ip]; return; }
    left -= 1;
  }
}
`;

export const stringsText = `
${indexed('esi')}
${indexed('edi')}
${compare('compare8', 8, 24)}${compare('compare16', 16, 16)}${compare('compare32', 32, 0)}

fn compareSized(size: i32, a: i32, b: i32) {
  if (size == 1) { compare8(a, b); } else if (size == 4) { compare32(a, b); } else { compare16(a, b); }
}
throws fn rdSized(size: i32, la: i32): i32 {
  if (size == 4) { return rd32(la); }
  if (size == 1) { return rd8(la); }
  return rd16(la);
}
throws fn wrSized(size: i32, la: i32, v: i32) {
  if (size == 4) { wr32(la, v); } else if (size == 1) { wr8(la, v); } else { wr16(la, v); }
}
inline fn delta(size: i32): i32 { return (eflags & DF) ? 0 - size : size; }
inline fn accumulator(size: i32): i32 { return size == 4 ? eax : size == 1 ? eax & 0xff : eax & 0xffff; }

/// Elements that may be moved at once from an offset of a segment: inside segment, page, address size and budget.
fn runLength(n: i32, offset: i32, mask: i32, size: i32, want: i32, need: i32): i32 {
  if ((m32[${SEG + S.ok} : n << 5] & need) != need || (eflags & DF)) { return 0; }
  let top = m32[${SEG + S.hi} : n << 5];
  if (top >u mask) { top = mask; }
  if (offset >u top || offset <u m32[${SEG + S.lo} : n << 5]) { return 0; }
  let bytes = 0x1000 - ((m32[${SEG + S.base} : n << 5] + offset) & 0xfff);
  if (bytes - 1 >u top - offset) { bytes = top - offset + 1; }
  let elements = size == 4 ? bytes >>> 2 : size == 2 ? bytes >>> 1 : bytes;
  if (elements >u want) { elements = want; }
  return elements;
}

/// The part of a count that this run of the processor has room for, at least one.
fn affordable(elements: i32): i32 {
  let room = left < 0 ? 1 : left + 1;
  return elements >u room ? room : elements;
}

/// Moves a run; 0 when one element must go the careful way.
fn moveRun(seg: i32, mask: i32, size: i32, elements: i32): i32 {
  let want = affordable(elements);
  let s = esi & mask; let d = edi & mask;
  let n = runLength(seg, s, mask, size, want, 1);
  n = runLength(0, d, mask, size, n, 2);
  if (n <= 1) { return 0; }
  let from = segBase(seg) + s; let to = esBase + d;
  let fromEntry = m32[TLB_READ : tlb + ((from >>> 10) & 0x3ffffc)];
  let toEntry = m32[TLB_WRITE : tlb + ((to >>> 10) & 0x3ffffc)];
  if (fromEntry == 0 || toEntry == 0) { return 0; }
  let source = from + fromEntry + 1; let target = to + toEntry + 1;
  let distance = target - source;
  if (distance >u 0 && distance <u n * size) {
    n = distance /u size;
    if (n <= 1) { return 0; }
  }
  memcopy(target, source, n * size);
  move_esi(n * size, mask); move_edi(n * size, mask);
  return n;
}

fn fillRun(mask: i32, size: i32, elements: i32): i32 {
  let want = affordable(elements);
  let d = edi & mask;
  let n = runLength(0, d, mask, size, want, 2);
  if (n <= 1) { return 0; }
  let to = esBase + d;
  let entry = m32[TLB_WRITE : tlb + ((to >>> 10) & 0x3ffffc)];
  if (entry == 0) { return 0; }
  let target = to + entry + 1;
  let pattern = size == 4 ? eax : size == 1 ? (eax & 0xff) * 0x01010101 : (eax & 0xffff) * 0x00010001;
  if (pattern == (pattern & 0xff) * 0x01010101) { memfill(target, pattern & 0xff, n * size); }
  else {
    let end = target + n * size;
    while (target <u end) {
      if (size == 4) { m32[target] = pattern; } else { m16[target] = pattern; }
      target += size;
    }
  }
  move_edi(n * size, mask);
  return n;
}

throws fn moveOne(seg: i32, mask: i32, size: i32) {
  let from = segCheck(seg, esi & mask, size, 1);
  let to = segCheck(0, edi & mask, size, 2);
  wrSized(size, to, rdSized(size, from));
  let by = delta(size);
  move_esi(by, mask); move_edi(by, mask);
}
throws fn fillOne(mask: i32, size: i32) {
  wrSized(size, segCheck(0, edi & mask, size, 2), eax);
  move_edi(delta(size), mask);
}
throws fn loadOne(seg: i32, mask: i32, size: i32) {
  let v = rdSized(size, segCheck(seg, esi & mask, size, 1));
  if (size == 4) { eax = v; } else if (size == 1) { setAl(v); } else { setAx(v); }
  move_esi(delta(size), mask);
}
throws fn scanOne(mask: i32, size: i32) {
  let v = rdSized(size, segCheck(0, edi & mask, size, 1));
  compareSized(size, accumulator(size), v);
  move_edi(delta(size), mask);
}
throws fn compareOne(seg: i32, mask: i32, size: i32) {
  let first = segCheck(seg, esi & mask, size, 1);
  let second = segCheck(0, edi & mask, size, 1);
  let a = rdSized(size, first);
  let b = rdSized(size, second);
  compareSized(size, a, b);
  let by = delta(size);
  move_esi(by, mask); move_edi(by, mask);
}
throws fn inputOne(mask: i32, size: i32) {
  usePort(edx & 0xffff, size);
  let la = segCheck(0, edi & mask, size, 2);
  probeWrite(la, size);
  charge(EV_PORTSTRING);
  wrSized(size, la, portRead(edx & 0xffff, size));
  move_edi(delta(size), mask);
}
throws fn outputOne(seg: i32, mask: i32, size: i32) {
  usePort(edx & 0xffff, size);
  let v = rdSized(size, segCheck(seg, esi & mask, size, 1));
  charge(EV_PORTSTRING);
  portWrite(edx & 0xffff, size, v);
  move_esi(delta(size), mask);
}

${loop('stringMove', 'if (rep) { n = moveRun(seg, mask, size, ecx & mask); } else { n = 0; } if (n == 0) { moveOne(seg, mask, size); n = 1; }', '')}
${loop('stringFill', 'if (rep) { n = fillRun(mask, size, ecx & mask); } else { n = 0; } if (n == 0) { fillOne(mask, size); n = 1; }', '')}
${loop('stringLoad', 'loadOne(seg, mask, size);', '')}
${loop('stringScan', 'scanOne(mask, size);', ' || (rep == 0xf3) != (fr == 0)')}
${loop('stringCompare', 'compareOne(seg, mask, size);', ' || (rep == 0xf3) != (fr == 0)')}
${loop('stringInput', 'inputOne(mask, size);', '')}
${loop('stringOutput', 'outputOne(seg, mask, size);', '')}
`;
