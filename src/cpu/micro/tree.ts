/**
 * Typed trees of the microcode language: what the parser makes and both printers read. Every expression carries its type;
 * names are already resolved to the things they mean. Trees that come from the parser hold no `inlined`, `sequence` or
 * `leave` nodes: those appear only in what `expand.ts` makes of a function for the WebAssembly printer.
 */
export type ValType = 'i32' | 'i64' | 'f64';
export type ResultType = ValType | 'void';

/** How a memory access reads and writes: `m` zero-extends, `s` sign-extends, `d64` is a float. */
export type MemType = 'm8' | 's8' | 'm16' | 's16' | 'm32' | 'm64' | 'd64';

export const memValueType: Record<MemType, ValType> = {
  m8: 'i32', s8: 'i32', m16: 'i32', s16: 'i32', m32: 'i32', m64: 'i64', d64: 'f64',
};

export interface Local {
  name: string;
  type: ValType;
  /** Assigned after its definition. A local that is not may stand for its value. */
  assigned: boolean;
  /** Expansion: what the name stands for at present. */
  meaning: Expr | null;
  /** Printers: index or number of the local in the function. */
  slot: number;
}

export interface Cell { name: string; memory: MemType; address: number }

export interface Global { name: string; type: ValType; initial: number | bigint; exported: boolean; index: number }

export interface Fn {
  name: string;
  params: Local[];
  result: ResultType;
  inline: boolean;
  throws: boolean;
  exported: boolean;
  extern: boolean;
  body: Stmt[];
  /** Functions called directly, in order of first appearance. */
  calls: Set<Fn>;
  index: number;
}

export interface Loop { name: string; breaks: number; breakDepth: number; continueDepth: number; number: number }

/** The end of an inlined body, where its returns go. */
export interface Exit { uses: number; depth: number }

export type BinaryOp =
  | '+' | '-' | '*' | '/' | '%' | '/u' | '%u' | '&' | '|' | '^' | '<<' | '>>' | '>>>'
  | '==' | '!=' | '<' | '<=' | '>' | '>=' | '<u' | '<=u' | '>u' | '>=u';

export type ConstExpr = { kind: 'const'; type: ValType; value: number | bigint };
export type LocalExpr = { kind: 'local'; type: ValType; local: Local };
export type LoadExpr = { kind: 'load'; type: ValType; memory: MemType; base: number; address: Expr };
export type Expr =
  | ConstExpr
  | LocalExpr
  | LoadExpr
  | { kind: 'global'; type: ValType; global: Global }
  | { kind: 'unary'; type: ValType; op: '-' | '~' | '!'; a: Expr }
  | { kind: 'binary'; type: ValType; op: BinaryOp; a: Expr; b: Expr }
  | { kind: 'logic'; type: 'i32'; op: '&&' | '||'; a: Expr; b: Expr }
  | { kind: 'choose'; type: ValType; cond: Expr; a: Expr; b: Expr }
  | { kind: 'call'; type: ResultType; fn: Fn; args: Expr[] }
  | { kind: 'builtin'; type: ResultType; name: string; args: Expr[] }
  | { kind: 'inlined'; type: ResultType; body: Stmt[]; exit: Exit }
  | { kind: 'sequence'; type: ResultType; body: Stmt[]; value: Expr | null };

export type Stmt =
  | { kind: 'let'; local: Local; value: Expr }
  | { kind: 'set'; local: Local; value: Expr }
  | { kind: 'setGlobal'; global: Global; value: Expr }
  | { kind: 'store'; memory: MemType; base: number; address: Expr; value: Expr }
  | { kind: 'eval'; value: Expr }
  | { kind: 'if'; cond: Expr; then: Stmt[]; else: Stmt[] }
  | { kind: 'loop'; loop: Loop; cond: Expr | null; body: Stmt[] }
  | { kind: 'break'; loop: Loop }
  | { kind: 'continue'; loop: Loop }
  | { kind: 'switch'; value: Expr; cases: SwitchCase[]; default: Stmt[] }
  | { kind: 'block'; body: Stmt[] }
  | { kind: 'return'; value: Expr | null }
  | { kind: 'leave'; exit: Exit; value: Expr | null }
  | { kind: 'raise' }
  | { kind: 'try'; body: Stmt[]; handler: Stmt[] };

export interface SwitchCase { values: number[]; body: Stmt[] }

/** A checked program: only what exports reach. */
export interface MicroProgram {
  functions: Fn[];
  externs: Fn[];
  globals: Global[];
  /** The global that says a guest fault is under way. */
  fault: Global;
}

export function constant(type: ValType, value: number | bigint): ConstExpr {
  return { kind: 'const', type, value };
}

export function newLocal(name: string, type: ValType): Local {
  return { name, type, assigned: false, meaning: null, slot: -1 };
}

/** Whether control never comes out of the end of a list. */
export function neverEnds(list: readonly Stmt[]): boolean {
  const last = list[list.length - 1];
  return last !== undefined && leaves(last);
}

function leaves(s: Stmt): boolean {
  switch (s.kind) {
    case 'return': case 'leave': case 'raise': case 'break': case 'continue': return true;
    case 'block': return neverEnds(s.body);
    case 'if': return neverEnds(s.then) && neverEnds(s.else);
    case 'loop': return s.cond === null && s.loop.breaks === 0;
    case 'switch': return neverEnds(s.default) && s.cases.every((c) => neverEnds(c.body));
    case 'try': return neverEnds(s.body) && neverEnds(s.handler);
    case 'eval': return s.value.kind === 'builtin' && s.value.name === 'trap';
    default: return false;
  }
}
