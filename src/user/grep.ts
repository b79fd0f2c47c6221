// grep: prints the lines that a regular expression matches. -E extended expressions, -F plain text, -i any case, -v the other lines,
// -w whole words, -x whole lines, -n with numbers, -c only how many, -l only names of files, -q nothing, -s nothing of files that are not
// there, -o only what matched, -h and -H without and with names of files, -r directories, but no links in them, -A N and -B N and -C N lines
// after, before and around, -e expression. Exit code 0: found, 1: not found, 2: an error.

import { DT_LNK, S_IFDIR, S_IFMT } from '../abi/file.ts';
import { setMain } from '../libc/crt.ts';
import { readDirectory } from '../libc/directory.ts';
import { inputLines, inputNames } from '../libc/input.ts';
import { statOf } from '../libc/process.ts';
import { afterOptions, nextOption, optionValue } from '../libc/options.ts';
import { compileRegex, Regex, regexError } from '../libc/regex.ts';
import { eprint, flush, print } from '../libc/stdio.ts';
import { parseNumber } from '../libc/strings.ts';
import { TextBuilder } from '../libc/text.ts';

let flags: string = "";
let regex: Regex = new Regex();
let found: bool = false;
let failed: bool = false;
let withNames: bool = false;
let before: i32 = 0;
let after: i32 = 0;

function flag(letter: string): bool {
  return flags.indexOf(letter) >= 0;
}

/** Plain text as a basic expression. */
function quoted(text: string): string {
  const out = new TextBuilder();
  for (let i: i32 = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c == 92 || c == 46 || c == 42 || c == 91 || c == 94 || c == 36) out.addByte(92);
    out.addByte(c);
  }
  return out.take();
}

function isWordByte(text: string, at: i32): bool {
  if (at < 0 || at >= text.length) return false;
  const c = text.charCodeAt(at);
  return (c >= 48 && c <= 57) || (c >= 65 && c <= 90) || (c >= 97 && c <= 122) || c == 95;
}

/** The next match from `from` on; with -w and -x one of whole words or the whole line. */
function matches(line: string, from: i32): bool {
  for (let at = from; at <= line.length && regex.search(line, at); at = regex.starts[0]! + 1) {
    const start = regex.starts[0]!;
    const end = regex.ends[0]!;
    if (flag("x") && (start > 0 || end < line.length)) continue;
    if (!flag("w") || (end > start && !isWordByte(line, start - 1) && !isWordByte(line, end))) return true;
  }
  return false;
}

/** A line, with `mark` after its name and number. */
function printLine(name: string, number: i32, text: string, mark: string): void {
  print((withNames ? name + mark : "") + (flag("n") ? `${number}` + mark : "") + text + "\n");
}

function printMatches(name: string, number: i32, line: string): void {
  let from: i32 = 0;
  while (from <= line.length && matches(line, from)) {
    if (regex.ends[0]! > regex.starts[0]!) printLine(name, number, regex.group(0), ":");
    from = regex.ends[0]! > regex.starts[0]! ? regex.ends[0]! : regex.ends[0]! + 1;
  }
}

/** The lines before a match; -- stands for lines that are left out. */
function printBefore(name: string, lines: string[], match: i32, next: i32): i32 {
  const first = match - before > next ? match - before : next;
  if (first > next && printed && before + after > 0) print("--\n");
  for (let i = first; i < match; i++) printLine(name, i + 1, lines[i]!, "-");
  printed = true;
  return match;
}

let printed: bool = false;
let lastMatch: i32 = 0;

function searchFile(name: string): void {
  const lines = flag("s") && name != "-" && statOf(name) == null ? null : inputLines("grep", name);
  if (lines == null) {
    failed = true;
    return;
  }
  let count: i32 = 0;
  let next: i32 = 0;             // the first line that has not been printed
  for (let i: i32 = 0; i < lines.length; i++) {
    if (matches(lines[i]!, 0) == flag("v")) {
      if (count > 0 && i == next && i <= lastMatch + after) printLine(name, ++next, lines[i]!, "-");
      continue;
    }
    count++;
    if (flag("q") || flag("l")) break;
    if (flag("c")) continue;
    next = printBefore(name, lines, i, next);
    lastMatch = i;
    if (flag("o") && !flag("v")) printMatches(name, i + 1, lines[i]!);
    else printLine(name, i + 1, lines[i]!, ":");
    next = i + 1;
  }
  if (count > 0) found = true;
  if (flag("q")) return;
  if (flag("l") && count > 0) print(name + "\n");
  else if (flag("c")) print((withNames ? name + ":" : "") + `${count}\n`);
}

function search(name: string): void {
  const st = name == "-" ? null : statOf(name);
  const directory = st != null && ((st.mode as u32) & S_IFMT) == S_IFDIR;
  if (!directory) {
    searchFile(name);
    return;
  }
  if (!flag("r")) {
    eprint("grep: " + name + ": is a directory\n");
    failed = true;
    return;
  }
  const entries = readDirectory(name);
  if (entries == null) return;
  for (const entry of entries) if (entry.name != "." && entry.name != ".." && entry.type != DT_LNK) search(name + "/" + entry.name);
}

function usage(): i32 {
  eprint("usage: grep [-EFHchilnoqrsvwx] [-A lines] [-B lines] [-C lines] [-e] expression [file ...]\n");
  return 2;
}

/** Takes an option of -A, -B and -C; false when its number is none. */
function setContext(letter: string): bool {
  const lines = parseNumber(optionValue, -1);
  if (letter != "B") after = lines;
  if (letter != "A") before = lines;
  return lines >= 0;
}

function main(args: string[]): i32 {
  const letters = "EFHRchilnoqrsvwxA:B:C:e:";
  let expression: string | null = null;
  for (let option = nextOption(args, letters); option != 0; option = nextOption(args, letters)) {
    const letter = String.fromCharCode(option);
    if (option < 0) return usage();
    if (letter == "e") expression = optionValue;
    else if ("ABC".indexOf(letter) >= 0) {
      if (!setContext(letter)) return usage();
    } else flags = flags + (letter == "R" ? "r" : letter);
  }
  let at = afterOptions;
  if (expression == null && at < args.length) expression = args[at++]!;
  if (expression == null) return usage();
  const compiled = compileRegex(flag("F") ? quoted(expression!) : expression!, flag("E"), flag("i"));
  if (compiled == null) {
    eprint("grep: " + expression! + ": " + regexError + "\n");
    return 2;
  }
  regex = compiled!;
  const names = flag("r") && at == args.length ? ["."] : inputNames(args, at);
  withNames = (names.length > 1 || flag("r") || flag("H")) && !flag("h");
  for (const name of names) search(name);
  if (!flush()) return 2;
  return failed ? 2 : found ? 0 : 1;
}

setMain(main);
