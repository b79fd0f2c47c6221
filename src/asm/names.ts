// Which rows a mnemonic stands for. Besides the table's own names: w and d after a name fix the operand size (retw,
// pushad), b w d after string operations mean the form without operands (movsd), conditions have all their spellings, and
// x87 control instructions without the n get a WAIT in front.
import { Kind, namedBySuffix, ROWS, splitWords } from "../isa/rows.ts";
import type { Row } from "../isa/rows.ts";

/** One reading of a mnemonic. */
export class Reading {
  row: i32 = 0;
  size: i32 = 0;         // operand size (address size of jcxz) that the name fixes, or 0
  implied: i32 = 0;      // string operations without operands: bytes of an element, or 0
  wait: bool = false;
}

const CONDITIONS: string =
  "z=e nz=ne c=b nc=ae nae=b nb=ae na=be nbe=a pe=p po=np nge=l nl=ge ng=le nle=g";
const ALIASES: string =
  "sal=shl loopz=loope loopnz=loopne lret=retf ljmp=jmp lcall=call wait=fwait icebp=int1 setalc=salc " +
  "lgdt=lgdtd lidt=lidtd sgdt=sgdtd sidt=sidtd";
const WAITING: string = "finit fclex fstcw fstsw fsave fstenv";
const NO_READINGS: Reading[] = [];

let index: Map<string, Reading[]> | null = null;

/** All readings of a mnemonic in table order; none if there is no such instruction. */
export function readingsOf(name: string): Reading[] {
  if (index == null) index = buildIndex();
  return index.has(name) ? index.get(name)! : NO_READINGS;
}

function buildIndex(): Map<string, Reading[]> {
  const map = new Map<string, Reading[]>();
  for (let i: i32 = 0; i < ROWS.length; i++) addRow(map, ROWS[i], i);
  for (const pair of splitWords(ALIASES)) addAlias(map, pair, "");
  for (const pair of splitWords(CONDITIONS)) {
    addAlias(map, pair, "j");
    addAlias(map, pair, "set");
    addAlias(map, pair, "cmov");
  }
  for (const name of splitWords(WAITING)) addWaiting(map, name);
  return map;
}

function add(map: Map<string, Reading[]>, name: string, row: i32, size: i32, implied: i32): void {
  const reading = new Reading();
  reading.row = row;
  reading.size = size;
  reading.implied = implied;
  append(map, name, reading);
}

function append(map: Map<string, Reading[]>, name: string, reading: Reading): void {
  if (map.has(name)) {
    map.get(name)!.push(reading);
  } else {
    const list: Reading[] = [reading];
    map.set(name, list);
  }
}

function addRow(map: Map<string, Reading[]>, row: Row, number: i32): void {
  if (namedBySuffix(row)) {
    add(map, row.name32, number, 0, 0);
    add(map, row.name32 + "w", number, 2, 0);
    add(map, row.name32 + "d", number, 4, 0);
  } else if (row.name16 != row.name32) {
    add(map, row.name16, number, 2, 0);
    add(map, row.name32, number, 4, 0);
  } else {
    add(map, row.name32, number, 0, 0);
    addImplied(map, row, number);
  }
}

/** movsb, movsw, movsd; xlat and xlatb. */
function addImplied(map: Map<string, Reading[]>, row: Row, number: i32): void {
  let size: i32 = 0;
  let text: bool = false;
  for (const arg of row.args) {
    if (arg.kind != Kind.SRC && arg.kind != Kind.DST && arg.kind != Kind.XLAT) continue;
    size = arg.memSize;
    text = true;
    if (arg.kind == Kind.XLAT) add(map, row.name32, number, 0, 1);
  }
  if (!text) return;
  if (size == 1) {
    add(map, row.name32 + "b", number, 0, 1);
    return;
  }
  add(map, row.name32 + "w", number, 2, 2);
  add(map, row.name32 + "d", number, 4, 4);
}

function addAlias(map: Map<string, Reading[]>, pair: string, prefix: string): void {
  const equals = pair.indexOf("=");
  const name = prefix + pair.substring(equals + 1, pair.length);
  if (map.has(name)) map.set(prefix + pair.substring(0, equals), map.get(name)!);
}

function addWaiting(map: Map<string, Reading[]>, name: string): void {
  for (const plain of map.get("fn" + name.substring(1, name.length))!) {
    const reading = new Reading();
    reading.row = plain.row;
    reading.size = plain.size;
    reading.wait = true;
    append(map, name, reading);
  }
}
