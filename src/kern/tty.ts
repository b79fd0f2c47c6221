// The terminal: line discipline of the console. Canonical mode with echo and editing, or raw; signals for the foreground
// process group; SIGIO for an owner that asked for it.
//
// Rules: ttyInput runs in the interrupt handler, at splhigh, and does the editing; a line is committed, and readable, with
// its newline. The ring is touched only at splhigh.

import { EAGAIN, EINVAL, EIO, ENOTTY, EPERM, ERESTART, EWOULDBLOCK } from '../abi/errno.ts';
import { ECHO, ECHOE, FIONREAD, ICANON, ICRNL, ISIG, O_ASYNC, O_NONBLOCK, ONLCR, OPOST, Termios, TIOCGETA, TIOCGPGRP, TIOCGSID, TIOCGWINSZ,
  TIOCNOTTY, TIOCSCTTY, TIOCSETA, TIOCSETAF, TIOCSETAW, TIOCSPGRP, TIOCSWINSZ, TOSTOP, VEOF, VERASE, VINTR, VKILL, VMIN, VQUIT, VSTATUS,
  VSUSP } from '../abi/file.ts';
import { SIG_IGN, SIGHUP, SIGINFO, SIGINT, SIGQUIT, SIGTSTP, SIGTTIN, SIGTTOU, SIGWINCH } from '../abi/signal.ts';
import { pgrpInSession, pgrpOrphaned } from './jobs.ts';
import { Lock, lockGive, lockTake } from './lock.ts';
import { Klist, knoteNotify, SigioOwner, sigioPost } from './knote.ts';
import type { Lwp, Proc } from './proc.ts';
import { PCATCH, tsleep, wakeup } from './sched.ts';
import { sigAct } from './sigacts.ts';
import { pgsignal } from './sigpost.ts';
import { sigIsMember } from './sigset.ts';
import { Uio, uiomove } from './uio.ts';
import { consPutc } from 'machine/console.ts';
import { copyin, copyout } from 'machine/copyio.ts';
import { splhigh, splx } from 'machine/intr.ts';

const RING: u32 = 2048;
const CHUNK: u32 = 256;
/** An end-of-file mark in the ring. */
const EOF_MARK: u16 = 0x100;
const NEWLINE: i32 = 10;
const RETURN: i32 = 13;
const DELETE: i32 = 127;
const BACKSPACE: i32 = 8;
const TAB: i32 = 9;

const WINDOW: u32 = 24 | (80 << 16);

export class Tty {
  termios!: Embed<Termios>;
  ring!: FixedArray<u16, 2048>;
  head: u32 = 0;             // ever put in
  committed: u32 = 0;        // readable up to here
  tail: u32 = 0;             // ever taken out
  sid: i32 = 0;              // session whose terminal it is, 0 if none
  pgid: i32 = 0;             // its foreground process group, 0 if none
  window: u32 = WINDOW;      // rows, columns in the high half
  pixels: u32 = 0;
  sigio!: Embed<SigioOwner>;
  notes!: Embed<Klist>;
  chunk!: FixedArray<u8, 256>;
  lock!: Embed<Lock>;        // of chunk
}

let console!: Embed<Tty>;
/** The console's terminal. */
export let consoleTty: Tty = console;

/** Sane settings: canonical, echo, signals, newline translation both ways. */
export function ttyInit(): void {
  const t = consoleTty.termios;
  t.iflag = ICRNL;
  t.oflag = OPOST | ONLCR;
  t.cflag = 0x4b00;          // 8 bits, receiver on
  t.lflag = ECHO | ECHOE | ICANON | ISIG;
  t.ispeed = 115200;
  t.ospeed = 115200;
  setControl(t, VEOF, 4);
  setControl(t, VERASE, DELETE);
  setControl(t, VKILL, 21);
  setControl(t, VINTR, 3);
  setControl(t, VQUIT, 28);
  setControl(t, VSUSP, 26);
  setControl(t, VSTATUS, 20);
  setControl(t, VMIN, 1);
}

function setControl(t: Termios, index: i32, c: i32): void {
  store<u8>(changetype<usize>(t) + 16 + (index as u32), c as u8);
}

function control(t: Termios, index: i32): i32 {
  return load<u8>(changetype<usize>(t) + 16 + (index as u32)) as i32;
}

// ---------------------------------------------------------------------------------------------------- input

/** One byte has arrived. In the interrupt handler, at splhigh. */
export function ttyInput(tty: Tty, byte: i32): void {
  const t = tty.termios;
  const c = byte == RETURN && (t.iflag & ICRNL) != 0 ? NEWLINE : byte;
  if ((t.lflag & ISIG) != 0 && signalKey(tty, c)) return;
  if ((t.lflag & ICANON) != 0) canonicalInput(tty, c);
  else rawInput(tty, c);
}

function signalKey(tty: Tty, c: i32): bool {
  const t = tty.termios;
  let sig: i32 = 0;
  if (c == control(t, VINTR)) sig = SIGINT;
  else if (c == control(t, VQUIT)) sig = SIGQUIT;
  else if (c == control(t, VSUSP)) sig = SIGTSTP;
  else if (c == control(t, VSTATUS)) sig = SIGINFO;
  if (sig == 0 || c == 0) return false;
  if (sig != SIGINFO) flushInput(tty);
  echo(tty, c);
  if (tty.pgid != 0) pgsignal(tty.pgid, sig);
  return true;
}

function canonicalInput(tty: Tty, c: i32): void {
  const t = tty.termios;
  if (c == control(t, VERASE) || c == BACKSPACE) {
    erase(tty);
  } else if (c == control(t, VKILL)) {
    while (tty.head != tty.committed) erase(tty);
  } else if (c == control(t, VEOF)) {
    put(tty, EOF_MARK);
    commit(tty);
  } else if (c == NEWLINE) {
    put(tty, NEWLINE as u16);
    echo(tty, c);
    commit(tty);
  } else if (tty.head - tty.tail < RING - 2) {
    put(tty, c as u16);
    echo(tty, c);
  }
}

function rawInput(tty: Tty, c: i32): void {
  if (tty.head - tty.tail >= RING) return;
  put(tty, c as u16);
  if ((tty.termios.lflag & ECHO) != 0) echo(tty, c);
  commit(tty);
}

function put(tty: Tty, value: u16): void {
  if (tty.head - tty.tail >= RING) return;
  tty.ring[tty.head & (RING - 1)] = value;
  tty.head++;
}

/** Everything typed so far can be read. */
function commit(tty: Tty): void {
  tty.committed = tty.head;
  wakeup(changetype<usize>(tty));
  sigioPost(tty.sigio);
  knoteNotify(tty.notes, 0);
}

/** Bytes that a read would get at once. */
export function ttyReadable(tty: Tty): i32 {
  return (tty.committed - tty.tail) as i32;
}

function flushInput(tty: Tty): void {
  tty.tail = tty.head;
  tty.committed = tty.head;
}

/** Take back the last character of the line that is being typed. */
function erase(tty: Tty): void {
  if (tty.head == tty.committed) return;
  tty.head--;
  if ((tty.termios.lflag & ECHO) == 0) return;
  const c = tty.ring[tty.head & (RING - 1)] as i32;
  rubOut();
  if (c < 32 || c == DELETE) rubOut();
}

function rubOut(): void {
  consPutc(BACKSPACE);
  consPutc(32);
  consPutc(BACKSPACE);
}

function echo(tty: Tty, c: i32): void {
  if ((tty.termios.lflag & ECHO) == 0) return;
  if (c == NEWLINE || c == TAB || (c >= 32 && c != DELETE)) {
    outputByte(tty, c);
    return;
  }
  consPutc(94);
  consPutc(c == DELETE ? 63 : c + 64);
}

// ---------------------------------------------------------------------------------------------------- output

function outputByte(tty: Tty, c: i32): void {
  if (c == NEWLINE && (tty.termios.oflag & (OPOST | ONLCR)) == (OPOST | ONLCR)) consPutc(RETURN);
  consPutc(c);
}

/** Write to the terminal. */
export function ttyWrite(lwp: Lwp, tty: Tty, uio: Uio): i32 {
  if ((tty.termios.lflag & TOSTOP) != 0) {
    const error = needForeground(lwp, tty, SIGTTOU);
    if (error != 0) return error;
  }
  lockTake(tty.lock);
  let error: i32 = 0;
  while (uio.resid != 0 && error == 0) {
    const n = uio.resid < CHUNK ? uio.resid : CHUNK;
    error = uiomove(changetype<usize>(tty.chunk), n, uio);
    if (error != 0) break;
    const s = splhigh();
    for (let i: u32 = 0; i < n; i++) outputByte(tty, tty.chunk[i] as i32);
    splx(s);
  }
  lockGive(tty.lock);
  return error;
}

// ---------------------------------------------------------------------------------------------------- reading

/** Read a line, or in raw mode what is there, waiting for at least VMIN > 0 bytes. */
export function ttyRead(lwp: Lwp, tty: Tty, uio: Uio, flags: i32): i32 {
  const stopped = needForeground(lwp, tty, SIGTTIN);
  if (stopped != 0 || uio.resid == 0) return stopped;
  const waits = (tty.termios.lflag & ICANON) != 0 || control(tty.termios, VMIN) != 0;
  for (;;) {
    let error = waits ? waitForInput(lwp, tty, flags) : 0;
    if (error != 0) return error;
    lockTake(tty.lock);
    const taken = waits && tty.committed == tty.tail;    // by another reader
    if (!taken) error = takeInput(tty, uio);
    lockGive(tty.lock);
    if (!taken) return error;
  }
}

/** Sleep until something can be read: 0, EAGAIN, or an interruption. */
function waitForInput(lwp: Lwp, tty: Tty, flags: i32): i32 {
  const s = splhigh();
  let error: i32 = 0;
  while (tty.committed == tty.tail && error == 0) {
    error = (flags & O_NONBLOCK) != 0 ? EAGAIN : tsleep(changetype<usize>(tty), PCATCH, "ttyin", 0);
    if (error == 0) error = needForeground(lwp, tty, SIGTTIN);
  }
  splx(s);
  return error;
}

/** Hand over committed bytes: to the end of a line in canonical mode. */
function takeInput(tty: Tty, uio: Uio): i32 {
  for (;;) {
    let ended = false;
    let n: u32 = 0;
    const s = splhigh();
    while (!ended && n < CHUNK && n < uio.resid && tty.tail != tty.committed) {
      const value = tty.ring[tty.tail & (RING - 1)];
      if (value == EOF_MARK && n != 0) break;          // the next read ends there
      tty.tail++;
      ended = value == EOF_MARK || ((value as i32) == NEWLINE && (tty.termios.lflag & ICANON) != 0);
      if (value == EOF_MARK) break;
      tty.chunk[n] = value as u8;
      n++;
    }
    splx(s);
    if (n == 0) return 0;
    const error = uiomove(changetype<usize>(tty.chunk), n, uio);
    if (error != 0 || ended || n < CHUNK) return error;
  }
}

/** p belongs to the terminal's session, but not to the group in the foreground. */
function inBackground(p: Proc, tty: Tty): bool {
  return tty.sid != 0 && p.sid == tty.sid && p.pgid != tty.pgid;
}

/** The caller's process group may use the terminal: 0; else it is stopped by `sig`, and then the call begins anew; or EIO. */
function needForeground(lwp: Lwp, tty: Tty, sig: i32): i32 {
  const p = lwp.proc;
  if (!inBackground(p, tty)) return 0;
  if (sigIsMember(lwp.sigmask, sig) || sigAct(p.sigacts!, sig).handler == SIG_IGN) return sig == SIGTTIN ? EIO : 0;
  if (pgrpOrphaned(p.pgid)) return EIO;
  pgsignal(p.pgid, sig);
  const error = tsleep(changetype<usize>(tty) + 1, PCATCH, "ttybg", 1);
  return error != 0 && error != EWOULDBLOCK ? error : ERESTART;
}

// ---------------------------------------------------------------------------------------------------- control

let scratch!: Embed<Scratch>;
class Scratch { word: i32 = 0; second: i32 = 0; termios!: Embed<Termios>; }

/** ioctl on a terminal. */
export function ttyIoctl(lwp: Lwp, tty: Tty, request: u32, data: usize): i32 {
  if (request == TIOCSETA || request == TIOCSETAW || request == TIOCSETAF || request == TIOCSPGRP || request == TIOCSWINSZ) {
    const stopped = needForeground(lwp, tty, SIGTTOU);
    if (stopped != 0) return stopped;
  }
  lockTake(tty.lock);
  const error = carryOut(lwp, tty, request, data);
  lockGive(tty.lock);
  return error;
}

function carryOut(lwp: Lwp, tty: Tty, request: u32, data: usize): i32 {
  const at = addressof(scratch);
  const own = tty.sid != 0 && lwp.proc.sid == tty.sid;
  switch (request) {
    case TIOCGETA:
      return copyout(changetype<usize>(tty.termios), data, sizeof<Termios>());
    case TIOCSETA:
    case TIOCSETAW:
      return setTermios(tty, data);
    case TIOCSETAF:
      flushInput(tty);
      return setTermios(tty, data);
    case TIOCGWINSZ:
      scratch.word = tty.window as i32;
      scratch.second = tty.pixels as i32;
      return copyout(at, data, 8);
    case TIOCSWINSZ:
      return setWindow(tty, data);
    case TIOCSCTTY:
      return claim(lwp.proc, tty);
    case TIOCNOTTY:
      if (!own) return ENOTTY;
      if (lwp.proc.pid == tty.sid) ttyHangup(tty);
      return 0;
    case TIOCGSID:
      scratch.word = tty.sid;
      return own ? copyout(at, data, 4) : ENOTTY;
    case TIOCGPGRP:
      scratch.word = tty.pgid;
      return own ? copyout(at, data, 4) : ENOTTY;
    case TIOCSPGRP:
      return own ? setForeground(lwp.proc, tty, data) : ENOTTY;
    case FIONREAD:
      scratch.word = ttyReadable(tty);
      return copyout(at, data, 4);
    default:
      return ENOTTY;
  }
}

function setTermios(tty: Tty, data: usize): i32 {
  const next = changetype<usize>(scratch.termios);
  const error = copyin(data, next, sizeof<Termios>());
  if (error != 0) return error;
  const s = splhigh();
  memory.copy(changetype<usize>(tty.termios), next, sizeof<Termios>());
  if ((tty.termios.lflag & ICANON) == 0) tty.committed = tty.head;
  splx(s);
  if (tty.committed != tty.tail) wakeup(changetype<usize>(tty));
  return 0;
}

/** TIOCSPGRP */
function setForeground(p: Proc, tty: Tty, data: usize): i32 {
  const error = copyin(data, addressof(scratch), 4);
  if (error != 0) return error;
  if (scratch.word <= 0) return EINVAL;
  if (!pgrpInSession(scratch.word, p.sid)) return EPERM;
  tty.pgid = scratch.word;
  return 0;
}

/** TIOCSCTTY: a session leader makes it the terminal of its session. */
function claim(p: Proc, tty: Tty): i32 {
  if (tty.sid == p.sid) return 0;
  if (p.pid != p.sid || tty.sid != 0) return EPERM;
  tty.sid = p.sid;
  tty.pgid = p.pgid;
  return 0;
}

/** The session that had the terminal is over, or gives it back: SIGHUP to the foreground. */
export function ttyHangup(tty: Tty): void {
  const pgid = tty.pgid;
  tty.sid = 0;
  tty.pgid = 0;
  if (pgid != 0) pgsignal(pgid, SIGHUP);
}

/** TIOCSWINSZ */
function setWindow(tty: Tty, data: usize): i32 {
  const error = copyin(data, addressof(scratch), 8);
  if (error == 0) ttySetWindow(tty, scratch.word as u32, scratch.second as u32);
  return error;
}

/** The window now has these rows and columns (low and high half), and pixels. */
export function ttySetWindow(tty: Tty, window: u32, pixels: u32): void {
  if (window == tty.window && pixels == tty.pixels) return;
  tty.window = window;
  tty.pixels = pixels;
  if (tty.pgid != 0) pgsignal(tty.pgid, SIGWINCH);
}

/** fcntl(F_SETFL) on a terminal. */
export function ttySetAsync(tty: Tty, flags: i32): void {
  tty.sigio.on = (flags & O_ASYNC) != 0;
}
