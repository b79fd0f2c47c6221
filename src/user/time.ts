// time: runs a command and reports real, user and system seconds on standard error, as BSD's time(1) does. With -s it reports the
// times of the whole kernel while the command ran, to the microsecond, and idle time with them: user + sys + idle = real.

import { CpTime, CTL_KERN, KERN_CPTIME } from '../abi/file.ts';
import { Rusage, RUSAGE_CHILDREN, Timeval } from '../abi/time.ts';
import { setMain } from '../libc/crt.ts';
import { execvp, exitStatus, fail, waitFor } from '../libc/process.ts';
import { eprint } from '../libc/stdio.ts';
import { padLeft, twoDigits } from '../libc/strings.ts';
import { _exit, fork, getrusage, gettimeofday, sysctl } from '../libc/sys.ts';

let before!: Embed<Timeval>;
let after!: Embed<Timeval>;
let usage!: Embed<Rusage>;

function seconds(sec: i32, usec: i32): string {
  return padLeft(`${sec}.${twoDigits(usec / 10000)}`, 13);
}

class Name { top: i32 = 0; leaf: i32 = 0; }
let name!: Embed<Name>;
let length!: FixedArray<u32, 1>;
let systemBefore!: Embed<CpTime>;
let systemAfter!: Embed<CpTime>;

/** sysctl kern.cp_time */
function readSystem(into: CpTime): i32 {
  name.top = CTL_KERN;
  name.leaf = KERN_CPTIME;
  length[0] = sizeof<CpTime>();
  return sysctl(changetype<usize>(name), 2, changetype<usize>(into), addressof(length), 0, 0);
}

/** Seconds between two readings, of the fields at `offset` and, if it is not 0, at `more`. */
function between(offset: usize, more: usize): string {
  let sec: i32 = 0;
  let usec: i32 = 0;
  for (let at = offset; ; at = more) {
    sec += load<i32>(changetype<usize>(systemAfter), at) - load<i32>(changetype<usize>(systemBefore), at);
    usec += load<i32>(changetype<usize>(systemAfter) + 4, at) - load<i32>(changetype<usize>(systemBefore) + 4, at);
    if (at == more || more == 0) break;
  }
  while (usec < 0) {
    usec += 1000000;
    sec--;
  }
  const fraction = `${1000000 + usec % 1000000}`;
  return padLeft(`${sec + usec / 1000000}.${fraction.substring(1)}`, 13);
}

function reportSystem(): void {
  const sys = between(offsetof<CpTime>("sysSec"), offsetof<CpTime>("intrSec"));
  eprint(between(offsetof<CpTime>("realSec"), 0) + " real" + between(offsetof<CpTime>("userSec"), 0) + " user" + sys + " sys"
    + between(offsetof<CpTime>("idleSec"), 0) + " idle\n");
}

function main(args: string[]): i32 {
  const system = args.length > 1 && args[1] == "-s";
  const first = system ? 2 : 1;
  if (args.length <= first) {
    eprint("usage: time [-s] command [argument ...]\n");
    return 2;
  }
  if (system && readSystem(systemBefore) < 0) return fail("time", "sysctl");
  gettimeofday(changetype<usize>(before));
  const pid = fork();
  if (pid < 0) return fail("time", "fork");
  if (pid == 0) {
    execvp(args.slice(first));
    fail("time", args[first]!);
    _exit(127);
  }
  const status = waitFor(pid);
  if (system) {
    readSystem(systemAfter);
    reportSystem();
    return exitStatus(status);
  }
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
