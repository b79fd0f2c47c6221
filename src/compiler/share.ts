// Methods of Array and Map are the same machine code for all element types of one width that are only moved: such
// instances share one compiled function, that of the unsigned integer of the width.

import type { Program } from "./program.ts";
import { constructorOf, methodInstance } from "./resolve.ts";
import { Kind, sameTypes } from "./types.ts";
import type { FuncInst, Type } from "./types.ts";

/** The instance whose code serves for f, or null when f has its own. */
export function sharedInstance(p: Program, f: FuncInst): FuncInst | null {
  const cls = f.cls;
  if (cls == null || f.typeArgs != null) return null;
  const isArray = cls.decl == p.arrayDecl;
  if (!isArray && cls.decl != p.mapDecl) return null;
  const name = p.names.text(f.decl.name);
  if (name == "join" || name == "texts") return null;
  const args: Type[] = [];
  for (let i = 0; i < cls.args.length; i++) {
    const compares = isArray ? name == "indexOf" : i == 0;
    args.push(carrier(p, cls.args[i]!, compares));
  }
  if (sameTypes(args, cls.args)) return null;
  const other = p.classInfo(cls.decl, args);
  return f.decl.isCtor ? constructorOf(p, other) : methodInstance(p, other, f.decl);
}

/** The type that stands for t where values are only moved or, with `compares`, compared for equality. */
function carrier(p: Program, t: Type, compares: bool): Type {
  switch (t.kind) {
    case Kind.STRING: return compares ? t : p.types.tU32;
    case Kind.I32: case Kind.CLASS: case Kind.PTR: case Kind.FUNC: return p.types.tU32;
    case Kind.BOOL: return p.types.tU8;
    default: return t;
  }
}
