// Writing micro-ops: operand cells, effective addresses, and the record itself. One Emission is reused for everything;
// it allocates nothing. Memory operands come in two kinds: flat ones are addressed by the micro-op itself, others get a
// segment-checking micro-op in front and are then addressed through the `ea` cell.
import type { Insn } from '../isa/decode.ts';
import * as L from './layout.ts';
import { handlerNumber } from './semantics/handlers.ts';

const ZERO = L.cell('zero');
const EA = L.cell('ea');
export const TMP0 = L.cell('tmp0');
const EA_SEG = handlerNumber('eaSeg');
const EA_B = handlerNumber('eaB');
const EA_X = handlerNumber('eaX');

/** Cell of a general register of a size in bytes. */
export function registerCell(n: number, bytes: number): number {
  return bytes === 1 && n >= 4 ? L.REG + (n - 4) * 4 + 1 : L.REG + n * 4;
}

export class Emission {
  at = 0;
  mode = 0;
  single = false;
  ended = false;
  a = 0; b = 0; imm = 0; base = ZERO; idx = ZERO; disp = 0; scale = 0; seg = 0; aux = 0; aux2 = 0;
  private off = 0;
  private next = 0;
  private index = 0;

  constructor(private readonly i32: Int32Array) {}

  begin(at: number, mode: number, single: boolean): void {
    this.at = at; this.mode = mode; this.single = single; this.ended = false;
  }

  /** Starts an instruction: page offsets of it and its successor, position in the trace. */
  instruction(off: number, next: number, index: number): void {
    this.off = off; this.next = next; this.index = index;
    this.a = ZERO; this.b = ZERO; this.imm = 0; this.aux = 0; this.aux2 = 0;
    this.noMemory();
  }

  private noMemory(): void {
    this.base = ZERO; this.idx = ZERO; this.disp = 0; this.scale = 0; this.seg = 255;
  }

  get end(): number { return this.next; }

  emit(op: number): void {
    const w = this.at >> 2;
    const o = this.i32;
    o[w] = op | (this.index << 16) | (this.seg << 24);
    o[w + 1] = this.off | (this.next << 16);
    o[w + 2] = this.a | (this.b << 16);
    o[w + 3] = this.imm;
    o[w + 4] = this.base | (this.idx << 16);
    o[w + 5] = this.disp;
    o[w + 6] = this.scale | (this.aux << 8) | (this.aux2 << 16);
    o[w + 7] = 0;
    this.at += L.UOP_BYTES;
  }

  /** Segment register a memory operand uses. */
  segmentOf(insn: Insn): number {
    if (insn.seg >= 0) return insn.seg;
    return insn.base === 4 || insn.base === 5 ? L.SS : L.DS;
  }

  /** May a segment be used without checks? */
  isFlat(seg: number): boolean {
    if (seg === L.DS) return (this.mode & L.MODE.dataFlat) !== 0;
    if (seg === L.SS) return (this.mode & L.MODE.stackFlat) !== 0;
    return seg === L.ES && (this.mode & L.MODE.extraFlat) !== 0;
  }

  /** Base, index, displacement of the instruction, as written. */
  address(insn: Insn): void {
    this.base = insn.base < 0 ? ZERO : L.REG + insn.base * 4;
    this.idx = insn.index < 0 ? ZERO : L.REG + insn.index * 4;
    this.scale = insn.index < 0 ? 0 : insn.scale;
    this.disp = insn.disp;
  }

  /**
   * Makes the memory operand addressable by the micro-op that follows. need: 1 read, 2 write, 3 both.
   * bit: operand size of a bit-offset in cell `offsetCell`, or 0.
   */
  memory(insn: Insn, bytes: number, need: number, bit = 0, offsetCell = 0): void {
    const seg = this.segmentOf(insn);
    this.address(insn);
    this.seg = seg;
    if (bit === 0 && insn.addrSize === 4 && this.isFlat(seg)) return;
    const { imm, b } = this;
    this.imm = bytes | (need << 12) | (insn.addrSize === 2 ? 0x10000 : 0) | (bit === 4 ? 0x200000 : bit === 2 ? 0x100000 : 0);
    this.b = offsetCell;
    this.emit(EA_SEG);
    this.imm = imm; this.b = b;
    this.noMemory();
    this.base = EA;
  }

  /** Like memory(), but always leaves the linear address in the `ea` cell. */
  memoryInEa(insn: Insn, bytes: number, need: number): void {
    this.memory(insn, bytes, need);
    if (this.base === EA) return;
    this.emit(this.idx === ZERO ? EA_B : EA_X);
    this.noMemory();
    this.base = EA;
  }

  /** 0 when the address is base + displacement, 1 when it has an index. */
  get form(): number { return this.idx === ZERO ? 0 : 1; }
}
