// Processes as programs use them: exec with strings, searching PATH, waiting, and messages for errors.

import { strerror, ENOENT } from '../abi/errno.ts';
import { environ, getenv } from './crt.ts';
import { eprint } from './stdio.ts';
import { cstr, errno, execve, setErrno, stat, wait4 } from './sys.ts';
import { Stat } from '../abi/file.ts';
import { malloc } from './rt.ts';

/** A NULL-terminated vector of C strings. */
export function vectorOf(list: string[]): usize {
  const vector = malloc(((list.length as usize) + 1) << 2);
  for (let i: i32 = 0; i < list.length; i++) store<usize>(vector + ((i as usize) << 2), cstr(list[i]!));
  store<usize>(vector + ((list.length as usize) << 2), 0);
  return vector;
}

/** Replaces the process by `args[0]`, looked for along PATH when it has no slash. Returns only on failure, with errno. */
export function execvp(args: string[]): void {
  const name = args[0]!;
  const argv = vectorOf(args);
  const envp = vectorOf(environ());
  if (name.indexOf("/") >= 0) {
    execve(name, argv, envp);
    return;
  }
  const given = getenv("PATH");
  const path = given == null ? "/bin:/sbin" : given;
  let start: i32 = 0;
  for (let i: i32 = 0; i <= path.length; i++) {
    if (i < path.length && path.charCodeAt(i) != 58) continue;
    execve(path.substring(start, i) + "/" + name, argv, envp);
    if (errno() != ENOENT) return;
    start = i + 1;
  }
  setErrno(ENOENT);
}

/** Waits for one child; its status word, or -1 with errno. */
export function waitFor(pid: i32): i32 {
  const status = malloc(4);
  store<i32>(status, 0);
  const result = wait4(pid, status, 0, 0);
  return result < 0 ? -1 : load<i32>(status);
}

/** The shell's exit status for a wait status: the exit code, or 128 and the signal. */
export function exitStatus(status: i32): i32 {
  return (status & 127) == 0 ? (status >> 8) & 255 : 128 + (status & 127);
}

/** `program: what: message of errno` on standard error; returns 1. */
export function fail(program: string, what: string): i32 {
  eprint(program + ": " + what + ": " + strerror(errno()) + "\n");
  return 1;
}

let status!: Embed<Stat>;

/** The record that stat of `path` fills, valid until the next call, or null with errno. */
export function statOf(path: string): Stat | null {
  return stat(path, changetype<usize>(status)) < 0 ? null : status;
}
