// Lazy flags. `fr` is the last result, sign-extended; `fx` holds what the result does not tell:
//   bit 31 CF     bit 30 CF ^ OF (the carry into the sign)     bit 29 SF ^ sign of fr     bit 3 AF
//   bits 8..15    a byte to xor to the low byte of fr before taking its parity
// so ZF = (fr == 0) and no operation type is needed. Text fragments for arithmetic live here because the
// expressions are the same in every handler.

/** Sizes in bits of integer operands. */
export type Bits = 8 | 16 | 32;

/** Statement(s) setting fr and fx from the locals r (unextended), and a carry vector expression. */
function setArith(bits: Bits, carries: string): string {
  if (bits === 32) return `fr = r; fx = (${carries}) & 0xC0000008;`;
  const up = 32 - bits;
  const top = bits === 8 ? '0xC0' : '0xC000';
  return `fr = (r << ${up}) >> ${up}; let cv = ${carries}; fx = ((cv & ${top}) << ${up}) | (cv & 8);`;
}

/** Statements computing `let r` from locals a, b and setting the flags. For cmp and test r is only used for flags. */
export function alu(op: string, bits: Bits): string {
  const plus = '(a & b) | ((a | b) & ~r)';
  const minus = '(~a & b) | (~(a ^ b) & r)';
  switch (op) {
    case 'add': return `let r = a + b; ${setArith(bits, plus)}`;
    case 'adc': return `let r = a + b + (fx >>> 31); ${setArith(bits, plus)}`;
    case 'sub': case 'cmp': return `let r = a - b; ${setArith(bits, minus)}`;
    case 'sbb': return `let r = a - b - (fx >>> 31); ${setArith(bits, minus)}`;
    case 'and': case 'test': return `let r = a & b; ${logic(bits)}`;
    case 'or': return `let r = a | b; ${logic(bits)}`;
    case 'xor': return `let r = a ^ b; ${logic(bits)}`;
    default: throw new Error(`no alu operation ${op}`);
  }
}

function logic(bits: Bits): string {
  return bits === 32 ? 'fr = r; fx = 0;' : `fr = (r << ${32 - bits}) >> ${32 - bits}; fx = 0;`;
}

/** Statements for inc (by 1) and dec (by -1): CF stays. */
export function step(by: 1 | -1, bits: Bits): string {
  const up = 32 - bits;
  const overflow = by === 1 ? 0x80000000 : 0x7fffffff;
  const top = up ? `(r << ${up})` : 'r';
  const edge = by === 1 ? '0' : '15';
  const limit = up ? `((${overflow >>> up}) << ${up})` : String(overflow | 0);
  return `let r = a ${by === 1 ? '+' : '-'} 1; let cf = fx & 0x80000000; fr = ${up ? `(${top} >> ${up})` : 'r'};
    fx = ((cf | (cf >>> 1)) ^ ((${top} == ${limit}) << 30)) | (((r & 15) == ${edge}) << 3);`;
}

/** Condition number (low four bits of the opcode) -> expression over fr and fx. */
export function condition(cc: number): string {
  const positive = [
    '((fx ^ (fx << 1)) < 0)', '(fx < 0)', '(fr == 0)', '((fx < 0) | (fr == 0))', '((fr ^ (fx << 2)) < 0)', 'parity()',
    '((fr ^ (fx << 2) ^ fx ^ (fx << 1)) < 0)', '(((fr ^ (fx << 2) ^ fx ^ (fx << 1)) < 0) | (fr == 0))',
  ][cc >> 1]!;
  return cc & 1 ? `!${positive}` : positive;
}

/** Condition straight from the operands of cmp (32 bit): locals a, b, r. Null where only fr/fx can tell. */
export function compareCondition(cc: number): string | null {
  switch (cc) {
    case 2: return 'a <u b';
    case 3: return 'a >=u b';
    case 4: return 'a == b';
    case 5: return 'a != b';
    case 6: return 'a <=u b';
    case 7: return 'a >u b';
    case 8: return 'r < 0';
    case 9: return 'r >= 0';
    case 12: return 'a < b';
    case 13: return 'a >= b';
    case 14: return 'a <= b';
    case 15: return 'a > b';
    default: return null;
  }
}

/** Condition after test/and/or/xor: locals r (sign-extended in fr). */
export function logicCondition(cc: number): string | null {
  switch (cc) {
    case 4: case 6: return 'fr == 0';
    case 5: case 7: return 'fr != 0';
    case 8: case 12: return 'fr < 0';
    case 9: case 13: return 'fr >= 0';
    case 14: return 'fr <= 0';
    case 15: return 'fr > 0';
    default: return null;
  }
}

export const flagsText = `
const CF = 1; const PF = 4; const AF = 0x10; const ZF = 0x40; const SF = 0x80; const TF = 0x100; const IF = 0x200;
const DF = 0x400; const OF = 0x800; const NT = 0x4000; const RF = 0x10000; const VM = 0x20000; const AC = 0x40000;
const ID = 0x200000;
const ARITH = 0x8d5;

inline fn parity(): i32 {
  return (popcnt((fr ^ (fx >>> 8)) & 0xff) & 1) ^ 1;
}

/// The complete EFLAGS image.
export fn getFlags(): i32 {
  return (eflags & ~ARITH) | 2 | (fx >>> 31) | (parity() << 2) | ((fx & 8) << 1) | ((fr == 0) << 6)
    | (((fr ^ (fx << 2)) >>> 31) << 7) | (((fx ^ (fx << 1)) >>> 31) << 11);
}

/// Sets OF SF ZF AF PF CF from an EFLAGS image.
fn setArith(f: i32) {
  let zf = (f >>> 6) & 1;
  fr = zf ^ 1;
  let cf = f & 1;
  fx = (cf << 31) | ((cf ^ ((f >>> 11) & 1)) << 30) | ((f & SF) << 22) | ((f & AF) >>> 1)
    | ((((f >>> 2) & 1) ^ zf) << 8);
}

/// Sets all of EFLAGS; the caller has decided which bits may change.
export fn setFlags(f: i32) {
  setArith(f);
  let old = eflags;
  eflags = f & ~ARITH & 0x3f7fd7 | 2;
  if ((old ^ eflags) & (TF | AC | VM)) { refreshMode(); }
  if ((eflags & TF) || (irq && (eflags & IF))) { kick(); }
}

inline fn setCarry(c: i32) {
  // OF stays: bit 30 is CF ^ OF
  let old = fx >>> 31;
  fx = fx ^ ((old ^ c) << 31) ^ ((old ^ c) << 30);
}

inline fn setOverflow(o: i32) {
  fx = (fx & ~0x40000000) | (((fx >>> 31) ^ o) << 30);
}
`;
