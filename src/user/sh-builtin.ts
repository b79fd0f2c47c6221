// The commands that are part of the shell, because they change it or because starting a program for them would be a waste.

import { EINTR } from '../abi/errno.ts';
import { X_OK } from '../abi/file.ts';
import { SIGCONT, SIGHUP, SIGTERM } from '../abi/signal.ts';
import { environ, getenv } from '../libc/crt.ts';
import { fail } from '../libc/process.ts';
import { malloc, mfree } from '../libc/rt.ts';
import { signalNumber, SIGNAL_NAMES } from '../libc/signals.ts';
import { eprint, flush, print, readFile } from '../libc/stdio.ts';
import { parseNumber, splitAt, stringAt } from '../libc/strings.ts';
import { access, chdir, errno, getcwd, kill, read, umask } from '../libc/sys.ts';
import { TextBuilder } from '../libc/text.ts';
import { leave, LEAVE_BREAK, LEAVE_CONTINUE, LEAVE_FUNCTION, runFile, runProgram, runText } from './sh-exec.ts';
import { bgCommand, fgCommand, groupOfJob, jobsCommand, stoppedJobs, waitCommand } from './sh-jobs.ts';
import { historyLines } from './sh-line.ts';
import { isName, isSpace } from './sh-parse.ts';
import { exportVariable, functionOf, getVariable, interactive, lastStatus, parameters, setOption, setParameters, setStatus, setVariable,
  unsetFunction, unsetVariable, variableNames } from './sh-state.ts';
import { exitShell, trapCommand } from './sh-trap.ts';
import { evaluateTest } from './test-expr.ts';

const NAMES: string[] = [":", ".", "[", "bg", "break", "cd", "command", "continue", "echo", "eval", "exec", "exit", "export", "false", "fg", "history", "jobs", "kill", "pwd",
  "read", "return", "set", "shift", "test", "trap", "true", "type", "umask", "unset", "wait"];
const NOT_A_NUMBER: i32 = -0x7fffffff;

export function isBuiltin(name: string): bool {
  return NAMES.indexOf(name) >= 0;
}

/** Runs one; its exit status. */
export function builtin(args: string[]): i32 {
  switch (args[0]!) {
    case ":": case "true": return 0;
    case "false": return 1;
    case "echo": return echo(args);
    case "test": return test(args.slice(1));
    case "[": return bracket(args);
    case "cd": return changeDirectory(args);
    case "pwd": return printDirectory();
    case "exit": return exitCommand(args);
    case "export": return exportCommand(args);
    case "unset": return unsetCommand(args);
    case "set": return setCommand(args);
    case "shift": return shiftCommand(args);
    case "read": return readCommand(args);
    case "eval": return runText(args.slice(1).join(" "));
    case ".": return sourceCommand(args);
    case "return": return leaveCommand(args, LEAVE_FUNCTION);
    case "break": return leaveCommand(args, LEAVE_BREAK);
    case "continue": return leaveCommand(args, LEAVE_CONTINUE);
    case "wait": return waitCommand(args);
    case "jobs": return jobsCommand();
    case "fg": return fgCommand(args);
    case "bg": return bgCommand(args);
    case "kill": return killCommand(args);
    case "trap": return trapCommand(args);
    case "type": return typeCommand(args);
    case "command": return commandCommand(args);
    case "umask": return umaskCommand(args);
    default: return historyCommand();
  }
}

function usage(text: string): i32 {
  eprint("sh: usage: " + text + "\n");
  return 2;
}

function echo(args: string[]): i32 {
  let first: i32 = 1;
  if (args.length > 1 && args[1] == "-n") first = 2;
  for (let i = first; i < args.length; i++) print(i > first ? " " + args[i]! : args[i]!);
  if (first == 1) print("\n");
  return flush() ? 0 : fail("echo", "standard output");
}

function test(words: string[]): i32 {
  const result = evaluateTest(words);
  if (result == 2) eprint("sh: test: " + words.join(" ") + ": not an expression\n");
  return result;
}

function bracket(args: string[]): i32 {
  if (args[args.length - 1] == "]") return test(args.slice(1, args.length - 1));
  eprint("sh: [: ] is missing\n");
  return 2;
}

function changeDirectory(args: string[]): i32 {
  const home = getenv("HOME");
  const old = getVariable("OLDPWD");
  let target = args.length > 1 ? args[1]! : home == null ? "/" : home;
  if (target == "-" && old != null) target = old;
  const before = directory();
  if (chdir(target) < 0) return fail("cd", target);
  setVariable("OLDPWD", before);
  return 0;
}

function directory(): string {
  const buffer = malloc(1024);
  const path = getcwd(buffer, 1024) < 0 ? "" : stringAt(buffer);
  mfree(buffer);
  return path;
}

function printDirectory(): i32 {
  const path = directory();
  if (path == "") return fail("pwd", ".");
  print(path + "\n");
  return 0;
}

let warned: bool = false;

function exitCommand(args: string[]): i32 {
  if (interactive && stoppedJobs() && !warned) {
    eprint("sh: there are stopped jobs\n");
    warned = true;
    return 1;
  }
  exitShell(args.length > 1 ? parseNumber(args[1]!, 2) & 255 : lastStatus);
  return 0;
}

/** NAME or NAME=value, each. */
function exportCommand(args: string[]): i32 {
  if (args.length == 1) for (const entry of environ()) print(entry + "\n");
  for (let i: i32 = 1; i < args.length; i++) {
    const at = args[i]!.indexOf("=");
    const name = at < 0 ? args[i]! : args[i]!.substring(0, at);
    if (!isName(name)) return usage("export name[=value] ...");
    if (at >= 0) setVariable(name, args[i]!.substring(at + 1));
    exportVariable(name);
  }
  return 0;
}

/** unset [-v] NAME...: variables; unset -f NAME...: functions. */
function unsetCommand(args: string[]): i32 {
  const functions = args.length > 1 && args[1] == "-f";
  for (let i: i32 = functions || (args.length > 1 && args[1] == "-v") ? 2 : 1; i < args.length; i++) {
    if (functions) unsetFunction(args[i]!);
    else unsetVariable(args[i]!);
  }
  return 0;
}

function setCommand(args: string[]): i32 {
  if (args.length == 1) {
    for (const name of variableNames()) print(name + "=" + getVariable(name)! + "\n");
    return 0;
  }
  let at: i32 = 1;
  for (; at < args.length && args[at]!.length > 1 && args[at] != "--" && "-+".indexOf(args[at]!.substring(0, 1)) >= 0; at++) {
    const on = args[at]!.startsWith("-");
    for (let i: i32 = 1; i < args[at]!.length; i++) if (!setOption(args[at]!.charCodeAt(i), on)) return usage("set [-eux] [+eux] [--] [argument ...]");
  }
  if (at < args.length) setParameters(args.slice(args[at] == "--" ? at + 1 : at));
  return 0;
}

/** Where a program of that name is, or an empty string. */
function pathOf(name: string): string {
  if (name.indexOf("/") >= 0) return access(name, X_OK) == 0 ? name : "";
  const path = getenv("PATH");
  for (const folder of splitAt(path == null ? "/bin:/sbin" : path, ":")) if (access(folder + "/" + name, X_OK) == 0) return folder + "/" + name;
  return "";
}

/** type NAME...: what each is as a command. */
function typeCommand(args: string[]): i32 {
  let status: i32 = 0;
  for (let i: i32 = 1; i < args.length; i++) {
    const name = args[i]!;
    const path = pathOf(name);
    if (functionOf(name) != null) print(name + " is a function\n");
    else if (isBuiltin(name)) print(name + " is a shell builtin\n");
    else if (path != "") print(name + " is " + path + "\n");
    else {
      eprint("sh: type: " + name + ": not found\n");
      status = 1;
    }
  }
  return status;
}

/** command NAME...: runs it, though a function has its name. command -v NAME: the path of a program, the name of anything else. */
function commandCommand(args: string[]): i32 {
  if (args.length > 2 && args[1] == "-v") {
    const known = functionOf(args[2]!) != null || isBuiltin(args[2]!);
    const found = known ? args[2]! : pathOf(args[2]!);
    if (found != "") print(found + "\n");
    return found == "" ? 127 : 0;
  }
  if (args.length == 1) return 0;
  return isBuiltin(args[1]!) ? builtin(args.slice(1)) : runProgram(args.slice(1));
}

function shiftCommand(args: string[]): i32 {
  const n = args.length > 1 ? parseNumber(args[1]!, -1) : 1;
  if (n < 0 || n > parameters.length) return 1;
  setParameters(parameters.slice(n));
  return 0;
}

/** One line from standard input, byte by byte so that nothing behind it is taken; null at the end. */
function readLine(): string | null {
  const line = new TextBuilder();
  const byte = malloc(4);
  for (;;) {
    const n = read(0, byte, 1);
    if (n < 0 && errno() == EINTR) continue;
    if (n <= 0) {
      if (line.length == 0) return null;
      break;
    }
    const c = load<u8>(byte) as i32;
    if (c == 10) break;
    line.addByte(c);
  }
  mfree(byte);
  return line.take();
}

/** read NAME...: the words of a line, the rest of it to the last name. */
function readCommand(args: string[]): i32 {
  flush();
  const first: i32 = args.length > 1 && args[1] == "-r" ? 2 : 1;
  const line = readLine();
  let at: i32 = 0;
  for (let i = first; i < args.length; i++) {
    const text = line == null ? "" : line;
    while (at < text.length && isSpace(text.charCodeAt(at))) at++;
    let end = at;
    if (i == args.length - 1) {
      end = text.length;
      while (end > at && isSpace(text.charCodeAt(end - 1))) end--;
    } else {
      while (end < text.length && !isSpace(text.charCodeAt(end))) end++;
    }
    setVariable(args[i]!, text.substring(at, end));
    at = end;
  }
  return line == null ? 1 : 0;
}

function sourceCommand(args: string[]): i32 {
  if (args.length < 2) return usage(". file");
  const text = readFile(args[1]!);
  return text == null ? fail("sh", args[1]!) : runFile(text);
}

function leaveCommand(args: string[], what: i32): i32 {
  const value = args.length > 1 ? parseNumber(args[1]!, -1) : what == LEAVE_FUNCTION ? lastStatus : 1;
  if (value < 0 || (what != LEAVE_FUNCTION && value == 0)) return usage(args[0]! + " [number]");
  leave(what, value);
  if (what == LEAVE_FUNCTION) setStatus(value);
  return what == LEAVE_FUNCTION ? value : 0;
}

/** kill [-signal] process or %job ... */
function killCommand(args: string[]): i32 {
  if (args.length == 2 && args[1] == "-l") {
    print(SIGNAL_NAMES.join(" ") + "\n");
    return 0;
  }
  const named = args.length > 2 && args[1]!.startsWith("-");
  const signal = named ? signalNumber(args[1]!.substring(1)) : 15;
  const first: i32 = named ? 2 : 1;
  if (signal < 0 || args.length <= first) return usage("kill [-signal] process ... | kill -l");
  let status: i32 = 0;
  for (let i = first; i < args.length; i++) {
    const text = args[i]!;
    const pid = text.startsWith("%") ? groupOfJob(text) : parseNumber(text, NOT_A_NUMBER);
    if (pid == NOT_A_NUMBER || (pid == 0 && text != "0")) {
      eprint("kill: " + text + ": no such process or job\n");
      status = 1;
    } else if (kill(pid, signal) < 0) status = fail("kill", text);
    else if (text.startsWith("%") && (signal == SIGTERM || signal == SIGHUP)) kill(pid, SIGCONT);      // a stopped job must run to end
  }
  return status;
}

function umaskCommand(args: string[]): i32 {
  if (args.length < 2) {
    const mask = umask(0) as u32;
    umask(mask);
    print(`0${(mask >>> 6) & 7}${(mask >>> 3) & 7}${mask & 7}\n`);
    return 0;
  }
  let mask: u32 = 0;
  for (let i: i32 = 0; i < args[1]!.length; i++) {
    const digit = args[1]!.charCodeAt(i) - 48;
    if (digit < 0 || digit > 7) return usage("umask [octal digits]");
    mask = mask * 8 + (digit as u32);
  }
  umask(mask);
  return 0;
}

function historyCommand(): i32 {
  const lines = historyLines();
  for (let i: i32 = 0; i < lines.length; i++) print(`${i + 1}  ${lines[i]}\n`);
  return 0;
}
