/**
 * The builtin functions of the microcode language: for each name the signatures it accepts, and for each signature the
 * WebAssembly instruction and the JavaScript text (`a`, `b`, `c` stand for the arguments). Adding a builtin is adding a line.
 */
import { Op } from '../../wasm/opcodes.ts';
import type { ResultType, ValType } from './tree.ts';

export interface Builtin {
  params: ValType[];
  result: ResultType;
  /** Instruction that takes the arguments from the stack. */
  code: number;
  /** JavaScript with `$a $b $c` for the arguments. */
  js: string;
}

const line = (params: string, result: ResultType, code: number, js: string): Builtin => ({
  params: params === '' ? [] : (params.split(' ') as ValType[]), result, code, js,
});

export const builtins: Record<string, Builtin[]> = {
  clz: [line('i32', 'i32', Op.i32_clz, 'Math.clz32($a)'), line('i64', 'i64', Op.i64_clz, 'h.clz64($a)')],
  ctz: [line('i32', 'i32', Op.i32_ctz, 'h.ctz32($a)'), line('i64', 'i64', Op.i64_ctz, 'h.ctz64($a)')],
  popcnt: [line('i32', 'i32', Op.i32_popcnt, 'h.pop32($a)'), line('i64', 'i64', Op.i64_popcnt, 'h.pop64($a)')],
  rotl: [line('i32 i32', 'i32', Op.i32_rotl, 'h.rotl32($a, $b)'), line('i64 i64', 'i64', Op.i64_rotl, 'h.rotl64($a, $b)')],
  rotr: [line('i32 i32', 'i32', Op.i32_rotr, 'h.rotl32($a, -$b)'), line('i64 i64', 'i64', Op.i64_rotr, 'h.rotl64($a, -$b)')],
  sext8: [line('i32', 'i32', Op.i32_extend8_s, '($a << 24 >> 24)')],
  sext16: [line('i32', 'i32', Op.i32_extend16_s, '($a << 16 >> 16)')],
  i64: [line('i32', 'i64', Op.i64_extend_i32_s, 'BigInt($a)')],
  u64: [line('i32', 'i64', Op.i64_extend_i32_u, 'BigInt($a >>> 0)')],
  lo: [line('i64', 'i32', Op.i32_wrap_i64, 'Number(BigInt.asIntN(32, $a))')],
  hi: [line('i64', 'i32', Op.i32_wrap_i64, 'Number($a >> 32n)')],
  sqrt: [line('f64', 'f64', Op.f64_sqrt, 'Math.sqrt($a)')],
  abs: [line('f64', 'f64', Op.f64_abs, 'Math.abs($a)')],
  floor: [line('f64', 'f64', Op.f64_floor, 'Math.floor($a)')],
  ceil: [line('f64', 'f64', Op.f64_ceil, 'Math.ceil($a)')],
  trunc: [line('f64', 'f64', Op.f64_trunc, 'Math.trunc($a)')],
  nearest: [line('f64', 'f64', Op.f64_nearest, 'h.nearest($a)')],
  f64: [line('i32', 'f64', Op.f64_convert_i32_s, '($a)')],
  f64u: [line('i32', 'f64', Op.f64_convert_i32_u, '($a >>> 0)')],
  f64l: [line('i64', 'f64', Op.f64_convert_i64_s, 'Number($a)')],
  i32f: [line('f64', 'i32', Op.i32_trunc_sat_f64_s, 'h.sat32($a)')],
  i64f: [line('f64', 'i64', Op.i64_trunc_sat_f64_s, 'h.sat64($a)')],
  bits: [line('f64', 'i64', Op.i64_reinterpret_f64, 'h.bits($a)')],
  frombits: [line('i64', 'f64', Op.f64_reinterpret_i64, 'h.frombits($a)')],
  select: (['i32', 'i64', 'f64'] as const).map((t) => line(`i32 ${t} ${t}`, t, Op.select, 'h.select($a, $b, $c)')),
  memcopy: [line('i32 i32 i32', 'void', Op.memory_copy, 'h.memcopy($a, $b, $c)')],
  memfill: [line('i32 i32 i32', 'void', Op.memory_fill, 'h.memfill($a, $b, $c)')],
  trap: [line('', 'void', Op.unreachable, 'h.trap()')],
};

/** The signature of a builtin that fits argument types. */
export function signature(name: string, types: readonly ResultType[]): Builtin | null {
  const fits = (b: Builtin): boolean => b.params.length === types.length && b.params.every((p, i) => p === types[i]);
  return builtins[name]?.find(fits) ?? null;
}
