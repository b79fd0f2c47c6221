// Cases about waiting for events: what each filter of kqueue reports, once or again and again, what happens when the watched thing
// ends, and poll and select.

import { EBADF, EINVAL, ENOENT } from '../abi/errno.ts';
import { EV_ADD, EV_CLEAR, EV_DELETE, EV_DISABLE, EV_ENABLE, EV_EOF, EV_ONESHOT, EVFILT_READ, EVFILT_SIGNAL, EVFILT_TIMER, EVFILT_USER,
  EVFILT_WRITE, Kevent, NOTE_TRIGGER, PollFd, POLLHUP, POLLIN, POLLNVAL, POLLOUT } from '../abi/event.ts';
import { SIG_IGN, SIGCONT, SIGSTOP, SIGUSR1 } from '../abi/signal.ts';
import { Timespec } from '../abi/time.ts';
import { close, getpid, kevent, kill, kqueue, pipe, poll, read, select, write } from '../libc/sys.ts';
import { anon, check, checkChild, checkEqual, checkError, handle, milliseconds, must, sleepMs, spawn, statusOf, test } from './usertests-harness.ts';

let change!: Embed<Kevent>;
let got!: Embed<Kevent>;
let limit!: Embed<Timespec>;
let fds!: FixedArray<i32, 2>;
let polls!: FixedArray<u32, 16>;
let sets!: FixedArray<u32, 4>;
let queue: i32 = -1;

function watch(ident: i32, filter: i32, flags: i32, data: i32): i32 {
  return watchFor(ident, filter, flags, 0, data);
}

function watchFor(ident: i32, filter: i32, flags: i32, fflags: u32, data: i32): i32 {
  change.ident = ident as u32;
  change.filter = filter as i16;
  change.flags = flags as u16;
  change.fflags = fflags;
  change.data = data;
  change.udata = 4711;
  return kevent(queue, addressof(change), 1, 0, 0, 0);
}

/** Waits for one event at most `ms`; how many came. */
function wait(ms: i32): i32 {
  limit.sec = ms / 1000;
  limit.nsec = ms % 1000 * 1000000;
  got.ident = 0;
  return kevent(queue, 0, 0, addressof(got), 1, addressof(limit));
}

function start(): void {
  queue = must("kqueue", kqueue());
  must("pipe", pipe(changetype<Ptr<i32>>(addressof(fds))));
}

function ask(index: i32, fd: i32, events: i32): void {
  const record = changetype<PollFd>(addressof(polls) + (index as usize) * 8);
  record.fd = fd;
  record.events = events as i16;
  record.revents = 0x55;
}

function answered(index: i32): i32 {
  return changetype<PollFd>(addressof(polls) + (index as usize) * 8).revents as i32;
}

function pollCases(): void {
  test("poll-ready", () => {
    start();
    ask(0, fds[0], POLLIN);
    ask(1, fds[1], POLLOUT);
    ask(2, 60, POLLIN);
    ask(3, -1, POLLIN);
    checkEqual("two of them", poll(addressof(polls), 4, 0), 2);
    checkEqual("nothing to read", answered(0), 0);
    checkEqual("room to write", answered(1), POLLOUT);
    checkEqual("not open", answered(2), POLLNVAL);
    checkEqual("left out", answered(3), 0);
    write(fds[1], anon(8), 1);
    checkEqual("three", poll(addressof(polls), 4, -1), 3);
    checkEqual("readable", answered(0), POLLIN);
    close(fds[1]);
    read(fds[0], anon(8), 1);
    poll(addressof(polls), 1, 0);
    check("hung up", (answered(0) & POLLHUP) != 0);
  });
  test("poll-waits", () => {
    start();
    const pid = spawn(() => {
      sleepMs(50);
      return write(fds[1], anon(8), 1) - 1;
    });
    ask(0, fds[0], POLLIN);
    checkEqual("until somebody writes", poll(addressof(polls), 1, 5000), 1);
    statusOf(pid);
    read(fds[0], anon(8), 1);
    const begin = milliseconds();
    checkEqual("or the time is over", poll(addressof(polls), 1, 80), 0);
    check("eighty milliseconds", milliseconds() - begin >= 80);
    checkEqual("no descriptors at all", poll(0, 0, 20), 0);
  });
  test("select-ready", () => {
    start();
    sets[0] = (1 as u32) << (fds[0] as u32);
    sets[2] = (1 as u32) << (fds[1] as u32);
    limit.sec = 0;
    limit.nsec = 0;
    checkEqual("one", select(fds[1] + 1, addressof(sets), addressof(sets) + 8, 0, addressof(limit)), 1);
    checkEqual("not readable", sets[0] as i32, 0);
    checkEqual("writable", sets[2] as i32, 1 << fds[1]);
    write(fds[1], anon(8), 1);
    sets[0] = (1 as u32) << (fds[0] as u32);
    checkEqual("readable", select(fds[0] + 1, addressof(sets), 0, 0, 0), 1);
    checkError("too many", select(100000, 0, 0, 0, addressof(limit)), EINVAL);
    sets[0] = 0x80000000;
    checkError("a closed one", select(32, addressof(sets), 0, 0, addressof(limit)), EBADF);
  });
}

/** What waits in `stopped`. */
let waiter!: () => i32;

/** 0 if `body` waits for 300 milliseconds and answers 0, in a process that is stopped and continued meanwhile. */
function stopped(body: () => i32): i32 {
  waiter = body;
  const pid = spawn(() => {
    const begin = milliseconds();
    return waiter() == 0 && milliseconds() - begin >= 299 ? 0 : 1;
  });
  sleepMs(60);
  kill(pid, SIGSTOP);
  sleepMs(60);
  kill(pid, SIGCONT);
  return statusOf(pid);
}

export function eventCases(): void {
  pollCases();
  test("waits-survive-stop", () => {
    checkEqual("nanosleep", stopped(() => sleepMs(300)), 0);
    checkEqual("poll", stopped(() => poll(0, 0, 300)), 0);
    checkEqual("kevent", stopped(() => {
      start();
      return wait(300);
    }), 0);
  });
  test("kqueue-read", () => {
    start();
    must("EV_ADD", watch(fds[0], EVFILT_READ, EV_ADD, 0));
    checkEqual("nothing yet", wait(0), 0);
    write(fds[1], anon(8), 5);
    checkEqual("one event", wait(1000), 1);
    checkEqual("ident", got.ident as i32, fds[0]);
    checkEqual("filter", got.filter as i32, EVFILT_READ);
    checkEqual("bytes", got.data, 5);
    checkEqual("udata", got.udata as i32, 4711);
    checkEqual("as long as there is something", wait(0), 1);
    read(fds[0], anon(8), 5);
    checkEqual("no longer", wait(0), 0);
  });
  test("kqueue-wakes", () => {
    start();
    watch(fds[0], EVFILT_READ, EV_ADD, 0);
    const pid = spawn(() => {
      sleepMs(60);
      return write(fds[1], anon(8), 1) - 1;
    });
    const begin = milliseconds();
    checkEqual("the sleeper", wait(3000), 1);
    check("in time", milliseconds() - begin < 1000);
    statusOf(pid);
  });
  test("kqueue-timeout", () => {
    start();
    watch(fds[0], EVFILT_READ, EV_ADD, 0);
    const begin = milliseconds();
    checkEqual("nothing", wait(100), 0);
    check("after a hundred milliseconds", milliseconds() - begin >= 100);
  });
  test("kqueue-end-of-file", () => {
    start();
    watch(fds[0], EVFILT_READ, EV_ADD, 0);
    close(fds[1]);
    checkEqual("one event", wait(1000), 1);
    check("EV_EOF", ((got.flags as i32) & EV_EOF) != 0);
  });
  test("kqueue-write", () => {
    start();
    watch(fds[1], EVFILT_WRITE, EV_ADD, 0);
    checkEqual("room", wait(0), 1);
    check("bytes", got.data > 0);
  });
  test("kqueue-timer", () => {
    start();
    must("EV_ADD", watch(7, EVFILT_TIMER, EV_ADD, 50));
    const begin = milliseconds();
    checkEqual("expires", wait(2000), 1);
    check("in time", milliseconds() - begin >= 40 && milliseconds() - begin < 500);
    checkEqual("its name", got.ident as i32, 7);
    checkEqual("again", wait(2000), 1);
    must("EV_DELETE", watch(7, EVFILT_TIMER, EV_DELETE, 0));
    checkEqual("no more", wait(150), 0);
  });
  test("kqueue-timer-oneshot", () => {
    start();
    watch(8, EVFILT_TIMER, EV_ADD | EV_ONESHOT, 30);
    checkEqual("once", wait(2000), 1);
    checkEqual("not again", wait(150), 0);
    checkError("and it is gone", watch(8, EVFILT_TIMER, EV_DELETE, 0), ENOENT);
  });
  test("kqueue-signal", () => {
    start();
    handle(SIGUSR1, SIG_IGN, 0);
    watch(SIGUSR1, EVFILT_SIGNAL, EV_ADD | EV_CLEAR, 0);
    kill(getpid(), SIGUSR1);
    kill(getpid(), SIGUSR1);
    checkEqual("an event even when it is ignored", wait(1000), 1);
    checkEqual("how often", got.data, 2);
    checkEqual("cleared", wait(0), 0);
  });
  test("kqueue-user", () => {
    start();
    checkError("unknown", watchFor(6, EVFILT_USER, 0, NOTE_TRIGGER, 0), ENOENT);
    must("EV_ADD", watch(6, EVFILT_USER, EV_ADD | EV_CLEAR, 0));
    checkEqual("not yet", wait(0), 0);
    must("NOTE_TRIGGER", watchFor(6, EVFILT_USER, 0, NOTE_TRIGGER, 9));
    checkEqual("an event", wait(1000), 1);
    check("with its data", got.ident == 6 && got.data == 9);
    must("no news", watch(6, EVFILT_USER, 0, 0));
    checkEqual("cleared", wait(0), 0);
  });
  test("kqueue-disable", () => {
    start();
    watch(fds[0], EVFILT_READ, EV_ADD, 0);
    write(fds[1], anon(8), 1);
    watch(fds[0], EVFILT_READ, EV_DISABLE, 0);
    checkEqual("silent", wait(0), 0);
    watch(fds[0], EVFILT_READ, EV_ENABLE, 0);
    checkEqual("and again", wait(0), 1);
  });
  test("kqueue-close", () => {
    start();
    watch(fds[0], EVFILT_READ, EV_ADD, 0);
    write(fds[1], anon(8), 1);
    close(fds[0]);
    checkEqual("a closed descriptor says nothing", wait(0), 0);
  });
  test("kqueue-errors", () => {
    start();
    checkError("closed descriptor", watch(60, EVFILT_READ, EV_ADD, 0), EBADF);
    checkError("delete what is not there", watch(fds[0], EVFILT_READ, EV_DELETE, 0), ENOENT);
    checkError("unknown filter", watch(fds[0], -99, EV_ADD, 0), EINVAL);
    checkError("not a kqueue", kevent(fds[0], 0, 0, addressof(got), 1, addressof(limit)), EBADF);
  });
  test("kqueue-not-inherited", () => {
    start();
    checkChild("by fork", () => kevent(queue, 0, 0, addressof(got), 1, addressof(limit)) == -1 ? 0 : 1);
  });
}
