// Sleep locks, for state that must not be seen half changed although its owner may sleep in a page fault or on the disk. The
// owner may take one again. They are not for interrupts, and no signal ends the wait.
//
// The file system's lock is held by every call that walks or changes names, inodes or blocks, and while pages of
// files come and go, but given up while the disk reads one (vm_object.ts). It is the last in the order: open file,
// pipe end or terminal first, then this one.

import { curLwp, Lwp } from "./proc.ts";
import { tsleep, wakeSome } from "./sched.ts";

export class Lock {
  owner: Lwp | null = null;
  depth: i32 = 0;
  waiters: i32 = 0;
}

/** Take the lock; may sleep. */
export function lockTake(l: Lock): void {
  if (l.depth != 0 && l.owner != curLwp) {
    l.waiters++;
    while (l.depth != 0) tsleep(changetype<usize>(l), 0, "lock", 0);
    l.waiters--;
  }
  l.owner = curLwp;
  l.depth++;
}

/** Give it up, as often as it was taken. */
export function lockGive(l: Lock): void {
  l.depth--;
  if (l.depth == 0 && l.waiters != 0) wakeSome(changetype<usize>(l), 1);
}

let fileSystem!: Embed<Lock>;

export function fsLock(): void {
  lockTake(fileSystem);
}

export function fsUnlock(): void {
  lockGive(fileSystem);
}

/** The caller has the lock, and nobody above it: it may be given up in between. */
export function fsHeldOnce(): bool {
  return fileSystem.depth == 1;
}

/** Nobody is at work in the file system: what the memory says of it is true until somebody sleeps. */
export function fsIdle(): bool {
  return fileSystem.depth == 0;
}

/** Before a sleep that somebody in the file system may have to end: give the lock up altogether. Returns what fsResume needs. */
export function fsPause(): i32 {
  if (fileSystem.owner != curLwp) return 0;
  const depth = fileSystem.depth;
  if (depth != 0) {
    fileSystem.depth = 1;
    lockGive(fileSystem);
  }
  return depth;
}

/** After it: take the lock again as often as it was held. */
export function fsResume(depth: i32): void {
  if (depth == 0) return;
  lockTake(fileSystem);
  fileSystem.depth = depth;
}
