// Regular expressions, basic and extended as POSIX.1 names them, compiled to a small program that a backtracking matcher runs.
// The leftmost match is found; of several there, the one that takes repetitions as long and alternatives as early as possible.

const CHAR: i32 = 0;
const ANY: i32 = 1;
const SET: i32 = 2;        // x: index of the set
const BOL: i32 = 3;
const EOL: i32 = 4;
const SPLIT: i32 = 5;      // to x, or if that fails to y; both relative
const JUMP: i32 = 6;
const SAVE: i32 = 7;
const BACK: i32 = 8;       // the text of group x again
const LOOP: i32 = 9;       // a SPLIT that fails when nothing was consumed since it ran last
const MATCH: i32 = 10;
const GROUPS: i32 = 10;
const MOST_REPEATS: i32 = 255;
const DEEPEST: i32 = 40000;

class Set {
  bits!: FixedArray<u32, 8>;
}

class Instruction {
  op: i32 = 0;
  x: i32 = 0;
  y: i32 = 0;
  last: i32 = -1;          // LOOP: where in the text it ran last
}

export class Regex {
  code: Instruction[] = [];
  sets: Set[] = [];
  ignoreCase: bool = false;
  /** After a match: where group n starts and ends, -1 when it took no part; group 0 is all of it. */
  starts: i32[] = [-1, -1, -1, -1, -1, -1, -1, -1, -1, -1];
  ends: i32[] = [-1, -1, -1, -1, -1, -1, -1, -1, -1, -1];
  private text: string = "";
  private depth: i32 = 0;

  /** The first match at or after `from`; false when there is none. */
  search(text: string, from: i32): bool {
    this.text = text;
    for (let at = from; at <= text.length; at++) {
      for (let i: i32 = 0; i < GROUPS; i++) {
        this.starts[i] = -1;
        this.ends[i] = -1;
      }
      for (const i of this.code) i.last = -1;
      this.depth = 0;
      if (!this.match(0, at)) continue;
      this.starts[0] = at;
      return true;
    }
    return false;
  }

  /** The text of group n of the last match. */
  group(n: i32): string {
    return n >= GROUPS || this.starts[n]! < 0 || this.ends[n]! < 0 ? "" : this.text.substring(this.starts[n]!, this.ends[n]!);
  }

  private same(a: i32, b: i32): bool {
    return a == b || (this.ignoreCase && lower(a) == lower(b));
  }

  private match(start: i32, from: i32): bool {
    let pc = start;
    let at = from;
    for (;;) {
      const i = this.code[pc]!;
      const c = at < this.text.length ? this.text.charCodeAt(at) : -1;
      switch (i.op) {
        case CHAR:
          if (c < 0 || !this.same(c, i.x)) return false;
          at++;
          break;
        case ANY:
          if (c < 0) return false;
          at++;
          break;
        case SET:
          if (c < 0 || !this.inSet(this.sets[i.x]!, c, i.y != 0)) return false;
          at++;
          break;
        case BOL:
          if (at != 0) return false;
          break;
        case EOL:
          if (at != this.text.length) return false;
          break;
        case BACK: {
          const n = this.ends[i.x]! - this.starts[i.x]!;
          if (this.starts[i.x]! < 0 || this.text.substring(at, at + n) != this.group(i.x)) return false;
          at += n;
          break;
        }
        case JUMP:
          pc += i.x;
          continue;
        case SAVE: {
          const list = (i.x & 1) == 0 ? this.starts : this.ends;
          const before = list[i.x >> 1]!;
          list[i.x >> 1] = at;
          if (this.enter(pc + 1, at)) return true;
          list[i.x >> 1] = before;
          return false;
        }
        case LOOP: case SPLIT: {
          if (i.op == LOOP && i.last == at) return false;
          const before = i.last;
          i.last = at;
          const ok = this.enter(pc + i.x, at);
          i.last = before;
          if (ok) return true;
          pc += i.y;
          continue;
        }
        default:
          this.ends[0] = at;
          return true;
      }
      pc++;
    }
  }

  private enter(pc: i32, at: i32): bool {
    if (this.depth >= DEEPEST) return false;
    this.depth++;
    const ok = this.match(pc, at);
    this.depth--;
    return ok;
  }

  private inSet(set: Set, c: i32, negated: bool): bool {
    const found = has(set, c) || (this.ignoreCase && (has(set, lower(c)) || has(set, upper(c))));
    return found != negated;
  }
}

function lower(c: i32): i32 {
  return c >= 65 && c <= 90 ? c + 32 : c;
}

function upper(c: i32): i32 {
  return c >= 97 && c <= 122 ? c - 32 : c;
}

function has(set: Set, c: i32): bool {
  return (set.bits[c >> 5] & ((1 as u32) << ((c & 31) as u32))) != 0;
}

function add(set: Set, c: i32): void {
  set.bits[c >> 5] = set.bits[c >> 5] | ((1 as u32) << ((c & 31) as u32));
}

// ---------------------------------------------------------------------------------------------------- compiling

let source: string = "";
let at: i32 = 0;
let extended: bool = false;
let groups: i32 = 0;
let out: Regex = new Regex();
/** Why the last compileRegex returned null. */
export let regexError: string = "";

/** The program of an expression; null with regexError. */
export function compileRegex(text: string, isExtended: bool, ignoreCase: bool): Regex | null {
  source = text;
  at = 0;
  extended = isExtended;
  groups = 0;
  regexError = "";
  out = new Regex();
  out.ignoreCase = ignoreCase;
  parseAlternatives();
  if (regexError == "" && at < source.length) regexError = "unmatched )";
  emit(MATCH, 0, 0);
  return regexError == "" ? out : null;
}

function emit(op: i32, x: i32, y: i32): void {
  const i = new Instruction();
  i.op = op;
  i.x = x;
  i.y = y;
  out.code.push(i);
}

/** Puts an instruction before the one at `index`. */
function insert(index: i32, op: i32, x: i32, y: i32): void {
  emit(op, x, y);
  const last = out.code[out.code.length - 1]!;
  for (let i = out.code.length - 1; i > index; i--) out.code[i] = out.code[i - 1]!;
  out.code[index] = last;
}

/** The next token is the operator c: written plainly in extended expressions, after a backslash in basic ones. */
function isOperator(c: i32): bool {
  if (at >= source.length) return false;
  if (extended) return source.charCodeAt(at) == c;
  return source.charCodeAt(at) == 92 && at + 1 < source.length && source.charCodeAt(at + 1) == c;
}

function takeOperator(c: i32): bool {
  if (!isOperator(c)) return false;
  at += extended ? 1 : 2;
  return true;
}

function parseAlternatives(): void {
  const start = out.code.length;
  parseSequence();
  if (!takeOperator(124)) return;
  insert(start, SPLIT, 1, out.code.length - start + 2);
  const jump = out.code.length;
  emit(JUMP, 0, 0);
  parseAlternatives();
  out.code[jump]!.x = out.code.length - jump;
}

function parseSequence(): void {
  const begin = at;
  while (at < source.length && regexError == "" && !isOperator(124) && !(isOperator(41) && groupDepth > 0)) {
    const start = out.code.length;
    const first = at == begin;
    parseAtom(first);
    while (parseRepeat(start)) {}
  }
}
let groupDepth: i32 = 0;

function parseAtom(first: bool): void {
  const c = source.charCodeAt(at);
  if (takeOperator(40)) {
    const n = ++groups;
    if (n >= GROUPS) regexError = "too many groups";
    emit(SAVE, n * 2, 0);
    groupDepth++;
    parseAlternatives();
    groupDepth--;
    if (!takeOperator(41)) regexError = "unmatched (";
    emit(SAVE, n * 2 + 1, 0);
    return;
  }
  at++;
  if (c == 46) emit(ANY, 0, 0);
  else if (c == 91) parseSet();
  else if (c == 94 && (first || extended)) emit(BOL, 0, 0);
  else if (c == 36 && (at == source.length || extended || isOperator(41) || isOperator(124))) emit(EOL, 0, 0);
  else if (c == 92 && at < source.length) parseEscape();
  else emit(CHAR, c, 0);
}

function parseEscape(): void {
  const c = source.charCodeAt(at);
  at++;
  if (c >= 49 && c <= 57) emit(BACK, c - 48, 0);
  else emit(CHAR, c == 110 ? 10 : c == 116 ? 9 : c, 0);
}

/** After [. */
function parseSet(): void {
  const set = new Set();
  let negated = false;
  if (at < source.length && source.charCodeAt(at) == 94) {
    negated = true;
    at++;
  }
  let first = true;
  while (at < source.length && (first || source.charCodeAt(at) != 93)) {
    first = false;
    if (source.substring(at, at + 2) == "[:" && parseClass(set)) continue;
    const low = source.charCodeAt(at);
    let high = low;
    if (at + 2 < source.length && source.charCodeAt(at + 1) == 45 && source.charCodeAt(at + 2) != 93) {
      high = source.charCodeAt(at + 2);
      at += 2;
    }
    at++;
    for (let c = low; c <= high; c++) add(set, c);
  }
  if (at >= source.length) regexError = "unmatched [";
  at++;
  out.sets.push(set);
  emit(SET, out.sets.length - 1, negated ? 1 : 0);
}

/** [:alpha:] and its like inside of a set. */
function parseClass(set: Set): bool {
  const end = source.indexOf(":]", at);
  if (end < 0) return false;
  const name = source.substring(at + 2, end);
  for (let c: i32 = 0; c < 256; c++) {
    const letter = (c >= 65 && c <= 90) || (c >= 97 && c <= 122);
    const digit = c >= 48 && c <= 57;
    const member = name == "alpha" ? letter : name == "digit" ? digit : name == "alnum" ? letter || digit : name == "upper" ? c >= 65 && c <= 90
      : name == "lower" ? c >= 97 && c <= 122 : name == "space" ? c == 32 || (c >= 9 && c <= 13) : name == "blank" ? c == 32 || c == 9
      : name == "punct" ? c > 32 && c < 127 && !letter && !digit : name == "xdigit" ? digit || (c >= 65 && c <= 70) || (c >= 97 && c <= 102) : false;
    if (member) add(set, c);
  }
  at = end + 2;
  return true;
}

/** A repetition of the instructions from `start` on. */
function parseRepeat(start: i32): bool {
  const length = out.code.length - start;
  if (length == 0 || at >= source.length) return false;
  const c = source.charCodeAt(at);
  if (c == 42) {
    at++;
    insert(start, LOOP, 1, length + 2);
    emit(JUMP, -length - 1, 0);
    return true;
  }
  if (takeOperator(43)) {
    emit(LOOP, -length, 1);
    return true;
  }
  if (takeOperator(63)) {
    insert(start, SPLIT, 1, length + 1);
    return true;
  }
  return takeOperator(123) && parseBounds(start, length);
}

function number(): i32 {
  let value: i32 = 0;
  const begin = at;
  while (at < source.length && source.charCodeAt(at) >= 48 && source.charCodeAt(at) <= 57) {
    value = value * 10 + source.charCodeAt(at) - 48;
    at++;
  }
  return at == begin ? -1 : value;
}

/** {m}, {m,} or {m,n}: copies of the instructions. */
function parseBounds(start: i32, length: i32): bool {
  const least = number();
  let most = least;
  if (at < source.length && source.charCodeAt(at) == 44) {
    at++;
    most = number();
  }
  if (!takeOperator(125) || least < 0 || least > MOST_REPEATS || most > MOST_REPEATS || (most >= 0 && most < least)) {
    regexError = "bad repetition";
    return false;
  }
  const piece = out.code.slice(start);
  out.code.length = start;
  for (let i: i32 = 0; i < least; i++) copy(piece);
  if (most < 0) {
    emit(LOOP, 1, length + 2);
    copy(piece);
    emit(JUMP, -length - 1, 0);
  }
  for (let i = least; i < most; i++) {
    emit(SPLIT, 1, (most - i) * (length + 1));
    copy(piece);
  }
  return true;
}

function copy(piece: Instruction[]): void {
  for (const i of piece) emit(i.op, i.x, i.y);
}
