// Random programs with loops, calls, memory and more live values than there are registers, for comparing the back end with the
// interpreter of the IR. The generator is seeded: a seed is a program, for ever.

export class Random {
  constructor(private state: number) {}
  next(limit: number): number {
    this.state = (Math.imul(this.state, 1664525) + 1013904223) | 0;
    return (this.state >>> 8) % limit;
  }
  pick<T>(list: readonly T[]): T {
    return list[this.next(list.length)]!;
  }
}

type Type = "i32" | "u32" | "u8" | "i16" | "i64" | "u64" | "f64";
const LOCALS: readonly Type[] = ["i32", "i32", "i32", "i32", "u32", "u32", "u8", "i16", "i64", "u64", "f64"];
const CONSTANTS = [0, 1, 2, 3, 4, 5, 7, 8, 9, 16, 31, 100, 127, 128, 255, 256, 1000, 4096, 65535, 65536, 0x7fffffff];

class Generator {
  private readonly locals: Type[] = [];
  private depth = 0;
  private loops = 0;

  constructor(private readonly r: Random, private readonly number: number) {}

  /** One function f<number>(a, b, c): i32. */
  text(): string {
    const count = 3 + this.r.next(12);
    const lines = [`function f${this.number}(a: i32, b: u32, c: i64): i32 {`];
    for (let k = 0; k < count; k++) {
      const type = this.r.pick(LOCALS);
      lines.push(`  let v${k}: ${type} = ${this.expr(type, 1)};`);
      this.locals.push(type);
    }
    const statements = 4 + this.r.next(8);
    for (let k = 0; k < statements; k++) lines.push(this.statement("  "));
    const sum = this.locals.map((t, k) => (t === "f64" ? `whole(v${k})` : `v${k} as i32`)).map((e, k) => `(${e}) * ${k * 2 + 3}`);
    lines.push(`  return ${["a", ...sum].join(" + ")};`, "}");
    return lines.join("\n");
  }

  private leaf(type: Type): string {
    const same = this.locals.map((t, k) => (t === type ? `v${k}` : "")).filter((v) => v !== "");
    if (type === "i32") same.push("a");
    if (type === "u32") same.push("b");
    if (type === "i64") same.push("c");
    if (same.length > 0 && this.r.next(3) > 0) return this.r.pick(same);
    if (type === "i32" && this.r.next(3) === 0) return `words[${this.expr("i32", 0)} & 15]`;
    if (type === "u8" && this.r.next(2) === 0) return `bytes[${this.expr("i32", 0)} & 31]`;
    if (type === "i32" && this.r.next(3) === 0) return this.r.pick(["rec.x", "(rec.small as i32)", "(rec.half as i32)"]);
    if (type === "i64" && this.r.next(3) === 0) return "rec.long";
    if (type === "f64") return this.r.next(2) === 0 ? "rec.real" : `${this.r.pick(CONSTANTS) % 1000}.5`;
    const n = this.r.pick(CONSTANTS);
    if (type === "u8") return `${n & 255}`;
    return type === "i16" ? `${n & 0x7fff}` : `${n}`;
  }

  private expr(type: Type, depth: number): string {
    if (depth <= 0) return this.leaf(type);
    const wide = type === "i64" || type === "u64";
    const narrow = type === "u8" || type === "i16";
    const e = (d = depth - 1): string => `(${this.expr(type, d)} as ${type})`;
    if (type === "f64") {
      if (this.r.next(4) === 0) return `(${this.expr("i32", depth - 1)} as f64)`;
      return `(${this.expr("f64", depth - 1)} ${this.r.pick(["+", "-", "*"])} ${this.leaf("f64")})`;
    }
    switch (this.r.next(12)) {
      case 0: case 1: case 2: case 3: case 4:
        return `((${e()} ${this.r.pick(["+", "-", "*", "&", "|", "^", "+", "-"])} ${e()}) as ${type})`;
      case 5: return `((${e()} ${this.r.pick(["<<", ">>", ">>>"])} ${this.r.next(narrow ? 8 : wide ? 64 : 32)}) as ${type})`;
      case 6: return `((${e()} ${this.r.pick(["<<", ">>", ">>>"])} (${this.expr("i32", 0)} & ${narrow ? 7 : wide ? 63 : 31})) as ${type})`;
      case 7: return `((${e()} ${this.r.pick(["/", "%"])} ${this.r.next(2) ? `((${e()} & 127) | 1)` : this.r.pick(["3", "4", "8", "10", "16", "64"])}) as ${type})`;
      case 8: {
        const from = this.r.pick(["i32", "u32", "u8", "i16", "i64", "u64"] as Type[]);
        return `(${this.expr(from, depth - 1)} as ${type})`;
      }
      case 9: return `(${this.condition(depth - 1)} ? ${e()} : ${e()})`;
      case 10: return this.number > 0 && this.depth < 2 && type === "i32" ? this.call(depth) : `(-${e()} as ${type})`;
      default: return `(~${e()} as ${type})`;
    }
  }

  private call(depth: number): string {
    return `f${this.r.next(this.number)}(${this.expr("i32", depth - 2)}, ${this.expr("u32", depth - 2)}, ${this.expr("i64", depth - 2)})`;
  }

  private condition(depth: number): string {
    const type = this.r.pick(["i32", "i32", "u32", "u8", "i16", "i64", "u64", "f64"] as Type[]);
    const op = this.r.pick(["<", "<=", ">", ">=", "==", "!="]);
    switch (this.r.next(5)) {
      case 0: return `(${this.expr(type, depth)} as ${type}) ${op} (${this.r.pick(["0", "1"])} as ${type})`;
      case 1: return `((${this.expr("i32", depth)}) & ${this.r.pick([1, 2, 4, 255, 0x10000])}) ${this.r.pick(["!=", "=="])} 0`;
      case 2: return `!(${this.condition(0)}) ${this.r.pick(["&&", "||"])} ${this.condition(0)}`;
      default: return `(${this.expr(type, depth)} as ${type}) ${op} (${this.expr(type, depth)} as ${type})`;
    }
  }

  private statement(pad: string): string {
    this.depth++;
    const text = this.depth > 3 ? this.assignment(pad) : this.compound(pad);
    this.depth--;
    return text;
  }

  private assignment(pad: string): string {
    if (this.r.next(3) === 0) return this.memoryWrite(pad);
    const k = this.r.next(this.locals.length);
    const type = this.locals[k]!;
    if (type !== "f64" && this.r.next(3) === 0) {
      const op = this.r.pick(["+", "-", "^", "|", "&"]);
      return `${pad}v${k} = (v${k} ${op} (${this.expr(type, 1)} as ${type})) as ${type};`;
    }
    return `${pad}v${k} = ${this.expr(type, 2)} as ${type};`;
  }

  private memoryWrite(pad: string): string {
    switch (this.r.next(8)) {
      case 0: return `${pad}words[${this.expr("i32", 1)} & 15] = ${this.expr("i32", 1)};`;
      case 1: return `${pad}words[${this.expr("i32", 0)} & 15] += ${this.expr("i32", 1)};`;
      case 2: return `${pad}bytes[${this.expr("i32", 0)} & 31] = ${this.expr("u8", 1)} as u8;`;
      case 3: return `${pad}rec.x ${this.r.pick(["=", "+=", "-=", "^=", "|=", "&="])} ${this.expr("i32", 1)};`;
      case 4: return `${pad}rec.small = (rec.small ${this.r.pick(["+", "|", "^", "&"])} (${this.expr("u8", 1)} as u8)) as u8;`;
      case 5: return `${pad}rec.long = ${this.expr("i64", 2)};`;
      case 6: return `${pad}rec.real = ${this.expr("f64", 1)};`;
      default: return `${pad}rec.half = ${this.expr("i16", 1)} as i16;`;
    }
  }

  private compound(pad: string): string {
    const inner = pad + "  ";
    switch (this.r.next(9)) {
      case 0: return `${pad}if (${this.condition(1)}) {\n${this.statement(inner)}\n${pad}} else {\n${this.statement(inner)}\n${pad}}`;
      case 1: return `${pad}if (${this.condition(2)}) {\n${this.statement(inner)}\n${this.statement(inner)}\n${pad}}`;
      case 2: case 3: {
        const i = `i${this.loops++}`;
        const skip = this.r.next(3) === 0 ? `${inner}if (${this.condition(1)}) ${this.r.pick(["break", "continue"])};\n` : "";
        return `${pad}for (let ${i} = 0; ${i} < ${1 + this.r.next(5)}; ${i}++) {\n${this.statement(inner)}\n${skip}${this.statement(inner)}\n${inner}rec.x += ${i};\n${pad}}`;
      }
      case 4: {
        const cases = [0, 1, 2, 3, 4, 5].map((k) => `${inner}case ${k + 3}: ${this.assignment("")} ${this.r.next(4) ? "break;" : ""}`);
        return `${pad}switch ((${this.expr("i32", 1)} & 7) + 2) {\n${cases.join("\n")}\n${inner}default: ${this.assignment("")}\n${pad}}`;
      }
      default: return this.assignment(pad);
    }
  }
}

/** A program whose `main` returns an i64 that depends on all it did. */
export function randomProgram(seed: number): string {
  const r = new Random(seed);
  const count = 2 + r.next(4);
  const parts = [
    "class Rec { x: i32 = 5; small: u8 = 7; half: i16 = -3; long: i64 = 0x123456789; real: f64 = 2.5; }",
    "let rec!: Embed<Rec>;", "let words!: FixedArray<i32, 16>;", "let bytes!: FixedArray<u8, 32>;",
    "function whole(x: f64): i32 { return x > -1000000000.0 && x < 1000000000.0 ? (x as i32) : 77; }",
  ];
  for (let k = 0; k < count; k++) parts.push(new Generator(r, k).text());
  const calls = Array.from({ length: 3 }, (_, k) => `s = s * 31 + (f${count - 1}(${r.next(1000) - 500}, ${r.next(100000)}, ${r.next(1 << 24)} * ${r.next(1 << 24)}) as i64) + ${k};`);
  parts.push(`export function main(): i64 {
  rec.x = 5; rec.small = 7; rec.half = -3; rec.long = 0x123456789; rec.real = 2.5;
  let s: i64 = 0;
  ${calls.join("\n  ")}
  for (let k = 0; k < 16; k++) s = s * 7 + (words[k] as i64);
  for (let k = 0; k < 32; k++) s = s * 5 + (bytes[k] as i64);
  return s + (rec.x as i64) + (rec.small as i64) * 3 + (rec.half as i64) * 5 + rec.long * 7;
}`);
  return parts.join("\n");
}
