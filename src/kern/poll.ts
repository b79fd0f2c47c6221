// poll and select: waiting until one of some descriptors is ready, on the same questions to files that kqueue asks. Everyone who
// waits here is woken by every change of anything watchable, and looks again: made for few descriptors and few waiters.

import { EBADF, EINTR, EINVAL, ERESTART, EWOULDBLOCK } from "../abi/errno.ts";
import { POLLERR, PollFd, POLLHUP, POLLIN, POLLNVAL, POLLOUT } from "../abi/event.ts";
import { copyin, copyout } from "machine/copyio.ts";
import { splhigh, splx } from "machine/intr.ts";
import { TICK_NS, ticks } from "./callout.ts";
import { fdGet, File, NOFILE } from "./file.ts";
import { FOREVER } from "./kqueue.ts";
import { pollChanges, pollChannel, pollersChange } from "./knote.ts";
import type { Lwp } from "./proc.ts";
import { PCATCH, sleepGoesOn, tsleep } from "./sched.ts";
import { timevalTicks } from "./time.ts";

const MS_PER_TICK: i32 = TICK_NS / 1000000;
const LONGEST_MS: i32 = 0x10000000;

/** One look at everything that is asked for: retval0 says how many are ready. */
type Look = (lwp: Lwp, a: Ptr<u32>) => i32;

/** Look until something is ready, for at most `wait` ticks (0: once). */
function lookUntil(lwp: Lwp, a: Ptr<u32>, wait: i32, look: Look): i32 {
  const until = ticks + wait;
  pollersChange(1);
  let error: i32 = 0;
  for (;;) {
    const seen = pollChanges;
    error = look(lwp, a);
    if (error != 0 || lwp.retval0 != 0 || wait == 0) break;
    const left = wait == FOREVER ? 0 : until - ticks;
    if (wait != FOREVER && left <= 0) break;
    const s = splhigh();
    if (seen == pollChanges) error = tsleep(pollChannel(), PCATCH, "poll", left);
    splx(s);
    if (error != 0 && !sleepGoesOn(lwp, error)) break;
  }
  pollersChange(-1);
  if (error == EWOULDBLOCK) return 0;
  return error == ERESTART ? EINTR : error;
}

/** poll(fds, n, ms): how many have revents. */
export function sysPoll(lwp: Lwp, a: Ptr<u32>): i32 {
  const ms = a[2] as i32;
  if (a[1] > (NOFILE as u32)) return EINVAL;
  const wait = ms < 0 ? FOREVER : ms == 0 ? 0 : ((ms < LONGEST_MS ? ms : LONGEST_MS) + MS_PER_TICK - 1) / MS_PER_TICK + 1;
  return lookUntil(lwp, a, wait, lookPoll);
}

function lookPoll(lwp: Lwp, a: Ptr<u32>): i32 {
  const record = changetype<PollFd>(lwp.scratch);
  lwp.retval0 = 0;
  for (let i: u32 = 0; i < a[1]; i++) {
    const at = a[0] + i * 8;
    let error = copyin(at, changetype<usize>(record), 8);
    if (error != 0) return error;
    const ready = record.fd < 0 ? 0 : readiness(fdGet(lwp.proc.fd!, record.fd), record.events as i32);
    record.revents = ready as i16;
    if (ready != 0) lwp.retval0++;
    error = copyout(changetype<usize>(record), at, 8);
    if (error != 0) return error;
  }
  return 0;
}

/** revents of a file for these events. */
function readiness(file: File | null, events: i32): i32 {
  if (file == null) return POLLNVAL;
  let ready: i32 = 0;
  if ((events & POLLIN) != 0 && (file.ready(false) != 0 || file.hungUp(false))) ready |= POLLIN;
  if (file.hungUp(false)) ready |= POLLHUP;
  if ((events & POLLOUT) == 0) return ready;
  if (file.hungUp(true)) return ready | POLLERR;
  return file.ready(true) != 0 ? ready | POLLOUT : ready;
}

/** select(nd, in, ou, ex, tv): how many bits remain. Nothing is ever exceptional. */
export function sysSelect(lwp: Lwp, a: Ptr<u32>): i32 {
  if ((a[0] as i32) < 0 || (a[0] as i32) > NOFILE) return EINVAL;
  const wait = a[4] == 0 ? FOREVER : timevalTicks(lwp, a[4]);
  if (wait < 0) return -wait;
  const error = lookUntil(lwp, a, wait, lookSelect);
  if (error != 0 || lwp.retval0 != 0) return error;
  return putSets(lwp, a, true);
}

// The sets of a look are in scratch: asked for in words 0-1 (in) and 2-3 (out), found in 4-5 and 6-7.

function lookSelect(lwp: Lwp, a: Ptr<u32>): i32 {
  lwp.retval0 = 0;
  for (let set: u32 = 0; set < 2; set++) {
    const error = getSet(lwp, a, set);
    if (error != 0) return error;
  }
  for (let fd: i32 = 0; fd < (a[0] as i32); fd++) {
    const bad = lookAt(lwp, fd, 0, false) || lookAt(lwp, fd, 2, true);
    if (bad) return EBADF;
  }
  return lwp.retval0 != 0 ? putSets(lwp, a, false) : 0;
}

/** One bit of one set. True: the descriptor is not open. */
function lookAt(lwp: Lwp, fd: i32, set: u32, write: bool): bool {
  const word = set + ((fd as u32) >>> 5);
  const bit = (1 as u32) << ((fd as u32) & 31);
  if ((lwp.scratch[word] & bit) == 0) return false;
  const file = fdGet(lwp.proc.fd!, fd);
  if (file == null) return true;
  if (file.ready(write) == 0 && !file.hungUp(write)) return false;
  lwp.scratch[word + 4] |= bit;
  lwp.retval0++;
  return false;
}

/** Bytes of a set that has nd bits. */
function setBytes(nd: u32): u32 {
  return ((nd + 31) >>> 5) * 4;
}

function getSet(lwp: Lwp, a: Ptr<u32>, set: u32): i32 {
  const words = lwp.scratch;
  for (let i: u32 = 0; i < 2; i++) {
    words[set * 2 + i] = 0;
    words[set * 2 + i + 4] = 0;
  }
  return a[1 + set] == 0 ? 0 : copyin(a[1 + set], changetype<usize>(words) + set * 8, setBytes(a[0]));
}

/** The sets as they were found, or `none` at all; the exceptional one is always empty. */
function putSets(lwp: Lwp, a: Ptr<u32>, none: bool): i32 {
  const words = lwp.scratch;
  for (let set: u32 = 0; set < 3; set++) {
    if (none || set == 2) {
      words[4] = 0;
      words[5] = 0;
    }
    const from = changetype<usize>(words) + (none || set == 2 ? 16 : 16 + set * 8);
    const error = a[1 + set] == 0 ? 0 : copyout(from, a[1 + set], setBytes(a[0]));
    if (error != 0) return error;
  }
  return 0;
}
