// What the rows of the ISA table become. Each row is compiled once into an emitter; effects with the same shape share a
// rule. Operands are cells (registers, or tmp0 for memory taken in steps), immediates, or memory. Hot combinations have
// handlers that address memory themselves; any other memory operand is taken to tmp0, worked on, and given back.
import { Kind, ROWS, SIZE_V, type Arg, type Row, ATTR_FPU, ATTR_NOWAIT } from '../isa/rows.ts';
import type { Insn } from '../isa/decode.ts';
import { TMP0, registerCell, type Emission } from './emission.ts';
import * as L from './layout.ts';
import { endsTrace, handlerNumber, hasHandler } from './semantics/handlers.ts';

export type Emit = (out: Emission, insn: Insn) => void;

const FORMS = ['B', 'X'];
const optional = (name: string): number => (hasHandler(name) ? handlerNumber(name) : -1);

/** Handler numbers by operand size in bytes; `$` in the name stands for the size in bits. -1 = there is none. */
function bySize(name: string): number[] {
  const table = [-1, -1, -1, -1, -1];
  for (const bytes of [1, 2, 4]) table[bytes] = optional(name.replace('$', String(bytes * 8)));
  return table;
}
/** The same for the two addressing forms. */
const byForm = (name: string): number[][] => FORMS.map((f) => bySize(name + f));

const LOAD = byForm('mov$rm');
const STORE = byForm('mov$mr');
const TAKE = bySize('take$');
const GIVE = bySize('give$');
const MOVE = bySize('mov$rr');

const sizeOf = (arg: Arg, insn: Insn): number => (arg.size === SIZE_V ? insn.opSize : arg.size);
const mask = (value: number, bytes: number): number => (bytes === 1 ? value & 0xff : bytes === 2 ? value & 0xffff : value);

/** Cell of a register operand. */
function cellOf(arg: Arg, insn: Insn, bytes: number): number {
  switch (arg.kind) {
    case Kind.REG: return registerCell(insn.reg, bytes);
    case Kind.RM: case Kind.OPREG: case Kind.RMREG: return registerCell(insn.rm, bytes);
    case Kind.FIXED: return registerCell(arg.number, bytes);
    default: throw new Error(`operand ${arg.name} is no register`);
  }
}

const isImmediate = (arg: Arg): boolean => arg.kind === Kind.IMM || arg.kind === Kind.SIMM || arg.kind === Kind.ONE;
const isMemory = (arg: Arg, insn: Insn): boolean =>
  arg.kind === Kind.MEM || arg.kind === Kind.MOFFS || (arg.kind === Kind.RM && insn.mod !== 3);
const immediate = (arg: Arg, insn: Insn): number => (arg.kind === Kind.ONE ? 1 : insn.imm);

/** Memory operand into tmp0. */
function loadTmp(out: Emission, insn: Insn, bytes: number): void {
  const { a, imm } = out;
  out.memory(insn, bytes, 1);
  out.a = TMP0;
  out.emit(LOAD[out.form]![bytes]!);
  out.a = a; out.imm = imm;
}

/** Memory operand into tmp0, to be given back. */
function takeTmp(out: Emission, insn: Insn, bytes: number): void {
  out.memory(insn, bytes, 3);
  out.emit(TAKE[bytes]!);
}

/** tmp0 into the memory operand; nothing else touched it. */
function storeTmp(out: Emission, insn: Insn, bytes: number): void {
  out.memory(insn, bytes, 2);
  out.b = TMP0;
  out.emit(STORE[out.form]![bytes]!);
}

// ---- two operands: a op= b ----

interface Binary { rr: number[]; ri: number[]; rm: number[][]; mr: number[][]; mi: number[][]; readsOnly: boolean }

function binaryTables(op: string): Binary {
  return {
    rr: bySize(`${op}$rr`), ri: bySize(`${op}$ri`),
    rm: byForm(`${op}$rm`), mr: byForm(`${op}$mr`), mi: byForm(`${op}$mi`),
    readsOnly: op === 'cmp' || op === 'test',
  };
}

function binary(op: string, row: Row): Emit {
  const t = binaryTables(op);
  const [dst, src] = row.args as [Arg, Arg];
  return (out, insn) => {
    const bytes = sizeOf(dst, insn);
    const imm = isImmediate(src);
    if (imm) out.imm = mask(immediate(src, insn), bytes);
    if (isMemory(dst, insn)) {
      if (!imm) out.b = cellOf(src, insn, bytes);
      memoryDestination(out, insn, bytes, t, imm);
      return;
    }
    out.a = cellOf(dst, insn, bytes);
    if (imm) { out.emit(t.ri[bytes]!); return; }
    if (!isMemory(src, insn)) { out.b = cellOf(src, insn, bytes); out.emit(t.rr[bytes]!); return; }
    if (t.rm[0]![bytes]! >= 0) {
      out.memory(insn, bytes, 1);
      out.emit(t.rm[out.form]![bytes]!);
      return;
    }
    if (op === 'test' && t.mr[0]![bytes]! >= 0) {
      out.b = out.a;
      out.memory(insn, bytes, 1);
      out.emit(t.mr[out.form]![bytes]!);
      return;
    }
    loadTmp(out, insn, bytes);
    out.b = TMP0;
    out.emit(t.rr[bytes]!);
  };
}

function memoryDestination(out: Emission, insn: Insn, bytes: number, t: Binary, imm: boolean): void {
  const direct = imm ? t.mi : t.mr;
  if (direct[0]![bytes]! >= 0) {
    out.memory(insn, bytes, t.readsOnly ? 1 : 3);
    out.emit(direct[out.form]![bytes]!);
    return;
  }
  const { b } = out;
  if (t.readsOnly) loadTmp(out, insn, bytes);
  else takeTmp(out, insn, bytes);
  out.a = TMP0; out.b = b;
  out.emit((imm ? t.ri : t.rr)[bytes]!);
  if (!t.readsOnly) out.emit(GIVE[bytes]!);
}

/** MOV in all its directions; moffs operands have their address in disp. */
function move(row: Row): Emit {
  const ri = bySize('mov$ri'), mi = byForm('mov$mi');
  const [dst, src] = row.args as [Arg, Arg];
  return (out, insn) => {
    const bytes = sizeOf(dst, insn);
    const imm = isImmediate(src);
    if (imm) out.imm = mask(insn.imm, bytes);
    if (isMemory(dst, insn)) {
      if (!imm) out.b = cellOf(src, insn, bytes);
      out.memory(insn, bytes, 2);
      out.emit((imm ? mi : STORE)[out.form]![bytes]!);
      return;
    }
    out.a = cellOf(dst, insn, bytes);
    if (imm) { out.emit(ri[bytes]!); return; }
    if (isMemory(src, insn)) { out.memory(insn, bytes, 1); out.emit(LOAD[out.form]![bytes]!); return; }
    out.b = cellOf(src, insn, bytes);
    out.emit(MOVE[bytes]!);
  };
}

/** MOVZX, MOVSX. */
function extend(row: Row): Emit {
  const from = row.args[1]!.size;
  const name = (to: number, form: string) => optional(`${row.does.slice(0, 3)}${row.does[3]}x${to}_${from * 8}${form}`);
  const rr = [-1, -1, name(16, 'rr'), -1, name(32, 'rr')];
  const rm = FORMS.map((f) => [-1, -1, name(16, `rm${f}`), -1, name(32, `rm${f}`)]);
  return (out, insn) => {
    const to = insn.opSize;
    out.a = registerCell(insn.reg, to);
    if (from === 2 && to === 2) { wordMove(out, insn); return; }
    if (insn.mod === 3) { out.b = registerCell(insn.rm, from); out.emit(rr[to]!); return; }
    out.memory(insn, from, 1);
    out.emit(rm[out.form]![to]!);
  };
}

function wordMove(out: Emission, insn: Insn): void {
  if (insn.mod === 3) { out.b = registerCell(insn.rm, 2); out.emit(MOVE[2]!); return; }
  out.memory(insn, 2, 1);
  out.emit(LOAD[out.form]![2]!);
}

// ---- one operand ----

/** op on a cell: register, or tmp0 in between. writes: whether memory is given back. direct: memory handlers if any. */
function unary(name: string, row: Row, writes: boolean, direct: string | null = null): Emit {
  const r = bySize(name);
  const m = direct ? byForm(direct) : null;
  const arg = row.args[0]!;
  return (out, insn) => {
    const bytes = sizeOf(arg, insn);
    if (!isMemory(arg, insn)) { out.a = cellOf(arg, insn, bytes); out.emit(r[bytes]!); return; }
    if (m && m[0]![bytes]! >= 0) { out.memory(insn, bytes, 3); out.emit(m[out.form]![bytes]!); return; }
    if (writes) takeTmp(out, insn, bytes);
    else loadTmp(out, insn, bytes);
    out.a = TMP0;
    out.emit(r[bytes]!);
    if (writes) out.emit(GIVE[bytes]!);
  };
}

/** Shifts and rotates: count is 1, an immediate or CL. */
function shift(row: Row): Emit {
  const byImm = bySize(`${row.does}$i`), byCl = bySize(`${row.does}$c`);
  const quick = optional(`${row.does}32n`);
  const [dst, count] = row.args as [Arg, Arg];
  const fixed = isImmediate(count);
  return (out, insn) => {
    const bytes = sizeOf(dst, insn);
    const memory = isMemory(dst, insn);
    if (memory) takeTmp(out, insn, bytes);
    out.a = memory ? TMP0 : cellOf(dst, insn, bytes);
    if (fixed) out.imm = immediate(count, insn) & 31;
    const handler = fixed && bytes === 4 && quick >= 0 && out.imm !== 0 ? quick : (fixed ? byImm : byCl)[bytes]!;
    out.emit(handler);
    if (memory) out.emit(GIVE[bytes]!);
  };
}

function doubleShift(row: Row): Emit {
  const byImm = bySize(`${row.does}$i`), byCl = bySize(`${row.does}$c`);
  const fixed = isImmediate(row.args[2]!);
  return (out, insn) => {
    const bytes = insn.opSize;
    const memory = insn.mod !== 3;
    if (memory) takeTmp(out, insn, bytes);
    out.a = memory ? TMP0 : registerCell(insn.rm, bytes);
    out.b = registerCell(insn.reg, bytes);
    out.imm = insn.imm & 31;
    out.emit((fixed ? byImm : byCl)[bytes]!);
    if (memory) out.emit(GIVE[bytes]!);
  };
}

/** BT BTS BTR BTC: with a register offset the memory operand is a bit string. */
function bitTest(row: Row): Emit {
  const rr = bySize(`${row.does}$rr`), ri = bySize(`${row.does}$i`);
  const writes = row.does !== 'bt';
  const fixed = isImmediate(row.args[1]!);
  return (out, insn) => {
    const bytes = insn.opSize;
    const memory = insn.mod !== 3;
    const offset = registerCell(insn.reg, bytes);
    if (memory) {
      out.memory(insn, bytes, writes ? 3 : 1, fixed ? 0 : bytes, offset);
      out.a = TMP0;
      out.emit(writes ? TAKE[bytes]! : LOAD[out.form]![bytes]!);
    }
    out.a = memory ? TMP0 : registerCell(insn.rm, bytes);
    out.b = offset;
    out.imm = insn.imm;
    out.emit((fixed ? ri : rr)[bytes]!);
    if (memory && writes) out.emit(GIVE[bytes]!);
  };
}

/** Gv op Ev with both as cells (IMUL, BSF, BSR, CMOV); three operands when there is an immediate. */
function registerFrom(name: string, row: Row): Emit {
  const table = bySize(name);
  const fixed = row.args.length === 3;
  return (out, insn) => {
    const bytes = insn.opSize;
    const memory = insn.mod !== 3;
    if (memory) loadTmp(out, insn, bytes);
    out.a = registerCell(insn.reg, bytes);
    out.b = memory ? TMP0 : registerCell(insn.rm, bytes);
    if (fixed) out.imm = insn.imm;
    out.emit(table[bytes]!);
  };
}

/** XCHG, XADD, CMPXCHG: the second operand is a register that may change too. */
function exchange(name: string, row: Row): Emit {
  const table = bySize(name);
  const [dst, src] = row.args as [Arg, Arg];
  return (out, insn) => {
    const bytes = sizeOf(dst, insn);
    const memory = isMemory(dst, insn);
    if (memory) takeTmp(out, insn, bytes);
    out.a = memory ? TMP0 : cellOf(dst, insn, bytes);
    out.b = cellOf(src, insn, bytes);
    out.emit(table[bytes]!);
    if (memory) out.emit(GIVE[bytes]!);
  };
}

// ---- branches and stack ----

const isFlatStack = (out: Emission, insn: Insn): boolean => (out.mode & L.MODE.stackFlat) !== 0 && insn.opSize === 4;

/** A direct jump or call: inside the page linked, else through the lookup, 16-bit forms the slow way. */
function direct(name: string): Emit {
  const near = handlerNumber(name), far = handlerNumber(name.replace(/^(jcc|jmp|call)/, '$1Far')), slow = handlerNumber(name.replace(/^(jcc|jmp|call)/, '$1Slow'));
  const ends = !name.startsWith('jcc');
  const pushes = name === 'call';
  return (out, insn) => {
    out.imm = insn.imm;
    out.aux = insn.opSize;
    const target = out.end + insn.imm;
    const simple = insn.opSize === 4 && (!pushes || isFlatStack(out, insn));
    if (!simple) { out.emit(slow); out.ended = true; return; }
    const inside = target >= 0 && target < 4096 && out.end <= 4096 && !out.single;
    out.emit(inside ? near : far);
    if (ends) out.ended = true;
  };
}

function indirect(name: 'jmp' | 'call'): Emit {
  const fast = handlerNumber(`${name}Cell`), slow = handlerNumber(`${name}CellSlow`);
  return (out, insn) => {
    const memory = insn.mod !== 3;
    if (memory) loadTmp(out, insn, insn.opSize);
    out.a = memory ? TMP0 : registerCell(insn.rm, insn.opSize);
    out.aux = insn.opSize;
    const simple = insn.opSize === 4 && (name === 'jmp' || isFlatStack(out, insn));
    out.emit(simple ? fast : slow);
    out.ended = true;
  };
}

function ret(): Emit {
  const plain = handlerNumber('ret'), withImm = handlerNumber('retImm'), slow = handlerNumber('retSlow');
  return (out, insn) => {
    out.imm = insn.imm;
    out.aux = insn.opSize;
    if (!isFlatStack(out, insn)) out.emit(slow);
    else out.emit(insn.imm === 0 ? plain : withImm);
    out.ended = true;
  };
}

function push(row: Row): Emit {
  const fastR = handlerNumber('push32r'), fastI = handlerNumber('push32i');
  const slow = handlerNumber('pushSlow'), slowI = handlerNumber('pushSlowImm');
  const arg = row.args[0]!;
  return (out, insn) => {
    const flat = isFlatStack(out, insn);
    if (isImmediate(arg)) {
      out.imm = insn.imm; out.aux = insn.opSize; out.seg = L.SS;
      out.emit(flat ? fastI : slowI);
      return;
    }
    const memory = isMemory(arg, insn);
    if (memory) loadTmp(out, insn, insn.opSize);
    out.a = memory ? TMP0 : cellOf(arg, insn, insn.opSize);
    out.aux = insn.opSize;
    out.seg = L.SS;
    out.emit(flat ? fastR : slow);
  };
}

function pop(row: Row): Emit {
  const fast = handlerNumber('pop32r'), slow = handlerNumber('popSlow'), tmp = handlerNumber('popTmp');
  const arg = row.args[0]!;
  return (out, insn) => {
    out.aux = insn.opSize;
    out.seg = L.SS;
    if (isMemory(arg, insn)) {
      out.emit(tmp);
      out.aux = 0x80;
      storeTmp(out, insn, insn.opSize);
      return;
    }
    out.a = cellOf(arg, insn, insn.opSize);
    out.emit(isFlatStack(out, insn) ? fast : slow);
  };
}

function leave(): Emit {
  const fast = handlerNumber('leave32'), slow = handlerNumber('leaveSlow');
  return (out, insn) => {
    out.aux = insn.opSize;
    out.seg = L.SS;
    out.emit(isFlatStack(out, insn) ? fast : slow);
  };
}

// ---- addresses, segments, system ----

function lea(): Emit {
  const b = handlerNumber('lea32B'), x = handlerNumber('lea32X'), wide16 = handlerNumber('lea32_16'), short = handlerNumber('lea16X');
  return (out, insn) => {
    out.address(insn);
    out.a = registerCell(insn.reg, insn.opSize);
    if (insn.opSize === 2) out.emit(short);
    else if (insn.addrSize === 2) out.emit(wide16);
    else out.emit(out.form === 0 ? b : x);
  };
}

/** A handler whose operands are plain fields: aux = operand size, imm, aux2 = second immediate. */
function plain(name: string): Emit {
  const n = handlerNumber(name);
  const ends = endsTrace(n);
  return (out, insn) => {
    out.imm = insn.imm;
    out.aux = insn.opSize;
    out.aux2 = insn.imm2;
    out.emit(n);
    if (ends) out.ended = true;
  };
}

/** A handler that finds its memory operand in `ea`. imm: fixed. */
function withEa(name: string, bytes: (insn: Insn) => number, need: number, imm = 0): Emit {
  const n = handlerNumber(name);
  const ends = endsTrace(n);
  return (out, insn) => {
    out.memoryInEa(insn, bytes(insn), need);
    out.a = registerCell(insn.reg, insn.opSize);
    out.imm = imm;
    out.aux = insn.opSize;
    out.emit(n);
    if (ends) out.ended = true;
  };
}

/** A handler that checks the parts of its memory operand itself: offset in `ea`, segment in the micro-op. */
function withOffset(name: string, imm = 0): Emit {
  const n = handlerNumber(name), address = handlerNumber('eaOffset');
  const ends = endsTrace(n);
  return (out, insn) => {
    out.address(insn);
    out.imm = insn.addrSize === 2 ? 1 : 0;
    out.emit(address);
    out.seg = out.segmentOf(insn);
    out.a = registerCell(insn.reg, insn.opSize);
    out.imm = imm;
    out.aux = insn.opSize;
    out.aux2 = insn.addrSize;
    out.emit(n);
    if (ends) out.ended = true;
  };
}

/** Ew or Rv/Mw as a 16-bit cell for `name` (LLDT, LTR, VERR, LMSW, loads of segment registers). */
function fromWord(name: string, imm: (insn: Insn) => number, guard: string | null = null): Emit {
  const n = handlerNumber(name);
  const ends = endsTrace(n);
  const before = guard ? handlerNumber(guard) : -1;
  return (out, insn) => {
    if (before >= 0) out.emit(before);
    const memory = insn.mod !== 3;
    if (memory) loadTmp(out, insn, 2);
    out.a = memory ? TMP0 : registerCell(insn.rm, 2);
    out.imm = imm(insn);
    out.emit(n);
    if (ends) out.ended = true;
  };
}

/** A 16-bit value of a cell to Rv/Mw: zero-extended into a 32-bit register. */
function toWord(cell: (insn: Insn) => number, guard: string | null = null): Emit {
  const wide = handlerNumber('movzx32_16rr');
  const before = guard ? handlerNumber(guard) : -1;
  return (out, insn) => {
    if (before >= 0) out.emit(before);
    if (insn.mod === 3) {
      out.a = registerCell(insn.rm, insn.opSize);
      out.b = cell(insn);
      out.emit(insn.opSize === 4 ? wide : MOVE[2]!);
      return;
    }
    out.memory(insn, 2, 2);
    out.b = cell(insn);
    out.emit(STORE[out.form]![2]!);
  };
}

function segmentStore(): Emit {
  const store = toWord((insn) => L.SEG + insn.reg * L.SEG_BYTES);
  const undefinedOp = handlerNumber('undefined');
  return (out, insn) => {
    if (insn.reg > 5) { out.emit(undefinedOp); out.ended = true; return; }
    store(out, insn);
  };
}

function segmentLoad(): Emit {
  const load = fromWord('loadSegment', (insn) => insn.reg);
  const undefinedOp = handlerNumber('undefined');
  return (out, insn) => {
    if (insn.reg > 5 || insn.reg === L.CS) { out.emit(undefinedOp); out.ended = true; return; }
    load(out, insn);
  };
}

/** SMSW: all of CR0 into a 32-bit register. */
function storeMachineStatus(): Emit {
  const wide = MOVE[4]!;
  const word = toWord(() => L.cell('cr0'));
  return (out, insn) => {
    if (insn.mod !== 3 || insn.opSize !== 4) { word(out, insn); return; }
    out.a = registerCell(insn.rm, 4);
    out.b = L.cell('cr0');
    out.emit(wide);
  };
}

function selectorQuery(name: string): Emit {
  const n = handlerNumber(name), guard = handlerNumber('needProtected');
  return (out, insn) => {
    out.emit(guard);
    const memory = insn.mod !== 3;
    if (memory) loadTmp(out, insn, 2);
    out.a = registerCell(insn.reg, insn.opSize);
    out.b = memory ? TMP0 : registerCell(insn.rm, 2);
    out.aux = insn.opSize;
    out.emit(n);
  };
}

function arpl(): Emit {
  const reg = handlerNumber('arpl'), mem = handlerNumber('arplMem'), guard = handlerNumber('needProtected');
  const offset = handlerNumber('eaOffset');
  return (out, insn) => {
    out.emit(guard);
    if (insn.mod !== 3) {
      out.address(insn);
      out.imm = insn.addrSize === 2 ? 1 : 0;
      out.emit(offset);
      out.seg = out.segmentOf(insn);
    }
    out.a = registerCell(insn.rm, 2);
    out.b = registerCell(insn.reg, 2);
    out.emit(insn.mod === 3 ? reg : mem);
  };
}

/** MOV to and from control and debug registers: a = general register, imm = the special one. */
function special(name: string): Emit {
  const n = handlerNumber(name);
  const ends = endsTrace(n);
  return (out, insn) => {
    out.a = registerCell(insn.rm, 4);
    out.imm = insn.reg;
    out.emit(n);
    if (ends) out.ended = true;
  };
}

/** IN and OUT: b = port from DX. */
function port(name: string, row: Row): Emit {
  const n = handlerNumber(name);
  const data = row.does === 'in' ? row.args[0]! : row.args[1]!;
  const address = row.does === 'in' ? row.args[1]! : row.args[0]!;
  return (out, insn) => {
    out.aux = sizeOf(data, insn);
    out.b = isImmediate(address) ? 0 : 1;
    out.imm = insn.imm;
    out.emit(n);
    out.ended = true;
  };
}

/** String instructions, see semantics/strings.ts. */
function string(name: string, row: Row): Emit {
  const looped = handlerNumber(`string${name}`);
  const once = optional({ Move: 'movsOnce', Fill: 'stosOnce', Load: 'lodsOnce', Scan: 'scasOnce', Compare: 'cmpsOnce' }[name] ?? 'none');
  const arg = row.args.find((a) => a.kind === Kind.SRC || a.kind === Kind.DST)!;
  const io = name === 'Input' || name === 'Output';
  return (out, insn) => {
    out.aux = sizeOf(arg, insn);
    out.aux2 = insn.addrSize;
    out.imm = insn.rep;
    out.seg = insn.seg >= 0 ? insn.seg : L.DS;
    const ends = io || insn.rep !== 0;
    out.emit(ends ? looped : once);
    if (ends) out.ended = true;
  };
}

function loop(kind: number): Emit {
  const n = handlerNumber('loop');
  return (out, insn) => {
    out.imm = insn.imm;
    out.aux = insn.opSize;
    out.aux2 = insn.addrSize;
    out.b = kind;
    out.emit(n);
    out.ended = true;
  };
}

function xlat(): Emit {
  const n = handlerNumber('xlat');
  return (out, insn) => {
    out.a = insn.addrSize;
    out.aux = insn.seg >= 0 ? insn.seg : L.DS;
    out.emit(n);
  };
}

function setcc(): Emit {
  const table = Array.from({ length: 16 }, (_, cc) => handlerNumber(`setcc${cc}`));
  return (out, insn) => {
    const memory = insn.mod !== 3;
    out.a = memory ? TMP0 : registerCell(insn.rm, 1);
    out.emit(table[insn.opcode & 15]!);
    if (memory) storeTmp(out, insn, 1);
  };
}

function cmov(row: Row): Emit {
  const table = Array.from({ length: 16 }, (_, cc) => registerFrom(`cmov$_${cc}`, row));
  return (out, insn) => table[insn.opcode & 15]!(out, insn);
}

function jcc(): Emit {
  const table = Array.from({ length: 16 }, (_, cc) => direct(`jcc${cc}`));
  return (out, insn) => table[insn.opcode & 15]!(out, insn);
}

const bySizeOf = (narrow: string, wide: string): Emit => {
  const two = plain(narrow), four = plain(wide);
  return (out, insn) => (insn.opSize === 2 ? two : four)(out, insn);
};

/** PUSH and POP of a segment register named by the row. */
function segmentStack(name: string, row: Row): Emit {
  const n = handlerNumber(name);
  const seg = row.args[0]!.number;
  const ends = endsTrace(n);
  return (out, insn) => {
    out.imm = seg;
    out.aux = insn.opSize;
    out.emit(n);
    if (ends) out.ended = true;
  };
}

/** Bytes and direction of an x87 memory operand. */
function fpuMemory(row: Row): [(insn: Insn) => number, number] {
  const size = row.args.find((a) => a.kind === Kind.MEM)?.memSize ?? 0;
  const whole: Record<string, (insn: Insn) => number> = {
    // silicon writes the first element of FNSTENV before it looks at the limit for the rest
    fnstenv: (i) => i.opSize, fldenv: (i) => i.opSize * 7, fnsave: (i) => i.opSize * 7 + 80, frstor: (i) => i.opSize * 7 + 80,
    fxsave: () => 512, fxrstor: () => 512,
  };
  const writes = ['fst', 'fist', 'fbstp', 'fnstenv', 'fnsave', 'fxsave', 'fnstcw', 'fnstsw'].includes(row.does);
  return [whole[row.does] ?? (() => size), writes ? 2 : 1];
}

/**
 * x87: the address of a memory operand to `ea`, then the handler `x87_EFFECT`, which checks for #NM and #MF and whose
 * fields are imm = opcode byte << 8 | ModRM (and above that the argument of needFpu), aux = operand size (2 or 4), aux2 = segment register of the operand.
 */
function fpu(row: Row): Emit {
  const need = handlerNumber('needFpu');
  const n = hasHandler(`x87_${row.does}`) ? handlerNumber(`x87_${row.does}`) : handlerNumber('undefined');
  const ends = endsTrace(n) || n === handlerNumber('undefined');
  const [bytes, direction] = fpuMemory(row);
  const wait = (row.does === 'fwait' ? 1 : 0) | (row.attrs & ATTR_NOWAIT ? 0 : 2);
  return (out, insn) => {
    const memory = insn.modrm >= 0 && insn.mod !== 3;
    // a segment that needs checks has them after those of the FPU
    if (memory && !(insn.addrSize === 4 && out.isFlat(out.segmentOf(insn)))) {
      out.imm = wait;
      out.emit(need);
    }
    if (memory) out.memoryInEa(insn, bytes(insn), direction);
    out.aux2 = memory ? out.segmentOf(insn) : 0;
    out.seg = memory && insn.addrSize === 4 && out.isFlat(out.aux2) ? out.aux2 : 255;
    out.imm = (wait << 16) | ((insn.opcode & 0xff) << 8) | (insn.modrm & 0xff);
    out.aux = insn.opSize;
    out.emit(n);
    if (ends) out.ended = true;
  };
}

const tableBytes = (): number => 6;

/** A check in front of everything else the instruction does. */
function guarded(name: string, emit: Emit): Emit {
  const n = handlerNumber(name);
  return (out, insn) => { out.emit(n); emit(out, insn); };
}

/** Effect name of the ISA table -> rule. */
function compileRow(row: Row): Emit {
  if (row.attrs & ATTR_FPU) return fpu(row);
  switch (row.does) {
    case 'add': case 'or': case 'adc': case 'sbb': case 'and': case 'sub': case 'xor': case 'cmp': case 'test':
      return binary(row.does, row);
    case 'mov': return move(row);
    case 'movzx': case 'movsx': return extend(row);
    case 'inc': case 'dec': return unary(`${row.does}$r`, row, true, `${row.does}$m`);
    case 'neg': case 'not': return unary(`${row.does}$r`, row, true);
    case 'mul': case 'div': case 'idiv': return unary(`${row.does}$r`, row, false);
    case 'imul': return unary('imul1_$r', row, false);
    case 'imul2': return registerFrom('imul$rr', row);
    case 'imul3': return registerFrom('imul$i', row);
    case 'bsf': case 'bsr': return registerFrom(`${row.does}$rr`, row);
    case 'rol': case 'ror': case 'rcl': case 'rcr': case 'shl': case 'shr': case 'sar': return shift(row);
    case 'shld': case 'shrd': return doubleShift(row);
    case 'bt': case 'bts': case 'btr': case 'btc': return bitTest(row);
    case 'xchg': case 'xadd': case 'cmpxchg': return exchange(`${row.does}$rr`, row);
    case 'bswap': return unary('bswap$', row, true);
    case 'setcc': return setcc();
    case 'cmov': return cmov(row);
    case 'cbw': return bySizeOf('cbw', 'cwde');
    case 'cwd': return bySizeOf('cwd', 'cdq');
    case 'lea': return lea();
    case 'xlat': return xlat();
    case 'jcc': return jcc();
    case 'jmp': return row.args[0]!.kind === Kind.REL ? direct('jmp') : indirect('jmp');
    case 'call': return row.args[0]!.kind === Kind.REL ? direct('call') : indirect('call');
    case 'ret': return ret();
    case 'loopne': return loop(0);
    case 'loope': return loop(1);
    case 'loop': return loop(2);
    case 'jcxz': return loop(3);
    case 'push': return push(row);
    case 'pop': return pop(row);
    case 'pusha': return plain('pushAll');
    case 'popa': return plain('popAll');
    case 'pushf': return plain('pushFlags');
    case 'popf': return plain('popFlags');
    case 'enter': return plain('enterFrame');
    case 'leave': return leave();
    case 'pushseg': return segmentStack('pushSegment', row);
    case 'popseg': return segmentStack('popSegment', row);
    case 'movs': return string('Move', row);
    case 'stos': return string('Fill', row);
    case 'lods': return string('Load', row);
    case 'scas': return string('Scan', row);
    case 'cmps': return string('Compare', row);
    case 'ins': return string('Input', row);
    case 'outs': return string('Output', row);
    default: return compileSystemRow(row);
  }
}

function compileSystemRow(row: Row): Emit {
  switch (row.does) {
    case 'nop': case 'daa': case 'das': case 'aaa': case 'aas': case 'aam': case 'aad': case 'clc': case 'stc': case 'cmc':
    case 'cld': case 'std': case 'lahf': case 'sahf': case 'salc': case 'cli': case 'sti': case 'hlt': case 'int': case 'int3':
    case 'into': case 'iret': case 'sysenter': case 'sysexit': case 'clts': case 'cpuid': case 'rdtsc': case 'rdmsr': case 'wrmsr':
      return plain(row.does);
    case 'int1': return plain('icebp');
    case 'ud2': case 'rsm': return plain('undefined');
    case 'rdpmc': return plain('noCounter');
    case 'invd': case 'wbinvd': return plain('ring0');
    case 'jmpf': return row.args[0]!.kind === Kind.FAR ? plain('jmpFarPtr') : withOffset('jmpFarMem');
    case 'callf': return row.args[0]!.kind === Kind.FAR ? plain('callFarPtr') : withOffset('callFarMem');
    case 'retf': return plain('retFar');
    case 'les': return withOffset('loadFarPointer', L.ES);
    case 'lds': return withOffset('loadFarPointer', L.DS);
    case 'lss': return withOffset('loadFarPointer', L.SS);
    case 'lfs': return withOffset('loadFarPointer', L.FS);
    case 'lgs': return withOffset('loadFarPointer', L.GS);
    case 'bound': return withOffset('bound');
    case 'cmpxchg8b': return withEa('cmpxchg8b', () => 8, 3);
    case 'invlpg': return guarded('needRing0', withEa('invlpg', () => 1, 0));
    case 'sgdt': case 'sidt': return withEa(row.does, tableBytes, 2);
    case 'lgdt': case 'lidt': return guarded('needRing0', withEa(row.does, tableBytes, 1));
    case 'sldt': return toWord(() => L.SEG + L.LDTR * L.SEG_BYTES, 'needProtected');
    case 'str': return toWord(() => L.SEG + L.TR * L.SEG_BYTES, 'needProtected');
    case 'smsw': return storeMachineStatus();
    case 'lmsw': return fromWord('lmsw', () => 0, 'needRing0');
    case 'lldt': return fromWord('lldt', () => 0, 'needProtectedRing0');
    case 'ltr': return fromWord('ltr', () => 0, 'needProtectedRing0');
    case 'verr': return fromWord('verr', () => 0, 'needProtected');
    case 'verw': return fromWord('verw', () => 0, 'needProtected');
    case 'lar': case 'lsl': return selectorQuery(row.does);
    case 'arpl': return arpl();
    case 'loadseg': return segmentLoad();
    case 'storeseg': return segmentStore();
    case 'loadcr': return special('moveToControl');
    case 'storecr': return special('moveFromControl');
    case 'loaddr': return special('moveToDebug');
    case 'storedr': return special('moveFromDebug');
    case 'in': return port('inPort', row);
    case 'out': return port('outPort', row);
    default: throw new Error(`no rule for ${row.does} (${row.encoding})`);
  }
}

/** One emitter per row of the ISA table. */
export const emitters: Emit[] = ROWS.map(compileRow);
