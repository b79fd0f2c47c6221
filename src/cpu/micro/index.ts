/**
 * The microcode compiler: CPU semantics, written once as text in a tiny typed language, become a WebAssembly module (tier 0)
 * or plain JavaScript functions (reference). Passes: tokens -> declarations -> typed trees -> pruning, then either
 * expansion of inline functions and WebAssembly, or JavaScript text. A mistake in the text raises MicroError with
 * `name:line:column`; an accepted program never makes an invalid module.
 */
import { MicroError, type MicroSource } from './lexer.ts';
import { Parser, type Names } from './parser.ts';
import { type Fn, type Global, type MicroProgram } from './tree.ts';

export { MicroError, type MicroSource } from './lexer.ts';
export { jsText, toJs, type MicroExports } from './print-js.ts';
export { toWasm } from './print-wasm.ts';
export type { MicroProgram } from './tree.ts';

/** Parses and checks sources that may use each other's functions; constants must be defined before they are used. */
export function compileMicro(sources: readonly MicroSource[]): MicroProgram {
  const names: Names = new Map();
  const parsers = sources.map((source) => new Parser(source, names));
  for (const p of parsers) p.parseDeclarations();
  const fault = faultGlobal(names);
  for (const p of parsers) p.parseBodies();
  const reached = reachable(names);
  checkInline(reached, sources[0]!);
  const globals = [...names.values()].flatMap((n): Global[] => (n.is === 'global' ? [n.global] : []));
  return {
    functions: reached.filter((f) => !f.extern),
    externs: reached.filter((f) => f.extern),
    globals,
    fault,
  };
}

/** The global that says a fault is under way; a program need not define it. */
function faultGlobal(names: Names): Global {
  const known = names.get('fault');
  if (known?.is === 'global') return known.global;
  const global: Global = { name: 'fault', type: 'i32', initial: 0, exported: true, index: -1 };
  names.set('fault', { is: 'global', global });
  return global;
}

/** Functions that exports reach, in order of first call. */
function reachable(names: Names): Fn[] {
  const seen = new Set<Fn>();
  for (const n of names.values()) if (n.is === 'fn' && n.fn.exported) seen.add(n.fn);
  for (const f of seen) for (const callee of f.calls) seen.add(callee);
  return [...seen];
}

/** An inline function must not reach itself through inline functions. */
function checkInline(functions: readonly Fn[], source: MicroSource): void {
  const done = new Set<Fn>();
  const visit = (f: Fn, path: readonly Fn[]): void => {
    if (path.includes(f)) throw new MicroError(source, 0, `inline functions call each other: ${[...path, f].map((x) => x.name).join(' -> ')}`);
    if (done.has(f)) return;
    for (const callee of f.calls) if (callee.inline) visit(callee, [...path, f]);
    done.add(f);
  };
  for (const f of functions) if (f.inline) visit(f, []);
}
