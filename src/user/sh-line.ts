// The line editor: a prompt, a line that is typed, and the lines typed before. Left, right, Home, End and Ctrl-A B E F move;
// Backspace, Delete and Ctrl-K U W cut; up, down, Ctrl-P and Ctrl-N go through the history; Tab completes a file name, and where there is none
// to complete or a quote is open, it is a tab; Ctrl-L clears the
// screen; Ctrl-C gives the line up; Ctrl-D on an empty line ends the input.

import { filesMatching } from '../libc/pattern.ts';
import { S_IFDIR, S_IFMT } from '../abi/file.ts';
import { statOf } from '../libc/process.ts';
import { flush, print } from '../libc/stdio.ts';
import { baseName, padRight } from '../libc/strings.ts';
import { clearScreen, cookedTerminal, KEY_DELETE, KEY_DOWN, KEY_END, KEY_EOF, KEY_HOME, KEY_LEFT, KEY_NONE, KEY_RIGHT, KEY_UP, rawTerminal, readKey,
  screenColumns } from '../libc/terminal.ts';

const HISTORY: i32 = 200;
const history: string[] = [];

let line: string = "";
let cursor: i32 = 0;
let prompt: string = "";
let row: i32 = 0;            // of the cursor, counted from the prompt's

export function historyLines(): string[] {
  return history;
}

function remember(text: string): void {
  if (text == "" || (history.length > 0 && history[history.length - 1] == text)) return;
  if (history.length == HISTORY) {
    for (let i: i32 = 1; i < HISTORY; i++) history[i - 1] = history[i]!;
    history.length = HISTORY - 1;
  }
  history.push(text);
}

/** Draws prompt and line anew over what is on the screen, and puts the cursor where it belongs. */
function redraw(): void {
  const columns = screenColumns();
  if (row > 0) print(`\x1b[${row}A`);
  print("\r" + prompt + line + "\x1b[J");
  const end = prompt.length + line.length;
  const at = prompt.length + cursor;
  if (end % columns == 0) print("\n");
  const up = end / columns - at / columns;
  if (up > 0) print(`\x1b[${up}A`);
  print("\r");
  if (at % columns > 0) print(`\x1b[${at % columns}C`);
  row = at / columns;
}

function insert(text: string): void {
  const atEnd = cursor == line.length;
  line = line.substring(0, cursor) + text + line.substring(cursor);
  cursor += text.length;
  if (!atEnd) {
    redraw();
    return;
  }
  print(text);
  row = (prompt.length + cursor) / screenColumns();
}

/** Cuts the bytes from..to out. */
function cut(from: i32, to: i32): void {
  if (from < 0 || from >= to) return;
  line = line.substring(0, from) + line.substring(to);
  cursor = from;
  redraw();
}

function move(to: i32): void {
  if (to < 0 || to > line.length) return;
  cursor = to;
  redraw();
}

function replace(text: string): void {
  line = text;
  cursor = text.length;
  redraw();
}

function wordStart(): i32 {
  let at = cursor;
  while (at > 0 && line.charCodeAt(at - 1) == 32) at--;
  while (at > 0 && line.charCodeAt(at - 1) != 32) at--;
  return at;
}

/** Completes the word before the cursor as far as all files that begin with it agree. */
function complete(): void {
  let at = cursor;
  while (at > 0 && line.charCodeAt(at - 1) != 32 && line.charCodeAt(at - 1) != 62 && line.charCodeAt(at - 1) != 60) at--;
  const word = line.substring(at, cursor);
  if (word == "" || word.charCodeAt(0) == 39 || word.charCodeAt(0) == 34) {
    insert("\t");
    return;
  }
  let files = filesMatching(word + "*");
  if (files.length == 0 && word.indexOf("/") < 0 && at == 0) files = commandsLike(word);
  if (files.length == 0) return;
  let common = files[0]!;
  for (const file of files) while (!file.startsWith(common)) common = common.substring(0, common.length - 1);
  if (common.length > word.length) insert(common.substring(word.length));
  if (files.length == 1) {
    const st = statOf(common);
    insert(st != null && ((st.mode as u32) & S_IFMT) == S_IFDIR ? "/" : " ");
  } else if (common.length == word.length) {
    printChoices(files);
    row = 0;
    redraw();
  }
}

/** The names that could be meant, without their directory, in columns. */
function printChoices(files: string[]): void {
  let width: i32 = 0;
  for (const file of files) if (baseName(file).length + 2 > width) width = baseName(file).length + 2;
  const columns = screenColumns() > width ? screenColumns() / width : 1;
  const rows = (files.length + columns - 1) / columns;
  print("\n");
  for (let i: i32 = 0; i < rows; i++) {
    for (let at = i; at < files.length; at += rows) print(at + rows < files.length ? padRight(baseName(files[at]!), width) : baseName(files[at]!));
    print("\n");
  }
}

function commandsLike(word: string): string[] {
  const names: string[] = [];
  for (const path of filesMatching("/bin/" + word + "*")) names.push(path.substring(5));
  return names;
}

/** One key. Returns true when the line is finished. */
function press(key: i32): bool {
  switch (key) {
    case 13: case 10: return true;
    case 1: case KEY_HOME: move(0); break;
    case 5: case KEY_END: move(line.length); break;
    case 2: case KEY_LEFT: move(cursor - 1); break;
    case 6: case KEY_RIGHT: move(cursor + 1); break;
    case 8: case 127: cut(cursor - 1, cursor); break;
    case 4: case KEY_DELETE: if (cursor < line.length) cut(cursor, cursor + 1); break;
    case 11: cut(cursor, line.length); break;
    case 21: cut(0, cursor); break;
    case 23: cut(wordStart(), cursor); break;
    case 9: complete(); break;
    case 12: clearScreen(); row = 0; redraw(); break;
    default: if (key >= 32 && key < 256) insert(String.fromCharCode(key));
  }
  return false;
}

/** Going through the history from its end: the new index. */
function recall(index: i32, key: i32): i32 {
  const up = key == 16 || key == KEY_UP;
  const next = up ? index - 1 : index + 1;
  if (next < 0 || next > history.length) return index;
  replace(next == history.length ? "" : history[next]!);
  return next;
}

/** A line from the terminal; null at its end. What was given up with Ctrl-C is an empty line. */
export function editLine(text: string): string | null {
  line = "";
  cursor = 0;
  row = 0;
  prompt = text;
  rawTerminal();
  print(prompt);
  let index = history.length;
  let ended = false;
  for (;;) {
    const key = readKey(0);
    if (key == KEY_NONE || key == 3) {
      print("^C");
      line = "";
      break;
    }
    if (key == KEY_EOF || (key == 4 && line == "")) {
      ended = true;
      break;
    }
    if (key == 16 || key == 14 || key == KEY_UP || key == KEY_DOWN) index = recall(index, key);
    else if (press(key)) break;
  }
  cookedTerminal();          // before the newline: whoever types when it appears types for the command
  if (!ended) print("\n");
  flush();
  remember(line);
  return ended ? null : line;
}
