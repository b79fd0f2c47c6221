// sh: the shell. Reads commands from -c, from a file, or from standard input; on a terminal with a prompt, line editing, history
// and job control. The language is the Bourne shell's: lists, pipelines, redirections and here-documents, quoting, variables,
// file name patterns, command substitution, arithmetic, if, while, until, for, case, groups, subshells and functions.

import { EINTR } from '../abi/errno.ts';
import { SIG_IGN, SIGINT, SIGQUIT, SIGTSTP, SIGTTIN, SIGTTOU } from '../abi/signal.ts';
import { getenv, setMain } from '../libc/crt.ts';
import { fail } from '../libc/process.ts';
import { flush, print, readFile } from '../libc/stdio.ts';
import { isTerminal } from '../libc/terminal.ts';
import { TextBuilder } from '../libc/text.ts';
import { malloc } from '../libc/rt.ts';
import { errno, getpgrp, read, setpgid } from '../libc/sys.ts';
import { interrupted, run, runFile, runLast, setInterrupted, setSignal, stopLeaving } from './sh-exec.ts';
import { keepTerminal, ownTerminal, reapJobs } from './sh-jobs.ts';
import { editLine } from './sh-line.ts';
import { incomplete, parseText } from './sh-parse.ts';
import { interactive, lastStatus, setInteractive, setParameters, setScriptName, setStatus } from './sh-state.ts';

function onInterrupt(_signal: i32): void {
  setInterrupted(true);
}

function beInteractive(): void {
  setInteractive(true);
  setSignal(SIGINT, codeof(onInterrupt));
  setSignal(SIGQUIT, SIG_IGN);
  setSignal(SIGTSTP, SIG_IGN);
  setSignal(SIGTTIN, SIG_IGN);
  setSignal(SIGTTOU, SIG_IGN);
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

function main(args: string[]): i32 {
  if (args.length > 2 && args[1] == "-c") {
    if (args.length > 3) setScriptName(args[3]!);
    setParameters(args.slice(4));
    const list = parseText(args[2]!, false);
    return list == null ? 2 : runLast(list);
  }
  if (args.length > 1) {
    const text = readFile(args[1]!);
    if (text == null) return fail("sh", args[1]!) + 126;
    setScriptName(args[1]!);
    setParameters(args.slice(2));
    return runFile(text);
  }
  if (isTerminal(0)) beInteractive();
  promptLoop();
  return lastStatus;
}

setMain(main);
