// vi: a screen editor. Commands, with a count before them where that makes sense: h j k l and the arrows, 0 $ ^ w b G gg move; i a I A
// o O insert until Escape; x D dd yy p P J r change; u takes the last change back; /expression and n search; :w [file], :q, :q!, :wq,
// :e file, :NUMBER and :s/expression/text/ are typed on the last row.

import { setMain } from '../libc/crt.ts';
import { compileRegex, Regex, regexError } from '../libc/regex.ts';
import { eprint, print, readFile, writeFile } from '../libc/stdio.ts';
import { parseNumber, splitLines } from '../libc/strings.ts';
import { cstr, errno } from '../libc/sys.ts';
import { ENOENT, strerror } from '../abi/errno.ts';
import { TextBuilder } from '../libc/text.ts';
import { askLine, cookedTerminal, KEY_DELETE, KEY_DOWN, KEY_END, KEY_EOF, KEY_HOME, KEY_LEFT, KEY_PAGE_DOWN, KEY_PAGE_UP, KEY_RIGHT, KEY_UP, moveCursor,
  rawTerminal, readKey, screenColumns, screenRows } from '../libc/terminal.ts';

let lines: string[] = [""];
let name: string = "";
let row: i32 = 0;            // of the cursor in the text, from 0
let column: i32 = 0;
let top: i32 = 0;            // first line on the screen
let rows: i32 = 23;          // of text on the screen
let changed: bool = false;
let message: string = "";
let inserting: bool = false;
let ended: bool = false;
let count: i32 = 0;          // typed before a command
let pending: i32 = 0;        // d, y, g or r: waits for its second key
let yanked: string[] = [];
let undoLines: string[] = [];
let undoRow: i32 = 0;
let regex: Regex | null = null;

// ---------------------------------------------------------------------------------------------------- the screen

/** Column on the screen of byte `at` of a line: a tab goes to the next multiple of eight. */
function screenColumn(line: string, at: i32): i32 {
  let width: i32 = 0;
  for (let i: i32 = 0; i < at; i++) width = line.charCodeAt(i) == 9 ? (width | 7) + 1 : width + 1;
  return width;
}

function shown(line: string, columns: i32): string {
  const out = new TextBuilder();
  for (let i: i32 = 0; i < line.length && out.length < columns; i++) {
    const c = line.charCodeAt(i);
    if (c == 9) {
      out.addByte(32);
      while (out.length % 8 != 0) out.addByte(32);
    } else out.addByte(c < 32 || c == 127 ? 63 : c);
  }
  return out.length > columns ? out.take().substring(0, columns) : out.take();
}

function draw(): void {
  if (row < top) top = row;
  if (row >= top + rows) top = row - rows + 1;
  const columns = screenColumns() - 1;
  moveCursor(1, 1);
  for (let i: i32 = 0; i < rows; i++) print((top + i < lines.length ? shown(lines[top + i]!, columns) : "~") + "\x1b[K\n");
  print("\x1b[K");
  print(message != "" ? message : inserting ? "-- INSERT --" : `${name}${changed ? " [changed]" : ""}  ${row + 1},${column + 1} of ${lines.length}`);
  const at = screenColumn(lines[row]!, column);
  moveCursor(row - top + 1, (at < columns ? at : columns) + 1);
  message = "";
}

// ---------------------------------------------------------------------------------------------------- the text

function line(): string {
  return lines[row]!;
}

/** Before every change: what u brings back. */
function remember(): void {
  undoLines = lines.slice(0);
  undoRow = row;
  changed = true;
}

function undo(): void {
  if (undoLines.length == 0) return;
  const now = lines;
  lines = undoLines;
  undoLines = now;
  row = undoRow;
  moveTo(row, 0);
}

/** Puts the cursor on a place that exists. */
function moveTo(to: i32, at: i32): void {
  row = to < 0 ? 0 : to >= lines.length ? lines.length - 1 : to;
  const end = inserting ? line().length : line().length - 1;
  column = at > end ? end : at;
  if (column < 0) column = 0;
}

function setLine(text: string): void {
  lines[row] = text;
}

function insertLines(at: i32, added: string[]): void {
  const before = lines.slice(0, at);
  for (const text of added) before.push(text);
  for (let i = at; i < lines.length; i++) before.push(lines[i]!);
  lines = before;
}

function deleteLines(at: i32, n: i32): string[] {
  const end = at + n < lines.length ? at + n : lines.length;
  const cut = lines.slice(at, end);
  const rest = lines.slice(0, at);
  for (let i = end; i < lines.length; i++) rest.push(lines[i]!);
  if (rest.length == 0) rest.push("");
  lines = rest;
  return cut;
}

function insertText(text: string): void {
  setLine(line().substring(0, column) + text + line().substring(column));
  column += text.length;
}

function deleteBytes(from: i32, to: i32): void {
  const end = to < line().length ? to : line().length;
  setLine(line().substring(0, from) + line().substring(end));
  moveTo(row, from);
}

function isWordByte(c: i32): bool {
  return (c >= 48 && c <= 57) || (c >= 65 && c <= 90) || (c >= 97 && c <= 122) || c == 95;
}

/** Index of the first byte of the line that is no blank. */
function firstText(): i32 {
  let at: i32 = 0;
  while (at < line().length && line().charCodeAt(at) <= 32) at++;
  return at;
}

function wordForward(): void {
  let at = column;
  const text = line();
  const kind = at < text.length && isWordByte(text.charCodeAt(at));
  while (at < text.length && text.charCodeAt(at) != 32 && isWordByte(text.charCodeAt(at)) == kind) at++;
  while (at < text.length && text.charCodeAt(at) == 32) at++;
  if (at >= text.length && row + 1 < lines.length) moveTo(row + 1, 0);
  else moveTo(row, at);
}

function wordBack(): void {
  let at = column;
  const text = line();
  while (at > 0 && text.charCodeAt(at - 1) == 32) at--;
  const kind = at > 0 && isWordByte(text.charCodeAt(at - 1));
  while (at > 0 && text.charCodeAt(at - 1) != 32 && isWordByte(text.charCodeAt(at - 1)) == kind) at--;
  if (at == column && row > 0) moveTo(row - 1, lines[row - 1]!.length);
  else moveTo(row, at);
}

// ---------------------------------------------------------------------------------------------------- inserting

function startInsert(at: i32): void {
  remember();
  inserting = true;
  moveTo(row, at);
}

function openLine(at: i32): void {
  remember();
  insertLines(at, [""]);
  inserting = true;
  moveTo(at, 0);
}

function insertKey(key: i32): void {
  if (key == 27) {
    inserting = false;
    moveTo(row, column - 1);
  } else if (key == 10 || key == 13) {
    const rest = line().substring(column);
    setLine(line().substring(0, column));
    insertLines(row + 1, [rest]);
    moveTo(row + 1, 0);
  } else if (key == 8 || key == 127) {
    if (column > 0) deleteBytes(column - 1, column);
    else if (row > 0) {
      const at = lines[row - 1]!.length;
      lines[row - 1] = lines[row - 1]! + line();
      deleteLines(row, 1);
      moveTo(row - 1, at);
    }
  } else if (key == KEY_LEFT) moveTo(row, column - 1);
  else if (key == KEY_RIGHT) moveTo(row, column + 1);
  else if (key == KEY_UP) moveTo(row - 1, column);
  else if (key == KEY_DOWN) moveTo(row + 1, column);
  else if (key == 9 || (key >= 32 && key < 256)) insertText(String.fromCharCode(key));
}

// ---------------------------------------------------------------------------------------------------- the last row

function searchFrom(from: i32): void {
  if (regex == null) return;
  for (let n: i32 = 0; n <= lines.length; n++) {
    const at = (from + n) % lines.length;
    if (!regex!.search(lines[at]!, n == 0 && at == row ? column + 1 : 0)) continue;
    moveTo(at, regex!.starts[0]!);
    return;
  }
  message = "not found";
}

function save(path: string): bool {
  const text = lines.length == 1 && lines[0] == "" ? "" : lines.join("\n") + "\n";
  if (path == "") {
    message = "no file name";
    return false;
  }
  if (!writeFile(path, cstr(text), text.length as usize, 0x1b6)) {
    message = path + ": " + strerror(errno());
    return false;
  }
  name = path;
  changed = false;
  message = `"${path}" ${lines.length} lines, ${text.length} bytes`;
  return true;
}

function edit(path: string): void {
  const text = readFile(path);
  name = path;
  if (text == null) message = errno() == ENOENT ? `"${path}" is new` : path + ": " + strerror(errno());
  lines = text == null ? [""] : splitLines(text);
  if (lines.length == 0) lines.push("");
  changed = false;
  undoLines.length = 0;
  moveTo(0, 0);
}

/** :s/expression/text/ on the present line, without groups. */
function substitute(command: string): void {
  const end = command.indexOf("/", 2);
  const last = end < 0 ? -1 : command.indexOf("/", end + 1);
  const compiled = end < 0 ? null : compileRegex(command.substring(2, end), false, false);
  if (compiled == null || !compiled.search(line(), 0)) {
    message = compiled == null ? regexError : "not found";
    return;
  }
  remember();
  const text = command.substring(end + 1, last < 0 ? command.length : last);
  setLine(line().substring(0, compiled.starts[0]!) + text + line().substring(compiled.ends[0]!));
}

function colon(command: string): void {
  const number = parseNumber(command, -1);
  if (number >= 0) moveTo(number - 1, 0);
  else if (command == "q!" || (command == "q" && !changed)) ended = true;
  else if (command == "q") message = "changed; :w saves, :q! gives up";
  else if (command == "wq" || command == "x") ended = save(name);
  else if (command == "w") save(name);
  else if (command.startsWith("w ")) save(command.substring(2));
  else if (command.startsWith("e ") && !changed) edit(command.substring(2));
  else if (command.startsWith("s/")) substitute(command);
  else if (command != "") message = command + ": unknown command";
}

// ---------------------------------------------------------------------------------------------------- commands

/** The second key of d, y, g and r. */
function complete(first: i32, key: i32, n: i32): void {
  if (first == 114 && key >= 32 && key < 256 && column < line().length) {
    remember();
    setLine(line().substring(0, column) + String.fromCharCode(key) + line().substring(column + 1));
  } else if (first == 103 && key == 103) moveTo(0, 0);
  else if (first == 121 && key == 121) yanked = lines.slice(row, row + n < lines.length ? row + n : lines.length);
  else if (first == 100 && key == 100) {
    remember();
    yanked = deleteLines(row, n);
    moveTo(row, 0);
  } else if (first == 100 && key == 119) {
    remember();
    const from = column;
    const at = row;
    wordForward();
    const to = row == at ? column : lines[at]!.length;
    row = at;
    deleteBytes(from, to > from ? to : from + 1);
  }
}

function put(at: i32): void {
  if (yanked.length == 0) return;
  remember();
  insertLines(at, yanked);
  moveTo(at, 0);
}

function joinLines(): void {
  if (row + 1 >= lines.length) return;
  remember();
  const at = line().length;
  let rest = lines[row + 1]!;
  while (rest.startsWith(" ") || rest.startsWith("\t")) rest = rest.substring(1);
  setLine(line() + " " + rest);
  deleteLines(row + 1, 1);
  moveTo(row, at);
}

function command(key: i32): void {
  const n = count == 0 ? 1 : count;
  const given = count;
  count = 0;
  switch (key) {
    case 104: case KEY_LEFT: case 8: case 127: moveTo(row, column - n); break;
    case 108: case KEY_RIGHT: case 32: moveTo(row, column + n); break;
    case 106: case KEY_DOWN: case 10: moveTo(row + n, column); break;
    case 107: case KEY_UP: moveTo(row - n, column); break;
    case 48: case KEY_HOME: moveTo(row, 0); break;
    case 36: case KEY_END: moveTo(row, line().length); break;
    case 94: moveTo(row, firstText()); break;
    case 119: for (let i: i32 = 0; i < n; i++) wordForward(); break;
    case 98: for (let i: i32 = 0; i < n; i++) wordBack(); break;
    case 71: moveTo(given == 0 ? lines.length - 1 : given - 1, 0); break;
    case 6: case KEY_PAGE_DOWN: moveTo(row + rows, column); break;
    case 2: case KEY_PAGE_UP: moveTo(row - rows, column); break;
    case 105: startInsert(column); break;
    case 97: inserting = true; startInsert(column + 1); break;
    case 73: startInsert(0); break;
    case 65: inserting = true; startInsert(line().length); break;
    case 111: openLine(row + 1); break;
    case 79: openLine(row); break;
    case 120: case KEY_DELETE:
      remember();
      deleteBytes(column, column + n);
      break;
    case 68:
      remember();
      deleteBytes(column, line().length);
      break;
    case 112: put(row + 1); break;
    case 80: put(row); break;
    case 74: joinLines(); break;
    case 117: undo(); break;
    case 110: searchFrom(row); break;
    case 47: {
      const text = askLine(rows + 1, "/");
      const compiled = text == "" ? null : compileRegex(text, false, false);
      if (compiled != null) regex = compiled;
      else if (text != "") message = regexError;
      if (text != "") searchFrom(row);
      break;
    }
    case 58: colon(askLine(rows + 1, ":")); break;
    case 100: case 121: case 103: case 114:
      pending = key;
      count = given;
      break;
    case KEY_EOF: ended = true;
  }
}

function press(key: i32): void {
  if (inserting) insertKey(key);
  else if (pending != 0) {
    const first = pending;
    const n = count == 0 ? 1 : count;
    pending = 0;
    count = 0;
    complete(first, key, n);
  } else if (key >= 48 && key <= 57 && (key != 48 || count > 0)) count = count * 10 + key - 48;
  else command(key);
}

function main(args: string[]): i32 {
  if (args.length > 2) {
    eprint("usage: vi [file]\n");
    return 2;
  }
  if (!rawTerminal()) {
    eprint("vi: standard input is no terminal\n");
    return 1;
  }
  rows = screenRows() - 1;
  if (args.length == 2) edit(args[1]!);
  while (!ended) {
    draw();
    press(readKey(0));
  }
  moveCursor(rows + 1, 1);
  print("\x1b[K");
  cookedTerminal();
  return 0;
}

setMain(main);
