// The program being compiled: its modules, what their names mean, and the instances of classes and functions that are
// reached from the entry. Loading finds every module that is imported, directly or not; the run-time library
// (strings, Array, Map) belongs to every program. Functions of other modules than the first are parsed when they
// are used, so that a fault of syntax that no one would meet is not reported, unless there are other errors.

import {
  ClassDecl, De, Decl, FuncDecl, ImportDecl, Module, VarDecl,
} from "./ast.ts";
import { Diags, SourceFile } from "./diag.ts";
import type { CompilerHost } from "./host.ts";
import { BuiltinTable } from "./builtins.ts";
import { Names } from "./names.ts";
import { Parser } from "./parser.ts";
import { sharedInstance } from "./share.ts";
import { KEYWORDS } from "./token.ts";
import { ClassInfo, FuncInst, sameTypes, Type, TypeEnv, TypeTable } from "./types.ts";

/** Names that the compiler itself looks for. */
export class KnownNames {
  readonly length: i32;
  readonly data: i32;
  readonly naked: i32;
  readonly math: i32;
  readonly memory: i32;
  readonly string: i32;
  readonly array: i32;
  readonly map: i32;
  readonly constructorName: i32;
  readonly release: i32;

  constructor(names: Names) {
    this.length = names.get("length");
    this.data = names.get("data");
    this.naked = names.get("naked");
    this.math = names.get("Math");
    this.memory = names.get("memory");
    this.string = names.get("String");
    this.array = names.get("Array");
    this.map = names.get("Map");
    this.constructorName = names.get("constructor");
    this.release = names.get("release");
  }
}

export class Program {
  readonly host: CompilerHost;
  readonly diags: Diags;
  readonly names: Names = new Names();
  readonly types: TypeTable = new TypeTable();
  readonly known: KnownNames;
  readonly builtins: BuiltinTable;
  readonly modules: Module[] = [];
  private readonly parsers: Parser[] = []; // by module
  readonly order: Module[] = [];           // of initialisation
  readonly queue: FuncInst[] = [];         // used functions, in order of discovery
  readonly usedGlobals: VarDecl[] = [];
  readonly newClasses: ClassInfo[] = [];   // classes whose vtable is needed
  readonly classes: ClassInfo[] = [];      // all instances, in order of discovery
  readonly nested: FuncInst[] = [];        // nested functions found while checkAll
  checkAll: bool = false;                  // check also what is not reached
  readonly strings: string[] = [];         // pool of constant strings
  private stringIds: Map<string, i32> = new Map<string, i32>();
  private byPath: Map<string, Module> = new Map<string, Module>();
  private bindNames: string[] = [];
  private bindDirs: string[] = [];
  private symbols: Map<string, i32> = new Map<string, i32>();
  arrayDecl: ClassDecl | null = null;
  mapDecl: ClassDecl | null = null;
  arrayModule: Module | null = null;
  stringModule: Module | null = null;

  constructor(host: CompilerHost, diags: Diags) {
    this.host = host;
    this.diags = diags;
    for (const word of KEYWORDS) this.names.get(word);
    this.known = new KnownNames(this.names);
    this.builtins = new BuiltinTable(this.names);
    this.addString("");
  }

  /** Imports of `name/x.ts` are found in `dir`. */
  bind(name: string, dir: string): void {
    this.bindNames.push(name);
    this.bindDirs.push(dir);
  }

  // ---- loading ----

  /** Load the entry module and everything it imports. False after errors. */
  load(entry: string): bool {
    const main = this.loadPath(normalize(entry), null, 0);
    if (main == null) return false;
    this.loadLibrary();
    for (let i = 0; i < this.modules.length; i++) this.loadImports(this.modules[i]!);
    if (this.diags.count > 0) return false;
    for (const m of this.modules) this.checkImports(m);
    this.visit(main);
    for (const m of this.modules) this.linkClasses(m);
    for (const m of this.modules) this.markOverrides(m);
    return this.diags.count == 0;
  }

  private loadLibrary(): void {
    const arrays = this.loadPath(this.boundPath("lib/array.ts"), null, 0);
    const maps = this.loadPath(this.boundPath("lib/map.ts"), null, 0);
    this.stringModule = this.loadPath(this.boundPath("lib/string.ts"), null, 0);
    this.arrayModule = arrays;
    if (arrays != null) this.arrayDecl = this.libraryClass(arrays, this.known.array);
    if (maps != null) this.mapDecl = this.libraryClass(maps, this.known.map);
  }

  private libraryClass(m: Module, name: i32): ClassDecl | null {
    const d = m.names.has(name) ? m.names.get(name)! : null;
    if (d == null || d.kind != De.CLASS) {
      this.diags.error(m.file, 0, `the run-time library has no class ${this.names.text(name)} here`);
      return null;
    }
    return d as ClassDecl;
  }

  private loadImports(m: Module): void {
    for (const edge of m.edges) {
      const path = this.resolvePath(m.file.path, edge.path);
      if (path == "") this.diags.error(m.file, edge.pos, `'${edge.path}' is neither relative nor bound with --bind`);
      else edge.target = this.loadPath(path, m, edge.pos);
    }
  }

  private loadPath(path: string, from: Module | null, pos: i32): Module | null {
    if (this.byPath.has(path)) return this.byPath.get(path)!;
    const text = this.host.readFile(path);
    if (text == null) {
      this.diags.error(from == null ? null : from.file, pos, `can't read ${path}`);
      return null;
    }
    const parser = new Parser(new SourceFile(path, text), this.names, this.diags);
    parser.parseAll(from != null || this.modules.length > 0);
    const m = parser.module;
    this.parsers.push(parser);
    m.index = this.modules.length;
    this.modules.push(m);
    this.byPath.set(path, m);
    return m;
  }

  /** Parse the signature of a function of a module other than the first, now that it is wanted. */
  completeSignature(f: FuncDecl): void {
    if (f.signatureAt >= 0) this.parsers[f.module!.index]!.parseSignatureOf(f);
  }

  private completed(d: Decl | null): Decl | null {
    if (d != null && d.kind == De.FUNC) this.completeSignature(d as FuncDecl);
    return d;
  }

  /** Parse the body of such a function. */
  completeBody(f: FuncDecl): void {
    this.completeSignature(f);
    if (f.bodyAt >= 0) this.parsers[f.module!.index]!.parseRest(f);
  }

  private resolvePath(from: string, path: string): string {
    if (path.startsWith("./") || path.startsWith("../")) {
      const slash = from.lastIndexOf("/");
      return normalize(slash < 0 ? path : from.substring(0, slash + 1) + path);
    }
    return this.boundPath(path);
  }

  private boundPath(path: string): string {
    const slash = path.indexOf("/");
    if (slash < 0) return "";
    const head = path.substring(0, slash);
    for (let i = 0; i < this.bindNames.length; i++) {
      if (this.bindNames[i]! == head) return normalize(this.bindDirs[i]! + path.substring(slash, path.length));
    }
    if (head == "lib") return "src/" + path;
    if (head == "rt") return "src/lib/bare/rt.ts";
    return "";
  }

  /** Order of initialisation: imports first, type-only ones do not count. */
  private visit(m: Module): void {
    if (m.visited) return;
    m.visited = true;
    for (const edge of m.edges) {
      const target = edge.target;
      if (target != null && !edge.typeOnly) this.visit(target);
    }
    this.order.push(m);
  }

  // ---- names ----

  private checkImports(m: Module): void {
    for (const d of m.names.values()) {
      if (d.kind != De.IMPORT) continue;
      const found = this.follow(d);
      if (found != null) {
        m.names.set(d.name, found);
        continue;
      }
      const i = d as ImportDecl;
      const name = this.names.text(i.foreign);
      this.diags.error(m.file, d.pos, `${i.from.path} exports no '${name}'`);
    }
  }

  /** The declaration behind imports and re-exports; a whole-module import stands for itself. */
  private follow(start: Decl): Decl | null {
    let d: Decl | null = start;
    let steps = 0;
    while (d != null && d.kind == De.IMPORT) {
      const i: ImportDecl = d as ImportDecl;
      if (i.foreign < 0) return d;
      const target: Module | null = i.from.target;
      if (target == null || ++steps > 100) return null;
      if (target == i.module) d = target.names.has(i.foreign) ? target.names.get(i.foreign)! : null;
      else d = this.exported(target, i.foreign);
    }
    return d;
  }

  /** What a module exports under a name, perhaps still incomplete, or null. */
  private exported(m: Module, name: i32): Decl | null {
    if (m.exports.has(name)) return this.follow(m.exports.get(name)!);
    for (const edge of m.stars) {
      const target = edge.target;
      const d = target == null ? null : this.exported(target, name);
      if (d != null) return d;
    }
    return null;
  }

  /** What a name means at the top level of a module, or null. */
  lookup(m: Module, name: i32): Decl | null {
    return m.names.has(name) ? this.completed(m.names.get(name)!) : null;
  }

  /** What `m.name` means where m is a whole imported module, or null. */
  member(m: Module, name: i32): Decl | null {
    return this.completed(this.exported(m, name));
  }

  /** The module behind `import * as name`. */
  namespaceOf(d: Decl): Module | null {
    return d.kind == De.IMPORT ? (d as ImportDecl).from.target : null;
  }

  // ---- class hierarchies ----

  private linkClasses(m: Module): void {
    for (const c of m.classes) {
      const base = c.base;
      if (base == null) continue;
      const d = this.lookup(m, base.name);
      if (d == null || d.kind != De.CLASS) this.diags.error(m.file, base.pos, "this is not the name of a class");
      else c.baseDecl = d as ClassDecl;
    }
    for (const c of m.classes) {
      let b: ClassDecl | null = c;
      for (let depth = 0; b != null; depth++) {
        b = b.baseDecl;
        if (depth < 100) continue;
        this.diags.error(m.file, c.pos, "this class is derived from itself");
        c.baseDecl = null;
        return;
      }
    }
  }

  private markOverrides(m: Module): void {
    for (const c of m.classes) {
      for (const f of c.methods) {
        if (f.isStatic) continue;
        if (f.isAbstract) this.markVirtual(c, f);
        let b = c.baseDecl;
        while (b != null) {
          const other = findMethod(b, f.name);
          if (other != null && !other.isStatic) {
            this.markVirtual(c, f);
            other.isOverridden = true;
          }
          b = b.baseDecl;
        }
      }
    }
  }

  private markVirtual(c: ClassDecl, f: FuncDecl): void {
    f.isOverridden = true;
    let root = c;
    while (root.baseDecl != null) root = root.baseDecl;
    root.usesVtable = true;
  }

  hasVtable(c: ClassInfo): bool {
    let root = c.decl;
    while (root.baseDecl != null) root = root.baseDecl;
    return root.usesVtable;
  }

  // ---- symbols ----

  /** A symbol no one else has: the name itself, or with the module's name in front, or numbered. */
  uniqueSymbol(name: string, m: Module | null): string {
    if (!this.symbols.has(name)) {
      this.symbols.set(name, 1);
      return name;
    }
    if (m != null) {
      const long = moduleName(m.file.path) + "." + name;
      if (!this.symbols.has(long)) {
        this.symbols.set(long, 1);
        return long;
      }
    }
    const count = this.symbols.get(name)! + 1;
    this.symbols.set(name, count);
    return this.uniqueSymbol(`${name}.${count}`, null);
  }

  /** Id of a constant string. */
  addString(text: string): i32 {
    if (this.stringIds.has(text)) return this.stringIds.get(text)!;
    const id = this.strings.length;
    this.strings.push(text);
    this.stringIds.set(text, id);
    return id;
  }

  /** Mark a function as used: it gets its symbol and will be compiled. */
  use(f: FuncInst): string {
    if (f.isUsed) return f.symbol;
    f.isUsed = true;
    const shared = sharedInstance(this, f);
    if (shared != null) {
      f.symbol = this.use(shared);
      return f.symbol;
    }
    f.symbol = this.uniqueSymbol(this.functionName(f), f.decl.module);
    this.queue.push(f);
    return f.symbol;
  }

  private functionName(f: FuncInst): string {
    let name = this.names.text(f.decl.name);
    const cls = f.cls;
    if (cls != null) name = cls.name + "." + name;
    const args = f.typeArgs;
    return args == null ? name : name + typeArgsName(args);
  }

  /** Mark a global variable as used: it gets its symbol and its storage. */
  useGlobal(v: VarDecl): string {
    if (v.symbol != "") return v.symbol;
    const cls = v.cls;
    const name = cls == null ? this.names.text(v.name) : this.names.text(cls.name) + "." + this.names.text(v.name);
    v.symbol = this.uniqueSymbol(name, v.module);
    this.usedGlobals.push(v);
    return v.symbol;
  }

  // ---- instances ----

  /** The instance of a class for type arguments (none for an ordinary class). */
  classInfo(decl: ClassDecl, args: Type[]): ClassInfo {
    for (const c of decl.instances) {
      if (sameTypes(c.args, args)) return c;
    }
    const name = this.names.text(decl.name) + (args.length > 0 ? typeArgsName(args) : "");
    const c = new ClassInfo(decl, name, args);
    const params = decl.typeParams;
    if (params != null) c.env = new TypeEnv(params, args, null);
    decl.instances.push(c);
    this.classes.push(c);
    return c;
  }

  arrayOf(elem: Type): Type {
    const args: Type[] = [elem];
    return this.classInfo(this.arrayDecl!, args).type;
  }

  isArray(t: Type): bool {
    const c = t.cls;
    return c != null && c.decl == this.arrayDecl;
  }

  /** A function of the run-time library module `lib/string.ts`, by name; null when it has none. */
  stringFunction(name: string): FuncDecl | null {
    return this.functionIn(this.stringModule, name);
  }

  /** A function of the run-time library that the compiler itself calls. */
  libraryFunction(name: string): FuncDecl | null {
    const d = this.functionIn(this.stringModule, name);
    return d != null ? d : this.functionIn(this.arrayModule, name);
  }

  private functionIn(m: Module | null, name: string): FuncDecl | null {
    if (m == null) return null;
    const d = this.member(m, this.names.get(name));
    return d != null && d.kind == De.FUNC ? d as FuncDecl : null;
  }
}

/** The method that a class itself declares under a name, or null. */
export function findMethod(c: ClassDecl, name: i32): FuncDecl | null {
  for (const f of c.methods) {
    if (f.name == name) return f;
  }
  return null;
}

function typeArgsName(args: Type[]): string {
  let text = "";
  for (const t of args) text = text + (text.length > 0 ? "," : "<") + t.name;
  return text + ">";
}

function moduleName(path: string): string {
  const slash = path.lastIndexOf("/");
  const dot = path.lastIndexOf(".");
  return path.substring(slash + 1, dot > slash ? dot : path.length);
}

/** A path without `.`, `..` and doubled slashes. */
export function normalize(path: string): string {
  const parts: string[] = [];
  let start = 0;
  for (let i = 0; i <= path.length; i++) {
    if (i < path.length && path.charCodeAt(i) != 47) continue;
    const part = path.substring(start, i);
    start = i + 1;
    if (part == "." || (part == "" && i > 0)) continue;
    if (part == ".." && parts.length > 0 && parts[parts.length - 1]! != "..") parts.pop();
    else parts.push(part);
  }
  return parts.join("/");
}
