// Judges waiting: kqueue with every filter and flag, order and fairness, what closing and forking do to knotes, SIGIO; poll and
// select; and flock.

import { EBADF, EINTR, EINVAL, ENOENT, EOPNOTSUPP, ESRCH, EWOULDBLOCK } from '../../src/abi/errno.ts';
import {
  EV_ADD, EV_CLEAR, EV_DELETE, EV_DISABLE, EV_ENABLE, EV_EOF, EV_ERROR, EV_ONESHOT, EVFILT_PROC, EVFILT_READ, EVFILT_SIGNAL, EVFILT_TIMER,
  EVFILT_USER, EVFILT_WRITE, Kevent, NOTE_EXEC, NOTE_EXIT, NOTE_FFAND, NOTE_FFCOPY, NOTE_FFNOP, NOTE_FFOR, NOTE_FORK, NOTE_TRIGGER, POLLHUP,
  POLLIN, POLLNVAL, POLLOUT,
} from '../../src/abi/event.ts';
import {
  F_GETFL, F_GETOWN, F_SETFL, F_SETOWN, LOCK_EX, LOCK_NB, LOCK_SH, LOCK_UN, O_ASYNC, O_CREAT, O_EXLOCK, O_NONBLOCK, O_RDWR, O_SHLOCK, O_TRUNC,
} from '../../src/abi/file.ts';
import { SIGALRM, SIGINFO, SIGIO, SigAction } from '../../src/abi/signal.ts';
import { Itimerval, Timespec, Timeval } from '../../src/abi/time.ts';
import { setMain } from '../../src/libc/crt.ts';
import { vectorOf } from '../../src/libc/process.ts';
import {
  _exit, clockGettime, close, closefrom, dup, execve, fcntl, flock, fork, getpid, kevent, kill, kqueue, lseek, nanosleep, open, pipe, poll,
  read, select, setitimer, sigaction, wait4, write,
} from '../../src/libc/sys.ts';
import { check, checkEqual, checkError, inChild, scratchFile, verdict } from './harness.ts';

class Events { list!: FixedArray<u32, 40>; }
let request!: Embed<Kevent>;
let events!: Embed<Events>;
let timeout!: Embed<Timespec>;
let timer!: Embed<Itimerval>;
let fds!: FixedArray<i32, 2>;
let bytes!: FixedArray<u8, 32>;
let kq: i32 = -1;

/** One change, nothing collected. */
function change(ident: i32, filter: i32, flags: i32, data: i32): i32 {
  request.ident = ident as u32;
  request.filter = filter as i16;
  request.flags = flags as u16;
  request.fflags = 0;
  request.data = data;
  request.udata = 0x1234;
  return kevent(kq, addressof(request), 1, 0, 0, 0);
}

/** How many events come within so many milliseconds, at most 8. */
function collect(ms: i32): i32 {
  timeout.sec = ms / 1000;
  timeout.nsec = ms % 1000 * 1000000;
  return kevent(kq, 0, 0, addressof(events), 8, addressof(timeout));
}

function event(n: i32): Kevent {
  return changetype<Kevent>(addressof(events) + (n as u32) * sizeof<Kevent>());
}

function milliseconds(): i32 {
  clockGettime(4, addressof(timeout));
  return timeout.sec * 1000 + timeout.nsec / 1000000;
}

function handle(sig: i32, handler: usize): void {
  const act = new SigAction();
  act.handler = handler;
  sigaction(sig, changetype<usize>(act), 0);
  free(act);
}

let caught: i32 = 0;

function count(sig: i32): void {
  caught++;
}

function testPipe(): void {
  pipe(changetype<Ptr<i32>>(addressof(fds)));
  checkEqual("watch a pipe", change(fds[0], EVFILT_READ, EV_ADD, 0), 0);
  checkEqual("nothing to read", collect(0), 0);
  write(fds[1], addressof(bytes), 5);
  checkEqual("five bytes", collect(0), 1);
  checkEqual("its ident", event(0).ident as i32, fds[0]);
  checkEqual("its filter", event(0).filter as i32, EVFILT_READ);
  checkEqual("how many", event(0).data, 5);
  checkEqual("udata comes back", event(0).udata as i32, 0x1234);
  checkEqual("reported as long as it holds", collect(0), 1);
  read(fds[0], addressof(bytes), 5);
  checkEqual("and no longer", collect(0), 0);
  checkEqual("writing: room at once", change(fds[1], EVFILT_WRITE, EV_ADD, 0) + collect(0), 1);
  check("room in bytes", event(0).data >= 512);
  checkEqual("drop it", change(fds[1], EVFILT_WRITE, EV_DELETE, 0), 0);
  checkError("drop it again", change(fds[1], EVFILT_WRITE, EV_DELETE, 0), ENOENT);
  close(fds[1]);
  checkEqual("end of file is an event", collect(0), 1);
  check("with EV_EOF", (event(0).flags & (EV_EOF as u16)) != 0 && event(0).data == 0);
  close(fds[0]);
  checkEqual("a closed descriptor is not watched", collect(0), 0);
  checkError("nor can it be", change(fds[0], EVFILT_READ, EV_ADD, 0), EBADF);
}

function testClear(): void {
  pipe(changetype<Ptr<i32>>(addressof(fds)));
  change(fds[0], EVFILT_READ, EV_ADD | EV_CLEAR, 0);
  write(fds[1], addressof(bytes), 1);
  checkEqual("EV_CLEAR: news", collect(0), 1);
  checkEqual("is told once", collect(0), 0);
  write(fds[1], addressof(bytes), 1);
  checkEqual("and again when there is more", collect(0), 1);
  checkEqual("with all there is", event(0).data, 2);
  checkEqual("disabled", change(fds[0], EVFILT_READ, EV_DISABLE, 0), 0);
  write(fds[1], addressof(bytes), 1);
  checkEqual("it says nothing", collect(0), 0);
  change(fds[0], EVFILT_READ, EV_ENABLE, 0);
  checkEqual("enabled it does", collect(0), 1);
  change(fds[0], EVFILT_READ, EV_ADD | EV_ONESHOT, 0);
  checkEqual("EV_ONESHOT: once", collect(0), 1);
  checkError("then it is gone", change(fds[0], EVFILT_READ, EV_DELETE, 0), ENOENT);
  const second = dup(fds[0]);
  change(second, EVFILT_READ, EV_ADD, 0);
  close(fds[0]);
  checkEqual("another descriptor of the same pipe goes on", collect(0), 1);
  close(second);
  checkEqual("until it is closed", collect(0), 0);
  close(fds[1]);
}

function testFiles(): void {
  const fd = scratchFile(10);
  change(fd, EVFILT_READ, EV_ADD, 0);
  checkEqual("a file's bytes", collect(0), 1);
  checkEqual("up to its end", event(0).data, 10);
  lseek(fd, 0, 2);
  checkEqual("at the end there are none", collect(0), 0);
  const other = dup(fd);
  if (fork() == 0) {
    write(other, addressof(bytes), 3);
    lseek(other, -3, 1);
    _exit(0);
  }
  wait4(-1, 0, 0, 0);
  checkEqual("somebody appended", collect(0), 1);
  checkEqual("three", event(0).data, 3);
  close(fd);
  close(other);
}

function testTimer(): void {
  const start = milliseconds();
  change(7, EVFILT_TIMER, EV_ADD | EV_ONESHOT, 35);
  checkEqual("a timer", collect(2000), 1);
  const took = milliseconds() - start;
  check("not early", took >= 35);
  check("and at most two ticks late", took <= 60);
  checkEqual("one expiration", event(0).data, 1);
  checkEqual("one-shot", collect(100), 0);
  change(7, EVFILT_TIMER, EV_ADD, 10);
  timeout.sec = 0;
  timeout.nsec = 105000000;
  nanosleep(addressof(timeout), 0);
  checkEqual("a periodic one", collect(0), 1);
  check("counts what nobody collected", event(0).data >= 8 && event(0).data <= 11);
  change(7, EVFILT_TIMER, EV_ADD | EV_ONESHOT, 500);
  checkEqual("43: EV_ADD arms it anew", collect(100), 0);
  checkEqual("43: and it comes", collect(2000), 1);
  const before = milliseconds();
  checkEqual("a wait ends", collect(30), 0);
  const waited = milliseconds() - before;
  check("in time", waited >= 30 && waited <= 60);
  checkError("a negative time", change(7, EVFILT_TIMER, EV_ADD, -1), EINVAL);
}

function testSignal(): void {
  change(SIGINFO, EVFILT_SIGNAL, EV_ADD, 0);
  kill(getpid(), SIGINFO);
  kill(getpid(), SIGINFO);
  checkEqual("signals, ignored ones too", collect(0), 1);
  checkEqual("are counted", event(0).data, 2);
  checkEqual("and cleared", collect(0), 0);
  change(SIGINFO, EVFILT_SIGNAL, EV_DELETE, 0);
  checkError("signal 65", change(65, EVFILT_SIGNAL, EV_ADD, 0), EINVAL);
  caught = 0;
  handle(SIGALRM, codeof(count));
  timer.valueUsec = 30000;
  setitimer(0, addressof(timer), 0);
  checkError("a handler ends the wait", collect(3000), EINTR);
  checkEqual("having run", caught, 1);
}

/** One change of user event 5. */
function say(flags: i32, fflags: u32, data: i32): i32 {
  request.ident = 5;
  request.filter = EVFILT_USER as i16;
  request.flags = flags as u16;
  request.fflags = fflags;
  request.data = data;
  request.udata = 0x1234;
  return kevent(kq, addressof(request), 1, 0, 0, 0);
}

function testUser(): void {
  checkError("no such user event", say(0, NOTE_TRIGGER, 0), ENOENT);
  checkEqual("make one", say(EV_ADD | EV_CLEAR, NOTE_FFCOPY | 0xf0, 0), 0);
  checkEqual("it has not happened", collect(0), 0);
  say(0, NOTE_FFOR | 0x0f, 3);
  checkEqual("nor does another word make it", collect(0), 0);
  say(0, NOTE_TRIGGER | NOTE_FFAND | 0x3c, 4);
  say(0, NOTE_TRIGGER | NOTE_FFNOP | 0xffffff, 7);
  checkEqual("twice is one event", collect(0), 1);
  check("with its words", event(0).filter == (EVFILT_USER as i16) && event(0).ident == 5 && event(0).udata == 0x1234);
  check("flags and data", event(0).fflags == 0x3c && event(0).data == 7);
  checkEqual("EV_CLEAR: told once", collect(0), 0);
  checkEqual("and when it happens again", say(0, NOTE_TRIGGER, 0) + collect(0), 1);
  say(EV_DISABLE, NOTE_TRIGGER, 0);
  checkEqual("disabled it says nothing", collect(0), 0);
  checkEqual("but has happened", say(EV_ENABLE, NOTE_FFNOP, 0) + collect(0), 1);
  say(EV_ADD, NOTE_TRIGGER, 0);
  checkEqual("without EV_CLEAR it stays", collect(0) + collect(0), 2);
  say(EV_ADD | EV_ONESHOT, NOTE_FFNOP, 0);
  checkEqual("EV_ONESHOT: once more", collect(0), 1);
  checkError("then it is gone", say(EV_DELETE, 0, 0), ENOENT);
}

function watchProcess(pid: i32, notes: u32): i32 {
  request.ident = pid as u32;
  request.filter = EVFILT_PROC as i16;
  request.flags = EV_ADD as u16;
  request.fflags = notes;
  return kevent(kq, addressof(request), 1, 0, 0, 0);
}

/** Fork, exec echo and so exit. */
function busyChild(): void {
  read(fds[0], addressof(bytes), 1);
  if (fork() == 0) _exit(0);
  wait4(-1, 0, 0, 0);
  execve("/bin/echo", changetype<usize>(vectorOf(["echo"])), changetype<usize>(vectorOf([])));
  _exit(1);
}

function testProcess(): void {
  pipe(changetype<Ptr<i32>>(addressof(fds)));
  const pid = fork();
  if (pid == 0) busyChild();
  checkEqual("watch a process", watchProcess(pid, NOTE_FORK | NOTE_EXEC | NOTE_EXIT), 0);
  checkEqual("it does nothing yet", collect(20), 0);
  write(fds[1], addressof(bytes), 1);
  wait4(pid, 0, 0, 0);
  checkEqual("its end", collect(1000), 1);
  check("what it did", event(0).fflags == (NOTE_FORK | NOTE_EXEC | NOTE_EXIT));
  check("EV_EOF", (event(0).flags & (EV_EOF as u16)) != 0);
  checkError("it is watched no more", change(pid, EVFILT_PROC, EV_DELETE, 0), ENOENT);
  checkError("nobody to watch", watchProcess(29999, NOTE_EXIT), ESRCH);
  close(fds[0]);
  close(fds[1]);
}

function testFairness(): void {
  for (let i: i32 = 0; i < 10; i++) {
    change(i, EVFILT_TIMER, EV_ADD | EV_ONESHOT, 1);
  }
  timeout.sec = 0;
  timeout.nsec = 50000000;
  nanosleep(addressof(timeout), 0);
  checkEqual("more events than room", collect(0), 8);
  checkEqual("the rest comes next", collect(0), 2);
  let sum: i32 = 0;
  for (let i: i32 = 0; i < 2; i++) sum += event(i).ident as i32;
  check("each once", sum >= 1 && sum <= 17);
}

function testErrors(): void {
  request.ident = 99;
  request.filter = EVFILT_READ as i16;
  request.flags = EV_ADD as u16;
  checkEqual("a failed change is an event", kevent(kq, addressof(request), 1, addressof(events), 8, 0), 1);
  check("EV_ERROR and the errno", event(0).flags == (EV_ERROR as u16) && event(0).data == EBADF);
  checkError("an unknown filter", change(1, -20, EV_ADD, 0), EINVAL);
  checkError("no kqueue", kevent(0, 0, 0, 0, 0, 0), EBADF);
  checkEqual("fork does not hand it on", inChild(() => kevent(kq, 0, 0, 0, 0, 0) < 0 ? 3 : 4), 3 << 8);
}

/** SIGIO comes when the first knote becomes active, once, and again after all of them have been taken. */
function testAsync(): void {
  pipe(changetype<Ptr<i32>>(addressof(fds)));
  caught = 0;
  handle(SIGIO, codeof(count));
  fcntl(kq, F_SETOWN, getpid());
  checkEqual("O_ASYNC", fcntl(kq, F_SETFL, O_RDWR | O_ASYNC), 0);
  check("is kept", (fcntl(kq, F_GETFL, 0) & O_ASYNC) != 0);
  change(fds[0], EVFILT_READ, EV_ADD | EV_CLEAR, 0);
  change(SIGINFO, EVFILT_SIGNAL, EV_ADD, 0);
  checkEqual("43: nothing yet", caught, 0);
  write(fds[1], addressof(bytes), 1);
  checkEqual("43: SIGIO", caught, 1);
  kill(getpid(), SIGINFO);
  write(fds[1], addressof(bytes), 1);
  checkEqual("43: once for many", caught, 1);
  checkEqual("43: two events", collect(0), 2);
  write(fds[1], addressof(bytes), 1);
  checkEqual("43: and again", caught, 2);
  fcntl(kq, F_SETFL, O_RDWR);
  collect(0);
  write(fds[1], addressof(bytes), 1);
  checkEqual("43: not without O_ASYNC", caught, 2);
  collect(0);
  change(SIGINFO, EVFILT_SIGNAL, EV_DELETE, 0);
}

/** SIGIO comes to the owner of a pipe's end when there is something to read, room to write, or nobody at the other end any more. */
function testAsyncPipe(): void {
  pipe(changetype<Ptr<i32>>(addressof(fds)));
  caught = 0;
  fcntl(fds[0], F_SETOWN, getpid());
  checkEqual("the owner", fcntl(fds[0], F_GETOWN, 0), getpid());
  checkEqual("not of the other end", fcntl(fds[1], F_GETOWN, 0), 0);
  write(fds[1], addressof(bytes), 1);
  checkEqual("no SIGIO without O_ASYNC", caught, 0);
  fcntl(fds[0], F_SETFL, O_ASYNC);
  write(fds[1], addressof(bytes), 1);
  checkEqual("SIGIO: something to read", caught, 1);
  read(fds[0], addressof(bytes), 2);
  checkEqual("not when it is read", caught, 1);
  fcntl(fds[1], F_SETOWN, getpid());
  fcntl(fds[1], F_SETFL, O_ASYNC);
  write(fds[1], addressof(bytes), 1);
  checkEqual("SIGIO: again", caught, 2);
  read(fds[0], addressof(bytes), 1);
  checkEqual("SIGIO: room to write", caught, 3);
  close(fds[1]);
  checkEqual("SIGIO: the end", caught, 4);
  close(fds[0]);
}

/** A kqueue in a kqueue. */
function testNested(): void {
  const outer = kqueue();
  const inner = kq;
  request.ident = inner as u32;
  request.filter = EVFILT_READ as i16;
  request.flags = EV_ADD as u16;
  checkEqual("watch a kqueue", kevent(outer, addressof(request), 1, 0, 0, 0), 0);
  kq = outer;
  checkEqual("nothing in it", collect(0), 0);
  write(fds[1], addressof(bytes), 1);
  checkEqual("something in it", collect(0), 1);
  checkEqual("one event", event(0).data, 1);
  close(inner);
  checkEqual("a closed one", collect(0), 0);
  kq = outer;
  close(fds[0]);
  close(fds[1]);
}

let polls!: FixedArray<u32, 4>;
let sets!: FixedArray<u32, 3>;
let soon!: Embed<Timeval>;

/** poll of both ends of a pipe: what was found at the reading end. */
function pollBoth(ms: i32): i32 {
  polls[0] = fds[0] as u32;
  polls[1] = POLLIN as u32;
  polls[2] = fds[1] as u32;
  polls[3] = POLLOUT as u32;
  return poll(addressof(polls), 2, ms);
}

function foundAt(n: i32): i32 {
  return (polls[n * 2 + 1] >>> 16) as i32;
}

function testPoll(): void {
  pipe(changetype<Ptr<i32>>(addressof(fds)));
  checkEqual("one of two is ready", pollBoth(0), 1);
  checkEqual("for writing", foundAt(1), POLLOUT);
  checkEqual("not for reading", foundAt(0), 0);
  write(fds[1], addressof(bytes), 1);
  checkEqual("both", pollBoth(0), 2);
  polls[1] = POLLIN as u32;
  read(fds[0], addressof(bytes), 1);
  const before = milliseconds();
  checkEqual("nothing comes", poll(addressof(polls), 1, 30), 0);
  check("in 30 ms", milliseconds() - before >= 29);        // whole milliseconds, cut off
  if (fork() == 0) {
    timeout.sec = 0;
    timeout.nsec = 30000000;
    nanosleep(addressof(timeout), 0);
    write(fds[1], addressof(bytes), 1);
    _exit(0);
  }
  checkEqual("somebody writes", poll(addressof(polls), 1, 5000), 1);
  checkEqual("waited for", foundAt(0), POLLIN);
  wait4(-1, 0, 0, 0);
  sets[0] = (1 << fds[0]) | (1 << fds[1]);
  sets[1] = 1 << fds[1];
  sets[2] = 1;
  checkEqual("select", select(fds[1] + 1, addressof(sets), addressof(sets) + 4, addressof(sets) + 8, 0), 2);
  check("leaves what is ready", (sets[0] as i32) == 1 << fds[0] && (sets[1] as i32) == 1 << fds[1] && sets[2] == 0);
  read(fds[0], addressof(bytes), 1);
  soon.usec = 20000;
  checkEqual("or nothing", select(fds[0] + 1, addressof(sets), 0, 0, addressof(soon)), 0);
  checkEqual("at all", sets[0] as i32, 0);
  close(fds[1]);
  checkEqual("an end without another", poll(addressof(polls), 2, 0), 2);
  checkEqual("is hung up", foundAt(0), POLLIN | POLLHUP);
  checkEqual("a closed one", foundAt(1), POLLNVAL);
  sets[0] = 1 << fds[1];
  checkError("which select refuses", select(fds[1] + 1, addressof(sets), 0, 0, 0), EBADF);
  close(fds[0]);
}

/** Status of a child that locks an inherited descriptor again. */
function waitedFor(fd: i32): i32 {
  if (fork() == 0) _exit(flock(fd, LOCK_EX | LOCK_NB) == 0 ? 0 : 1);
  wait4(-1, addressof(bytes), 0, 0);
  return load<i32>(addressof(bytes));
}

function testFlock(): void {
  const first = open("/tmp/lock", O_CREAT | O_RDWR | O_EXLOCK, 0x180);
  check("open and lock", first >= 0);
  checkError("locked", open("/tmp/lock", O_RDWR | O_EXLOCK | O_NONBLOCK, 0), EWOULDBLOCK);
  checkError("and left alone", open("/tmp/lock", O_RDWR | O_SHLOCK | O_NONBLOCK | O_TRUNC, 0), EWOULDBLOCK);
  const second = open("/tmp/lock", O_RDWR, 0);
  checkError("for another open file", flock(second, LOCK_SH | LOCK_NB), EWOULDBLOCK);
  checkEqual("a child shares it", waitedFor(first), 0);
  checkEqual("share it", flock(first, LOCK_SH), 0);
  checkEqual("with another", flock(second, LOCK_SH | LOCK_NB), 0);
  checkError("not alone", flock(first, LOCK_EX | LOCK_NB), EWOULDBLOCK);
  const copy = dup(second);
  close(second);
  checkError("a copy keeps the lock", flock(first, LOCK_EX | LOCK_NB), EWOULDBLOCK);
  close(copy);
  checkEqual("until it is closed", flock(first, LOCK_EX | LOCK_NB), 0);
  if (fork() == 0) {
    close(first);
    const own = open("/tmp/lock", O_RDWR | O_EXLOCK, 0);
    _exit(own >= 0 ? 0 : 1);
  }
  timeout.sec = 0;
  timeout.nsec = 30000000;
  nanosleep(addressof(timeout), 0);
  flock(first, LOCK_UN);
  wait4(-1, addressof(bytes), 0, 0);
  checkEqual("who waits gets it", load<i32>(addressof(bytes)), 0);
  checkError("an unknown operation", flock(first, 3), EINVAL);
  checkError("a pipe has no locks", lockPipe(), EOPNOTSUPP);
  close(first);
  checkEqual("closefrom", inChild(() => {
    dup(0);
    dup(0);
    closefrom(3);
    return write(3, addressof(bytes), 1) < 0 && write(4, addressof(bytes), 1) < 0 && write(1, addressof(bytes), 0) == 0 ? 0 : 1;
  }), 0);
}

function lockPipe(): i32 {
  pipe(changetype<Ptr<i32>>(addressof(fds)));
  const result = flock(fds[0], LOCK_EX);
  close(fds[0]);
  close(fds[1]);
  return result;
}

function main(args: string[]): i32 {
  kq = kqueue();
  check("kqueue", kq >= 0);
  testPipe();
  testClear();
  testFiles();
  testTimer();
  testSignal();
  testUser();
  testProcess();
  testFairness();
  testErrors();
  testAsync();
  testNested();
  close(kq);
  testPoll();
  testFlock();
  testAsyncPipe();
  return verdict("events");
}

setMain(main);
