// sh: the shell. Lists with ; & && ||, pipelines, redirections (< > >> 2> 2>&1), quoting, variables, $? and $$, comments,
// and the built-ins cd, exit, export, exec, wait, pwd, true, false, :. Reads commands from -c, from a file, or from standard input
// with a prompt when that is a terminal. Interactive jobs get their own process group, which owns the terminal meanwhile.

import { ECHILD, strerror } from '../abi/errno.ts';
import { Termios, TIOCGETA, TIOCSPGRP } from '../abi/file.ts';
import { SIG_DFL, SIG_IGN, SigAction, SIGINT, SIGQUIT, SIGTSTP, SIGTTIN, SIGTTOU } from '../abi/signal.ts';
import { exit, getenv, setenv, setMain } from '../libc/crt.ts';
import { execvp, exitStatus, fail, waitFor } from '../libc/process.ts';
import { eprint, flush, print, readFile } from '../libc/stdio.ts';
import { parseNumber, stringOf, stringAt } from '../libc/strings.ts';
import { malloc, mfree } from '../libc/rt.ts';
import { _exit, chdir, close, dup2, errno, fork, getcwd, getpid, ioctl, pipe, read, setpgid, sigaction } from '../libc/sys.ts';
import { applyRedirections, Command, parseLine, Pipeline } from './sh-parse.ts';

let interactive: bool = false;
let lastStatus: i32 = 0;
let action!: Embed<SigAction>;
let word!: Embed<Word>;
class Word { value: i32 = 0; }

// ---------------------------------------------------------------------------------------------------- expansion

function isNameByte(c: i32): bool {
  return (c >= 65 && c <= 90) || (c >= 97 && c <= 122) || (c >= 48 && c <= 57) || c == 95;
}

/** Value of the variable whose name starts at `at` (after the dollar sign). */
function variable(name: string): string {
  if (name == "?") return `${lastStatus}`;
  if (name == "$") return `${getpid()}`;
  const value = getenv(name);
  return value == null ? "" : value;
}

/** Index after the variable name that starts at `at`. */
function nameEnd(text: string, at: i32): i32 {
  const c = text.charCodeAt(at);
  if (c == 63 || c == 36) return at + 1;
  let end = at;
  while (end < text.length && isNameByte(text.charCodeAt(end))) end++;
  return end;
}

/** A word with quotes removed and variables replaced. The result is one word, whatever the values contain. */
function expand(text: string): string {
  let out = "";
  let quote: i32 = 0;
  for (let i: i32 = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (quote == 39) {
      if (c == 39) quote = 0;
      else out = out + String.fromCharCode(c);
    } else if (c == 34) {
      quote = quote == 34 ? 0 : 34;
    } else if (c == 39 && quote == 0) {
      quote = 39;
    } else if (c == 92 && i + 1 < text.length) {
      i++;
      out = out + String.fromCharCode(text.charCodeAt(i));
    } else if (c == 36 && i + 1 < text.length) {
      const braced = text.charCodeAt(i + 1) == 123;
      const start = braced ? i + 2 : i + 1;
      const end = nameEnd(text, start);
      if (end == start) out = out + "$";
      else out = out + variable(text.substring(start, end));
      i = end == start ? i : braced ? end : end - 1;
    } else {
      out = out + String.fromCharCode(c);
    }
  }
  return out;
}

// ---------------------------------------------------------------------------------------------------- built-ins

/** `NAME=value` without a command sets variables. */
function assignment(text: string): i32 {
  let i: i32 = 0;
  while (i < text.length && isNameByte(text.charCodeAt(i))) i++;
  return i > 0 && i < text.length && text.charCodeAt(i) == 61 ? i : -1;
}

function changeDirectory(args: string[]): i32 {
  const home = getenv("HOME");
  const target = args.length > 1 ? args[1]! : home == null ? "/" : home;
  return chdir(target) < 0 ? fail("cd", target) : 0;
}

function printDirectory(): i32 {
  const buffer = malloc(1024);
  if (getcwd(buffer, 1024) < 0) return fail("pwd", ".");
  print(stringAt(buffer) + "\n");
  mfree(buffer);
  return 0;
}

function exportAll(args: string[]): i32 {
  for (let i: i32 = 1; i < args.length; i++) {
    const at = assignment(args[i]!);
    if (at > 0) setenv(args[i]!.substring(0, at), args[i]!.substring(at + 1));
  }
  return 0;
}

function waitForAll(): i32 {
  while (waitFor(-1) >= 0) {}
  return errno() == ECHILD ? 0 : 1;
}

/** Exit status of a built-in, or -1 when `args` is none. */
function builtin(args: string[]): i32 {
  const name = args[0]!;
  if (name == "cd") return changeDirectory(args);
  if (name == "exit") exit(args.length > 1 ? parseNumber(args[1]!, 2) : lastStatus);
  if (name == "export") return exportAll(args);
  if (name == "wait") return waitForAll();
  if (name == "pwd") return printDirectory();
  if (name == "true" || name == ":") return 0;
  if (name == "false") return 1;
  return -1;
}

// ---------------------------------------------------------------------------------------------------- execution

function setSignal(signal: i32, handler: usize): void {
  action.handler = handler;
  sigaction(signal, changetype<usize>(action), 0);
}

function jobSignals(handler: usize): void {
  setSignal(SIGINT, handler);
  setSignal(SIGQUIT, handler);
  setSignal(SIGTSTP, handler);
  setSignal(SIGTTIN, handler);
  setSignal(SIGTTOU, handler);
}

function ownTerminal(group: i32): void {
  word.value = group;
  ioctl(0, TIOCSPGRP, changetype<usize>(word));
}

function expandAll(words: string[]): string[] {
  const args: string[] = [];
  for (const text of words) args.push(expand(text));
  return args;
}

function redirect(command: Command): bool {
  for (const redirection of command.redirections) redirection.target = expand(redirection.target);
  const failed = applyRedirections(command);
  if (failed == null) return true;
  fail("sh", failed);
  return false;
}

/** In a child: becomes the command. Does not return. */
function become(command: Command): void {
  if (!redirect(command)) _exit(1);
  let args = expandAll(command.words);
  while (args.length > 0 && assignment(command.words[command.words.length - args.length]!) > 0) {
    const at = assignment(args[0]!);
    setenv(args[0]!.substring(0, at), args[0]!.substring(at + 1));
    args = args.slice(1);
  }
  if (args.length == 0) exit(0);
  if (args[0] == "exec" && args.length > 1) args = args.slice(1);
  const status = builtin(args);
  if (status >= 0) exit(status);
  execvp(args);
  eprint("sh: " + args[0]! + ": " + (errno() == 2 ? "not found" : strerror(errno())) + "\n");
  _exit(errno() == 2 ? 127 : 126);
}

/** A command that the shell itself can run, without redirections: its status, or -1. */
function runHere(command: Command): i32 {
  if (command.redirections.length > 0) return -1;
  let i: i32 = 0;
  while (i < command.words.length && assignment(command.words[i]!) > 0) i++;
  if (i == command.words.length) {
    for (const text of command.words) {
      const at = assignment(text);
      setenv(text.substring(0, at), expand(text.substring(at + 1)));
    }
    return 0;
  }
  if (i > 0) return -1;
  const args = expandAll(command.words);
  if (args[0] == "exec" && args.length > 1) become(command);
  return builtin(args);
}

/** Starts every command of a pipeline; the pid of the last one, or -1. */
function start(pipeline: Pipeline, background: bool): i32 {
  const fds = malloc(8);
  let input: i32 = -1;
  let group: i32 = 0;
  let pid: i32 = -1;
  for (let i: i32 = 0; i < pipeline.commands.length; i++) {
    const last = i == pipeline.commands.length - 1;
    if (!last && pipe(changetype<Ptr<i32>>(fds)) < 0) {
      fail("sh", "pipe");
      return -1;
    }
    pid = fork();
    if (pid < 0) {
      fail("sh", "fork");
      return -1;
    }
    if (pid == 0) {
      if (interactive) {
        setpgid(0, group);
        if (!background) ownTerminal(group == 0 ? getpid() : group);
        jobSignals(SIG_DFL);
      }
      if (input >= 0) {
        dup2(input, 0);
        close(input);
      }
      if (!last) {
        close(load<i32>(fds));
        dup2(load<i32>(fds, 4), 1);
        close(load<i32>(fds, 4));
      }
      become(pipeline.commands[i]!);
    }
    if (group == 0) group = pid;
    if (interactive) setpgid(pid, group);
    if (input >= 0) close(input);
    if (!last) {
      close(load<i32>(fds, 4));
      input = load<i32>(fds);
    }
  }
  mfree(fds);
  if (interactive && !background) ownTerminal(group);
  return pid;
}

/** @param last the shell has nothing to do after it: a command takes the shell's place */
function runPipeline(pipeline: Pipeline, background: bool, last: bool): i32 {
  flush();
  if (pipeline.commands.length == 1 && !background) {
    const status = runHere(pipeline.commands[0]!);
    if (status >= 0) return status;
    if (last) become(pipeline.commands[0]!);
  }
  const pid = start(pipeline, background);
  if (pid < 0) return 1;
  if (background) return 0;
  const status = waitFor(pid);
  for (let i: i32 = 1; i < pipeline.commands.length; i++) waitFor(-1);
  if (interactive) ownTerminal(getpid());
  if (interactive && (status & 127) == SIGINT) print("\n");
  return exitStatus(status);
}

/** Runs everything that a text says, line by line; false after a syntax error. `last`: then the shell ends. */
function runText(text: string, last: bool): bool {
  let start: i32 = 0;
  while (start < text.length) {
    let end = start;
    while (end < text.length && text.charCodeAt(end) != 10) end++;
    const list = parseLine(text.substring(start, end));
    if (list == null) {
      lastStatus = 2;
      return false;
    }
    for (let i: i32 = 0; i < list.length; i++) {
      const pipeline = list[i]!;
      if (pipeline.onlyIf == 1 && lastStatus != 0) continue;
      if (pipeline.onlyIf == 2 && lastStatus == 0) continue;
      lastStatus = runPipeline(pipeline, pipeline.background, last && end == text.length && i == list.length - 1);
    }
    start = end + 1;
  }
  return true;
}

// ---------------------------------------------------------------------------------------------------- input

/** One line from standard input without its newline; null at the end. */
function readLine(buffer: usize): string | null {
  let used: i32 = 0;
  for (;;) {
    const n = read(0, buffer + (used as usize), 1);
    if (n < 0 && errno() == 4) return "";
    if (n <= 0) return used > 0 ? stringOf(buffer, used) : null;
    if (load<u8>(buffer + (used as usize)) == 10) return stringOf(buffer, used);
    if (used < 4000) used++;
  }
}

function promptLoop(): void {
  const buffer = malloc(4096);
  const given = getenv("PS1");
  const prompt = given == null ? "# " : given;
  for (;;) {
    if (interactive) print(prompt);
    flush();
    const line = readLine(buffer);
    if (line == null) break;
    runText(line, false);
  }
  if (interactive) print("\n");
}

let termios!: Embed<Termios>;

function main(args: string[]): i32 {
  if (args.length > 2 && args[1] == "-c") {
    runText(args[2]!, true);
    return lastStatus;
  }
  if (args.length > 1) {
    const text = readFile(args[1]!);
    if (text == null) return fail("sh", args[1]!) + 126;
    runText(text, true);
    return lastStatus;
  }
  interactive = ioctl(0, TIOCGETA, changetype<usize>(termios)) == 0;
  if (interactive) {
    jobSignals(SIG_IGN);
    setpgid(0, 0);
    ownTerminal(getpid());
  }
  promptLoop();
  return lastStatus;
}

setMain(main);
