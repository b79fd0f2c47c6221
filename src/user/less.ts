// less: shows a text a screen at a time. Space and f go a screen on, b back, d and u half of one, j, k and the arrows a line, g and G
// to the ends, /expression searches and n again, q quits. Without a terminal it copies the text.

import { O_RDWR } from '../abi/file.ts';
import { setMain } from '../libc/crt.ts';
import { inputText } from '../libc/input.ts';
import { compileRegex, Regex, regexError } from '../libc/regex.ts';
import { eprint, flush, print } from '../libc/stdio.ts';
import { splitLines } from '../libc/strings.ts';
import { close, dup2, open } from '../libc/sys.ts';
import { TextBuilder } from '../libc/text.ts';
import { askLine, cookedTerminal, isTerminal, KEY_DOWN, KEY_EOF, KEY_PAGE_DOWN, KEY_PAGE_UP, KEY_UP, moveCursor, rawTerminal, readKey, screenColumns,
  screenRows } from '../libc/terminal.ts';

let lines: string[] = [];
let title: string = "";
let top: i32 = 0;
let rows: i32 = 23;
let regex: Regex | null = null;
let message: string = "";

/** A line as it is shown: tabs as blanks, cut at the screen's edge. */
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
  const columns = screenColumns();
  moveCursor(1, 1);
  for (let i: i32 = 0; i < rows; i++) print((top + i < lines.length ? shown(lines[top + i]!, columns - 1) : "~") + "\x1b[K\n");
  const last = top + rows < lines.length ? top + rows : lines.length;
  const status = message != "" ? message : `${title} lines ${top + 1}-${last}/${lines.length}` + (last == lines.length ? " (END)" : "");
  print("\x1b[7m" + status + "\x1b[m\x1b[K");
  message = "";
}

function scroll(to: i32): void {
  const most = lines.length > rows ? lines.length - rows : 0;
  top = to > most ? most : to < 0 ? 0 : to;
}

function search(from: i32): void {
  if (regex == null) return;
  for (let i = from; i < lines.length; i++) {
    if (!regex!.search(lines[i]!, 0)) continue;
    scroll(i);
    if (top != i) message = `line ${i + 1}: ` + lines[i]!;
    return;
  }
  message = "not found";
}

/** One key; false ends. */
function press(key: i32): bool {
  switch (key) {
    case 113: case KEY_EOF: return false;
    case 32: case 102: case KEY_PAGE_DOWN: scroll(top + rows); break;
    case 98: case KEY_PAGE_UP: scroll(top - rows); break;
    case 100: scroll(top + rows / 2); break;
    case 117: scroll(top - rows / 2); break;
    case 106: case 10: case KEY_DOWN: scroll(top + 1); break;
    case 107: case KEY_UP: scroll(top - 1); break;
    case 103: scroll(0); break;
    case 71: scroll(lines.length); break;
    case 110: search(top + 1); break;
    case 47: {
      const text = askLine(rows + 1, "/");
      if (text == "") break;
      regex = compileRegex(text, false, false);
      if (regex == null) message = regexError;
      else search(top);
    }
  }
  return true;
}

/** Keys come from the terminal even when the text comes through standard input. */
function keysFromTerminal(): void {
  const fd = open("/dev/tty", O_RDWR, 0);
  if (fd < 0) return;
  dup2(fd, 0);
  close(fd);
}

function main(args: string[]): i32 {
  if (args.length > 2) {
    eprint("usage: less [file]\n");
    return 2;
  }
  const text = inputText("less", args.length == 2 ? args[1]! : "-");
  if (text == null) return 1;
  if (!isTerminal(1)) {
    print(text);
    return flush() ? 0 : 1;
  }
  if (args.length == 1) keysFromTerminal();
  title = args.length == 2 ? args[1]! : "";
  lines = splitLines(text);
  rawTerminal();
  rows = screenRows() - 1;
  do draw(); while (press(readKey(0)));
  moveCursor(rows + 1, 1);
  print("\x1b[K");
  cookedTerminal();
  return 0;
}

setMain(main);
