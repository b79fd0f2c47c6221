/**
 * Parser of the microcode language. `parseDeclarations` reads every source once, entering constants, state cells, globals
 * and function signatures and skipping bodies; `parseBodies` then reads the bodies with all names known, making typed trees
 * directly. Whatever it returns is well formed: names resolved, types right, breaks inside loops, raises where a fault has
 * somewhere to go, no non-void function falling off its end.
 */
import { binary, builtin, call, cell, choose, condition, load, logic, unary, valueOf, wantInt, type Complain } from './build.ts';
import { builtins } from './builtins.ts';
import { MicroError, tokenize, type MicroSource, type Token } from './lexer.ts';
import {
  constant, memValueType, neverEnds, newLocal, type BinaryOp, type Cell, type ConstExpr, type Expr, type Fn, type Global,
  type Local, type Loop, type MemType, type ResultType, type Stmt, type SwitchCase, type ValType,
} from './tree.ts';

export type Entity =
  | { is: 'const'; value: ConstExpr }
  | { is: 'cell'; cell: Cell }
  | { is: 'global'; global: Global }
  | { is: 'fn'; fn: Fn };

export type Names = Map<string, Entity>;

const cellTypes: Record<string, MemType> = { u8: 'm8', i8: 's8', u16: 'm16', i16: 's16', i32: 'm32', i64: 'm64', f64: 'd64' };
const keywords = new Set([
  'const', 'state', 'global', 'extern', 'fn', 'inline', 'throws', 'export', 'let', 'if', 'else', 'while', 'loop', 'break',
  'continue', 'return', 'switch', 'case', 'default', 'raise', 'try', 'catch',
]);
const precedence = new Map<string, number>();
[
  '||', '&&', '|', '^', '&', '== !=', '< <= > >= <u <=u >u >=u', '<< >> >>>', '+ -', '* / % /u %u',
].forEach((ops, level) => ops.split(' ').forEach((op) => precedence.set(op, level + 1)));
const assignments = new Map<string, BinaryOp | null>([['=', null]]);
for (const op of ['+', '-', '*', '&', '|', '^', '<<', '>>', '>>>'] as const) assignments.set(`${op}=`, op);

export class Parser {
  private readonly source: MicroSource;
  private readonly names: Names;
  private readonly tokens: Token[];
  private next = 0;
  private readonly bodies: { fn: Fn; start: number }[] = [];
  private fn: Fn | null = null;
  private scopes: Map<string, Local>[] = [];
  private loops: Loop[] = [];
  private tries = 0;

  constructor(source: MicroSource, names: Names) {
    this.source = source;
    this.names = names;
    this.tokens = tokenize(source);
  }

  // ---- tokens

  private get token(): Token {
    return this.tokens[this.next]!;
  }

  private readonly complain: Complain = (message) => {
    throw new MicroError(this.source, this.tokens[this.next > 0 ? this.next - 1 : 0]!.at, message);
  };

  private fail(message: string, at = this.token.at): never {
    throw new MicroError(this.source, at, message);
  }

  private is(text: string): boolean {
    const t = this.token;
    return t.text === text && (t.kind === 'mark' || t.kind === 'name');
  }

  private accept(text: string): boolean {
    if (!this.is(text)) return false;
    this.next++;
    return true;
  }

  private expect(text: string): void {
    if (!this.accept(text)) this.fail(`expected '${text}', found '${this.token.text}'`);
  }

  private name(): string {
    const t = this.token;
    if (t.kind !== 'name' || keywords.has(t.text)) this.fail(`expected a name, found '${t.text}'`);
    this.next++;
    return t.text;
  }

  private valType(): ValType {
    const t = this.name();
    if (t !== 'i32' && t !== 'i64' && t !== 'f64') this.complain(`'${t}' is no value type`);
    return t;
  }

  // ---- declarations

  parseDeclarations(): void {
    while (this.token.kind !== 'end') this.declaration();
  }

  private declare(name: string, entity: Entity): void {
    if (this.names.has(name) || builtins[name] || name in memValueType) this.complain(`${name} is already defined`);
    this.names.set(name, entity);
  }

  private declaration(): void {
    if (this.accept('const')) return this.constDeclaration();
    if (this.accept('state')) return this.stateDeclaration();
    const exported = this.accept('export');
    if (this.accept('global')) return this.globalDeclaration(exported);
    const marks = { exported, extern: false, inline: false, throws: false };
    for (let mark = this.token.text; mark === 'extern' || mark === 'inline' || mark === 'throws'; mark = this.token.text) {
      marks[mark] = true;
      this.next++;
    }
    if (!this.accept('fn')) this.fail(`expected a declaration, found '${this.token.text}'`);
    this.fnDeclaration(marks);
  }

  private constDeclaration(): void {
    const name = this.name();
    const type = this.accept(':') ? this.valType() : null;
    this.expect('=');
    const value = this.constExpr();
    if (type && value.type !== type) this.complain(`${name} is ${value.type}, not ${type}`);
    this.declare(name, { is: 'const', value });
    this.expect(';');
  }

  private stateDeclaration(): void {
    const name = this.name();
    this.expect(':');
    const type = this.name();
    const memory = cellTypes[type] ?? this.complain(`'${type}' is no cell type`);
    this.expect('@');
    const address = this.constExpr();
    if (address.type !== 'i32') this.complain('an address is an i32');
    this.declare(name, { is: 'cell', cell: { name, memory, address: Number(address.value) >>> 0 } });
    this.expect(';');
  }

  private globalDeclaration(exported: boolean): void {
    const name = this.name();
    this.expect(':');
    const type = this.valType();
    this.expect('=');
    const value = this.constExpr();
    if (value.type !== type) this.complain(`${name} is ${type}, its value ${value.type}`);
    const shown = exported || name === 'fault';
    this.declare(name, { is: 'global', global: { name, type, initial: value.value, exported: shown, index: -1 } });
    this.expect(';');
  }

  private fnDeclaration(marks: { exported: boolean; extern: boolean; inline: boolean; throws: boolean }): void {
    const name = this.name();
    const params = this.params();
    const result: ResultType = this.accept(':') ? this.valType() : 'void';
    const fn: Fn = { name, params, result, ...marks, body: [], calls: new Set(), index: -1 };
    if (fn.exported && fn.throws) this.complain(`${name}: an exported function has to catch its faults`);
    if (fn.exported && fn.inline) this.complain(`${name}: an exported function can't be inline`);
    this.declare(name, { is: 'fn', fn });
    if (fn.extern) return this.expect(';');
    if (!this.is('{')) this.fail(`expected '{', found '${this.token.text}'`);
    this.bodies.push({ fn, start: this.next });
    this.skipBody();
  }

  private params(): Local[] {
    const params: Local[] = [];
    this.expect('(');
    while (!this.accept(')')) {
      if (params.length > 0) this.expect(',');
      const name = this.name();
      this.expect(':');
      params.push(newLocal(name, this.valType()));
    }
    return params;
  }

  private skipBody(): void {
    const start = this.token.at;
    let depth = 0;
    do {
      if (this.token.kind === 'end') this.fail("this '{' is never closed", start);
      if (this.is('{')) depth++;
      if (this.is('}')) depth--;
      this.next++;
    } while (depth > 0);
  }

  private constExpr(): ConstExpr {
    const e = this.expr();
    return e.kind === 'const' ? e : this.complain('this is not constant');
  }

  // ---- bodies

  parseBodies(): void {
    for (const { fn, start } of this.bodies) this.body(fn, start);
  }

  private body(fn: Fn, start: number): void {
    this.next = start;
    this.fn = fn;
    this.scopes = [new Map(fn.params.map((p) => [p.name, p]))];
    this.tries = 0;
    fn.body = this.block();
    if (fn.result !== 'void' && !neverEnds(fn.body)) this.complain(`${fn.name} can end without a value`);
    this.fn = null;
    this.scopes = [];
  }

  private block(): Stmt[] {
    const list: Stmt[] = [];
    this.expect('{');
    this.scopes.push(new Map());
    while (!this.accept('}')) list.push(this.statement());
    this.scopes.pop();
    return list;
  }

  /** A statement in braces or a single one, in its own scope either way. */
  private arm(): Stmt[] {
    if (this.is('{')) return this.block();
    this.scopes.push(new Map());
    const list = [this.statement()];
    this.scopes.pop();
    return list;
  }

  private statement(): Stmt {
    if (this.token.kind === 'mark' && this.is('{')) return { kind: 'block', body: this.block() };
    if (this.token.kind === 'name') {
      switch (this.token.text) {
        case 'let': return this.letStatement();
        case 'if': return this.ifStatement();
        case 'while': case 'loop': return this.loopStatement('');
        case 'switch': return this.switchStatement();
        case 'try': return this.tryStatement();
        case 'break': case 'continue': return this.jumpStatement(this.token.text);
        case 'return': return this.returnStatement();
        case 'raise': return this.raiseStatement();
      }
      if (this.tokens[this.next + 1]!.text === ':') {
        const label = this.name();
        this.expect(':');
        return this.loopStatement(label);
      }
    }
    return this.expressionStatement();
  }

  private letStatement(): Stmt {
    this.expect('let');
    const name = this.name();
    const type = this.accept(':') ? this.valType() : null;
    this.expect('=');
    const value = this.expr();
    const found = valueOf(value, this.complain);
    if (type && type !== found) this.complain(`${name} is ${type}, its value ${found}`);
    const scope = this.scopes[this.scopes.length - 1]!;
    if (scope.has(name)) this.complain(`${name} is already defined in this block`);
    const local = newLocal(name, found);
    scope.set(name, local);
    this.expect(';');
    return { kind: 'let', local, value };
  }

  private condition(): Expr {
    this.expect('(');
    const cond = condition(this.expr(), 'a condition', this.complain);
    this.expect(')');
    return cond;
  }

  private ifStatement(): Stmt {
    this.expect('if');
    const cond = this.condition();
    const then = this.arm();
    const otherwise = this.accept('else') ? (this.is('if') ? [this.ifStatement()] : this.arm()) : [];
    return { kind: 'if', cond, then, else: otherwise };
  }

  private loopStatement(name: string): Stmt {
    const endless = this.accept('loop');
    if (!endless && !this.accept('while')) this.fail("expected 'loop' or 'while' after a label");
    const cond = endless ? null : this.condition();
    const loop: Loop = { name, breaks: 0, breakDepth: 0, continueDepth: 0, number: 0 };
    this.loops.push(loop);
    const body = this.arm();
    this.loops.pop();
    return { kind: 'loop', loop, cond, body };
  }

  private jumpStatement(kind: 'break' | 'continue'): Stmt {
    this.expect(kind);
    const label = this.is(';') ? null : this.name();
    const loop = label === null ? this.loops[this.loops.length - 1] : this.loops.findLast((l) => l.name === label);
    if (!loop) return this.complain(label === null ? `${kind} outside a loop` : `no loop is called ${label}`);
    if (kind === 'break') loop.breaks++;
    this.expect(';');
    return { kind, loop };
  }

  private switchStatement(): Stmt {
    this.expect('switch');
    this.expect('(');
    const value = wantInt(this.expr(), 'the value of a switch', this.complain);
    this.expect(')');
    const cases: SwitchCase[] = [];
    const seen = new Set<number>();
    let otherwise: Stmt[] | null = null;
    this.expect('{');
    while (!this.accept('}')) {
      if (this.accept('default')) {
        if (otherwise) this.complain('second default');
        this.expect(':');
        otherwise = this.block();
      } else cases.push(this.switchCase(seen));
    }
    return { kind: 'switch', value, cases, default: otherwise ?? [] };
  }

  private switchCase(seen: Set<number>): SwitchCase {
    const values: number[] = [];
    this.expect('case');
    do {
      const value = wantInt(this.constExpr(), 'a case', this.complain) as ConstExpr;
      if (seen.has(value.value as number)) this.complain(`case ${value.value} appears twice`);
      seen.add(value.value as number);
      values.push(value.value as number);
    } while (this.accept(','));
    this.expect(':');
    return { values, body: this.block() };
  }

  private tryStatement(): Stmt {
    this.expect('try');
    this.tries++;
    const body = this.block();
    this.tries--;
    this.expect('catch');
    return { kind: 'try', body, handler: this.block() };
  }

  private returnStatement(): Stmt {
    this.expect('return');
    const { result, name } = this.fn!;
    const value = this.is(';') ? null : this.expr();
    const type = value ? value.type : 'void';
    if (type !== result) this.complain(`${name} returns ${result}, not ${type}`);
    this.expect(';');
    return { kind: 'return', value };
  }

  /** Faults need somewhere to go. */
  private wantFaultTarget(what: string): void {
    if (!this.fn!.throws && this.tries === 0) this.complain(`${what} outside a throws function and a try`);
  }

  private raiseStatement(): Stmt {
    this.expect('raise');
    this.wantFaultTarget('raise');
    this.expect(';');
    return { kind: 'raise' };
  }

  private expressionStatement(): Stmt {
    const start = this.token.at;
    const target = this.expr();
    const op = this.token.kind === 'mark' ? assignments.get(this.token.text) : undefined;
    if (op === undefined) {
      if (target.kind !== 'call' && target.kind !== 'builtin') this.fail('this statement does nothing', start);
      this.expect(';');
      return { kind: 'eval', value: target };
    }
    this.next++;
    const value = this.expr();
    const s = this.assign(target, op, value, start);
    this.expect(';');
    return s;
  }

  private assign(target: Expr, op: BinaryOp | null, value: Expr, at: number): Stmt {
    if (target.kind === 'load' && op && target.address.kind !== 'const') return this.updateMemory(target, op, value);
    const result = op ? binary(op, target, value, this.complain) : value;
    if (result.type !== target.type) this.complain(`${result.type} assigned to ${target.type}`);
    if (target.kind === 'local') {
      target.local.assigned = true;
      return { kind: 'set', local: target.local, value: result };
    }
    if (target.kind === 'global') return { kind: 'setGlobal', global: target.global, value: result };
    if (target.kind === 'load') return { kind: 'store', memory: target.memory, base: target.base, address: target.address, value: result };
    return this.fail('this can not be assigned to', at);
  }

  /** `m32[e] += v` computes its address once. */
  private updateMemory(target: Expr & { kind: 'load' }, op: BinaryOp, value: Expr): Stmt {
    const { memory, base } = target;
    const local = newLocal('address', 'i32');
    const address: Expr = { kind: 'local', type: 'i32', local };
    const result = binary(op, { ...target, address }, value, this.complain);
    if (result.type !== target.type) this.complain(`${result.type} assigned to ${target.type}`);
    return {
      kind: 'block',
      body: [{ kind: 'let', local, value: target.address }, { kind: 'store', memory, base, address, value: result }],
    };
  }

  // ---- expressions

  private expr(): Expr {
    const cond = this.operators(1);
    if (!this.accept('?')) return cond;
    const a = this.expr();
    this.expect(':');
    const b = this.expr();
    return choose(cond, a, b, this.complain);
  }

  private operators(level: number): Expr {
    let left = this.prefix();
    for (;;) {
      const { kind, text } = this.token;
      const here = kind === 'mark' ? (precedence.get(text) ?? 0) : 0;
      if (here < level) return left;
      this.next++;
      const right = this.operators(here + 1);
      left = text === '&&' || text === '||' ? logic(text, left, right, this.complain) : binary(text as BinaryOp, left, right, this.complain);
    }
  }

  private prefix(): Expr {
    for (const op of ['-', '~', '!'] as const) {
      if (this.token.kind === 'mark' && this.accept(op)) return unary(op, this.prefix(), this.complain);
    }
    return this.primary();
  }

  private primary(): Expr {
    const t = this.token;
    if (t.kind === 'i32' || t.kind === 'i64' || t.kind === 'f64') {
      this.next++;
      return constant(t.kind, t.value);
    }
    if (this.accept('(')) {
      const e = this.expr();
      this.expect(')');
      return e;
    }
    if (t.kind !== 'name') return this.fail(`expected an expression, found '${t.text}'`);
    const after = this.tokens[this.next + 1]!.text;
    if (after === '[' && t.text in memValueType) return this.memory(t.text as MemType);
    if (after === '(') return this.callExpr();
    return this.nameExpr();
  }

  private memory(kind: MemType): Expr {
    this.next += 2;
    const first = this.expr();
    if (!this.accept(':')) {
      this.expect(']');
      return load(kind, 0, first, this.complain);
    }
    if (first.kind !== 'const' || first.type !== 'i32') this.complain('the base of a memory access must be a constant i32');
    const address = this.expr();
    this.expect(']');
    return load(kind, Number((first as ConstExpr).value), address, this.complain);
  }

  private args(): Expr[] {
    const args: Expr[] = [];
    this.expect('(');
    while (!this.accept(')')) {
      if (args.length > 0) this.expect(',');
      args.push(this.expr());
    }
    return args;
  }

  private callExpr(): Expr {
    const name = this.name();
    if (name === 'addr') return this.addressOf();
    if (builtins[name]) return builtin(name, this.args(), this.complain);
    const entity = this.names.get(name);
    if (entity?.is !== 'fn') return this.complain(`${name} is no function`);
    if (!this.fn) return this.complain('a constant can not call a function');
    const e = call(entity.fn, this.args(), this.complain);
    if (entity.fn.throws) this.wantFaultTarget(`call of ${name}, which throws,`);
    this.fn.calls.add(entity.fn);
    return e;
  }

  /** `addr(cell)`: the linear address of a state cell. */
  private addressOf(): Expr {
    this.expect('(');
    const name = this.name();
    const entity = this.names.get(name);
    if (entity?.is !== 'cell') return this.complain(`${name} is no state cell`);
    this.expect(')');
    return constant('i32', entity.cell.address | 0);
  }

  private nameExpr(): Expr {
    const name = this.name();
    for (let i = this.scopes.length - 1; i >= 0; i--) {
      const local = this.scopes[i]!.get(name);
      if (local) return { kind: 'local', type: local.type, local };
    }
    const entity = this.names.get(name);
    if (!entity) return this.complain(`${name} is not defined`);
    switch (entity.is) {
      case 'const': return entity.value;
      case 'cell': return cell(entity.cell);
      case 'global': return { kind: 'global', type: entity.global.type, global: entity.global };
      case 'fn': return this.complain(`${name} is a function`);
    }
  }
}
