// Constants of the x87's transcendental functions as 128-bit fixed-point numbers, computed once from their series.
const EXTRA = 64n;

/** atan(num / den) * 2^bits, rounded down; num <= den. */
function atan(num: bigint, den: bigint, bits: bigint): bigint {
  // Euler's series: sum of 2^2n (n!)^2 / (2n+1)! * z^(2n+1) / (1+z^2)^(n+1)
  const square = num * num;
  const whole = den * den + square;
  let term = ((num * den) << (bits + EXTRA)) / whole;
  let sum = 0n;
  for (let n = 1n; term !== 0n; n++) {
    sum += term;
    term = (term * 2n * n * square) / ((2n * n + 1n) * whole);
  }
  return sum >> EXTRA;
}

/** ln 2 * 2^bits: twice the series of atanh(1/3). */
function ln2(bits: bigint): bigint {
  let power = (2n << (bits + EXTRA)) / 3n;
  let sum = 0n;
  for (let n = 1n; power !== 0n; n += 2n) {
    sum += power / n;
    power /= 9n;
  }
  return sum >> EXTRA;
}

function factorial(n: number): bigint {
  let product = 1n;
  for (let i = 2n; i <= BigInt(n); i++) product *= i;
  return product;
}

/** A 128-bit number as two i64 literals: high, low. */
function pair(value: bigint): string {
  const word = (v: bigint): string => `0x${BigInt.asUintN(64, v).toString(16)}L`;
  return `${word(value >> 64n)}, ${word(value)}`;
}

/** Calls of a Horner step from the last coefficient to the first; wH:wL holds the last one before them. */
function horner(coefficients: bigint[], step: string): string {
  const last = coefficients[coefficients.length - 1]!;
  const rest = coefficients.slice(0, -1).reverse();
  return [`setW(${pair(last)});`, ...rest.map((c) => `${step}(${pair(c)});`)].join('\n  ');
}

const one = (1n << 127n) - 1n;      // just below 1 with 127 fraction bits
const series = (count: number, term: (k: number) => bigint): bigint[] => Array.from({ length: count }, (_, k) => term(k));

/** sin r = r * (1 - u/3! + u^2/5! - ...), u = r^2. */
export const sineSteps = horner(series(13, (k) => one / factorial(2 * k + 1)), 'hornerMinus');
export const cosineSteps = horner(series(14, (k) => one / factorial(2 * k)), 'hornerMinus');
/** atan t = t * (1 - u/3 + u^2/5 - ...). */
export const arctangentSteps = horner(series(12, (k) => one / BigInt(2 * k + 1)), 'hornerMinus');
/** e^y - 1 = y * (1 + y/2! + y^2/3! + ...). */
export const exponentialSteps = (step: string): string => horner(series(24, (k) => (1n << 127n) / factorial(k + 1)), step);
/** log2((1 + s) / (1 - s)) = s * 2/ln 2 * (1 + u/3 + u^2/5 + ...), with 126 fraction bits. */
export const logarithmSteps = horner(series(22, (k) => (1n << 327n) / (ln2(200n) * BigInt(2 * k + 1))), 'hornerPlus');

export const ln2Pair = pair(ln2(128n));              // a mantissa for 2^-1
const pi = 16n * atan(1n, 5n, 126n) - 4n * atan(1n, 239n, 126n);
export const piPair = pair(pi);                      // 126 fraction bits
export const halfPiPair = pair(pi >> 1n);
/** Cases of a switch: atan(k/16) with 126 fraction bits. */
export const arctangentCases = Array.from({ length: 16 }, (_, i) => `case ${i + 1}: { setW(${pair(atan(BigInt(i + 1), 16n, 126n))}); }`).join('\n    ');
