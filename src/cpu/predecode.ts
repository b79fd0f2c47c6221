// Instruction bytes to micro-ops. Traces run from an entry point to the first transfer of control (conditional branches
// not taken go on), inside one page; every instruction of a trace gets a slot, so that a later jump into its middle finds
// it. What a row of the ISA table becomes is said in rules.ts, compiled once into one emitter per row; decoding
// allocates nothing.
import { BAD_LOCK, decode, Insn, TOO_LONG } from '../isa/decode.ts';
import { CodeCache } from './codecache.ts';
import * as L from './layout.ts';
import { Emission } from './emission.ts';
import { emitters } from './rules.ts';
import { handlerNumber, hasHandler, allHandlers } from './semantics/handlers.ts';
import { pairOf } from './semantics/pairs.ts';

/** Whose rules for prefixes hold: an 80286 takes LOCK in front of everything and at most 10 bytes. */
export type CpuModel = 'p6' | '80286';

export interface PredecodeHost {
  /** A physical page has micro-ops now: writes to it must be noticed. */
  protect(page: number): void;
  /** The cache was emptied. */
  flush(): void;
  /** One byte of device memory. */
  readByte(pa: number): number;
}

const MODE_CELL = L.cell('mode') >> 2;
const MAX_TRACE = 32;            // instructions
const MAX_UOPS = 8;              // records one instruction may need, and the end of the trace
const FALL = handlerNumber('fall');
const CHAIN = handlerNumber('chain');
const SPLIT = handlerNumber('split');
const UNDEFINED = handlerNumber('undefined');
const OVERLONG = handlerNumber('tooLong');

/** fusion[compare handler] = handler numbers by condition, for a branch that follows. */
const fusion: (Int32Array | null)[] = allHandlers().map((h) => {
  const byCondition = new Int32Array(16);
  for (let cc = 0; cc < 16; cc++) if (hasHandler(`${h.name}+jcc${cc}`)) byCondition[cc] = handlerNumber(`${h.name}+jcc${cc}`);
  return byCondition.some((n) => n !== 0) ? byCondition : null;
});
const conditionOf = new Int8Array(allHandlers().length).fill(-1);
for (let cc = 0; cc < 16; cc++) conditionOf[handlerNumber(`jcc${cc}`)] = cc;

export class Predecoder {
  private readonly cache: CodeCache;
  private readonly bytes: Uint8Array;
  private readonly u16: Uint16Array;
  private readonly i32: Int32Array;
  private readonly insn = new Insn();
  private readonly out: Emission;

  constructor(memory: WebAssembly.Memory, private readonly host: PredecodeHost, private readonly ramBytes: number, private readonly model: CpuModel) {
    this.cache = new CodeCache(memory.buffer);
    this.bytes = new Uint8Array(memory.buffer);
    this.u16 = new Uint16Array(memory.buffer);
    this.i32 = new Int32Array(memory.buffer);
    this.out = new Emission(this.i32);
  }

  private get mode(): number { return this.i32[MODE_CELL]!; }

  /** Slot table of a physical page in the current mode. */
  codeSlots(page: number): number {
    return this.cache.slots(this.descriptor(page));
  }

  private descriptor(page: number): number {
    const mode = this.mode;
    const found = this.cache.find(page, mode) || this.cache.create(page, mode);
    if (found !== 0) return found;
    this.clear();
    return this.cache.create(page, mode);
  }

  clear(): void {
    this.cache.clear();
    this.host.flush();
  }

  /** Bytes of RAM have changed or are about to. */
  written(pa: number, length: number): void {
    for (let page = pa & -4096; page < pa + length; page += 4096) {
      if (this.cache.hasCode(page)) this.cache.drop(page);
    }
  }

  /** Decodes the trace that begins at pa; 0 when its first instruction does not end in the page. */
  decodeBlock(pa: number): number {
    const page = pa & -4096;
    const desc = this.descriptor(page);
    let at = this.cache.room(desc, 2 * MAX_UOPS);
    if (at === 0) {
      this.clear();
      at = this.cache.room(this.descriptor(page), 2 * MAX_UOPS);
      return this.trace(this.descriptor(page), page, pa & 4095, at);
    }
    return this.trace(desc, page, pa & 4095, at);
  }

  /** Target of a branch inside its page, linked into the micro-op; 0 when that must wait for the next boundary. */
  resolve(uop: number): number {
    if (this.u16[(uop + L.U.op) >> 1] === 0) return 0;
    const desc = this.cache.descOf(uop);
    const target = this.u16[(uop + L.U.next) >> 1]! + this.i32[(uop + L.U.imm) >> 2]!;
    let found = this.i32[(this.cache.slots(desc) >> 2) + target]!;
    if (found === 0) {
      const at = this.cache.room(desc, 2 * MAX_UOPS);
      if (at === 0) return 0;
      found = this.trace(desc, this.cache.page(desc), target, at);
    }
    this.i32[(uop + L.U.link) >> 2] = found;
    return found;
  }

  /** The instruction at an address of this memory to `insn`: its length, 0 when bytes are missing, or a failure below 0. */
  private decode(at: number, limit: number, mode: number): number {
    const length = decode(this.bytes, at, limit, (mode & L.MODE.code32) !== 0, this.insn);
    if (this.model === 'p6') return length;
    const whole = length === BAD_LOCK ? this.insn.length : length;
    return whole > 10 ? TOO_LONG : whole;
  }

  private trace(desc: number, page: number, start: number, at: number): number {
    const { out, cache, insn, i32 } = this;
    const code = L.RAM + page;
    const slots = cache.slots(desc) >> 2;
    const limit = at + cache.capacity(at) * L.UOP_BYTES;
    const mode = cache.mode(desc);
    let off = start;
    let count = 0;
    out.begin(at, mode, false);
    while (!out.ended) {
      if (off >= 4096 || count === MAX_TRACE || out.at + MAX_UOPS * L.UOP_BYTES > limit) break;
      if (count > 0 && i32[slots + off] !== 0) { this.chain(i32[slots + off]!, off); break; }
      const length = this.decode(code + off, code + 4096, mode);
      if (length === 0) break;
      i32[slots + off] = out.at;
      out.instruction(off, length > 0 ? off + length : off + 1, count);
      if (length > 0) emitters[insn.row]!(out, insn);
      else { out.emit(length === TOO_LONG ? OVERLONG : UNDEFINED); out.ended = true; }
      off += length > 0 ? length : 1;
      count++;
    }
    if (count === 0) return 0;
    if (!out.ended) { out.instruction(off, off, count); out.emit(FALL); }
    this.finish(at, out.at, count);
    cache.used(out.at);
    if (cache.mark(page, start, Math.min(off, 4096))) this.host.protect(page);
    return i32[slots + start]!;
  }

  /** Makes micro-ops of the instruction at pa that continues in another page; 0 when the cache is full. */
  decodeSplit(pa: number, page2: number): number {
    const { out, cache, insn } = this;
    const page = pa & -4096, off = pa & 4095, inFirst = 4096 - off;
    const desc = this.descriptor(page), desc2 = this.descriptor(page2);
    cache.join(page, desc2);
    const at = cache.room(desc, MAX_UOPS);
    if (at === 0 || cache.find(page, this.mode) !== desc) return 0;
    this.gather(pa, inFirst, page2, 16 - inFirst);
    const length = this.decode(L.SPLIT_BYTES, L.SPLIT_BYTES + 16, this.mode);
    out.begin(at, this.mode, true);
    out.instruction(off, length > 0 ? off + length : off + 1, 0);
    out.emit(SPLIT);
    this.i32[(at + L.U.link) >> 2] = cache.slots(desc2);
    if (length > 0) emitters[insn.row]!(out, insn);
    else out.emit(length === TOO_LONG ? OVERLONG : UNDEFINED);
    out.instruction(off + Math.max(length, 1), off, 0);
    out.emit(FALL);
    this.finish(at, out.at, 1);
    cache.used(out.at);
    this.i32[(cache.slots(desc) >> 2) + off] = at;
    if (cache.mark(page, off, 4096)) this.host.protect(page);
    if (cache.mark(page2, 0, Math.max(off + length - 4096, 1))) this.host.protect(page2);
    return at;
  }

  /** Bytes of two places into the buffer for instructions that straddle. */
  private gather(pa: number, bytes: number, page2: number, bytes2: number): number {
    const total = Math.min(bytes + bytes2, 16);
    for (let i = 0; i < total; i++) this.bytes[L.SPLIT_BYTES + i] = this.byteAt(i < bytes ? pa + i : page2 + i - bytes);
    return total;
  }

  private chain(target: number, off: number): void {
    const out = this.out;
    out.instruction(off, off, 0);
    const at = out.at;
    out.emit(CHAIN);
    this.i32[(at + L.U.link) >> 2] = target;
    out.ended = true;
    this.bytes[at + L.U.rem] = 255;
  }

  /** Numbers left in the trace, and compare-branch pairs. `rem` held the instruction's index until now. */
  private finish(from: number, to: number, count: number): void {
    for (let p = from; p < to; p += L.UOP_BYTES) {
      const index = this.bytes[p + L.U.rem]!;
      const op = this.u16[p >> 1]!;
      this.bytes[p + L.U.rem] = op === FALL || op === CHAIN ? 0 : count - index;
      if (p === from) continue;
      const cc = conditionOf[op]!;
      if (cc < 0) continue;
      const pair = fusion[this.u16[(p - L.UOP_BYTES) >> 1]!];
      if (pair && pair[cc] !== 0) this.u16[(p - L.UOP_BYTES) >> 1] = pair[cc]!;
    }
    this.pairUp(from, to);
  }

  /** Makes pairs of what follows each other; each micro-op is also the second of the one in front of it. */
  private pairUp(from: number, to: number): void {
    const { u16 } = this;
    let second = u16[(to - L.UOP_BYTES) >> 1]!;
    for (let p = to - 2 * L.UOP_BYTES; p >= from; p -= L.UOP_BYTES) {
      const first = u16[p >> 1]!;
      const pair = pairOf(first, second);
      if (pair !== 0) u16[p >> 1] = pair;
      second = first;
    }
  }

  /** One instruction into the scratch micro-ops; 0 when it needs more bytes than there are. */
  decodeSingle(pa: number, bytes: number, page2: number, bytes2: number): number {
    const { out, insn } = this;
    const mode = this.mode;
    const have = this.gather(pa, bytes, page2, bytes2);
    const length = this.decode(L.SPLIT_BYTES, L.SPLIT_BYTES + have, mode);
    if (length === 0) return 0;
    const off = pa & 4095;
    out.begin(L.SCRATCH, mode, true);
    out.instruction(off, length > 0 ? off + length : off + 1, 0);
    if (length > 0) emitters[insn.row]!(out, insn);
    else out.emit(length === TOO_LONG ? OVERLONG : UNDEFINED);
    out.instruction(off + Math.max(length, 1), off, 0);
    out.emit(FALL);
    for (let p = L.SCRATCH; p < out.at; p += L.UOP_BYTES) this.bytes[p + L.U.rem] = 1;
    this.bytes[out.at - L.UOP_BYTES + L.U.rem] = 0;
    return L.SCRATCH;
  }

  private byteAt(pa: number): number {
    if ((pa >>> 0) < this.ramBytes && this.bytes[L.PAGE_ATTR + (pa >>> 12)] === 0) return this.bytes[L.RAM + pa]!;
    return this.host.readByte(pa >>> 0) & 0xff;
  }
}
