// Random arithmetic: the same expression as guest code (executed as IR) and as JavaScript with explicit wrapping.
// The generator is seeded, so every run checks the same programs.

import { expect, test, vi } from "vitest";
import { front } from "./harness.ts";
import { Interpreter } from "./interpret.ts";

vi.setConfig({ testTimeout: 60_000 });

class Random {
  constructor(private state: number) {}
  next(limit: number): number {
    this.state = (Math.imul(this.state, 1664525) + 1013904223) | 0;
    return (this.state >>> 8) % limit;
  }
  pick<T>(list: T[]): T {
    return list[this.next(list.length)]!;
  }
}

interface Pair { guest: string; js: string; }
type Width = "i32" | "u32" | "i64" | "u64";

const WRAP: Record<Width, (e: string) => string> = {
  i32: (e) => `BigInt.asIntN(32, ${e})`,
  u32: (e) => `BigInt.asUintN(32, ${e})`,
  i64: (e) => `BigInt.asIntN(64, ${e})`,
  u64: (e) => `BigInt.asUintN(64, ${e})`,
};

const VALUES = [0, 1, 2, 7, 31, 127, 255, 256, 65535, 65536, 0x7fffffff];

function leaf(r: Random, w: Width): Pair {
  if (r.next(2) === 0) {
    const v = `${w}${r.next(3)}`;
    return { guest: v, js: v };
  }
  const n = r.pick(VALUES);
  return { guest: `${n}`, js: `${n}n` };
}

/** An expression of type w. */
function make(r: Random, w: Width, depth: number): Pair {
  if (depth === 0) return leaf(r, w);
  const a = make(r, w, depth - 1);
  const b = make(r, w, depth - 1);
  const count = r.next(w.endsWith("64") ? 64 : 32);
  switch (r.next(10)) {
    case 0: case 1: case 2: case 3: {
      const op = r.pick(["+", "-", "*", "&", "|", "^"]);
      const guest = `((${a.guest} as ${w}) ${op} (${b.guest} as ${w}))`;
      return { guest, js: WRAP[w](`${a.js} ${op} ${b.js}`) };
    }
    case 4: return { guest: `((${a.guest} as ${w}) << ${count})`, js: WRAP[w](`${a.js} << ${count}n`) };
    case 5: return { guest: `((${a.guest} as ${w}) >> ${count})`, js: `(${a.js} >> ${count}n)` };
    case 6: {
      const unsigned = w.endsWith("64") ? "u64" : "u32";
      return { guest: `((${a.guest} as ${w}) >>> ${count})`, js: WRAP[w](`${WRAP[unsigned](a.js)} >> ${count}n`) };
    }
    case 7: {
      const op = r.pick(["/", "%"]);
      const guest = `((${a.guest} as ${w}) ${op} ((${b.guest} as ${w}) & 0xff | 1))`;
      return { guest, js: WRAP[w](`${a.js} ${op} (${b.js} & 255n | 1n)`) };
    }
    case 8: {
      const from = r.pick(["i32", "u32", "i64", "u64"] as Width[]);
      const c = make(r, from, depth - 1);
      return { guest: `((${c.guest} as ${from}) as ${w})`, js: WRAP[w](c.js) };
    }
    default: {
      const op = r.pick(["<", "<=", "==", "!=", ">", ">="]);
      const guest = `((${a.guest} as ${w}) ${op} (${b.guest} as ${w}) ? (${b.guest} as ${w}) : -(${a.guest} as ${w}) as ${w})`;
      return { guest, js: `(${a.js} ${op} ${b.js} ? ${b.js} : ${WRAP[w](`-${a.js}`)})` };
    }
  }
}

function declare(r: Random, w: Width, guest: string[], js: string[]): void {
  for (let i = 0; i < 3; i++) {
    const n = BigInt(r.next(0x1000000)) * BigInt(r.next(0x1000000)) * BigInt(r.pick([1, 1, 257]));
    const v = BigInt(w.endsWith("64") ? (w === "u64" ? BigInt.asUintN(64, n) : BigInt.asIntN(64, n)) : w === "u32" ? BigInt.asUintN(32, n) : BigInt.asIntN(32, n));
    guest.push(`let ${w}${i}: ${w} = ${v};`);
    js.push(`let ${w}${i} = ${v < 0n ? `(${v}n)` : `${v}n`};`);
  }
}

test("random expressions have JavaScript's values", () => {
  for (let seed = 1; seed <= 60; seed++) {
    const r = new Random(seed);
    const guest: string[] = [];
    const js: string[] = [];
    for (const w of ["i32", "u32", "i64", "u64"] as Width[]) declare(r, w, guest, js);
    for (const [k, w] of (["i32", "u32", "i64", "u64"] as Width[]).entries()) {
      const e = make(r, w, 4);
      guest.push(`const r${k}: i64 = (${e.guest} as ${w}) as i64;`);
      js.push(`const r${k} = BigInt.asIntN(64, ${e.js});`);
    }
    const source = `export function main(): i64 { ${guest.join("\n")}\n return r0 * 31 + r1 * 17 + r2 * 7 + r3; }`;
    const { module, errors } = front(source);
    expect(errors, source).toBe("");
    const want = new Function(`${js.join("\n")}\n return BigInt.asIntN(64, r0 * 31n + r1 * 17n + r2 * 7n + r3);`)() as bigint;
    expect(new Interpreter(module).call("main"), source).toBe(want);
  }
});
