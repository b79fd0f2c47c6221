// chmod: changes the permissions of files, to an octal number or by clauses like u+x, go-w, a=rx. -R: of all that is in a directory, too.

import { S_IFDIR, S_IFMT, Stat } from '../abi/file.ts';
import { setMain } from '../libc/crt.ts';
import { readDirectory } from '../libc/directory.ts';
import { afterOptions, nextOption } from '../libc/options.ts';
import { fail } from '../libc/process.ts';
import { eprint } from '../libc/stdio.ts';
import { splitAt } from '../libc/strings.ts';
import { chmod, stat } from '../libc/sys.ts';

const PERMISSIONS: u32 = 0xfff;      // 07777
const NO_MODE: u32 = 0xffffffff;

let recursive: bool = false;
let st!: Embed<Stat>;

function octal(text: string): u32 {
  let mode: u32 = 0;
  for (let i: i32 = 0; i < text.length; i++) {
    const digit = text.charCodeAt(i) - 48;
    if (digit < 0 || digit > 7 || mode > PERMISSIONS) return NO_MODE;
    mode = mode * 8 + (digit as u32);
  }
  return text.length != 0 && mode <= PERMISSIONS ? mode : NO_MODE;
}

/** The bits of `rwx` for all three classes. */
function bitsOf(letter: i32): u32 {
  return letter == 114 ? 0x124 : letter == 119 ? 0x92 : letter == 120 ? 0x49 : 0;
}

/** The three bits of user, group, others or all. */
function classOf(letter: i32): u32 {
  return letter == 117 ? 0x1c0 : letter == 103 ? 0x38 : letter == 111 ? 7 : letter == 97 ? 0x1ff : 0;
}

/** `mode` after one clause, or NO_MODE. */
function clause(text: string, mode: u32): u32 {
  let at: i32 = 0;
  let who: u32 = 0;
  while (at < text.length && classOf(text.charCodeAt(at)) != 0) who |= classOf(text.charCodeAt(at++));
  if (who == 0) who = 0x1ff;
  const sign = at < text.length ? text.charCodeAt(at++) : 0;
  let bits: u32 = 0;
  for (; at < text.length; at++) {
    if (bitsOf(text.charCodeAt(at)) == 0) return NO_MODE;
    bits |= bitsOf(text.charCodeAt(at)) & who;
  }
  if (sign == 43) return mode | bits;
  if (sign == 45) return mode & ~bits;
  return sign == 61 ? (mode & ~who) | bits : NO_MODE;
}

/** What `text` makes of a file's `mode`, or NO_MODE. */
function changed(text: string, mode: u32): u32 {
  const number = octal(text);
  if (number != NO_MODE) return number;
  let result = mode;
  for (const part of splitAt(text, ",")) if (result != NO_MODE) result = clause(part, result);
  return result;
}

function change(text: string, path: string): i32 {
  if (stat(path, addressof(st)) < 0) return fail("chmod", path);
  const mode = st.mode as u32;
  if (chmod(path, changed(text, mode & PERMISSIONS)) < 0) return fail("chmod", path);
  if (!recursive || (mode & S_IFMT) != S_IFDIR) return 0;
  const entries = readDirectory(path);
  if (entries == null) return fail("chmod", path);
  let status: i32 = 0;
  for (const entry of entries) if (entry.name != "." && entry.name != ".." && change(text, path + "/" + entry.name) != 0) status = 1;
  return status;
}

/** Is the word a mode, although it begins with a minus? */
function isClause(word: string): bool {
  return changed(word, 0) != NO_MODE;
}

function main(args: string[]): i32 {
  let option: i32 = 0;
  while (afterOptions < args.length && !isClause(args[afterOptions]!)) {
    option = nextOption(args, "R");
    if (option <= 0) break;
    recursive = true;
  }
  const first = afterOptions + 1;
  if (option < 0 || first >= args.length || !isClause(args[afterOptions]!)) {
    eprint("usage: chmod [-R] mode file ... (mode: octal, or clauses like u+x,go-w)\n");
    return 2;
  }
  let status: i32 = 0;
  for (let i = first; i < args.length; i++) if (change(args[afterOptions]!, args[i]!) != 0) status = 1;
  return status;
}

setMain(main);
