// The kqueue: what tells us of the console and of the disk. SIGIO comes when something has happened and nothing had; one call of kevent then says
// what, and who has to look at it is called. Waiting costs nothing here: a CPU without work waits for any signal (cpu.ts).
//
// Sources are descriptors, which the real kernel watches, and user events, which a helper raises: a thread that takes no signals, and knows
// nothing of this kernel. Each is reported once, however often it has happened meanwhile (EV_CLEAR), so whoever is called looks at everything.

import { EV_ADD, EV_CLEAR, EVFILT_READ, EVFILT_USER, Kevent, NOTE_TRIGGER } from '../abi/event.ts';
import { F_SETFD, F_SETFL, F_SETOWN, FD_CLOEXEC, O_ASYNC, O_RDWR } from '../abi/file.ts';
import { Timespec } from '../abi/time.ts';
import { panic } from '../kern/panic.ts';
import { fcntl, getpid, kevent, kqueue } from '../libc/sys.ts';

/** What looks at what has happened. At splhigh. */
export type EventHandler = () => void;

const ROOM: u32 = 8;

class Happened { list!: FixedArray<u32, 40>; }     // ROOM records
let queue: i32 = -1;
let change!: Embed<Kevent>;
let happened!: Embed<Happened>;
let noTime!: Embed<Timespec>;

/** Makes the kqueue. intrInit has been called. */
export function eventsInit(): void {
  queue = kqueue();
  if (queue < 0) panic("kqueue");
  fcntl(queue, F_SETFD, FD_CLOEXEC);
  fcntl(queue, F_SETOWN, getpid());
  fcntl(queue, F_SETFL, O_RDWR | O_ASYNC);
}

function add(ident: u32, filter: i32, handler: EventHandler): bool {
  change.ident = ident;
  change.filter = filter as i16;
  change.flags = (EV_ADD | EV_CLEAR) as u16;
  change.fflags = 0;
  change.data = 0;
  change.udata = codeof(handler);
  return kevent(queue, addressof(change), 1, 0, 0, 0) == 0;
}

/** Has `handler` called when there is something new to read. False: the descriptor can't be watched. */
export function watchInput(fd: i32, handler: EventHandler): bool {
  return add(fd as u32, EVFILT_READ, handler);
}

/** A user event, for which `handler` is called, and in `raise` what eventRaise needs. */
export function watchEvent(ident: u32, handler: EventHandler, raise: Kevent): void {
  if (!add(ident, EVFILT_USER, handler)) panic("kevent");
  raise.ident = ident;
  raise.filter = EVFILT_USER as i16;
  raise.fflags = NOTE_TRIGGER;
}

/** The user event has happened. Any thread of the process may say so. */
export function eventRaise(raise: Kevent): void {
  kevent(queue, changetype<usize>(raise), 1, 0, 0, 0);
}

/** SIGIO: has everything looked at that has happened. At splhigh. */
export function eventsInterrupt(): void {
  let n: i32 = ROOM as i32;
  while (n == (ROOM as i32)) {
    n = kevent(queue, 0, 0, addressof(happened), ROOM as i32, addressof(noTime));
    for (let i: i32 = 0; i < n; i++) {
      const event = changetype<Kevent>(addressof(happened) + (i as u32) * sizeof<Kevent>());
      changetype<EventHandler>(event.udata)();
    }
  }
}
