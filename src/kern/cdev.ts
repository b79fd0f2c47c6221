// Character devices by device number: console and terminal, memory, null, zero.

import { DEV_CONSOLE, DEV_MEM, DEV_NULL, DEV_TIME, DEV_TTY, DEV_ZERO, O_ACCMODE, O_RDONLY, Stat } from '../abi/file.ts';
import { EFAULT, EPERM } from '../abi/errno.ts';
import { File } from './file.ts';
import type { Klist } from './knote.ts';
import { curLwp, Lwp } from './proc.ts';
import { consoleTty, ttyIoctl, ttyRead, ttyReadable, ttySetAsync, ttyWrite } from './tty.ts';
import { Uio, uiomove } from './uio.ts';
import { Vnode } from './vnode.ts';
import { memoryEnd } from './vm_page.ts';
import { memoryWritable } from 'machine/boot.ts';
import { ptov } from 'machine/pmap.ts';
import { malloc } from 'rt/rt.ts';

const ZEROS: u32 = 1024;
let zeros: usize = 0;

abstract class DeviceFile extends File {
  constructor(vp: Vnode, flags: i32) {
    super();
    this.vnode = vp;
    this.flags = flags;
  }

  override stat(st: Stat): i32 {
    this.vnode!.stat(st);
    return 0;
  }

  override close(): void {
    this.vnode!.unref();
  }
}

class TtyFile extends DeviceFile {
  override read(uio: Uio, flags: i32): i32 {
    return ttyRead(curLwp, consoleTty, uio, flags);
  }

  override write(uio: Uio, flags: i32): i32 {
    return ttyWrite(curLwp, consoleTty, uio);
  }

  override ioctl(lwp: Lwp, request: u32, data: usize): i32 {
    return ttyIoctl(lwp, consoleTty, request, data);
  }

  override flagsChanged(): void {
    ttySetAsync(consoleTty, this.flags);
  }

  override setOwner(owner: i32): i32 {
    consoleTty.sigio.owner = owner;
    return 0;
  }

  override getOwner(): i32 {
    return consoleTty.sigio.owner;
  }

  override notes(write: bool): Klist | null {
    return consoleTty.notes;
  }

  override ready(write: bool): i32 {
    return write ? 1 : ttyReadable(consoleTty);
  }
}

/** /dev/null, /dev/time and /dev/zero: take everything, give nothing or zeros. */
class SinkFile extends DeviceFile {
  override read(uio: Uio, flags: i32): i32 {
    if (this.vnode!.rdev != DEV_ZERO) return 0;
    if (zeros == 0) {
      zeros = malloc(ZEROS);
      memory.fill(zeros, 0, ZEROS);
    }
    let error: i32 = 0;
    while (uio.resid != 0 && error == 0) error = uiomove(zeros, ZEROS, uio);
    return error;
  }

  override write(uio: Uio, flags: i32): i32 {
    uio.resid = 0;
    return 0;
  }
}

/** /dev/mem: the kernel's physical memory, the position being the address. */
class MemoryFile extends DeviceFile {
  override read(uio: Uio, flags: i32): i32 {
    return moveMemory(uio);
  }

  override write(uio: Uio, flags: i32): i32 {
    return moveMemory(uio);
  }

  override seekable(): bool {
    return true;
  }
}

function moveMemory(uio: Uio): i32 {
  const end = memoryEnd();
  if (uio.offset >= end) return uio.write ? EFAULT : 0;
  const left = end - uio.offset;
  return uiomove(ptov(uio.offset), left, uio);
}

/** A device may be opened for this: 0 or EPERM. */
export function cdevMayOpen(vp: Vnode, flags: i32): i32 {
  return vp.rdev == DEV_MEM && (flags & O_ACCMODE) != O_RDONLY && !memoryWritable() ? EPERM : 0;
}

/** An open file for device `vp`, which takes over the caller's reference; null if there is no such device. */
export function cdevOpen(vp: Vnode, flags: i32): File | null {
  switch (vp.rdev) {
    case DEV_CONSOLE: case DEV_TTY: return new TtyFile(vp, flags);
    case DEV_MEM: return new MemoryFile(vp, flags);
    case DEV_NULL: case DEV_TIME: case DEV_ZERO: return new SinkFile(vp, flags);
    default: return null;
  }
}
