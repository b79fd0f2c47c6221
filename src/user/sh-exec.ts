// Running what the parser made: simple commands, pipelines, lists and control structures, with their redirections.

import { EACCES, ENOENT, ENOEXEC, strerror } from '../abi/errno.ts';
import { F_DUPFD, F_SETFD, FD_CLOEXEC, O_APPEND, O_CREAT, O_RDONLY, O_RDWR, O_TRUNC, O_WRONLY } from '../abi/file.ts';
import { exit, getenv, setenv, unsetenv } from '../libc/crt.ts';
import { execvp, fail } from '../libc/process.ts';
import { eprint, flush, print, readDescriptor, writeAll } from '../libc/stdio.ts';
import { matchesPattern } from '../libc/pattern.ts';
import { parseNumber } from '../libc/strings.ts';
import { _exit, close, cstr, dup2, errno, fcntl, fork, getpid, lseek, open, pipe, setpgid, unlink } from '../libc/sys.ts';
import { builtin, isBuiltin } from './sh-builtin.ts';
import { expandAll, expandHere, expandOne, patternOf } from './sh-expand.ts';
import { addJob, addProcess, foreground, forgetJobs, Job, ownTerminal, waitForJob } from './sh-jobs.ts';
import { isName, Kind, Node, parseText, Redirection } from './sh-parse.ts';
import { defineFunction, endsOnError, functionOf, interactive, lastStatus, parameters, setBackground, setInteractive, setParameters, setStatus, setVariable,
  showsCommands } from './sh-state.ts';
import { childSignals, exitShell, hasExitTrap, interrupted, runTraps } from './sh-trap.ts';

// Leaving loops and functions: what is being left, and for break and continue how many loops.
export const LEAVE_NOTHING: i32 = 0;
export const LEAVE_BREAK: i32 = 1;
export const LEAVE_CONTINUE: i32 = 2;
export const LEAVE_FUNCTION: i32 = 3;
let leaving: i32 = LEAVE_NOTHING;
let leaveLoops: i32 = 0;

export function leave(what: i32, loops: i32): void {
  leaving = what;
  leaveLoops = loops;
}

let tested: i32 = 0;         // so many conditions are being evaluated, in which a failure is an answer

let fds!: FixedArray<i32, 2>;

/** In a new process: signals as programs expect them, no jobs. */
function becomeChild(): void {
  childSignals();
  setInteractive(false);
  forgetJobs();
}

// ---------------------------------------------------------------------------------------------------- redirections

/** A descriptor from which the text can be read. */
function hereDescriptor(text: string): i32 {
  if (text.length <= 8192) {
    if (pipe(changetype<Ptr<i32>>(addressof(fds))) < 0) return -1;
    writeAll(fds[1], cstr(text), text.length as usize);
    close(fds[1]);
    return fds[0];
  }
  const path = `/tmp/sh${getpid()}`;
  const fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0x180);
  unlink(path);
  if (fd >= 0) writeAll(fd, cstr(text), text.length as usize);
  if (fd >= 0) lseek(fd, 0, 0);
  return fd;
}

function openTarget(r: Redirection, target: string): i32 {
  switch (r.operator) {
    case "<": return open(target, O_RDONLY, 0);
    case "<>": return open(target, O_RDWR | O_CREAT, 0x1b6);
    case ">>": return open(target, O_WRONLY | O_CREAT | O_APPEND, 0x1b6);
    default: return open(target, O_WRONLY | O_CREAT | O_TRUNC, 0x1b6);
  }
}

/** Carries out one redirection; false after a message. */
function redirect(r: Redirection): bool {
  if (r.operator == "<&" || r.operator == ">&") {
    const from = expandOne(r.target);
    if (from == "-") {
      close(r.fd);
      return true;
    }
    if (dup2(parseNumber(from, -1), r.fd) >= 0) return true;
    fail("sh", from);
    return false;
  }
  const target = r.operator == "<<" ? "here-document" : expandOne(r.target);
  const fd = r.operator == "<<" ? hereDescriptor(r.literal ? r.target : expandHere(r.target)) : openTarget(r, target);
  if (fd < 0) {
    fail("sh", target);
    return false;
  }
  if (fd != r.fd) {
    dup2(fd, r.fd);
    close(fd);
  }
  return true;
}

/** All of them, for good; false after a message. */
export function redirectAll(list: Redirection[]): bool {
  flush();
  for (const r of list) if (!redirect(r)) return false;
  return true;
}

class SavedDescriptor {
  fd: i32 = 0;
  copy: i32 = -1;          // -1: it was closed
}

/** Carries out redirections and remembers what was there, for restore; null after a message. */
function redirectSaving(list: Redirection[], saved: SavedDescriptor[]): bool {
  flush();
  for (const r of list) {
    const s = new SavedDescriptor();
    s.fd = r.fd;
    s.copy = fcntl(r.fd, F_DUPFD, 30);
    if (s.copy >= 0) fcntl(s.copy, F_SETFD, FD_CLOEXEC);
    saved.push(s);
    if (!redirect(r)) return false;
  }
  return true;
}

function restore(saved: SavedDescriptor[]): void {
  flush();
  for (let i = saved.length - 1; i >= 0; i--) {
    const s = saved[i]!;
    if (s.copy < 0) close(s.fd);
    else {
      dup2(s.copy, s.fd);
      close(s.copy);
    }
  }
}

// ---------------------------------------------------------------------------------------------------- simple commands

/** Index of = when the word is NAME=value, else -1. */
function assignmentAt(word: string): i32 {
  const at = word.indexOf("=");
  return at > 0 && isName(word.substring(0, at)) ? at : -1;
}

function assignmentCount(words: string[]): i32 {
  let n: i32 = 0;
  while (n < words.length && assignmentAt(words[n]!) > 0) n++;
  return n;
}

function assign(words: string[], count: i32, toEnvironment: bool): void {
  for (let i: i32 = 0; i < count; i++) {
    const at = assignmentAt(words[i]!);
    const name = words[i]!.substring(0, at);
    const value = expandOne(words[i]!.substring(at + 1));
    if (toEnvironment) setenv(name, value);
    else setVariable(name, value);
  }
}

/** set -x: what is going to run. */
function showCommand(assignments: string[], args: string[]): void {
  let text = "+";
  for (const word of assignments) text = text + " " + word;
  for (const word of args) text = text + " " + word;
  eprint(text + "\n");
}

/** Becomes a program; says why not and ends the process. */
export function execute(args: string[]): void {
  flush();
  execvp(args);
  const error = errno();
  if (error == ENOEXEC && args[0]!.indexOf("/") >= 0) {
    const script: string[] = ["/bin/sh"];
    for (const arg of args) script.push(arg);
    execvp(script);
  }
  eprint("sh: " + args[0]! + ": " + (error == ENOENT ? "not found" : error == EACCES ? "permission denied" : strerror(error)) + "\n");
  _exit(error == ENOENT ? 127 : 126);
}

/** The words of a simple command behind its assignments, expanded. */
function argumentsOf(node: Node, count: i32): string[] {
  return expandAll(count == 0 ? node.words : node.words.slice(count));
}

/** In a process of its own: runs a simple command, whose arguments may be known, and ends. */
function becomeSimple(node: Node, known: string[] | null): void {
  const count = assignmentCount(node.words);
  const args: string[] = known != null ? known : argumentsOf(node, count);
  if (args.length > 0 && (functionOf(args[0]!) != null || isBuiltin(args[0]!))) exit(runWords(node, count, args));
  if (showsCommands) showCommand(node.words.slice(0, count), args);
  if (!redirectAll(node.redirections)) exit(1);
  assign(node.words, count, true);
  if (args.length == 0) exit(0);
  execute(args);
}

function callFunction(body: Node, args: string[]): i32 {
  const before = parameters;
  setParameters(args.slice(1));
  let status = run(body);
  if (leaving == LEAVE_FUNCTION) {
    leaving = LEAVE_NOTHING;
    status = lastStatus;
  }
  setParameters(before);
  return status;
}

/** NAME=value before a built-in or function holds while it runs. */
function runWith(words: string[], count: i32, args: string[], body: Node | null): i32 {
  const names: string[] = [];
  const values: (string | null)[] = [];
  for (let i: i32 = 0; i < count; i++) {
    const name = words[i]!.substring(0, assignmentAt(words[i]!));
    names.push(name);
    values.push(getenv(name));
  }
  assign(words, count, true);
  const status = body != null ? callFunction(body, args) : builtin(args);
  for (let i: i32 = 0; i < count; i++) {
    if (values[i] == null) unsetenv(names[i]!);
    else setenv(names[i]!, values[i]!);
  }
  return status;
}

function runSimple(node: Node): i32 {
  const count = assignmentCount(node.words);
  return runWords(node, count, argumentsOf(node, count));
}

/** The simple command of `node` with the words that it has become; its first `count` words are assignments. */
function runWords(node: Node, count: i32, args: string[]): i32 {
  if (interrupted) return 1;
  const body = args.length > 0 ? functionOf(args[0]!) : null;
  if (args.length > 0 && body == null && !isBuiltin(args[0]!)) return foreground(start(node, node.text, args));
  if (showsCommands) showCommand(node.words.slice(0, count), args);
  if (args.length > 0 && args[0] == "exec") {
    if (!redirectAll(node.redirections)) return 1;
    if (args.length > 1) execute(args.slice(1));
    return 0;
  }
  const saved: SavedDescriptor[] = [];
  let status: i32 = 1;
  if (node.redirections.length == 0 || redirectSaving(node.redirections, saved)) {
    if (args.length == 0) {
      assign(node.words, count, false);
      status = lastSubstitution;
    } else {
      status = runWith(node.words, count, args, body);
    }
  }
  if (saved.length > 0) restore(saved);
  return status;
}

// ---------------------------------------------------------------------------------------------------- processes

/** In a child: the command, and the end. */
function become(node: Node, known: string[] | null): void {
  if (node.kind == Kind.SIMPLE) becomeSimple(node, known);
  if (!redirectAll(node.redirections)) exit(1);
  exit(runInside(node));
}

/** Forks a process of a job. Returns as fork does. */
function forkInto(job: Job): i32 {
  const pid = fork();
  if (pid == 0) {
    joinGroup(job);
    becomeChild();
  } else if (pid < 0) {
    fail("sh", "fork");
  } else {
    addProcess(job, pid);
    if (interactive) setpgid(pid, job.group);
  }
  return pid;
}

/** Runs a program, whatever functions are called; its status. */
export function runProgram(args: string[]): i32 {
  flush();
  const job = addJob(args.join(" "));
  if (forkInto(job) == 0) execute(args);
  return foreground(started(job));
}

/** A job of no process has failed. */
function started(job: Job): Job {
  if (job.pids.length == 0) {
    job.pids.push(0);
    job.states.push(1 << 8);
  }
  return job;
}

/**
 * Starts the processes of a pipeline or single command; `known` are the arguments of a simple one, if they have been expanded. The shell's
 * own process never waits here.
 */
function start(node: Node, text: string, known: string[] | null): Job {
  flush();
  const job = addJob(text);
  const commands: Node[] = node.kind == Kind.PIPELINE ? node.children : [node];
  let input: i32 = -1;
  for (let i: i32 = 0; i < commands.length; i++) {
    const last = i == commands.length - 1;
    if (!last && pipe(changetype<Ptr<i32>>(addressof(fds))) < 0) {
      fail("sh", "pipe");
      break;
    }
    const output = last ? -1 : fds[1];
    const nextInput = last ? -1 : fds[0];
    const pid = forkInto(job);
    if (pid == 0) {
      moveTo(input, 0);
      moveTo(output, 1);
      if (nextInput >= 0) close(nextInput);
      become(commands[i]!, known);
    }
    if (input >= 0) close(input);
    if (output >= 0) close(output);
    input = nextInput;
    if (pid < 0) break;
  }
  if (input >= 0) close(input);
  return started(job);
}

let startInFront: bool = true;

/** In the child, before anything else: into the job's group, and if it is to be in front, to the terminal. */
function joinGroup(job: Job): void {
  if (!interactive) return;
  setpgid(0, job.group);
  if (startInFront) ownTerminal(job.group == 0 ? getpid() : job.group);
}

function moveTo(fd: i32, to: i32): void {
  if (fd < 0 || fd == to) return;
  dup2(fd, to);
  close(fd);
}

function runBackground(node: Node): i32 {
  startInFront = false;
  const inner = node.children[0]!;
  const job = start(inner, node.text, null);
  startInFront = true;
  setBackground(job.pids[job.pids.length - 1]!);
  if (interactive) eprint(`[${job.id}] ${job.pids[job.pids.length - 1]}\n`);
  return 0;
}

let lastSubstitution: i32 = 0;

/** What a command writes, without the newlines at its end. */
export function outputOf(command: string): string {
  flush();
  if (pipe(changetype<Ptr<i32>>(addressof(fds))) < 0) return "";
  const input = fds[0];
  const output = fds[1];
  const job = addJob("");
  const pid = fork();
  if (pid == 0) {
    becomeChild();
    close(input);
    moveTo(output, 1);
    const list = parseText(command, false);
    exit(list == null ? 2 : run(list));
  }
  close(output);
  const text = readDescriptor(input);
  close(input);
  if (pid > 0) addProcess(job, pid);
  lastSubstitution = pid > 0 ? waitForJob(job) : 1;
  if (text == null) return "";
  let end = text.length;
  while (end > 0 && text.charCodeAt(end - 1) == 10) end--;
  return text.substring(0, end);
}

// ---------------------------------------------------------------------------------------------------- structure

/** Runs a node; its exit status, which is also $?. */
export function run(node: Node): i32 {
  if (node.redirections.length == 0 || node.kind == Kind.SIMPLE || node.kind == Kind.SUBSHELL || node.kind == Kind.PIPELINE) return runInside(node);
  const saved: SavedDescriptor[] = [];
  const status = redirectSaving(node.redirections, saved) ? runInside(node) : 1;
  restore(saved);
  setStatus(status);
  return status;
}

function runInside(node: Node): i32 {
  const status = runKind(node);
  setStatus(status);
  const simple = node.kind == Kind.SIMPLE || node.kind == Kind.PIPELINE || node.kind == Kind.SUBSHELL;
  if (simple && status != 0 && endsOnError && tested == 0) exitShell(status);
  if (simple) runTraps();
  return status;
}

/** Runs a node whose failure is an answer. */
function condition(node: Node): i32 {
  tested++;
  const status = run(node);
  tested--;
  return status;
}

function runKind(node: Node): i32 {
  switch (node.kind) {
    case Kind.SIMPLE:
      lastSubstitution = 0;
      return runSimple(node);
    case Kind.PIPELINE: return foreground(start(node, node.text, null));
    case Kind.LIST: return runList(node);
    case Kind.AND: return condition(node.children[0]!) == 0 && !isLeaving() ? run(node.children[1]!) : lastStatus;
    case Kind.OR: return condition(node.children[0]!) != 0 && !isLeaving() ? run(node.children[1]!) : lastStatus;
    case Kind.NOT: return condition(node.children[0]!) == 0 ? 1 : 0;
    case Kind.BACKGROUND: return runBackground(node);
    case Kind.IF: return runIf(node);
    case Kind.WHILE: case Kind.UNTIL: return runLoop(node);
    case Kind.FOR: return runFor(node);
    case Kind.CASE: return runCase(node);
    case Kind.GROUP: return run(node.children[0]!);
    case Kind.SUBSHELL: return runSubshell(node);
    default:
      defineFunction(node.name, node.children[0]!);
      return 0;
  }
}

/** A subshell inside of one is run in place: it is in a process of its own already. */
function runSubshell(node: Node): i32 {
  const inner = new Node(Kind.GROUP);
  inner.children.push(node.children[0]!);
  for (const r of node.redirections) inner.redirections.push(r);
  return foreground(start(inner, node.text, null));
}

function isLeaving(): bool {
  return leaving != LEAVE_NOTHING || interrupted;
}

function runList(node: Node): i32 {
  let status: i32 = 0;
  for (const child of node.children) {
    status = run(child);
    if (isLeaving()) break;
  }
  return status;
}

function runIf(node: Node): i32 {
  const answer = condition(node.children[0]!);
  if (isLeaving()) return answer;
  if (answer == 0) return run(node.children[1]!);
  return node.children.length > 2 ? run(node.children[2]!) : 0;
}

/** After a loop's body: true when the loop ends. */
function loopEnds(): bool {
  if (interrupted || leaving == LEAVE_FUNCTION) return true;
  if (leaving == LEAVE_NOTHING) return false;
  leaveLoops--;
  const ends = leaving == LEAVE_BREAK || leaveLoops > 0;
  if (leaveLoops == 0) leaving = LEAVE_NOTHING;
  return ends;
}

function runLoop(node: Node): i32 {
  let status: i32 = 0;
  for (;;) {
    const answer = condition(node.children[0]!);
    if (isLeaving() && loopEnds()) return status;
    if ((answer == 0) != (node.kind == Kind.WHILE)) return status;
    status = run(node.children[1]!);
    if (loopEnds()) return status;
  }
}

function runFor(node: Node): i32 {
  let status: i32 = 0;
  for (const item of expandAll(node.words)) {
    setVariable(node.name, item);
    status = run(node.children[0]!);
    if (loopEnds()) break;
  }
  return status;
}

function runCase(node: Node): i32 {
  const word = expandOne(node.words[0]!);
  for (let i: i32 = 0; i < node.patterns.length; i++) {
    let start: i32 = 0;
    const list = node.patterns[i]!;
    for (let end: i32 = 0; end <= list.length; end++) {
      if (end < list.length && list.charCodeAt(end) != 124) continue;
      if (matchesPattern(patternOf(list.substring(start, end)), word)) return run(node.children[i]!);
      start = end + 1;
    }
  }
  return 0;
}

/** Runs a node after which the shell has nothing to do: a program at its end takes the shell's place. Returns the status. */
export function runLast(node: Node): i32 {
  if (endsOnError || hasExitTrap()) return run(node);
  if (node.kind == Kind.SIMPLE) becomeSimple(node, null);
  if (node.kind == Kind.LIST) {
    for (let i: i32 = 0; i < node.children.length; i++) {
      const child = node.children[i]!;
      const status = i == node.children.length - 1 ? runLast(child) : run(child);
      if (i == node.children.length - 1 || isLeaving()) return status;
    }
    return 0;
  }
  if (node.kind != Kind.AND && node.kind != Kind.OR) return run(node);
  const left = condition(node.children[0]!);
  return (left == 0) == (node.kind == Kind.AND) && !isLeaving() ? runLast(node.children[1]!) : left;
}

/** Runs everything that a text says; its status, 2 after a syntax error. */
export function runText(text: string): i32 {
  const list = parseText(text, false);
  if (list == null) {
    setStatus(2);
    return 2;
  }
  const status = run(list);
  if (leaving == LEAVE_BREAK || leaving == LEAVE_CONTINUE) leaving = LEAVE_NOTHING;
  return status;
}

/** After a command at the prompt, nothing is being left any more. */
export function stopLeaving(): void {
  leaving = LEAVE_NOTHING;
}

/** . file and scripts: return leaves the file. */
export function runFile(text: string): i32 {
  const status = runText(text);
  if (leaving != LEAVE_FUNCTION) return status;
  leaving = LEAVE_NOTHING;
  return lastStatus;
}

/** Writes what the shell itself has printed; false when that failed. */
export function flushOutput(): bool {
  print("");
  return flush();
}
