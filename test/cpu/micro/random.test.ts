import { expect, test } from 'vitest';
import { both } from './both.ts';

/** xorshift32 from a seed. */
function generator(seed: number): (n: number) => number {
  let x = seed;
  return (n) => {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    return (x >>> 0) % n;
  };
}

/** A random program: straight code, branches, bounded loops, switches, inline and throwing functions. */
class Program {
  private readonly pick: (n: number) => number;
  private count = 0;
  /** Only `run` calls other functions, so that every program ends. */
  private calls = false;
  constructor(seed: number) {
    this.pick = generator(seed);
  }

  private one<T>(list: readonly T[]): T {
    return list[this.pick(list.length)]!;
  }

  expr(vars: readonly string[], depth: number): string {
    if (depth === 0 || this.pick(6) === 0) return this.pick(3) === 0 ? String(this.one([0, 1, 2, 255, 0x7fffffff, 0xffffffff])) : this.one(vars);
    const [a, b] = [this.expr(vars, depth - 1), this.expr(vars, depth - 1)];
    switch (this.pick(9)) {
      case 0: return `(${a} ? ${b} : ${this.expr(vars, depth - 1)})`;
      case 1: return `(${a} ${this.one(['&&', '||'])} ${b})`;
      case 2: return `${this.one(['-', '~', '!'])}(${a})`;
      case 3: return `m32[64 : (${a}) & 63]`;
      case 4: return `lo(i64(${a}) * u64(${b}) >> 7)`;
      case 5: return `(${a} ${this.one(['<', '<=u', '==', '!=', '>', '>=u'])} ${b})`;
      case 6: return `inl(${a}, ${b})`;
      default: return `(${a} ${this.one(['+', '-', '*', '&', '|', '^', '<<', '>>', '>>>'])} ${b})`;
    }
  }

  block(vars: readonly string[], depth: number, throws: boolean): string {
    const known = [...vars];
    let text = '';
    for (let i = 1 + this.pick(4); i > 0; i--) text += this.statement(known, depth, throws);
    return `{ ${text} }`;
  }

  private statement(vars: string[], depth: number, throws: boolean): string {
    const e = (): string => this.expr(vars, 2);
    const inner = (): string => this.block(vars, depth - 1, throws);
    switch (this.pick(depth > 0 ? 10 : 4)) {
      case 0: {
        const value = e();
        const name = `v${this.count++}`;
        vars.push(name);
        return `let ${name} = ${value};\n`;
      }
      case 1: return `m8[64 : (${e()}) & 63] ${this.one(['=', '+=', '^='])} ${e()};\n`;
      case 2: return throws ? `if (${e()} == ${e()}) { raise; }\n` : `acc += ${e()};\n`;
      case 3: return `${this.one(vars)} ${this.one(['=', '+=', '^=', '<<='])} ${e()};\n`;
      case 4: return `if (${e()}) ${inner()} else ${inner()}\n`;
      case 5: return `if (${e()}) ${inner()}\n`;
      case 6: {
        const n = `n${this.count++}`;
        return `{ let ${n} = 3; while (${n} > 0 && ${e()}) { ${n} -= 1; if (${e()} & 8) { ${this.one(['break', 'continue'])}; } ${inner()} } }\n`;
      }
      case 7: return `switch (${e()} & 7) { case 1, 4: ${inner()} case 2: ${inner()} case 6: ${inner()} default: ${inner()} }\n`;
      case 8: return `try ${this.block(vars, depth - 1, true)} catch ${inner()}\n`;
      default: if (!this.calls) return `acc += ${e()};\n`;
        return throws ? `acc ^= risky(${e()}, ${e()});\n` : `acc ^= calm(${e()});\n`;
    }
  }

  text(): string {
    const calm = this.block(['a'], 1, false).replace(/}$/, 'return a; }');
    const risky = this.block(['a', 'b'], 2, true).replace(/}$/, 'return b; }');
    this.calls = true;
    return `
      global acc: i32 = 1;
      inline fn inl(a: i32, b: i32): i32 { if (a < b) { return a - 1; } acc += 1; return b ^ a; }
      fn calm(a: i32): i32 ${calm}
      throws fn risky(a: i32, b: i32): i32 ${risky}
      export fn run(a: i32, b: i32): i32 ${this.block(['a', 'b'], 3, false).replace(/}$/, 'return a ^ b ^ acc; }')}`;
  }
}

test('random programs do the same as WebAssembly and as JavaScript', () => {
  const results = new Set<unknown>();
  for (let seed = 1; seed <= 150; seed++) {
    const text = new Program(seed * 7919).text();
    const { call } = both(text);
    for (const [a, b] of [[0, 0], [1, -1], [12345, 77], [-0x80000000, 0x7fffffff]]) {
      try {
        results.add(call('run', a!, b!));
      } catch (e) {
        throw new Error(`seed ${seed}: ${(e as Error).message}\n${text}`);
      }
    }
  }
  expect(results.size).toBeGreaterThan(100);
});
