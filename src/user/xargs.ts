// xargs: runs a command with the words of standard input as its arguments, as many at a time as fit, or -n COUNT; -t shows each command.
// Quotes and backslashes keep words together. A command that is not found ends it with 127, one that fails makes the result 123.

import { ENOENT } from '../abi/errno.ts';
import { exit, setMain } from '../libc/crt.ts';
import { afterOptions, nextOption, optionValue } from '../libc/options.ts';
import { execvp, exitStatus, fail, waitFor } from '../libc/process.ts';
import { eprint, flushAll, readDescriptor } from '../libc/stdio.ts';
import { parseNumber } from '../libc/strings.ts';
import { errno, fork } from '../libc/sys.ts';
import { TextBuilder } from '../libc/text.ts';

const MOST_BYTES: i32 = 32768;
const MOST_WORDS: i32 = 5000;

let shows: bool = false;

/** The words of a text, null when a quote has no end. */
function wordsOf(text: string): string[] | null {
  const words: string[] = [];
  const word = new TextBuilder();
  let any = false;
  let quote: i32 = 0;
  for (let i: i32 = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (quote != 0 ? c == quote : c == 39 || c == 34) {
      quote = quote != 0 ? 0 : c;
      any = true;
    } else if (quote == 0 && (c == 32 || c == 9 || c == 10)) {
      if (any) words.push(word.take());
      any = false;
    } else {
      if (quote == 0 && c == 92 && i + 1 < text.length) i++;
      word.addByte(text.charCodeAt(i));
      any = true;
    }
  }
  if (any) words.push(word.take());
  return quote != 0 ? null : words;
}

/** Runs one command; its exit code. */
function run(command: string[]): i32 {
  if (shows) eprint(command.join(" ") + "\n");
  flushAll();
  const pid = fork();
  if (pid < 0) return fail("xargs", "fork");
  if (pid == 0) {
    execvp(command);
    const missing = errno() == ENOENT;
    fail("xargs", command[0]!);
    exit(missing ? 127 : 126);
  }
  return exitStatus(waitFor(pid));
}

function main(args: string[]): i32 {
  let most = MOST_WORDS;
  let option = nextOption(args, "n:t");
  for (; option > 0; option = nextOption(args, "n:t")) {
    if (option == 116) shows = true;
    else most = parseNumber(optionValue, 0);
    if (most < 1) break;
  }
  if (option != 0) {
    eprint("usage: xargs [-t] [-n count] [command [argument ...]]\n");
    return 2;
  }
  const text = readDescriptor(0);
  if (text == null) return fail("xargs", "standard input");
  const words = wordsOf(text);
  if (words == null) {
    eprint("xargs: a quote has no end\n");
    return 1;
  }
  const fixed: string[] = afterOptions < args.length ? args.slice(afterOptions) : ["echo"];
  let status: i32 = 0;
  let at: i32 = 0;
  do {
    const command = fixed.slice(0);
    let bytes: i32 = 0;
    for (let n: i32 = 0; n < most && at < words.length && (n == 0 || bytes + words[at]!.length < MOST_BYTES); n++) {
      bytes += words[at]!.length + 5;
      command.push(words[at++]!);
    }
    const code = run(command);
    if (code == 126 || code == 127) return code;
    if (code != 0) status = 123;
  } while (at < words.length);
  return status;
}

setMain(main);
