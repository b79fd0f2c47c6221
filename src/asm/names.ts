// Which rows a mnemonic stands for. Besides the table's own names: w and d after a name fix the operand size (retw,
// pushad), b w d after string operations mean the form without operands (movsd), conditions have all their spellings, and
// x87 control instructions without the n get a WAIT in front.
import { firstLetter, Kind, mayBeNamed, namedBySuffix, rowAt, rowCount, splitWords } from "../isa/row.ts";
import type { Row } from "../isa/row.ts";

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

/** Readings of the names asked for so far. */
const known: Map<string, Reading[]> = new Map<string, Reading[]>();
let byLetter: i32[][] = [];

/** All readings of a mnemonic in table order; none if there is no such instruction. */
export function readingsOf(name: string): Reading[] {
  if (!known.has(name)) known.set(name, findReadings(name));
  return known.get(name)!;
}

/** The table's own names first: no other spelling is among them. */
function findReadings(name: string): Reading[] {
  const list: Reading[] = [];
  for (const n of rowsUnder(name.charCodeAt(0))) if (mayBeNamed(n, name)) addRow(list, name, rowAt(n), n);
  if (list.length > 0) return list;
  if (isListed(WAITING, name)) return withWait("fn" + name.substring(1, name.length));
  const other = aliasOf(name);
  return other.length > 0 ? readingsOf(other) : list;
}

/** Numbers of the rows whose mnemonic starts with a letter. */
function rowsUnder(letter: i32): i32[] {
  const none: i32[] = [];
  if (byLetter.length == 0) fillLetters();
  return letter < byLetter.length ? byLetter[letter] : none;
}

function fillLetters(): void {
  for (let c: i32 = 0; c < 128; c++) byLetter.push([]);
  for (let n: i32 = 0; n < rowCount(); n++) byLetter[firstLetter(n)].push(n);
}

function isListed(words: string, name: string): bool {
  return splitWords(words).indexOf(name) >= 0;
}

/** What a name is another spelling of, or "". */
function aliasOf(name: string): string {
  for (const pair of splitWords(ALIASES)) if (isAlias(pair, name)) return pair.substring(name.length + 1, pair.length);
  const prefix = name.startsWith("j") ? "j" : name.startsWith("set") ? "set" : name.startsWith("cmov") ? "cmov" : "";
  if (prefix.length == 0) return "";
  const condition = name.substring(prefix.length, name.length);
  for (const pair of splitWords(CONDITIONS)) if (isAlias(pair, condition)) return prefix + pair.substring(condition.length + 1, pair.length);
  return "";
}

function isAlias(pair: string, name: string): bool {
  return pair.length > name.length && pair.charCodeAt(name.length) == 61 && pair.startsWith(name);
}

/** Adds a reading to the list if its name is the wanted one. */
function add(list: Reading[], wanted: string, name: string, row: i32, size: i32, implied: i32): void {
  if (name != wanted) return;
  const reading = new Reading();
  reading.row = row;
  reading.size = size;
  reading.implied = implied;
  list.push(reading);
}

function addRow(list: Reading[], wanted: string, row: Row, number: i32): void {
  if (namedBySuffix(row)) {
    add(list, wanted, row.name32, number, 0, 0);
    add(list, wanted, row.name32 + "w", number, 2, 0);
    add(list, wanted, row.name32 + "d", number, 4, 0);
  } else if (row.name16 != row.name32) {
    add(list, wanted, row.name16, number, 2, 0);
    add(list, wanted, row.name32, number, 4, 0);
  } else {
    add(list, wanted, row.name32, number, 0, 0);
    addImplied(list, wanted, row, number);
  }
}

/** movsb, movsw, movsd; xlat and xlatb. */
function addImplied(list: Reading[], wanted: string, row: Row, number: i32): void {
  let size: i32 = 0;
  let text: bool = false;
  for (const arg of row.args) {
    if (arg.kind != Kind.SRC && arg.kind != Kind.DST && arg.kind != Kind.XLAT) continue;
    size = arg.memSize;
    text = true;
    if (arg.kind == Kind.XLAT) add(list, wanted, row.name32, number, 0, 1);
  }
  if (!text) return;
  if (size == 1) {
    add(list, wanted, row.name32 + "b", number, 0, 1);
    return;
  }
  add(list, wanted, row.name32 + "w", number, 2, 2);
  add(list, wanted, row.name32 + "d", number, 4, 4);
}

/** The readings of an instruction, each with WAIT in front. */
function withWait(name: string): Reading[] {
  const list: Reading[] = [];
  for (const plain of readingsOf(name)) {
    const reading = new Reading();
    reading.row = plain.row;
    reading.size = plain.size;
    reading.wait = true;
    list.push(reading);
  }
  return list;
}
