/**
 * A WebAssembly module under construction: function types, imports, globals, functions, exports, and the name section
 * that debuggers and profilers read (core specification 5.5 and 7.4). Imported functions come before defined ones in the
 * index space, so every import must be added before the first function. `toBytes` may be called once everything is there.
 */
import { ByteWriter } from './bytes.ts';
import { Op, TypeCode, type WasmType } from './opcodes.ts';

const Section = { type: 1, import: 2, function: 3, table: 4, memory: 5, global: 6, export: 7, start: 8, element: 9, code: 10 } as const;
const Kind = { function: 0, table: 1, memory: 2, global: 3 } as const;

/** A function's code: the types of its locals after the parameters, and its instructions without the closing `end`. */
export interface FunctionBody {
  locals: WasmType[];
  code: Uint8Array;
}

export class WasmModule {
  private readonly types: string[] = [];
  private readonly typeBytes = new ByteWriter();
  private readonly imports = new ByteWriter();
  private importCount = 0;
  private importedFunctions = 0;
  private readonly functions: { type: number; body: FunctionBody | null }[] = [];
  private readonly globals = new ByteWriter();
  private globalCount = 0;
  private readonly exports = new ByteWriter();
  private exportCount = 0;
  private readonly names: [number, string][] = [];

  /** Index of a function type, added when new. */
  type(params: readonly WasmType[], results: readonly WasmType[]): number {
    const key = `${params.join()}>${results.join()}`;
    const known = this.types.indexOf(key);
    if (known >= 0) return known;
    this.typeBytes.byte(0x60);
    for (const list of [params, results]) {
      this.typeBytes.u32(list.length);
      for (const t of list) this.typeBytes.byte(TypeCode[t]);
    }
    return this.types.push(key) - 1;
  }

  private importEntry(module: string, field: string, kind: number): ByteWriter {
    this.importCount++;
    this.imports.name(module);
    this.imports.name(field);
    this.imports.byte(kind);
    return this.imports;
  }

  /** Imports a memory of at least `pages` pages of 64 KiB, and at most `most` when that is given. */
  importMemory(module: string, field: string, pages: number, most: number | null = null): void {
    const out = this.importEntry(module, field, Kind.memory);
    out.byte(most === null ? 0 : 1);
    out.u32(pages);
    if (most !== null) out.u32(most);
  }

  /** Imports a table of function references with at least `size` entries. */
  importTable(module: string, field: string, size: number): void {
    const out = this.importEntry(module, field, Kind.table);
    out.byte(TypeCode.funcref);
    out.byte(0);
    out.u32(size);
  }

  /** Imports a function; the result is its index. */
  importFunction(module: string, field: string, type: number): number {
    if (this.functions.length > 0) throw new Error('import after function');
    this.importEntry(module, field, Kind.function).u32(type);
    this.names.push([this.importedFunctions, field]);
    return this.importedFunctions++;
  }

  /** Adds a mutable global; the result is its index. */
  addGlobal(type: WasmType, initial: number | bigint): number {
    this.globals.byte(TypeCode[type]);
    this.globals.byte(1);
    writeConst(this.globals, type, initial);
    this.globals.byte(Op.end);
    return this.globalCount++;
  }

  /** Reserves a function index, so that bodies can call each other; `setBody` fills it. */
  addFunction(name: string, type: number): number {
    const index = this.importedFunctions + this.functions.length;
    this.functions.push({ type, body: null });
    this.names.push([index, name]);
    return index;
  }

  setBody(index: number, body: FunctionBody): void {
    this.functions[index - this.importedFunctions]!.body = body;
  }

  exportFunction(name: string, index: number): void {
    this.exportEntry(name, Kind.function, index);
  }

  exportGlobal(name: string, index: number): void {
    this.exportEntry(name, Kind.global, index);
  }

  private exportEntry(name: string, kind: number, index: number): void {
    this.exportCount++;
    this.exports.name(name);
    this.exports.byte(kind);
    this.exports.u32(index);
  }

  toBytes(): Uint8Array<ArrayBuffer> {
    const out = new ByteWriter();
    out.bytes([0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0]);
    section(out, Section.type, this.types.length, this.typeBytes);
    section(out, Section.import, this.importCount, this.imports);
    const declared = new ByteWriter();
    for (const f of this.functions) declared.u32(f.type);
    section(out, Section.function, this.functions.length, declared);
    section(out, Section.global, this.globalCount, this.globals);
    section(out, Section.export, this.exportCount, this.exports);
    section(out, Section.code, this.functions.length, this.code());
    this.nameSection(out);
    return out.take();
  }

  private code(): ByteWriter {
    const out = new ByteWriter();
    for (const f of this.functions) {
      if (!f.body) throw new Error('function without a body');
      const entry = new ByteWriter();
      writeLocals(entry, f.body.locals);
      entry.bytes(f.body.code);
      entry.byte(Op.end);
      out.sized(entry);
    }
    return out;
  }

  private nameSection(out: ByteWriter): void {
    const map = new ByteWriter();
    map.u32(this.names.length);
    for (const [index, name] of this.names) {
      map.u32(index);
      map.name(name);
    }
    const custom = new ByteWriter();
    custom.name('name');
    custom.byte(1);
    custom.sized(map);
    out.byte(0);
    out.sized(custom);
  }
}

function section(out: ByteWriter, id: number, count: number, entries: ByteWriter): void {
  if (count === 0) return;
  const content = new ByteWriter();
  content.u32(count);
  content.bytes(entries.view());
  out.byte(id);
  out.sized(content);
}

/** Locals are declared as runs of one type. */
function writeLocals(out: ByteWriter, locals: WasmType[]): void {
  const runs: { type: WasmType; count: number }[] = [];
  for (const type of locals) {
    const last = runs[runs.length - 1];
    if (last?.type === type) last.count++;
    else runs.push({ type, count: 1 });
  }
  out.u32(runs.length);
  for (const run of runs) {
    out.u32(run.count);
    out.byte(TypeCode[run.type]);
  }
}

/** Writes the instruction that pushes a constant. */
export function writeConst(out: ByteWriter, type: WasmType, value: number | bigint): void {
  if (type === 'i32') {
    out.byte(Op.i32_const);
    out.s32(Number(value));
  } else if (type === 'i64') {
    out.byte(Op.i64_const);
    out.s64(BigInt(value));
  } else {
    out.byte(Op.f64_const);
    out.f64(Number(value));
  }
}
