// Files as lines: what the text tools have in common. The name - is standard input.

import { fail } from './process.ts';
import { readDescriptor, readFile } from './stdio.ts';
import { splitLines } from './strings.ts';

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

/** The names after the options, or standard input. */
export function inputNames(args: string[], first: i32): string[] {
  return first < args.length ? args.slice(first) : ["-"];
}
