// Random instructions: encodings of rows of the ISA table with random prefixes, ModRM bytes, displacements and immediates.
// A few are no instructions at all. What kind of row comes how often is a matter of weights.

import { tailBytes } from '../../isa/decode.ts';
import { ATTR_BRANCH, ATTR_FAR, ATTR_FPU, ATTR_IO, ATTR_LOCK, ATTR_PRIV, ATTR_REP, ATTR_REPE, Kind, Mod, ROWS, Tail } from '../../isa/rows.ts';
import type { Row } from '../../isa/rows.ts';
import type { Random } from './random.ts';

/** Which rows may be chosen: how many times each. */
export type Weigh = (row: Row) => number;

const SEGMENT_PREFIXES = [0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65];
const EDGES = [0, 1, 2, 3, 4, 7, 8, 0x10, 0x1f, 0x20, 0x7f, 0x80, 0xfe, 0xff];

/** Integer instructions often, transfers of control and system instructions now and then. */
export const everything: Weigh = (row) => {
  if (row.does === 'hlt' || row.does === 'iret') return 2;
  if (row.attrs & (ATTR_FAR | ATTR_PRIV | ATTR_IO)) return 2;
  if (row.attrs & ATTR_FPU) return 2;
  return row.attrs & ATTR_BRANCH ? 3 : 5;
};

/** A bag of row numbers to draw from. */
export function bagOf(weigh: Weigh): Int32Array {
  return Int32Array.from(ROWS.flatMap((row, n) => Array<number>(weigh(row)).fill(n)));
}

function modrmOf(row: Row, random: Random): number {
  if (row.mod === Mod.BYTE) return row.modByte;
  if (row.mod === Mod.PLUS_I) return row.modByte + random.below(8);
  const mod = !row.inMemory ? 3 : row.inRegister ? random.below(4) : random.below(3);
  let reg = row.mod === Mod.DIGIT ? row.modByte : random.below(8);
  while (!((row.regs >> reg) & 1)) reg = random.below(8);
  return (mod << 6) | (reg << 3) | random.below(8);
}

/** Writes random instructions into a buffer. */
export class InstructionWriter {
  at = 0;

  /** @param back may branches lead back? */
  constructor(private readonly bytes: Uint8Array, private readonly bag: Int32Array, private readonly random: Random, private readonly back = true) {}

  /** One byte, as long as there is room. */
  put(byte: number): void {
    if (this.at < this.bytes.length) this.bytes[this.at++] = byte;
  }

  /** An immediate or displacement of some bytes: small, an edge, or anything. */
  private value(bytes: number): void {
    const { random } = this;
    const kind = random.below(4);
    const fill = kind === 0 ? 0xff : kind === 1 ? -1 : 0;
    for (let i = 0; i < bytes; i++) this.put(i === 0 ? random.pick(EDGES) ^ (random.once(2) ? random.below(256) : 0) : fill < 0 ? random.below(256) : fill);
  }

  private address(modrm: number, addrSize: number): void {
    const mod = modrm >> 6, rm = modrm & 7;
    if (mod === 3) return;
    if (addrSize === 2) { this.value(mod === 0 ? (rm === 6 ? 2 : 0) : mod); return; }
    let sib = -1;
    if (rm === 4) this.put(sib = this.random.below(256));
    const noBase = mod === 0 && (rm === 5 || (sib & 7) === 5 && sib >= 0);
    this.value(noBase || mod === 2 ? 4 : mod);
  }

  /** One instruction; `big` is the D bit of its code segment. */
  instruction(big: boolean): void {
    const { random } = this;
    if (random.once(60)) {
      for (let n = random.below(6); n >= 0; n--) this.put(random.below(256));
      return;
    }
    const row = ROWS[random.pick(this.bag as unknown as number[])]!;
    let opSize = big ? 4 : 2, addrSize = opSize;
    const modrm = row.mod === Mod.NONE ? -1 : modrmOf(row, random);
    const memory = modrm >= 0 && modrm < 0xc0;
    if ((memory && (row.attrs & ATTR_LOCK) && random.once(6)) || random.once(200)) this.put(0xf0);
    if (row.attrs & (ATTR_REP | ATTR_REPE) ? random.once(2) : random.once(60)) this.put(random.once(2) ? 0xf2 : 0xf3);
    if (random.once(memory ? 6 : 40)) this.put(random.pick(SEGMENT_PREFIXES));
    if (random.once(memory ? 5 : 12)) { this.put(0x67); addrSize = 6 - addrSize; }
    if (random.once(4)) { this.put(0x66); opSize = 6 - opSize; }
    this.encode(row, modrm, opSize, addrSize);
  }

  private encode(row: Row, modrm: number, opSize: number, addrSize: number): void {
    const { random } = this;
    if (row.prefix) this.put(row.prefix);
    if (row.opcode >= 0x100) this.put(0x0f);
    this.put((row.opcode & 0xff) + (row.plusReg ? random.below(8) : 0));
    if (modrm >= 0) {
      this.put(modrm);
      this.address(row.ignoresMod ? 0xc0 : modrm, addrSize);
    }
    if (row.tail === Tail.NONE) return;
    const bytes = tailBytes(row.tail, opSize, addrSize);
    if (row.args.some((arg) => arg.kind === Kind.REL) && !(random.once(5) && this.back)) this.shortBranch(bytes);
    else this.value(bytes);
    if (row.tail2 !== Tail.NONE) this.put(random.below(random.once(2) ? 4 : 256));
  }

  /** A relative target nearby, mostly ahead. */
  private shortBranch(bytes: number): void {
    const { random } = this;
    const to = random.once(4) && this.back ? -random.below(40) : random.below(24);
    for (let i = 0; i < bytes; i++) this.put((to >> (8 * i)) & 0xff);
  }
}
