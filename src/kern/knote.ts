// Knotes: what a kqueue watches, and the lists on which the watched things find them. Who changes a thing calls
// knoteNotify on its list; that puts the knotes whose condition holds on their kqueues' lists of active ones, wakes who waits
// there, and sends SIGIO to the owner of a kqueue with O_ASYNC when the first knote becomes active.
//
// Rules. knoteNotify may be called from interrupts; every list is touched only at splhigh. A knote that is on a kqueue's
// active list may meanwhile have ceased to hold: kqueue.ts looks again before it reports. Nothing here allocates.

import { EV_DISABLE, EV_EOF, EVFILT_PROC, EVFILT_READ, EVFILT_SIGNAL, EVFILT_USER, EVFILT_WRITE, NOTE_EXIT } from "../abi/event.ts";
import { SIGIO } from "../abi/signal.ts";
import { splhigh, splx } from "machine/intr.ts";
import type { Callout } from "./callout.ts";
import type { File, FileDesc } from "./file.ts";
import { pfind, Proc } from "./proc.ts";
import { wakeup } from "./sched.ts";
import { pgsignal, psignal } from "./sigpost.ts";

/** Knotes on one thing. Embedded in what can be watched. */
export class Klist {
  first: Knote | null = null;
}

export class Knote {
  kq!: Kqueue;
  ident: u32 = 0;
  filter: i32 = 0;
  flags: i32 = 0;                    // EV_ONESHOT, EV_CLEAR, EV_DISABLE, EV_EOF
  fflags: u32 = 0;                   // what has happened
  wanted: u32 = 0;                   // what may happen (EVFILT_PROC)
  data: i32 = 0;
  udata: usize = 0;
  active: bool = false;              // on the kqueue's active list
  triggered: bool = false;           // EVFILT_USER: has happened, and with EV_CLEAR has not been reported
  next: Knote | null = null;         // on the kqueue's chain of ident
  nextActive: Knote | null = null;
  list: Klist | null = null;         // of the thing, linked by nextOn
  nextOn: Knote | null = null;
  file: File | null = null;          // descriptors: with the table in which ident names it
  table: FileDesc | null = null;
  timer: Callout | null = null;      // EVFILT_TIMER, with its period in ticks
  period: i32 = 0;
}

/** Who gets SIGIO. */
export class SigioOwner {
  owner: i32 = 0;                    // a process, or -group
  on: bool = false;                  // O_ASYNC
}

/** The knotes that one descriptor of a kqueue stands for. */
export class Kqueue {
  chains!: FixedArray<Knote | null, 32>;
  firstActive: Knote | null = null;
  lastActive: Knote | null = null;
  activeCount: i32 = 0;
  sigio!: Embed<SigioOwner>;
  watchers!: Embed<Klist>;           // a kqueue can be read from another
}

/** Send SIGIO, if somebody asked for it. */
export function sigioPost(to: SigioOwner): void {
  if (!to.on || to.owner == 0) return;
  if (to.owner < 0) {
    pgsignal(-to.owner, SIGIO);
    return;
  }
  const p = pfind(to.owner);
  if (p != null) psignal(p, SIGIO);
}

/** Threads that wait in poll or select, for whatever changes next. */
let pollers: i32 = 0;
/** Changes that they have been woken for. */
export let pollChanges: u32 = 0;

/** Where pollers sleep. */
export function pollChannel(): usize {
  return addressof(pollers);
}

/** One poller more or less. */
export function pollersChange(by: i32): void {
  pollers += by;
}

/** A thing with these knotes has changed; `hint` says how where the filter wants to know (a signal, NOTE_*). */
export function knoteNotify(list: Klist, hint: u32): void {
  if (pollers != 0) {
    pollChanges++;
    wakeup(addressof(pollers));
  }
  if (list.first == null) return;
  const s = splhigh();
  for (let kn: Knote | null = list.first; kn != null; kn = kn.nextOn) {
    if (knoteHappened(kn, hint)) knoteActivate(kn);
  }
  splx(s);
}

/** Does this change make kn hold? Counts what is counted. */
function knoteHappened(kn: Knote, hint: u32): bool {
  switch (kn.filter) {
    case EVFILT_READ:
    case EVFILT_WRITE:
      return knoteReady(kn);
    case EVFILT_SIGNAL:
      if (hint != kn.ident) return false;
      kn.data++;
      return true;
    case EVFILT_PROC:
      if ((hint & kn.wanted) == 0) return false;
      kn.fflags |= hint;
      if (hint == NOTE_EXIT) kn.flags |= EV_EOF;
      return true;
    default:
      return false;
  }
}

/** Does kn hold now? For descriptors this asks the file, for all else it is what has been counted or said. */
export function knoteReady(kn: Knote): bool {
  const file = kn.file;
  if (kn.filter == EVFILT_USER) return kn.triggered;
  if (file == null) return kn.filter == EVFILT_PROC ? kn.fflags != 0 : kn.data != 0;
  const write = kn.filter == EVFILT_WRITE;
  kn.data = file.ready(write);
  const hungUp = file.hungUp(write);
  kn.flags = hungUp ? kn.flags | EV_EOF : kn.flags & ~EV_EOF;
  return kn.data != 0 || hungUp;
}

/** kn holds: its kqueue has something to report. At splhigh. */
export function knoteActivate(kn: Knote): void {
  if (kn.active || (kn.flags & EV_DISABLE) != 0) return;
  const kq = kn.kq;
  kn.active = true;
  kn.nextActive = null;
  if (kq.lastActive == null) kq.firstActive = kn;
  else kq.lastActive.nextActive = kn;
  kq.lastActive = kn;
  kq.activeCount++;
  wakeup(changetype<usize>(kq));
  if (kq.activeCount != 1) return;
  sigioPost(kq.sigio);
  knoteNotify(kq.watchers, 0);
}

/** Take kn off its kqueue's active list, if it is there. At splhigh. */
export function knoteDeactivate(kn: Knote): void {
  if (!kn.active) return;
  const kq = kn.kq;
  let before: Knote | null = null;
  for (let q = kq.firstActive; q != kn; q = q!.nextActive) before = q;
  if (before == null) kq.firstActive = kn.nextActive;
  else before.nextActive = kn.nextActive;
  if (kq.lastActive == kn) kq.lastActive = before;
  kn.nextActive = null;
  kn.active = false;
  kq.activeCount--;
}

/** Put kn on the list of what it watches. */
export function knoteAttach(kn: Knote, list: Klist): void {
  const s = splhigh();
  kn.list = list;
  kn.nextOn = list.first;
  list.first = kn;
  splx(s);
}

/** Take kn off that list. */
export function knoteDetach(kn: Knote): void {
  const list = kn.list;
  if (list == null) return;
  const s = splhigh();
  if (list.first == kn) list.first = kn.nextOn;
  else {
    let q = list.first!;
    while (q.nextOn != kn) q = q.nextOn!;
    q.nextOn = kn.nextOn;
  }
  kn.list = null;
  kn.nextOn = null;
  splx(s);
}

/** The process goes away: its knotes report what they have, and watch nothing any more. */
export function knoteOrphan(p: Proc): void {
  while (p.notes.first != null) knoteDetach(p.notes.first);
}

/** The timer of kn has run out. A callout: at splhigh. */
export function knoteExpired(kn: Knote): void {
  kn.data++;
  knoteActivate(kn);
}
