// Disk requests, first come, first served. A thread that wants something of the disk puts a request here and sleeps until the platform says
// that it is done; other threads run meanwhile. With off=asyncdisk, and where the platform can't, the thread waits on the spot.

import { splhigh, splx } from "machine/intr.ts";
import { tsleep, wakeup } from "./sched.ts";

export class DiskRequest {
  sector: u32 = 0;
  count: u32 = 0;
  kva: usize = 0;
  write: bool = false;
  error: i32 = 0;
  done: bool = false;
  next: DiskRequest | null = null;
}

let first: DiskRequest | null = null;
let last: DiskRequest | null = null;

/** Queue a transfer, begin it with \`start\` when the disk is free, and sleep until it is done: 0 or its error. */
export function diskSleep(sector: u32, count: u32, kva: usize, write: bool, start: (r: DiskRequest) => void): i32 {
  const r = new DiskRequest();
  r.sector = sector;
  r.count = count;
  r.kva = kva;
  r.write = write;
  const s = splhigh();
  if (first == null) first = r;
  else last!.next = r;
  last = r;
  if (first == r) start(r);
  while (!r.done) tsleep(changetype<usize>(r), 0, "disk", 0);
  splx(s);
  const error = r.error;
  free(r);
  return error;
}

/** The request that was begun last is done. Returns the next one to begin, or null. At splhigh. */
export function diskDone(error: i32): DiskRequest | null {
  const r = first!;
  first = r.next;
  r.error = error;
  r.done = true;
  wakeup(changetype<usize>(r));
  return first;
}
