// Jobs: the processes of one pipeline, which on a terminal have a process group of their own. The one in front owns the
// terminal and may be stopped by Ctrl-Z; the shell takes the terminal back, with the modes it had.

import { ECHILD, EINTR } from '../abi/errno.ts';
import { Termios, TIOCGETA, TIOCSETAW, TIOCSPGRP, W_CONTINUED, WCONTINUED, WNOHANG, WUNTRACED } from '../abi/file.ts';
import { SIGCONT, SIGINT, SIGPIPE } from '../abi/signal.ts';
import { exitStatus } from '../libc/process.ts';
import { signalText } from '../libc/signals.ts';
import { eprint, flush, print } from '../libc/stdio.ts';
import { padRight, parseNumber } from '../libc/strings.ts';
import { errno, getpgrp, ioctl, kill, wait4 } from '../libc/sys.ts';
import { interactive } from './sh-state.ts';

const RUNNING: i32 = -1;
const STOPPED: i32 = -2;

export class Job {
  id: i32 = 0;
  group: i32 = 0;
  pids: i32[] = [];
  states: i32[] = [];      // of each process: RUNNING, STOPPED or its wait status
  text: string = "";
  told: bool = true;       // the user knows its present state
}

const jobs: Job[] = [];
let word!: FixedArray<i32, 2>;
let modes!: Embed<Termios>;
let haveModes: bool = false;

/** Remembers the terminal's modes, to restore after each job. */
export function keepTerminal(): void {
  haveModes = ioctl(0, TIOCGETA, addressof(modes)) == 0;
}

/** Gives the terminal to a process group. */
export function ownTerminal(group: i32): void {
  word[0] = group;
  ioctl(0, TIOCSPGRP, addressof(word));
}

export function addJob(text: string): Job {
  const job = new Job();
  job.text = text;
  job.id = 1;
  for (const other of jobs) if (other.id >= job.id) job.id = other.id + 1;
  jobs.push(job);
  return job;
}

export function addProcess(job: Job, pid: i32): void {
  job.pids.push(pid);
  job.states.push(RUNNING);
  if (job.group == 0) job.group = pid;
}

/** A forked shell has no jobs. */
export function forgetJobs(): void {
  jobs.length = 0;
}

function has(job: Job, state: i32): bool {
  return job.states.indexOf(state) >= 0;
}

function isDone(job: Job): bool {
  return !has(job, RUNNING) && !has(job, STOPPED);
}

/** The shell's exit status of a job that is done or stopped: that of its last process. */
function statusOf(job: Job): i32 {
  const last = job.states[job.states.length - 1]!;
  return last == STOPPED ? 128 + 18 : exitStatus(last);
}

function stateText(job: Job): string {
  if (has(job, RUNNING)) return "Running";
  if (has(job, STOPPED)) return "Stopped";
  const last = job.states[job.states.length - 1]!;
  return (last & 127) != 0 ? signalText(last & 127) : last == 0 ? "Done" : `Exit ${(last >> 8) & 255}`;
}

function describe(job: Job): string {
  return `[${job.id}] ` + padRight(stateText(job), 12) + job.text + "\n";
}

/** Notes what wait4 has said of a process. */
function note(pid: i32, status: i32): void {
  for (const job of jobs) {
    const at = job.pids.indexOf(pid);
    if (at < 0 || (status == W_CONTINUED && job.states[at] == RUNNING)) continue;
    if ((status & 0xff) == 0x7f) job.states[at] = STOPPED;
    else if (status == W_CONTINUED) job.states[at] = RUNNING;
    else job.states[at] = status;
    job.told = false;
  }
}

/** Waits for one change of any child; false when there is none to wait for. */
function waitOnce(options: i32): bool {
  const pid = wait4(-1, addressof(word), options, 0);
  if (pid < 0) return errno() == EINTR;
  if (pid > 0) note(pid, word[0]);
  return pid > 0;
}

function remove(job: Job): void {
  const kept: Job[] = [];
  for (const other of jobs) if (other != job) kept.push(other);
  jobs.length = 0;
  for (const other of kept) jobs.push(other);
}

/** Waits until a job is done, or on a terminal stopped; its exit status. */
export function waitForJob(job: Job): i32 {
  while (has(job, RUNNING)) if (!waitOnce(interactive ? WUNTRACED : 0)) break;
  if (has(job, RUNNING)) {
    remove(job);
    return 127;
  }
  const status = statusOf(job);
  if (isDone(job)) remove(job);
  return status;
}

/** Runs a job in front: it owns the terminal until it is done or stopped. Returns its status. */
export function foreground(job: Job): i32 {
  if (!interactive) return waitForJob(job);
  ownTerminal(job.group);
  const status = waitForJob(job);
  ownTerminal(getpgrp());
  if (haveModes) ioctl(0, TIOCSETAW, addressof(modes));
  const signal = status > 128 ? status - 128 : 0;
  job.told = true;
  if (has(job, STOPPED)) print("\n" + describe(job));
  else if (signal == SIGINT) print("\n");
  else if (signal != 0 && signal != SIGPIPE) print(signalText(signal) + "\n");
  return status;
}

/** Takes note of what happened meanwhile; before a prompt also says so. */
export function reapJobs(say: bool): void {
  while (jobs.length > 0 && waitOnce(WNOHANG | WUNTRACED | WCONTINUED)) {}
  const all = jobs.slice(0);
  for (const job of all) {
    if (say && !job.told) print(describe(job));
    job.told = true;
    if (isDone(job) && interactive) remove(job);
  }
  flush();
}

/** The job that `%n`, `n` (a process id) or nothing (the last one) names; null after a message. */
function named(command: string, args: string[]): Job | null {
  if (args.length < 2) {
    if (jobs.length > 0) return jobs[jobs.length - 1]!;
    eprint("sh: " + command + ": no job\n");
    return null;
  }
  const text = args[1]!;
  const job = jobNamed(text);
  if (job == null) eprint("sh: " + command + ": " + text + ": no such job\n");
  return job;
}

function jobNamed(text: string): Job | null {
  const number = parseNumber(text.startsWith("%") ? text.substring(1) : text, -1);
  for (const job of jobs) {
    if (text.startsWith("%") ? job.id == number : job.pids.indexOf(number) >= 0) return job;
  }
  return null;
}

/** For kill: the group of job `%n` as a negative number; 0 when there is none. */
export function groupOfJob(text: string): i32 {
  const job = jobNamed(text);
  return job == null ? 0 : -job.group;
}

export function jobsCommand(): i32 {
  while (jobs.length > 0 && waitOnce(WNOHANG | WUNTRACED | WCONTINUED)) {}
  for (const job of jobs) {
    print(describe(job));
    job.told = true;
  }
  reapJobs(false);
  return 0;
}

function resume(job: Job): void {
  for (let i: i32 = 0; i < job.states.length; i++) if (job.states[i] == STOPPED) job.states[i] = RUNNING;
  kill(-job.group, SIGCONT);
}

export function fgCommand(args: string[]): i32 {
  const job = named("fg", args);
  if (job == null) return 1;
  print(job.text + "\n");
  flush();
  ownTerminal(job.group);
  resume(job);
  return foreground(job);
}

export function bgCommand(args: string[]): i32 {
  const job = named("bg", args);
  if (job == null) return 1;
  resume(job);
  print(`[${job.id}] ` + job.text + "\n");
  return 0;
}

/** wait: for all jobs, or for one. */
export function waitCommand(args: string[]): i32 {
  if (args.length > 1) {
    const job = named("wait", args);
    return job == null ? 127 : waitForJob(job);
  }
  while (jobs.length > 0) {
    const job = jobs[0]!;
    if (has(job, STOPPED) && !has(job, RUNNING)) break;
    waitForJob(job);
  }
  while (wait4(-1, 0, 0, 0) >= 0 || errno() != ECHILD) {}
  return 0;
}

/** Jobs that would be left behind, stopped. */
export function stoppedJobs(): bool {
  for (const job of jobs) if (has(job, STOPPED)) return true;
  return false;
}
