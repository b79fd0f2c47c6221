// grep: prints the lines that a regular expression matches. -E extended expressions, -F plain text, -i any case, -v the other lines,
// -n with numbers, -c only how many, -l only names of files, -q nothing, -o only what matched, -r directories, -e expression.
// Exit code 0: found, 1: not found, 2: an error.

import { S_IFDIR, S_IFMT } from '../abi/file.ts';
import { setMain } from '../libc/crt.ts';
import { readDirectory } from '../libc/directory.ts';
import { inputLines, inputNames } from '../libc/input.ts';
import { statOf } from '../libc/process.ts';
import { compileRegex, Regex, regexError } from '../libc/regex.ts';
import { eprint, flush, print } from '../libc/stdio.ts';
import { TextBuilder } from '../libc/text.ts';

let flags: string = "";
let regex: Regex = new Regex();
let found: bool = false;
let failed: bool = false;
let withNames: bool = false;

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

function printLine(name: string, number: i32, text: string): void {
  print((withNames ? name + ":" : "") + (flag("n") ? `${number}:` : "") + text + "\n");
}

function printMatches(name: string, number: i32, line: string): void {
  let from: i32 = 0;
  while (from <= line.length && regex.search(line, from)) {
    if (regex.ends[0]! > regex.starts[0]!) printLine(name, number, regex.group(0));
    from = regex.ends[0]! > regex.starts[0]! ? regex.ends[0]! : regex.ends[0]! + 1;
  }
}

function searchFile(name: string): void {
  const lines = inputLines("grep", name);
  if (lines == null) {
    failed = true;
    return;
  }
  let count: i32 = 0;
  for (let i: i32 = 0; i < lines.length; i++) {
    if (regex.search(lines[i]!, 0) == flag("v")) continue;
    count++;
    if (flag("q") || flag("l")) break;
    if (flag("c")) continue;
    if (flag("o") && !flag("v")) printMatches(name, i + 1, lines[i]!);
    else printLine(name, i + 1, lines[i]!);
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
  for (const entry of entries) if (entry.name != "." && entry.name != "..") search(name + "/" + entry.name);
}

function usage(): i32 {
  eprint("usage: grep [-EFcilnoqrv] [-e] expression [file ...]\n");
  return 2;
}

function main(args: string[]): i32 {
  let at: i32 = 1;
  let expression: string | null = null;
  while (at < args.length && args[at]!.startsWith("-") && args[at]!.length > 1 && expression == null) {
    const word = args[at]!.substring(1);
    at++;
    for (let i: i32 = 0; i < word.length; i++) {
      const letter = word.substring(i, i + 1);
      if (letter == "e" && at < args.length) expression = args[at++]!;
      else if ("EFcilnoqrv".indexOf(letter) >= 0) flags = flags + letter;
      else return usage();
    }
  }
  if (expression == null && at < args.length) expression = args[at++]!;
  if (expression == null) return usage();
  const compiled = compileRegex(flag("F") ? quoted(expression!) : expression!, flag("E"), flag("i"));
  if (compiled == null) {
    eprint("grep: " + expression! + ": " + regexError + "\n");
    return 2;
  }
  regex = compiled!;
  const names = inputNames(args, at);
  withNames = names.length > 1 || flag("r");
  for (const name of names) search(name);
  if (!flush()) return 2;
  return failed ? 2 : found ? 0 : 1;
}

setMain(main);
