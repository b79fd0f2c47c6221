// Files as lines: what the text tools have in common. The name - is standard input.

import { fail } from './process.ts';
import { readDescriptor, readFile } from './stdio.ts';
import { parseNumber, splitLines } from './strings.ts';

/** A file's text, or standard input's for -; null after a message of `program`. */
export function inputText(program: string, name: string): string | null {
  const text = name == "-" ? readDescriptor(0) : readFile(name);
  if (text == null) fail(program, name);
  return text;
}

/** The same as lines. */
export function inputLines(program: string, name: string): string[] | null {
  const text = inputText(program, name);
  return text == null ? null : splitLines(text);
}

/** How many lines `-n COUNT` or `-COUNT` asks for, 10 without either, -1 for anything else that begins with a minus. */
export function lineCount(args: string[]): i32 {
  if (args.length < 2 || !args[1]!.startsWith("-") || args[1] == "-") return 10;
  if (args[1] == "-n") return args.length > 2 ? parseNumber(args[2]!, -1) : -1;
  return parseNumber(args[1]!.substring(1, args[1]!.length), -1);
}

/** Where the names begin after that. */
export function afterLineCount(args: string[]): i32 {
  if (args.length < 2 || !args[1]!.startsWith("-") || args[1] == "-") return 1;
  return args[1] == "-n" ? 3 : 2;
}

/** The names after the options, or standard input. */
export function inputNames(args: string[], first: i32): string[] {
  return first < args.length ? args.slice(first) : ["-"];
}
