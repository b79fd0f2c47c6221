// The functions that the language itself provides, under the names of guest.d.ts.

import type { Names } from "./names.ts";

export enum Builtin {
  NONE = 0, LOAD, STORE, CHANGETYPE, SIZEOF, OFFSETOF, ADDRESSOF, CODEOF, FREE, F64BITS, F64FROMBITS, SQRT, LINKER_SYMBOL,
  INIT, NAKED, IS_STRING, MEMORY_COPY, MEMORY_FILL, MEMORY_COMPARE, IMUL,
}

const GLOBAL_NAMES: string[] = [
  "load", "store", "changetype", "sizeof", "offsetof", "addressof", "codeof", "free", "f64bits", "f64frombits", "sqrt",
  "linkerSymbol", "__init", "naked", "isString",
];

/** Which builtin function has a name. */
export class BuiltinTable {
  private ids: Map<i32, i32> = new Map<i32, i32>();

  constructor(names: Names) {
    for (let i = 0; i < GLOBAL_NAMES.length; i++) this.ids.set(names.get(GLOBAL_NAMES[i]!), i + 1);
  }

  /** The builtin called `name`, or Builtin.NONE. */
  find(name: i32): i32 {
    return this.ids.has(name) ? this.ids.get(name)! : Builtin.NONE;
  }
}

/** Members of `memory` and `Math`. */
export function memberBuiltin(space: string, name: string): i32 {
  if (space == "Math") return name == "imul" ? Builtin.IMUL : Builtin.NONE;
  switch (name) {
    case "copy": return Builtin.MEMORY_COPY;
    case "fill": return Builtin.MEMORY_FILL;
    case "compare": return Builtin.MEMORY_COMPARE;
    default: return Builtin.NONE;
  }
}
