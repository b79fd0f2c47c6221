// sh: the shell. Reads commands from -c, from a file, or from standard input; on a terminal with a prompt, line editing, history
// and job control. The language is the Bourne shell's: lists, pipelines, redirections and here-documents, quoting, variables,
// file name patterns, command substitution, arithmetic, if, while, until, for, case, groups, subshells and functions.

import { EINTR } from '../abi/errno.ts';
import { getenv, setMain } from '../libc/crt.ts';
import { fail } from '../libc/process.ts';
import { eprint, flush, print, readFile } from '../libc/stdio.ts';
import { isTerminal } from '../libc/terminal.ts';
import { TextBuilder } from '../libc/text.ts';
import { malloc } from '../libc/rt.ts';
import { errno, getpgrp, read, setpgid } from '../libc/sys.ts';
import { run, runFile, runLast, stopLeaving } from './sh-exec.ts';
import { keepTerminal, ownTerminal, reapJobs } from './sh-jobs.ts';
import { editLine } from './sh-line.ts';
import { incomplete, parseText } from './sh-parse.ts';
import { interactive, lastStatus, setInteractive, setOption, setParameters, setScriptName, setStatus } from './sh-state.ts';
import { exitShell, interactiveSignals, interrupted, setInterrupted } from './sh-trap.ts';

function beInteractive(): void {
  setInteractive(true);
  interactiveSignals();
  setpgid(0, 0);
  ownTerminal(getpgrp());
  keepTerminal();
}

/** One line from standard input that is no terminal; null at the end. */
function plainLine(): string | null {
  const line = new TextBuilder();
  for (;;) {
    const n = read(0, byte, 1);
    if (n < 0 && errno() == EINTR) continue;
    if (n <= 0) return line.length > 0 ? line.take() : null;
    const c = load<u8>(byte) as i32;
    if (c == 10) return line.take();
    line.addByte(c);
  }
}
let byte: usize = 0;

function nextLine(prompt: string): string | null {
  return interactive ? editLine(prompt) : plainLine();
}

/** Reads lines until they make a command, and runs it; false at the end of the input. */
function commandFromInput(prompt: string): bool {
  let text = nextLine(prompt);
  if (text == null) return false;
  for (;;) {
    const list = parseText(text!, true);
    if (list != null) {
      run(list);
      break;
    }
    if (!incomplete) {
      setStatus(2);
      break;
    }
    const more = nextLine("> ");
    if (more == null) {
      parseText(text!, false);
      setStatus(2);
      return interactive;
    }
    if (interactive && more == "" && interrupted) break;
    text = text! + "\n" + more;
  }
  stopLeaving();
  setInterrupted(false);
  return true;
}

function promptLoop(): void {
  const given = getenv("PS1");
  byte = malloc(4);
  for (;;) {
    if (interactive) reapJobs(true);
    flush();
    if (!commandFromInput(given == null ? "# " : given)) break;
  }
  if (interactive) print("\n");
}

/** Takes the options -e, -u, -x and, for a command, -c. Where the other arguments begin; 0 after a message. */
function takeOptions(args: string[]): i32 {
  let at: i32 = 1;
  for (; at < args.length && args[at]!.length > 1 && args[at]!.startsWith("-"); at++) {
    for (let i: i32 = 1; i < args[at]!.length; i++) {
      const letter = args[at]!.charCodeAt(i);
      if (letter == 99) withCommand = true;
      else if (!setOption(letter, true)) {
        eprint("usage: sh [-eux] [-c command [name [argument ...]] | file [argument ...]]\n");
        return 0;
      }
    }
  }
  return at;
}
let withCommand: bool = false;

/** Runs what the arguments from `at` on say; the status. */
function runArguments(args: string[], at: i32): i32 {
  setParameters(args.slice(at + (withCommand ? 2 : 1)));
  if (withCommand) {
    if (args.length > at + 1) setScriptName(args[at + 1]!);
    const list = parseText(args[at]!, false);
    return list == null ? 2 : runLast(list);
  }
  const text = readFile(args[at]!);
  if (text == null) return fail("sh", args[at]!) + 126;
  setScriptName(args[at]!);
  return runFile(text);
}

function main(args: string[]): i32 {
  const at = takeOptions(args);
  if (at == 0 || (withCommand && at == args.length)) return 2;
  if (at < args.length) {
    exitShell(runArguments(args, at));
  }
  if (isTerminal(0)) beInteractive();
  promptLoop();
  exitShell(lastStatus);
  return 0;
}

setMain(main);
