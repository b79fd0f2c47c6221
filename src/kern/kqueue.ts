// kqueue and kevent: registering knotes and collecting what has happened. A kqueue is a descriptor that fork does not hand on. Filters:
// READ and WRITE on descriptors (terminals, pipes, files, other kqueues), TIMER, SIGNAL, PROC, and USER, which happens when kevent says so. A knote goes when it is
// deleted, when its descriptor or the kqueue is closed, or, with EV_ONESHOT, when it has been reported.
//
// Rules. knoteDrop is the one place where a knote ends. An active knote is reported at most once a call; one that still holds
// afterwards goes to the end of the line, so that none starves.

import { EBADF, EINTR, EINVAL, ENOENT, ENOMEM, ERESTART, ESRCH, EWOULDBLOCK } from "../abi/errno.ts";
import {
  EV_ADD, EV_CLEAR, EV_DELETE, EV_DISABLE, EV_ENABLE, EV_ERROR, EV_ONESHOT, EVFILT_PROC, EVFILT_READ, EVFILT_SIGNAL, EVFILT_TIMER,
  EVFILT_USER, EVFILT_WRITE, Kevent, NOTE_EXEC, NOTE_EXIT, NOTE_FFAND, NOTE_FFCOPY, NOTE_FFLAGSMASK, NOTE_FFOR, NOTE_FORK, NOTE_TRIGGER,
} from "../abi/event.ts";
import { O_ASYNC, O_RDWR, Stat, S_IFIFO } from "../abi/file.ts";
import { NSIG } from "../abi/signal.ts";
import { copyin, copyout } from "machine/copyio.ts";
import { splhigh, splx } from "machine/intr.ts";
import { Callout, calloutReset, calloutStop, TICK_NS, ticks } from "./callout.ts";
import { fdGet, fdInstall, File, FileDesc, fileDrop, fileHold, installedFd, NOFILE } from "./file.ts";
import { Klist, Knote, knoteActivate, knoteAttach, knoteDeactivate, knoteDetach, knoteExpired, knoteReady, Kqueue } from "./knote.ts";
import { curLwp, Lwp, pfind, PS_ZOMBIE } from "./proc.ts";
import { PCATCH, sleepGoesOn, tsleep } from "./sched.ts";
import { timeoutTicks } from "./time.ts";
import { vmKernelRoom } from "./vm_page.ts";
import { Uio } from "./uio.ts";

const CHAINS: u32 = 32;
const KEVENT_BYTES: u32 = 20;
const KEPT: i32 = EV_ONESHOT | EV_CLEAR;
/** kern.kq_calloutmax */
const MOST_TIMERS: i32 = 4096;
const MS_PER_TICK: i32 = TICK_NS / 1000000;
const LONGEST_MS: i32 = 0x40000000;

/** A wait without end, in ticks. */
export const FOREVER: i32 = 0x7fffffff;

let timers: i32 = 0;

export class KqueueFile extends File {
  kq: Kqueue;

  constructor() {
    super();
    this.kq = new Kqueue();
    this.flags = O_RDWR;
  }

  override read(uio: Uio, flags: i32): i32 {
    return EINVAL;
  }

  override write(uio: Uio, flags: i32): i32 {
    return EINVAL;
  }

  override stat(st: Stat): i32 {
    memory.fill(changetype<usize>(st), 0, sizeof<Stat>());
    st.mode = S_IFIFO as u16;
    st.size = this.kq.activeCount as u32;
    st.blksize = KEVENT_BYTES;
    return 0;
  }

  override close(): void {
    const kq = this.kq;
    for (let i: u32 = 0; i < CHAINS; i++) {
      while (kq.chains[i] != null) knoteDrop(kq.chains[i]!);
    }
    while (kq.watchers.first != null) knoteDetach(kq.watchers.first);
    free(kq);
  }

  override inheritable(): bool {
    return false;
  }

  override asQueue(): Kqueue | null {
    return this.kq;
  }

  override notes(write: bool): Klist | null {
    return write ? null : this.kq.watchers;
  }

  override ready(write: bool): i32 {
    return write ? 0 : this.kq.activeCount;
  }

  override flagsChanged(): void {
    this.kq.sigio.on = (this.flags & O_ASYNC) != 0;
  }

  override setOwner(owner: i32): i32 {
    this.kq.sigio.owner = owner;
    return 0;
  }

  override getOwner(): i32 {
    return this.kq.sigio.owner;
  }
}

/** kqueue(): a descriptor. */
export function sysKqueue(lwp: Lwp, a: Ptr<u32>): i32 {
  if (!vmKernelRoom(0)) return ENOMEM;
  const file = new KqueueFile();
  const error = fdInstall(lwp.proc.fd!, file, 0);
  if (error != 0) fileDrop(file);
  lwp.retval0 = installedFd as u32;
  return error;
}

/** kevent(kq, changes, nchanges, events, nevents, timeout): how many events. */
export function sysKevent(lwp: Lwp, a: Ptr<u32>): i32 {
  const file = fdGet(lwp.proc.fd!, a[0] as i32);
  if (file == null) return EBADF;
  const kq = file.asQueue();
  if (kq == null) return EBADF;
  fileHold(file);
  const error = kernKevent(lwp, kq, a);
  fileDrop(file);
  return error;
}

function kernKevent(lwp: Lwp, kq: Kqueue, a: Ptr<u32>): i32 {
  const events = a[3];
  const room = a[4] as i32;
  if ((a[2] as i32) < 0 || room < 0) return EINVAL;
  const wait = a[5] == 0 ? FOREVER : timeoutTicks(lwp, a[5]);
  if (wait < 0) return -wait;
  const failed = change(lwp, kq, a[1], a[2] as i32, events, room);
  if (failed != 0 || lwp.retval0 != 0 || room == 0) return failed;
  return collect(lwp, kq, events, room, wait);
}

/** Carry out the changes. One that fails is an event with EV_ERROR if there is room for it: retval0 counts them. */
function change(lwp: Lwp, kq: Kqueue, changes: usize, n: i32, events: usize, room: i32): i32 {
  const ke = changetype<Kevent>(lwp.scratch);
  lwp.retval0 = 0;
  for (let i: i32 = 0; i < n; i++) {
    let error = copyin(changes + (i as u32) * KEVENT_BYTES, changetype<usize>(ke), KEVENT_BYTES);
    if (error != 0) return error;
    error = register(lwp, kq, ke);
    if (error == 0) continue;
    if ((lwp.retval0 as i32) >= room) return error;
    ke.flags = EV_ERROR as u16;
    ke.data = error;
    error = copyout(changetype<usize>(ke), events + lwp.retval0 * KEVENT_BYTES, KEVENT_BYTES);
    if (error != 0) return error;
    lwp.retval0++;
  }
  return 0;
}

function register(lwp: Lwp, kq: Kqueue, ke: Kevent): i32 {
  const flags = ke.flags as i32;
  const filter = ke.filter as i32;
  if ((flags & EV_ADD) != 0 && !vmKernelRoom(0)) return ENOMEM;
  const file = filter == EVFILT_READ || filter == EVFILT_WRITE ? fdGet(lwp.proc.fd!, ke.ident as i32) : null;
  if (file == null && (filter == EVFILT_READ || filter == EVFILT_WRITE)) return EBADF;
  let kn = find(kq, ke.ident, filter, file, lwp.proc.fd!);
  if ((flags & EV_DELETE) != 0) {
    if (kn == null) return ENOENT;
    knoteDrop(kn);
    return 0;
  }
  if ((flags & EV_ADD) == 0 && kn == null) return ENOENT;
  const known = kn != null;
  if (kn == null) kn = create(kq, ke, file, lwp.proc.fd!);
  if ((flags & EV_ADD) != 0) {
    const error = arm(kn, ke, known);
    if (error != 0) {
      if (!known) knoteDrop(kn);
      return error;
    }
  }
  if (filter == EVFILT_USER) touch(kn, ke);
  enable(kn, flags);
  return 0;
}

function find(kq: Kqueue, ident: u32, filter: i32, file: File | null, table: FileDesc): Knote | null {
  let kn = kq.chains[ident & (CHAINS - 1)];
  while (kn != null && (kn.ident != ident || kn.filter != filter || kn.file != file || (file != null && kn.table != table))) kn = kn.next;
  return kn;
}

function create(kq: Kqueue, ke: Kevent, file: File | null, table: FileDesc): Knote {
  const kn = new Knote();
  const at = ke.ident & (CHAINS - 1);
  kn.kq = kq;
  kn.ident = ke.ident;
  kn.filter = ke.filter as i32;
  kn.file = file;
  kn.table = table;
  if (file != null) file.knotes++;
  kn.next = kq.chains[at];
  kq.chains[at] = kn;
  return kn;
}

/** EV_ADD, for a new knote or again: what is to be watched, and how. */
function arm(kn: Knote, ke: Kevent, known: bool): i32 {
  kn.udata = ke.udata;
  kn.flags = (kn.flags & ~KEPT) | ((ke.flags as i32) & KEPT);
  kn.wanted = ke.fflags;
  switch (kn.filter) {
    case EVFILT_READ:
    case EVFILT_WRITE:
      return known ? 0 : watchFile(kn);
    case EVFILT_TIMER:
      return startTimer(kn, ke.data);
    case EVFILT_SIGNAL:
      kn.flags |= EV_CLEAR;
      return kn.ident == 0 || kn.ident > (NSIG as u32) ? EINVAL : known ? 0 : watchProcess(kn, curLwp.proc.pid);
    case EVFILT_PROC:
      kn.flags |= EV_CLEAR;
      return known ? 0 : watchProcess(kn, kn.ident as i32);
    case EVFILT_USER:
      return 0;
    default:
      return EINVAL;
  }
}

/** A descriptor without a list can't be watched, but for plain files, which are always ready or not. */
function watchFile(kn: Knote): i32 {
  const file = kn.file!;
  const list = file.notes(kn.filter == EVFILT_WRITE);
  if (list == null) return EINVAL;
  knoteAttach(kn, list);
  return 0;
}

/** EVFILT_SIGNAL and EVFILT_PROC */
function watchProcess(kn: Knote, pid: i32): i32 {
  const p = pfind(pid);
  if (p == null || p.state == PS_ZOMBIE) return ESRCH;
  kn.wanted &= NOTE_EXIT | NOTE_FORK | NOTE_EXEC;
  knoteAttach(kn, p.notes);
  return 0;
}

/** EVFILT_USER: what somebody says of it. */
function touch(kn: Knote, ke: Kevent): void {
  const said = ke.fflags & NOTE_FFLAGSMASK;
  const s = splhigh();
  switch (ke.fflags & NOTE_FFCOPY) {
    case NOTE_FFAND: kn.fflags &= said; break;
    case NOTE_FFOR: kn.fflags |= said; break;
    case NOTE_FFCOPY: kn.fflags = said; break;
    default: break;
  }
  kn.data = ke.data;
  if ((ke.fflags & NOTE_TRIGGER) != 0) kn.triggered = true;
  splx(s);
}

/** Milliseconds become ticks, rounded up; the first may begin in the middle of a tick and so gets one more. */
function startTimer(kn: Knote, ms: i32): i32 {
  if (ms < 0 || ms > LONGEST_MS) return EINVAL;
  if (kn.timer == null) {
    if (timers >= MOST_TIMERS) return ENOMEM;
    timers++;
    kn.timer = new Callout();
  }
  const s = splhigh();
  kn.period = ms == 0 ? 1 : (ms + MS_PER_TICK - 1) / MS_PER_TICK;
  kn.flags |= EV_CLEAR;
  kn.data = 0;
  knoteDeactivate(kn);
  calloutReset(kn.timer, kn.period + 1, timerExpired, changetype<usize>(kn));
  splx(s);
  return 0;
}

function timerExpired(arg: usize): void {
  const kn = changetype<Knote>(arg);
  if ((kn.flags & EV_ONESHOT) == 0) calloutReset(kn.timer!, kn.period, timerExpired, arg);
  knoteExpired(kn);
}

/** EV_DISABLE and EV_ENABLE, and what holds already. */
function enable(kn: Knote, flags: i32): void {
  const s = splhigh();
  if ((flags & EV_DISABLE) != 0) {
    kn.flags |= EV_DISABLE;
    knoteDeactivate(kn);
  } else if ((flags & EV_ENABLE) != 0) kn.flags &= ~EV_DISABLE;
  if (knoteReady(kn)) knoteActivate(kn);
  splx(s);
}

/** The end of a knote. */
export function knoteDrop(kn: Knote): void {
  const s = splhigh();
  knoteDeactivate(kn);
  if (kn.timer != null) {
    calloutStop(kn.timer);
    free(kn.timer);
    timers--;
  }
  knoteDetach(kn);
  if (kn.file != null) kn.file.knotes--;
  unchain(kn);
  splx(s);
  free(kn);
}

function unchain(kn: Knote): void {
  const kq = kn.kq;
  const at = kn.ident & (CHAINS - 1);
  if (kq.chains[at] == kn) {
    kq.chains[at] = kn.next;
    return;
  }
  let q = kq.chains[at]!;
  while (q.next != kn) q = q.next!;
  q.next = kn.next;
}

/** Descriptor `n` of a table, which names `file`, is being closed: nothing watches it by that name any more. */
export function knoteCloseFd(table: FileDesc, n: i32, file: File): void {
  for (let i: i32 = 0; i < NOFILE && file.knotes != 0; i++) {
    const other = table.files[i];
    const kq = other != null ? other.asQueue() : null;
    if (kq == null) continue;
    let kn = kq.chains[(n as u32) & (CHAINS - 1)];
    while (kn != null) {
      const next: Knote | null = kn.next;
      if (kn.file == file && kn.table == table && kn.ident == (n as u32)) knoteDrop(kn);
      kn = next;
    }
  }
}

/** Wait for active knotes, at most `wait` ticks, and report up to `room` of them: retval0. */
function collect(lwp: Lwp, kq: Kqueue, events: usize, room: i32, wait: i32): i32 {
  const until = ticks + wait;
  for (;;) {
    const error = report(lwp, kq, events, room);
    if (error != 0 || lwp.retval0 != 0 || wait == 0) return error;
    const s = splhigh();
    let result: i32 = 0;
    const left = wait == FOREVER ? 0 : until - ticks;
    if (wait != FOREVER && left <= 0) result = EWOULDBLOCK;
    else if (kq.firstActive == null) result = tsleep(changetype<usize>(kq), PCATCH, "kqread", left);
    splx(s);
    if (result == EWOULDBLOCK) return 0;
    if (sleepGoesOn(lwp, result)) continue;
    if (result != 0) return result == ERESTART ? EINTR : result;
  }
}

/** Report each knote that is active now at most once. */
function report(lwp: Lwp, kq: Kqueue, events: usize, room: i32): i32 {
  const ke = changetype<Kevent>(lwp.scratch);
  for (let left = kq.activeCount; left > 0 && (lwp.retval0 as i32) < room; left--) {
    const s = splhigh();
    const found = takeFirst(kq, ke);
    splx(s);
    if (!found) continue;
    const error = copyout(changetype<usize>(ke), events + lwp.retval0 * KEVENT_BYTES, KEVENT_BYTES);
    if (error != 0) return error;
    lwp.retval0++;
  }
  return 0;
}

/** The first active knote as an event in `ke`; false if it no longer holds. At splhigh. */
function takeFirst(kq: Kqueue, ke: Kevent): bool {
  const kn = kq.firstActive;
  if (kn == null) return false;
  knoteDeactivate(kn);
  if (!knoteReady(kn)) return false;
  ke.ident = kn.ident;
  ke.filter = kn.filter as i16;
  ke.flags = (kn.flags & ~EV_DISABLE) as u16;
  ke.fflags = kn.fflags;
  ke.data = kn.data;
  ke.udata = kn.udata;
  if ((kn.flags & EV_ONESHOT) != 0 || (kn.filter == EVFILT_PROC && (kn.fflags & NOTE_EXIT) != 0)) knoteDrop(kn);
  else if ((kn.flags & EV_CLEAR) == 0) requeue(kn);
  else {
    kn.data = 0;
    kn.fflags = 0;
    kn.triggered = false;
  }
  return true;
}

/** It still holds: to the end of the line, which is no news to anybody. */
function requeue(kn: Knote): void {
  const kq = kn.kq;
  kn.active = true;
  if (kq.lastActive == null) kq.firstActive = kn;
  else kq.lastActive.nextActive = kn;
  kq.lastActive = kn;
  kq.activeCount++;
}
