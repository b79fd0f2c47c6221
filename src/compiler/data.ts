// Static data of the program: constant strings, global variables, constant arrays, vtables. What can be computed at
// compile time becomes bytes and relocations; the rest starts as zeros and is set by an initialiser (see emit in
// compile.ts).

import { Ex, K_INT, K_NONE, K_STRING } from "./ast.ts";
import type { ArrayExpr, Expr, FuncDecl, FuncExpr, NameExpr, VarDecl } from "./ast.ts";
import { Checker, constantOf } from "./check.ts";
import { checkAssign } from "./checkexpr.ts";
import { setConverted } from "./fold.ts";
import { IrData, IrModule, IrReloc, SEC_BSS, SEC_DATA, SEC_RODATA } from "./ir.ts";
import type { Program } from "./program.ts";
import { alignOf, embedNeedsInit, isZeroLiteral, layout, sizeOf } from "./resolve.ts";
import { Kind } from "./types.ts";
import type { ClassInfo, FuncInst, Type } from "./types.ts";

export class Pool {
  readonly p: Program;
  readonly out: IrModule;
  usesInit: bool = false;              // the program calls __init
  lengthOffset: i32 = 0;               // of Array<T>
  dataOffset: i32 = 0;
  readonly charCodeAt: FuncDecl | null;
  private stringSymbols: string[] = [];
  private arrays: i32 = 0;

  constructor(p: Program, out: IrModule) {
    this.p = p;
    this.out = out;
    this.charCodeAt = p.stringFunction("stringCharCodeAt");
    const array = layout(p, p.arrayOf(p.types.tI32).cls!);
    const length = array.findField(p.known.length);
    const data = array.findField(p.known.data);
    if (length != null) this.lengthOffset = length.offset;
    if (data != null) this.dataOffset = data.offset;
  }

  /** The symbol of a constant string's record: its length, its bytes, a NUL. */
  stringSymbol(id: i32): string {
    while (this.stringSymbols.length <= id) this.stringSymbols.push("");
    if (this.stringSymbols[id]! != "") return this.stringSymbols[id]!;
    const text = this.p.strings[id]!;
    const d = this.newData(`str.${id}`, SEC_RODATA, 4);
    putWord(d.bytes, text.length);
    for (let i = 0; i < text.length; i++) d.bytes.push((text.charCodeAt(i) & 255) as u8);
    d.bytes.push(0);
    d.size = d.bytes.length;
    this.stringSymbols[id] = d.name;
    return d.name;
  }

  private newData(name: string, section: i32, align: i32): IrData {
    const d = new IrData();
    d.name = name;
    d.section = section;
    d.align = align;
    this.out.data.push(d);
    return d;
  }

  /** Give a global variable its storage. True when an initialiser has to run. */
  emitGlobal(v: VarDecl): bool {
    constantOf(this.p, v);
    const t = v.type!;
    const init = v.init;
    if (init == null || t.isInPlace() || isZeroLiteral(init)) {
      this.emitZeros(v);
      return t.isInPlace() && embedNeedsInit(this.p, t);
    }
    checkAssign(new Checker(this.p, v.module!, null, null), init, t);
    if (this.p.diags.count > 0) return false;
    if (!this.isStatic(init)) {
      this.emitZeros(v);
      return true;
    }
    const d = this.newData(v.symbol, SEC_DATA, t.align);
    const array = this.constantArray(v);
    if (array != "") this.putReference(d, array);
    else this.putValue(d, t, init);
    d.size = d.bytes.length;
    return false;
  }

  /** For a global constant whose value is a static array: the array's symbol; "" for other variables. */
  constantArray(v: VarDecl): string {
    const init = v.init;
    if (!v.isGlobal || !v.isConst || init == null || init.kind != Ex.ARRAY) return "";
    if (v.arrayState == 0) {
      constantOf(this.p, v);
      checkAssign(new Checker(this.p, v.module!, null, null), init, v.type!);
      v.arrayState = this.p.diags.count == 0 && this.isStatic(init) ? 1 : 2;
      if (v.arrayState == 1) v.arraySymbol = this.emitArray(init as ArrayExpr);
    }
    return v.arraySymbol;
  }

  private emitZeros(v: VarDecl): void {
    const d = this.newData(v.symbol, SEC_BSS, alignOf(this.p, v.type!));
    d.size = sizeOf(this.p, v.type!);
    if (d.size > 64 && d.align < 4) d.align = 4;
  }

  /** Can the value of a checked expression be laid down as bytes and addresses? */
  private isStatic(e: Expr): bool {
    if (e.konst != K_NONE || e.kind == Ex.NULL) return true;
    if (e.kind == Ex.NAME) return (e as NameExpr).inst != null;
    if (e.kind == Ex.FUNC) return true;
    if (e.kind != Ex.ARRAY) return false;
    for (const item of (e as ArrayExpr).items) {
      if (!this.isStatic(item)) return false;
    }
    return true;
  }

  /** Append a static value of type t. */
  private putValue(d: IrData, t: Type, e: Expr): void {
    if (e.kind == Ex.ARRAY) return this.putReference(d, this.emitArray(e as ArrayExpr));
    if (e.konst == K_STRING) return this.putReference(d, this.stringSymbol(e.lo));
    if (e.kind == Ex.NAME && e.konst == K_NONE) return this.putReference(d, this.p.use((e as NameExpr).inst!));
    if (e.kind == Ex.FUNC) return this.putReference(d, this.p.use((e as FuncExpr).inst!));
    if (e.kind == Ex.NULL) return putWord(d.bytes, 0);
    putScalar(d.bytes, t, e);
  }

  private putReference(d: IrData, sym: string): void {
    const r = new IrReloc();
    r.offset = d.bytes.length;
    r.sym = sym;
    d.relocs.push(r);
    putWord(d.bytes, 0);
  }

  /** An array literal of static elements. Its capacity of 0 says that its elements' memory is not malloc's. */
  private emitArray(e: ArrayExpr): string {
    const cls = e.type!.cls!;
    const elem = cls.args[0]!;
    const number = this.arrays++;
    const elements = this.newData(`array.${number}.data`, SEC_DATA, alignOf(this.p, elem));
    for (const item of e.items) this.putValue(elements, elem, item);
    elements.size = elements.bytes.length;
    const d = this.newData(`array.${number}`, SEC_DATA, 4);
    for (const field of cls.fields) {
      while (d.bytes.length < field.offset) d.bytes.push(0);
      if (field.offset == this.dataOffset && e.items.length > 0) this.putReference(d, elements.name);
      else putWord(d.bytes, field.offset == this.lengthOffset ? e.items.length : 0);
    }
    d.size = d.bytes.length;
    return d.name;
  }

  /** The table of a class's overridden methods. */
  emitVtable(c: ClassInfo): void {
    const d = this.newData(c.vtableSymbol, SEC_RODATA, 4);
    for (const f of c.vtable!) this.putMethod(d, f);
    d.size = d.bytes.length;
  }

  private putMethod(d: IrData, f: FuncInst): void {
    if (f.decl.isAbstract) putWord(d.bytes, 0);
    else this.putReference(d, this.p.use(f));
  }
}

function putWord(bytes: u8[], value: i32): void {
  bytes.push((value & 255) as u8);
  bytes.push(((value >> 8) & 255) as u8);
  bytes.push(((value >> 16) & 255) as u8);
  bytes.push(((value >> 24) & 255) as u8);
}

/** A constant number or bool, converted to t. */
function putScalar(bytes: u8[], t: Type, e: Expr): void {
  const lo = e.lo;
  const hi = e.hi;
  const kind = e.konst;
  if (kind == K_INT && t.kind == Kind.F64) setConverted(e, lo, hi, e.type!, t);
  const size = t.size;
  if (size == 1) bytes.push((e.lo & 255) as u8);
  else if (size == 2) {
    bytes.push((e.lo & 255) as u8);
    bytes.push(((e.lo >> 8) & 255) as u8);
  } else {
    putWord(bytes, e.lo);
    if (size == 8) putWord(bytes, e.hi);
  }
  e.konst = kind;
  e.lo = lo;
  e.hi = hi;
}
