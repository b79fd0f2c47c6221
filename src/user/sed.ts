// sed: edits text line by line. Commands, separated by newlines or ;, after none, one or two addresses (a number, $, or /expression/;
// ! for the other lines): s/expression/replacement/ with the flags g, p and a number, y/abc/xyz/, d, p, q, =, n, a\, i\ and c\ with
// text, and { ... }. -n prints only what p says, -E takes extended expressions, -e or the first argument is the script, -i writes each file
// anew instead of printing, line numbers counted in each.

import { exit, setMain } from '../libc/crt.ts';
import { inputLines, inputNames } from '../libc/input.ts';
import { compileRegex, Regex, regexError } from '../libc/regex.ts';
import { fail, statOf } from '../libc/process.ts';
import { eprint, flush, print, replaceFile } from '../libc/stdio.ts';
import { parseNumber } from '../libc/strings.ts';
import { cstr } from '../libc/sys.ts';
import { TextBuilder } from '../libc/text.ts';

const LAST_LINE: i32 = -2;

class Address {
  line: i32 = -1;          // LAST_LINE: $
  regex: Regex | null = null;
}

class Command {
  first: Address | null = null;
  second: Address | null = null;
  negated: bool = false;
  active: bool = false;    // between first and second
  letter: i32 = 0;
  regex: Regex | null = null;
  text: string = "";       // replacement, text to add, or for y what to replace
  other: string = "";      // y: by what
  global: bool = false;
  prints: bool = false;
  which: i32 = 1;          // s: the first match to replace
  block: Command[] = [];
}

let script: string = "";
let at: i32 = 0;
let extended: bool = false;
let quiet: bool = false;
let lines: string[] = [];
let number: i32 = 0;       // of the present line, from 1
let pattern: string = "";
let deleted: bool = false;
let ended: bool = false;
let after: string = "";    // what a\ adds behind the line
let inPlace: bool = false;
const written: TextBuilder = new TextBuilder();    // with -i

/** To standard output or, with -i, to the file's new contents. */
function put(text: string): void {
  if (inPlace) written.add(text);
  else print(text);
}

// ---------------------------------------------------------------------------------------------------- the script

function wrong(what: string): void {
  eprint("sed: " + script + ": " + what + "\n");
  exit(2);
}

function skipBlanks(newlines: bool): void {
  while (at < script.length && (script.charCodeAt(at) == 32 || script.charCodeAt(at) == 9 || (newlines && (script.charCodeAt(at) == 10 || script.charCodeAt(at) == 59)))) at++;
}

/** The text up to the next unescaped delimiter, behind which the script goes on. */
function delimited(delimiter: i32): string {
  const text = new TextBuilder();
  for (; at < script.length; at++) {
    const c = script.charCodeAt(at);
    if (c == delimiter) {
      at++;
      return text.take();
    }
    if (c == 92 && at + 1 < script.length) {
      at++;
      if (script.charCodeAt(at) != delimiter) text.addByte(92);
    }
    text.addByte(script.charCodeAt(at));
  }
  wrong("a delimiter is missing");
  return "";
}

function expression(text: string): Regex | null {
  const regex = compileRegex(text, extended, false);
  if (regex == null) wrong(regexError);
  return regex;
}

function parseAddress(): Address | null {
  const c = at < script.length ? script.charCodeAt(at) : 0;
  const address = new Address();
  if (c == 36) {
    at++;
    address.line = LAST_LINE;
  } else if (c == 47) {
    at++;
    address.regex = expression(delimited(47));
  } else if (c >= 48 && c <= 57) {
    const start = at;
    while (at < script.length && script.charCodeAt(at) >= 48 && script.charCodeAt(at) <= 57) at++;
    address.line = parseNumber(script.substring(start, at), 0);
  } else return null;
  return address;
}

function parseCommands(inBlock: bool): Command[] {
  const list: Command[] = [];
  for (;;) {
    skipBlanks(true);
    if (at >= script.length) {
      if (inBlock) wrong("} is missing");
      return list;
    }
    if (script.charCodeAt(at) == 125) {
      if (!inBlock) wrong("unexpected }");
      at++;
      return list;
    }
    list.push(parseCommand());
  }
}

function parseCommand(): Command {
  const command = new Command();
  command.first = parseAddress();
  if (command.first != null && at < script.length && script.charCodeAt(at) == 44) {
    at++;
    command.second = parseAddress();
    if (command.second == null) wrong("an address is missing");
  }
  skipBlanks(false);
  if (at < script.length && script.charCodeAt(at) == 33) {
    command.negated = true;
    at++;
    skipBlanks(false);
  }
  command.letter = at < script.length ? script.charCodeAt(at) : 0;
  at++;
  switch (command.letter) {
    case 123: command.block = parseCommands(true); break;
    case 115: parseSubstitution(command); break;
    case 121: {
      const delimiter = script.charCodeAt(at);
      at++;
      command.text = delimited(delimiter);
      command.other = delimited(delimiter);
      if (command.text.length != command.other.length) wrong("y needs two texts of one length");
      break;
    }
    case 97: case 105: case 99: command.text = textArgument(); break;
    case 100: case 112: case 113: case 61: case 110: break;
    default: wrong(command.letter == 0 ? "a command is missing" : "unknown command " + String.fromCharCode(command.letter));
  }
  return command;
}

function parseSubstitution(command: Command): void {
  const delimiter = at < script.length ? script.charCodeAt(at) : 0;
  at++;
  const text = delimited(delimiter);
  command.text = delimited(delimiter);
  command.regex = expression(text);
  for (; at < script.length; at++) {
    const c = script.charCodeAt(at);
    if (c == 103) command.global = true;
    else if (c == 112) command.prints = true;
    else if (c >= 49 && c <= 57) command.which = c - 48;
    else return;
  }
}

/** The rest of the line, after a backslash and a newline if they are there. */
function textArgument(): string {
  skipBlanks(false);
  if (at < script.length && script.charCodeAt(at) == 92) at++;
  if (at < script.length && script.charCodeAt(at) == 10) at++;
  let end = script.indexOf("\n", at);
  if (end < 0) end = script.length;
  const text = script.substring(at, end);
  at = end;
  return text;
}

// ---------------------------------------------------------------------------------------------------- running

function isAt(address: Address): bool {
  if (address.regex != null) return address.regex!.search(pattern, 0);
  return address.line == LAST_LINE ? number == lines.length : address.line == number;
}

function selects(command: Command): bool {
  if (command.first == null) return true;
  if (command.second == null) return isAt(command.first!);
  if (command.active) {
    if (isAt(command.second!) || (command.second!.regex == null && command.second!.line != LAST_LINE && command.second!.line <= number)) command.active = false;
    return true;
  }
  if (!isAt(command.first!)) return false;
  command.active = !(command.second!.regex == null && command.second!.line != LAST_LINE && command.second!.line <= number);
  return true;
}

/** The replacement: & and \0 are the match, \1 to \9 its groups. */
function addReplacement(out: TextBuilder, text: string, regex: Regex): void {
  for (let i: i32 = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c == 38) out.add(regex.group(0));
    else if (c == 92 && i + 1 < text.length) {
      i++;
      const d = text.charCodeAt(i);
      if (d >= 48 && d <= 57) out.add(regex.group(d - 48));
      else out.addByte(d == 110 ? 10 : d == 116 ? 9 : d);
    } else out.addByte(c);
  }
}

function substitute(command: Command): void {
  const regex = command.regex!;
  const out = new TextBuilder();
  let from: i32 = 0;
  let found: i32 = 0;
  let replaced = false;
  while (from <= pattern.length && regex.search(pattern, from)) {
    const start = regex.starts[0]!;
    const end = regex.ends[0]!;
    found++;
    out.add(pattern.substring(from, start));
    const wanted = found == command.which || (command.global && found > command.which);
    if (wanted) addReplacement(out, command.text, regex);
    else out.add(pattern.substring(start, end));
    if (wanted) replaced = true;
    from = end;
    if (end == start) {
      if (end < pattern.length) out.addByte(pattern.charCodeAt(end));
      from = end + 1;
    }
    if (wanted && !command.global) break;
  }
  if (!replaced) return;
  if (from <= pattern.length) out.add(pattern.substring(from));
  pattern = out.take();
  if (command.prints) put(pattern + "\n");
}

function translate(command: Command): void {
  const out = new TextBuilder();
  for (let i: i32 = 0; i < pattern.length; i++) {
    const where = command.text.indexOf(pattern.substring(i, i + 1));
    out.addByte(where < 0 ? pattern.charCodeAt(i) : command.other.charCodeAt(where));
  }
  pattern = out.take();
}

function finishLine(): void {
  if (!deleted && !quiet) put(pattern + "\n");
  if (after != "") put(after);
  after = "";
}

/** The next input line becomes the present one; false at the end. */
function nextLine(): bool {
  if (number == lines.length) return false;
  pattern = lines[number]!;
  number++;
  deleted = false;
  return true;
}

function runAll(commands: Command[]): void {
  for (const command of commands) {
    if (selects(command) == command.negated) continue;
    run(command);
    if (deleted || ended) return;
  }
}

function run(command: Command): void {
  switch (command.letter) {
    case 123: runAll(command.block); break;
    case 115: substitute(command); break;
    case 121: translate(command); break;
    case 100: deleted = true; break;
    case 112: put(pattern + "\n"); break;
    case 113: ended = true; break;
    case 61: put(`${number}\n`); break;
    case 97: after = after + command.text + "\n"; break;
    case 105: put(command.text + "\n"); break;
    case 99:
      deleted = true;
      if (!command.active || command.negated) put(command.text + "\n");
      break;
    default:
      finishLine();
      if (!nextLine()) {
        ended = true;
        deleted = true;
      }
  }
}

function main(args: string[]): i32 {
  let given = false;
  let i: i32 = 1;
  for (; i < args.length && args[i]!.startsWith("-") && args[i] != "-"; i++) {
    if (args[i] == "-n") quiet = true;
    else if (args[i] == "-E") extended = true;
    else if (args[i] == "-i") inPlace = true;
    else if (args[i] == "-e" && i + 1 < args.length) {
      i++;
      script = given ? script + "\n" + args[i]! : args[i]!;
      given = true;
    } else i = args.length;
  }
  if (!given && i < args.length) {
    script = args[i]!;
    i++;
    given = true;
  }
  if (!given) {
    eprint("usage: sed [-Ein] [-e] script [file ...]\n");
    return 2;
  }
  const commands = parseCommands(false);
  let status: i32 = 0;
  for (const name of inputNames(args, i)) {
    const text = inputLines("sed", name);
    if (text == null) status = 1;
    else if (inPlace && !editFile(commands, name, text!)) status = 1;
    else if (!inPlace) for (const line of text!) lines.push(line);
  }
  edit(commands);
  return flush() ? status : fail("sed", "standard output");
}

function edit(commands: Command[]): void {
  while (!ended && nextLine()) {
    runAll(commands);
    finishLine();
  }
}

/** -i: false after a message. What q leaves out stays as it was. */
function editFile(commands: Command[], name: string, text: string[]): bool {
  lines = text;
  number = 0;
  ended = false;
  for (const command of commands) command.active = false;
  edit(commands);
  for (; number < lines.length; number++) put(lines[number]! + "\n");
  lines = [];
  number = 0;
  const fresh = written.take();
  const st = statOf(name);
  if (st != null && replaceFile(name, cstr(fresh), fresh.length as usize, (st.mode as u32) & 0x1ff)) return true;
  fail("sed", name);
  return false;
}

setMain(main);
