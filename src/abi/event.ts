// kqueue: the record that crosses the user boundary, filters and flags, with DragonFly's numbers; and what poll and select pass.

/** struct kevent, 20 bytes. */
export class Kevent {
  /** What is watched: a descriptor, signal or process, or any number that names a timer or a user event. */
  ident: u32 = 0;
  filter: i16 = 0;
  flags: u16 = 0;
  fflags: u32 = 0;
  /** Bytes that can be read or written, expirations, deliveries; on the way in the milliseconds of a timer. */
  data: i32 = 0;
  udata: usize = 0;
}

export const EVFILT_READ: i32 = -1;
export const EVFILT_WRITE: i32 = -2;
export const EVFILT_PROC: i32 = -5;
export const EVFILT_SIGNAL: i32 = -6;
export const EVFILT_TIMER: i32 = -7;
export const EVFILT_USER: i32 = -9;

export const EV_ADD: i32 = 1;
export const EV_DELETE: i32 = 2;
export const EV_ENABLE: i32 = 4;
export const EV_DISABLE: i32 = 8;
export const EV_ONESHOT: i32 = 0x10;
export const EV_CLEAR: i32 = 0x20;
export const EV_ERROR: i32 = 0x4000;
export const EV_EOF: i32 = 0x8000;

// EVFILT_PROC: what to report of a process.
export const NOTE_EXIT: u32 = 0x80000000;
export const NOTE_FORK: u32 = 0x40000000;
export const NOTE_EXEC: u32 = 0x20000000;

// EVFILT_USER, in fflags on the way in: it has happened; and what becomes of the other 24 bits, which are the user's.
export const NOTE_TRIGGER: u32 = 0x01000000;
export const NOTE_FFNOP: u32 = 0;
export const NOTE_FFAND: u32 = 0x40000000;
export const NOTE_FFOR: u32 = 0x80000000;
export const NOTE_FFCOPY: u32 = 0xc0000000;
export const NOTE_FFLAGSMASK: u32 = 0x00ffffff;

/** struct pollfd, 8 bytes. */
export class PollFd {
  fd: i32 = 0;
  events: i16 = 0;
  revents: i16 = 0;
}
export const POLLIN: i32 = 1;
export const POLLOUT: i32 = 4;
export const POLLERR: i32 = 8;
export const POLLHUP: i32 = 0x10;
export const POLLNVAL: i32 = 0x20;
