// Generates encodings of every row of the table: all ModRM shapes, operand and address sizes, segment overrides, and
// immediates at their edges, from a fixed seed. Shared by the tests of decoder, disassembler and assembler.
import { tailBytes } from "../../src/isa/decode.ts";
import { ATTR_LOCK, ATTR_REP, ATTR_REPE, isLoop, Kind, Mod, ROWS, Tail } from "../../src/isa/rows.ts";
import type { Row } from "../../src/isa/rows.ts";

export interface Sample { row: Row; bytes: number[]; big: boolean }

/** A small generator of repeatable numbers. */
export function randomFrom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    return (state >>> 8) % below;
  };
}

const EDGES = [0, 1, 2, 0x7F, 0x80, 0xFF];

function edgeBytes(random: (below: number) => number, count: number): number[] {
  const fill = random(3) === 0 ? 0xFF : random(2) === 0 ? 0 : -1;
  const bytes: number[] = [];
  for (let i = 0; i < count; i++) bytes.push(i === 0 ? EDGES[random(EDGES.length)]! : fill < 0 ? random(256) : fill);
  return bytes;
}

function address(random: (below: number) => number, mod: number, rm: number, addrSize: number): number[] {
  if (mod === 3) return [];
  if (addrSize === 2) return edgeBytes(random, mod === 0 ? (rm === 6 ? 2 : 0) : mod);
  const sib = rm === 4 ? [random(256)] : [];
  const noBase = mod === 0 && (rm === 5 || (rm === 4 && (sib[0]! & 7) === 5));
  return [...sib, ...edgeBytes(random, noBase || mod === 2 ? 4 : mod)];
}

function modrmOf(row: Row, random: (below: number) => number): number {
  if (row.mod === Mod.BYTE) return row.modByte;
  if (row.mod === Mod.PLUS_I) return row.modByte + random(8);
  let mod = random(4);
  if (!row.inMemory) mod = 3;
  if (!row.inRegister && mod === 3) mod = random(3);
  let reg = row.mod === Mod.DIGIT ? row.modByte : random(8);
  while (!((row.regs >> reg) & 1)) reg = random(8);
  if (row.does === "setcc" || row.does === "nop") reg = 0;
  return (mod << 6) | (reg << 3) | random(8);
}

/** Whether the row has an address, or counts in a register of address size. */
export function hasAddressSize(row: Row): boolean {
  return row.inMemory || isLoop(row) || row.args.some(({ kind }) => [Kind.MOFFS, Kind.SRC, Kind.DST, Kind.XLAT].includes(kind));
}

function takesSegment(row: Row): boolean {
  return row.args.some(({ kind }) => [Kind.MOFFS, Kind.SRC, Kind.XLAT].includes(kind));
}

function sample(row: Row, big: boolean, random: (below: number) => number): Sample {
  const bytes: number[] = [];
  const opPrefix = random(3) === 0;
  const addrPrefix = hasAddressSize(row) && random(4) === 0;
  const opSize = opPrefix === big ? 2 : 4;
  const addrSize = addrPrefix === big ? 2 : 4;
  const modrm = row.mod === Mod.NONE ? -1 : modrmOf(row, random);
  const memory = row.inMemory && modrm < 0xC0;
  if (memory && (row.attrs & ATTR_LOCK) !== 0 && random(3) === 0) bytes.push(0xF0);
  if ((row.attrs & (ATTR_REP | ATTR_REPE)) !== 0 && random(2) === 0) bytes.push(random(2) === 0 && (row.attrs & ATTR_REPE) ? 0xF2 : 0xF3);
  if ((memory || takesSegment(row)) && random(4) === 0) bytes.push([0x26, 0x2E, 0x36, 0x3E, 0x64, 0x65][random(6)]!);
  if (addrPrefix) bytes.push(0x67);
  if (opPrefix) bytes.push(0x66);
  if (row.prefix) bytes.push(row.prefix);
  if (row.opcode >= 0x100) bytes.push(0x0F);
  bytes.push((row.opcode & 255) + (row.plusReg ? (row.opcode === 0x90 ? 1 + random(7) : random(8)) : 0));
  if (modrm >= 0) bytes.push(modrm, ...(row.ignoresMod ? [] : address(random, modrm >> 6, modrm & 7, addrSize)));
  bytes.push(...edgeBytes(random, tailBytes(row.tail, opSize, addrSize)), ...(row.tail2 === Tail.NONE ? [] : [random(32)]));
  return { row, bytes, big };
}

/** `count` encodings of every row, in 32-bit code, or 16-bit code where big is false. */
export function samples(count: number, big: boolean, seed: number): Sample[] {
  const random = randomFrom(seed);
  const all: Sample[] = [];
  for (const row of ROWS) for (let i = 0; i < count; i++) all.push(sample(row, big, random));
  return all;
}
