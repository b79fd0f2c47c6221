/**
 * The JavaScript printer: a checked program becomes the text of plain JavaScript functions, one for each function of the
 * program, inline or not, with the same names. i32 values are numbers kept signed by `|0`, i64 values signed bigints. A fault
 * is a JavaScript exception between functions of the program; it never leaves them. It is slow and obvious, and the
 * WebAssembly printer is judged by it. The bits of a NaN may differ.
 */
import { signature } from './builtins.ts';
import { comparison } from './fold.ts';
import { jsHelpers } from './js-helpers.ts';
import { type BinaryOp, type Expr, type Fn, type Local, type MemType, type MicroProgram, type Stmt, type ValType } from './tree.ts';

const getters: Record<MemType, string> = {
  m8: 'getUint8', s8: 'getInt8', m16: 'getUint16', s16: 'getInt16', m32: 'getInt32', m64: 'getBigInt64', d64: 'getFloat64',
};
const setters: Record<MemType, string> = {
  m8: 'setInt8', s8: 'setInt8', m16: 'setInt16', s16: 'setInt16', m32: 'setInt32', m64: 'setBigInt64', d64: 'setFloat64',
};

/** JavaScript of each operator that is more than `(a op b)`, by operand type; `$a` and `$b` are the operands. */
const forms: Record<ValType, Partial<Record<BinaryOp, string>>> = {
  i32: {
    '+': '($a + $b | 0)', '-': '($a - $b | 0)', '*': 'Math.imul($a, $b)', '>>>': '($a >>> $b | 0)',
    '/': 'h.div32($a, $b)', '%': 'h.rem32($a, $b)', '/u': 'h.divu32($a, $b)', '%u': 'h.remu32($a, $b)',
  },
  i64: {
    '+': 'BigInt.asIntN(64, $a + $b)', '-': 'BigInt.asIntN(64, $a - $b)', '*': 'BigInt.asIntN(64, $a * $b)',
    '<<': 'BigInt.asIntN(64, $a << ($b & 63n))', '>>': '($a >> ($b & 63n))',
    '>>>': 'BigInt.asIntN(64, BigInt.asUintN(64, $a) >> ($b & 63n))',
    '/': 'h.div64($a, $b)', '%': 'h.rem64($a, $b)', '/u': 'h.divu64($a, $b)', '%u': 'h.remu64($a, $b)',
  },
  f64: {},
};

/** Fills `$a`, `$b`, `$c` of a form. */
function fill(form: string, args: readonly string[]): string {
  return form.replace(/\$([abc])/g, (_, letter: string) => args['abc'.indexOf(letter)]!);
}

class JsPrinter {
  private readonly lines: string[] = [];
  /** Of all locals that are no parameters: declared once, at the top, so that blocks side by side share them. */
  private readonly names = new Set<string>();
  private indent = 1;
  private locals = 0;
  private loops = 0;

  function(f: Fn): string {
    const params = f.params.map((p) => this.name(p));
    this.list(f.body);
    const declared = this.names.size > 0 ? [`  let ${[...this.names].join(', ')};`] : [];
    return `function ${f.name}$(${params.join(', ')}) {\n${[...declared, ...this.lines].join('\n')}\n}`;
  }

  private name(local: Local): string {
    local.slot = this.locals++;
    return this.use(local);
  }

  private use(local: Local): string {
    return `${local.name}$${local.slot}`;
  }

  private line(text: string): void {
    this.lines.push('  '.repeat(this.indent) + text);
  }

  private list(body: readonly Stmt[]): void {
    const { locals } = this;
    for (const s of body) this.statement(s);
    this.locals = locals;
  }

  private nested(head: string, body: readonly Stmt[], tail = '}'): void {
    this.line(head);
    this.indent++;
    this.list(body);
    this.indent--;
    this.line(tail);
  }

  private statement(s: Stmt): void {
    switch (s.kind) {
      case 'let': {
        const value = this.value(s.value);
        const name = this.name(s.local);
        this.names.add(name);
        return this.line(`${name} = ${value};`);
      }
      case 'set': return this.line(`${this.use(s.local)} = ${this.value(s.value)};`);
      case 'setGlobal': return this.line(`${s.global.name}$g = ${this.value(s.value)};`);
      case 'store': return this.line(`view.${setters[s.memory]}(${this.address(s)}, ${this.value(s.value)}, true);`);
      case 'eval': return this.line(`${this.value(s.value)};`);
      case 'if': {
        this.nested(`if (${this.truth(s.cond)}) {`, s.then, s.else.length > 0 ? '} else {' : '}');
        if (s.else.length > 0) this.closeElse(s.else);
        return;
      }
      case 'loop': {
        s.loop.number = this.loops++;
        return this.nested(`L${s.loop.number}: while (${s.cond ? this.truth(s.cond) : 'true'}) {`, s.body);
      }
      case 'break': case 'continue': return this.line(`${s.kind} L${s.loop.number};`);
      case 'switch': return this.choice(s);
      case 'block': return this.nested('{', s.body);
      case 'return': return this.line(s.value ? `return ${this.value(s.value)};` : 'return;');
      case 'raise': return this.line('fault$g = 1; throw h.FAULT;');
      case 'try':
        this.nested('try {', s.body, '} catch (e) {');
        return this.closeElse(s.handler, 'if (e !== h.FAULT) throw e; fault$g = 0;');
      default: throw new Error(`a parsed tree holds no ${s.kind}`);
    }
  }

  /** The second half of a two-part statement. */
  private closeElse(body: readonly Stmt[], first?: string): void {
    this.indent++;
    if (first) this.line(first);
    this.list(body);
    this.indent--;
    this.line('}');
  }

  private choice(s: Stmt & { kind: 'switch' }): void {
    this.line(`switch (${this.value(s.value)}) {`);
    this.indent++;
    for (const c of s.cases) this.nested(`${c.values.map((v) => `case ${v}:`).join(' ')} {`, c.body, '} break;');
    this.nested('default: {', s.default);
    this.indent--;
    this.line('}');
  }

  private address(e: { base: number; address: Expr }): string {
    if (e.address.kind === 'const') return String(e.base + (Number(e.address.value) >>> 0));
    const index = `(${this.value(e.address)} >>> 0)`;
    return e.base === 0 ? index : `${index} + ${e.base}`;
  }

  private truth(e: Expr): string {
    if (e.kind === 'binary' && comparison(e.op)) return this.compare(e);
    if (e.kind === 'logic') return `(${this.truth(e.a)} ${e.op} ${this.truth(e.b)})`;
    if (e.kind === 'unary' && e.op === '!') return `!(${this.truth(e.a)})`;
    return `${this.value(e)} !== 0`;
  }

  private compare(e: Expr & { kind: 'binary' }): string {
    const unsigned = e.op.endsWith('u');
    const wide = (x: string): string => (e.a.type === 'i64' ? `BigInt.asUintN(64, ${x})` : `(${x} >>> 0)`);
    const [a, b] = [this.value(e.a), this.value(e.b)];
    if (unsigned) return `(${wide(a)} ${e.op.slice(0, -1)} ${wide(b)})`;
    return `(${a} ${e.op === '==' || e.op === '!=' ? `${e.op}=` : e.op} ${b})`;
  }

  private value(e: Expr): string {
    switch (e.kind) {
      case 'const': return literal(e.value);
      case 'local': return this.use(e.local);
      case 'global': return `${e.global.name}$g`;
      case 'load': return `view.${getters[e.memory]}(${this.address(e)}, true)`;
      case 'unary': return this.unary(e);
      case 'binary': {
        if (comparison(e.op)) return `(${this.compare(e)} ? 1 : 0)`;
        return fill(forms[e.type][e.op] ?? `($a ${e.op} $b)`, [this.value(e.a), this.value(e.b)]);
      }
      case 'logic': return `(${this.truth(e)} ? 1 : 0)`;
      case 'choose': return `(${this.truth(e.cond)} ? ${this.value(e.a)} : ${this.value(e.b)})`;
      case 'call': return this.call(e.fn, e.args);
      case 'builtin': return fill(signature(e.name, e.args.map((a) => a.type))!.js, e.args.map((a) => this.value(a)));
      default: throw new Error(`a parsed tree holds no ${e.kind}`);
    }
  }

  private unary(e: Expr & { kind: 'unary' }): string {
    if (e.op === '!') return `(${this.truth(e)} ? 1 : 0)`;
    const plain = `(${e.op}${this.value(e.a)})`;
    if (e.op === '~' || e.type === 'f64') return plain;
    return e.type === 'i64' ? `BigInt.asIntN(64, ${plain})` : `(${plain} | 0)`;
  }

  private call(f: Fn, args: readonly Expr[]): string {
    const values = args.map((a) => this.value(a)).join(', ');
    if (!f.extern) return `${f.name}$(${values})`;
    const call = `imports.${f.name}(${values})`;
    const plain = f.result === 'i32' ? `(${call} | 0)` : f.result === 'i64' ? `BigInt.asIntN(64, ${call})` : call;
    return f.throws ? `passFault(${plain})` : plain;
  }
}

function literal(value: number | bigint): string {
  const text = typeof value === 'bigint' ? `${value}n` : Object.is(value, -0) ? '-0' : String(value);
  return text.startsWith('-') ? `(${text})` : text;
}

/** The JavaScript text of a program: the body of a function of `memory`, `imports` and `h`, the helpers. */
export function jsText(program: MicroProgram): string {
  const parts = ["'use strict';", 'const view = new DataView(memory.buffer);'];
  for (const g of program.globals) parts.push(`let ${g.name}$g = ${literal(g.initial)};`);
  parts.push('function passFault(x) { if (fault$g !== 0) throw h.FAULT; return x; }');
  for (const f of program.functions) parts.push(new JsPrinter().function(f));
  const shown = program.functions.filter((f) => f.exported).map((f) => `${f.name}: ${f.name}$`);
  for (const g of program.globals) {
    if (g.exported) shown.push(`${g.name}: { get value() { return ${g.name}$g; }, set value(v) { ${g.name}$g = v; } }`);
  }
  parts.push(`return { ${shown.join(',\n  ')} };`);
  return parts.join('\n');
}

/** Exports of an instance: functions, and globals as objects with a `value`. */
export type MicroExports = Record<string, any>;

/** An instance of a program in plain JavaScript, with exports of the same shape as those of the WebAssembly module. */
export function toJs(program: MicroProgram, memory: { buffer: ArrayBuffer }, imports: Record<string, unknown>): MicroExports {
  const make = new Function('memory', 'imports', 'h', jsText(program));
  return make(memory, imports, jsHelpers(memory.buffer)) as MicroExports;
}
