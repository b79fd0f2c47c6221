// Pipes: a ring of bytes with a reading and a writing end. Writes of up to PIPE_BUF bytes are not mixed with others.
//
// Rules: each end has a lock, as a copy from or to user memory may sleep; who waits for the other end does not hold it.

import { EAGAIN, EBADF, ENOMEM, EPIPE } from '../abi/errno.ts';
import { O_ASYNC, O_NONBLOCK, O_RDONLY, O_WRONLY, S_IFIFO, Stat } from '../abi/file.ts';
import { SIGPIPE } from '../abi/signal.ts';
import { fdClose, fdInstall, File, fileDrop, installedFd } from './file.ts';
import { Lock, lockGive, lockTake } from './lock.ts';
import { Klist, knoteNotify, SigioOwner, sigioPost } from './knote.ts';
import { curLwp, Lwp } from './proc.ts';
import { PCATCH, tsleep, wakeup } from './sched.ts';
import { lwpSignal } from './sigpost.ts';
import { Uio, uiomove } from './uio.ts';
import { vmKernelRoom } from './vm_page.ts';
import { malloc, mfree } from 'rt/rt.ts';

const RING: u32 = 16384;
const PIPE_BUF: u32 = 512;

class Pipe {
  data: usize = 0;
  head: u32 = 0;             // bytes ever written
  tail: u32 = 0;             // bytes ever read
  readers: i32 = 1;
  writers: i32 = 1;
  readLock!: Embed<Lock>;
  writeLock!: Embed<Lock>;
  readNotes!: Embed<Klist>;
  writeNotes!: Embed<Klist>;
  readSigio!: Embed<SigioOwner>;     // of each end: who is told that it is ready
  writeSigio!: Embed<SigioOwner>;
}

class PipeFile extends File {
  pipe: Pipe;

  constructor(pipe: Pipe, access: i32) {
    super();
    this.pipe = pipe;
    this.flags = access;
  }

  override read(uio: Uio, flags: i32): i32 {
    const p = this.pipe;
    if (this.flags % 4 != O_RDONLY) return EBADF;
    for (;;) {
      while (p.head == p.tail) {
        if (p.writers == 0 || uio.resid == 0) return 0;
        if ((flags & O_NONBLOCK) != 0) return EAGAIN;
        const error = tsleep(changetype<usize>(p), PCATCH, "piperd", 0);
        if (error != 0) return error;
      }
      lockTake(p.readLock);
      const got = p.head != p.tail;
      const error = takeOut(p, uio);
      lockGive(p.readLock);
      if (error != 0) return error;
      if (!got) continue;                 // another reader was faster
      wakeup(changetype<usize>(p) + 1);
      knoteNotify(p.writeNotes, 0);
      sigioPost(p.writeSigio);
      return 0;
    }
  }

  override write(uio: Uio, flags: i32): i32 {
    const p = this.pipe;
    if (this.flags % 4 != O_WRONLY) return EBADF;
    const whole = uio.resid <= PIPE_BUF ? uio.resid : 1;
    while (uio.resid != 0) {
      let error = waitForRoom(p, whole, flags);
      if (error != 0) return error;
      lockTake(p.writeLock);
      if (RING - (p.head - p.tail) >= whole) error = putIn(p, uio);
      lockGive(p.writeLock);
      wakeup(changetype<usize>(p));
      knoteNotify(p.readNotes, 0);
      sigioPost(p.readSigio);
      if (error != 0) return error;
    }
    return 0;
  }

  override stat(st: Stat): i32 {
    memory.fill(changetype<usize>(st), 0, sizeof<Stat>());
    st.mode = (S_IFIFO | 0x180) as u16;
    st.blksize = RING;
    st.size = this.pipe.head - this.pipe.tail;
    return 0;
  }

  override notes(write: bool): Klist | null {
    if (write != (this.flags % 4 == O_WRONLY)) return null;
    return write ? this.pipe.writeNotes : this.pipe.readNotes;
  }

  override ready(write: bool): i32 {
    const used = this.pipe.head - this.pipe.tail;
    if (write != (this.flags % 4 == O_WRONLY)) return 0;
    if (!write) return used as i32;
    return RING - used >= PIPE_BUF ? (RING - used) as i32 : 0;
  }

  /** Who is told by SIGIO that this end is ready. */
  private sigio(): SigioOwner {
    return this.flags % 4 == O_WRONLY ? this.pipe.writeSigio : this.pipe.readSigio;
  }

  override flagsChanged(): void {
    this.sigio().on = (this.flags & O_ASYNC) != 0;
  }

  override setOwner(owner: i32): i32 {
    this.sigio().owner = owner;
    return 0;
  }

  override getOwner(): i32 {
    return this.sigio().owner;
  }

  override hungUp(write: bool): bool {
    return (write ? this.pipe.readers : this.pipe.writers) == 0;
  }

  override close(): void {
    const p = this.pipe;
    if (this.flags % 4 == O_RDONLY) p.readers--;
    else p.writers--;
    wakeup(changetype<usize>(p));
    wakeup(changetype<usize>(p) + 1);
    knoteNotify(p.readNotes, 0);
    knoteNotify(p.writeNotes, 0);
    if (p.writers == 0) sigioPost(p.readSigio);
    else if (p.readers == 0) sigioPost(p.writeSigio);
    if (p.readers != 0 || p.writers != 0) return;
    mfree(p.data);
    free(p);
  }
}

/** The part of `n` bytes from ring position `at` that lies in one piece. */
function run(n: u32, at: u32): u32 {
  const straight = RING - (at & (RING - 1));
  return n < straight ? n : straight;
}

/** Move bytes out of the ring, as many as are there. */
function takeOut(p: Pipe, uio: Uio): i32 {
  while (p.head != p.tail && uio.resid != 0) {
    const n = run(p.head - p.tail, p.tail);
    const before = uio.resid;
    const error = uiomove(p.data + (p.tail & (RING - 1)), n, uio);
    if (error != 0) return error;
    p.tail += before - uio.resid;
  }
  return 0;
}

/** Move bytes into the ring, as many as there is room for. */
function putIn(p: Pipe, uio: Uio): i32 {
  for (;;) {
    const room = RING - (p.head - p.tail);
    const wanted = room < uio.resid ? room : uio.resid;
    if (wanted == 0) return 0;
    const n = run(wanted, p.head);
    const error = uiomove(p.data + (p.head & (RING - 1)), n, uio);
    if (error != 0) return error;
    p.head += n;
  }
}

/** Sleep until the ring has room for `whole` bytes: 0, EPIPE with its signal, EAGAIN, or the interruption. */
function waitForRoom(p: Pipe, whole: u32, flags: i32): i32 {
  for (;;) {
    if (p.readers == 0) {
      lwpSignal(curLwp, SIGPIPE);
      return EPIPE;
    }
    if (RING - (p.head - p.tail) >= whole) return 0;
    if ((flags & O_NONBLOCK) != 0) return EAGAIN;
    const error = tsleep(changetype<usize>(p) + 1, PCATCH, "pipewr", 0);
    if (error != 0) return error;
  }
}

/** pipe(): the reading end in eax, the writing end in edx. */
export function sysPipe(lwp: Lwp, a: Ptr<u32>): i32 {
  const fd = lwp.proc.fd!;
  if (!vmKernelRoom(RING)) return ENOMEM;
  const ring = malloc(RING);
  const p = new Pipe();
  p.data = ring;
  const reader = new PipeFile(p, O_RDONLY);
  const writer = new PipeFile(p, O_WRONLY);
  let error = fdInstall(fd, reader, 0);
  if (error != 0) fileDrop(reader);
  const readFd = installedFd;
  if (error == 0) {
    error = fdInstall(fd, writer, 0);
    if (error != 0) fdClose(fd, readFd);
  }
  if (error != 0) {
    fileDrop(writer);
    return error;
  }
  lwp.retval0 = readFd as u32;
  lwp.retval1 = installedFd as u32;
  return 0;
}
