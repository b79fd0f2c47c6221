// Judges where processor time goes: a kernel's user, system, interrupt and idle time add up to what has passed, and each is
// where it belongs; a process's own times agree with them.

import { EACCES } from '../../src/abi/errno.ts';
import { CpTime, CTL_KERN, KERN_CPTIME, O_RDONLY } from '../../src/abi/file.ts';
import { MAP_SHARED, PROT_READ, PROT_WRITE } from '../../src/abi/mman.ts';
import { CLOCK_MONOTONIC, Rusage, RUSAGE_CHILDREN, RUSAGE_SELF, Timespec } from '../../src/abi/time.ts';
import { setMain } from '../../src/libc/crt.ts';
import { _exit, clockGettime, close, fork, getpid, getrusage, mmap, munmap, nanosleep, open, sysctl, wait4 } from '../../src/libc/sys.ts';
import { check, checkEqual, checkError, verdict } from './harness.ts';

const TICK: i32 = 10000;

let name!: FixedArray<i32, 2>;
let length!: FixedArray<u32, 1>;
let before!: Embed<CpTime>;
let after!: Embed<CpTime>;
let usage!: Embed<Rusage>;
let when!: Embed<Timespec>;
let began: i32 = 0;

function clock(): i32 {
  clockGettime(CLOCK_MONOTONIC, addressof(when));
  return when.sec * 1000000 + when.nsec / 1000;
}

function readTimes(into: CpTime): i32 {
  name[0] = CTL_KERN;
  name[1] = KERN_CPTIME;
  length[0] = sizeof<CpTime>();
  return sysctl(addressof(name), 2, changetype<usize>(into), addressof(length), 0, 0);
}

/** Microseconds since `begin` of the field at an offset. */
function passed(offset: usize): i32 {
  const sec = load<i32>(changetype<usize>(after), offset) - load<i32>(changetype<usize>(before), offset);
  return sec * 1000000 + load<i32>(changetype<usize>(after) + 4, offset) - load<i32>(changetype<usize>(before) + 4, offset);
}

function user(): i32 { return passed(offsetof<CpTime>("userSec")); }
function sys(): i32 { return passed(offsetof<CpTime>("sysSec")); }
function intr(): i32 { return passed(offsetof<CpTime>("intrSec")); }
function idle(): i32 { return passed(offsetof<CpTime>("idleSec")); }
function real(): i32 { return passed(offsetof<CpTime>("realSec")); }

function begin(): void {
  began = clock();
  readTimes(before);
}

/** Read again; all parts must make up the whole, and that must be what the clock says. */
function end(what: string): void {
  readTimes(after);
  const took = clock() - began;
  const sum = user() + sys() + intr() + idle();
  const lost = real() - sum;
  check(what + ": the parts are the whole", lost >= -50 && lost <= 50);
  const off = real() - took;
  check(what + ": and that is the time", off >= -TICK && off <= TICK);
}

function sleepMs(ms: i32): void {
  when.sec = ms / 1000;
  when.nsec = ms % 1000 * 1000000;
  nanosleep(addressof(when), 0);
}

function burn(usec: i32): void {
  const until = clock() + usec;
  while (clock() < until) {
    asm`mov ecx, 50000
        again:
        dec ecx
        jnz again`;
  }
}

/** /dev/time agrees with the clock, and can't be written. */
function testPage(): void {
  const fd = open("/dev/time", O_RDONLY, 0);
  const at = mmap(0, 4096, PROT_READ, MAP_SHARED, fd, 0);
  check("the time page", at != 0xffffffff);
  checkError("is not for writing", mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) as i32, EACCES);
  close(fd);
  for (let i: i32 = 0; i < 5; i++) {
    burn(7000);
    const first = clock();
    const ns: u64 = (load<u32>(at, 8) as u64) | ((load<u32>(at, 12) as u64) << 32);
    const passed = (stamp() - load<u32>(at, 16)) as u64;
    const page = (ns + ((passed * (load<u32>(at, 4) as u64)) >> 20)) / (1000 as u64);
    const off = (page as i32) - first;
    check("tells the time", off > -10000 && off < 10000);
  }
  munmap(at, 4096);
}

function stamp(): u32 {
  let low: u32 = 0;
  asm`rdtsc
      mov ${low}, eax`;
  return low;
}

function testIdle(): void {
  begin();
  sleepMs(300);
  end("asleep");
  check("asleep: idle nearly all the time", idle() > real() / 100 * 85);
  check("and nobody works", user() < real() / 50);
}

function testUser(): void {
  begin();
  burn(300000);
  end("busy");
  check("busy: in user mode", user() > real() / 100 * 80);
  check("never idle", idle() < real() / 10);
}

function testSystem(): void {
  begin();
  for (let i: i32 = 0; i < 20000; i++) getpid();
  end("calling");
  check("calling: system time", sys() > real() / 100);     // a virtual kernel sees no more of it: the host's part is inside RUN
  check("never idle", idle() < real() / 10);
}

/** Who asks for its own times is now and then interrupted by the clock, which charges it, too. */
function testAsking(): void {
  begin();
  for (let i: i32 = 0; i < 200000; i++) getrusage(RUSAGE_SELF, addressof(usage));
  end("asking");
}

/** A child that works while its parent waits, and both while a third sleeps. */
function testProcesses(): void {
  begin();
  if (fork() == 0) {
    burn(100000);
    _exit(0);
  }
  if (fork() == 0) {
    sleepMs(300);
    _exit(0);
  }
  burn(100000);
  wait4(-1, 0, 0, 0);
  wait4(-1, 0, 0, 0);
  end("three");
  getrusage(RUSAGE_CHILDREN, addressof(usage));
  const child = usage.utimeSec * 1000000 + usage.utimeUsec;
  check("three: children's user time", child > 10000 && child < 260000);
  check("busy while they work", user() + sys() > 95000 && user() + sys() < 260000);
  check("idle for the rest", idle() > 40000);
}

function testOwn(): void {
  getrusage(RUSAGE_SELF, addressof(usage));
  const first = usage.utimeSec * 1000000 + usage.utimeUsec + usage.stimeSec * 1000000 + usage.stimeUsec;
  begin();
  burn(100000);
  end("one");
  getrusage(RUSAGE_SELF, addressof(usage));
  const own = usage.utimeSec * 1000000 + usage.utimeUsec + usage.stimeSec * 1000000 + usage.stimeUsec - first;
  const busy = user() + sys();
  check("a process alone has all that is used", own - busy < TICK && busy - own < TICK);
}

function main(args: string[]): i32 {
  checkEqual("sysctl", readTimes(before), 0);
  begin();                                   // everything has been touched once: from here on nobody waits for the disk
  burn(1000);
  if (fork() == 0) _exit(0);
  wait4(-1, 0, 0, 0);
  end("first");
  testPage();
  testIdle();
  testUser();
  testSystem();
  testAsking();
  testProcesses();
  testOwn();
  return verdict("times");
}

setMain(main);
