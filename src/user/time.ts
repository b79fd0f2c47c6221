// time: runs a command and reports real, user and system seconds on standard error, as BSD's time(1) does.

import { Rusage, RUSAGE_CHILDREN, Timeval } from '../abi/time.ts';
import { setMain } from '../libc/crt.ts';
import { execvp, exitStatus, fail, waitFor } from '../libc/process.ts';
import { eprint } from '../libc/stdio.ts';
import { padLeft, twoDigits } from '../libc/strings.ts';
import { _exit, fork, getrusage, gettimeofday } from '../libc/sys.ts';

let before!: Embed<Timeval>;
let after!: Embed<Timeval>;
let usage!: Embed<Rusage>;

function seconds(sec: i32, usec: i32): string {
  return padLeft(`${sec}.${twoDigits(usec / 10000)}`, 13);
}

function main(args: string[]): i32 {
  if (args.length < 2) {
    eprint("usage: time command [argument ...]\n");
    return 2;
  }
  gettimeofday(changetype<usize>(before));
  const pid = fork();
  if (pid < 0) return fail("time", "fork");
  if (pid == 0) {
    execvp(args.slice(1));
    fail("time", args[1]!);
    _exit(127);
  }
  const status = waitFor(pid);
  gettimeofday(changetype<usize>(after));
  getrusage(RUSAGE_CHILDREN, changetype<usize>(usage));
  let sec = after.sec - before.sec;
  let usec = after.usec - before.usec;
  if (usec < 0) {
    usec += 1000000;
    sec--;
  }
  eprint(seconds(sec, usec) + " real" + seconds(usage.utimeSec, usage.utimeUsec) + " user" + seconds(usage.stimeSec, usage.stimeUsec) + " sys\n");
  return exitStatus(status);
}

setMain(main);
