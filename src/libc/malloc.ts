// The heap of a user process: blocks of 8 to 512 bytes in steps of 8, then of powers of two up to 512 KiB, each size with its
// free list, cut from memory that grows by break(2); larger blocks come from the same place and are not reused when freed.
// A block is preceded by one word with its class. Memory is never given back before exit. All threads may use it. A process
// that may not grow any more ends with a panic.

import { Mutex } from './mutex.ts';
import { rtPanic } from './rt.ts';
import { brk } from './sys.ts';

const HEADER: usize = 4;
const SMALL: usize = 508;          // bytes of the largest block whose class is its size in units of 8 bytes
const SMALL_CLASSES: u32 = 65;
const MEDIUM_SHIFT: u32 = 10;      // log2 of the bytes of the class after these
const CLASSES: u32 = 75;
const GROW: usize = 65536;
const PAGE: usize = 4096;
const MAX_BYTES: usize = 0x7fffffff;

class FreeLists { heads!: FixedArray<usize, 80>; }
let lists!: Embed<FreeLists>;
let next: usize = 0;               // all memory from here to the limit is zero, unless it lies below `used`
let limit: usize = 0;
let used: usize = 0;               // heapRelease made memory below this address fresh again
let mutex!: Embed<Mutex>;
let shared: bool = false;

/** There is more than one thread from now on. */
export function shareHeap(): void {
  shared = true;
}

/** Fresh memory for a block of `bytes` bytes, header included and a multiple of 8. */
function carve(bytes: usize, index: u32): usize {
  if (next == 0) {
    next = ((linkerSymbol("_end") + PAGE - 1) & ~(PAGE - 1)) + HEADER;
    limit = next;
  }
  if (limit - next < bytes) {
    const wanted = (next + bytes + GROW - 1) & ~(GROW - 1);
    if (wanted < next || brk(wanted) < 0) rtPanic("out of memory");
    limit = wanted;
  }
  const block = next;
  next += bytes;
  store<usize>(block, index);
  return block + HEADER;
}

/** Give out fresh memory for a small block, where there is some. */
function cut(units: u32): usize {
  const block = next;
  const end = block + (units << 3);
  if (end >= limit) return carve(units << 3, units);
  next = end;
  store<usize>(block, units);
  return block + HEADER;
}

class HeapMark {
  next: usize = 0;
}

/** Remembers the heap for heapRelease. */
export function heapMark(): HeapMark {
  const mark = changetype<HeapMark>(carve(16, CLASSES));
  mark.next = next;
  memory.fill(addressof(lists), 0, sizeof<FreeLists>());    // their links lie in the blocks and would not survive
  return mark;
}

/** Gives back at once everything that was allocated since the mark; what was free before it is not used any more. */
export function heapRelease(mark: HeapMark): void {
  if (next > used) used = next;
  next = mark.next;
  memory.fill(addressof(lists), 0, sizeof<FreeLists>());
}

/** At least `bytes` bytes, 8-byte aligned, contents arbitrary. */
export function allocate(bytes: usize): usize {
  if (!shared) return take(bytes);
  mutex.lock();
  const block = take(bytes);
  mutex.unlock();
  return block;
}

function take(bytes: usize): usize {
  if (bytes > SMALL) return takeMedium(bytes);
  const units = (bytes + HEADER + 7) >> 3;
  const head = lists.heads[units]!;
  if (head == 0) return cut(units);
  lists.heads[units] = load<usize>(head);
  return head;
}

/** The same with zeros in it: memory that was never given out is zero already. */
export function allocateZeroed(bytes: usize): usize {
  if (shared || bytes > SMALL) return zeroed(allocate(bytes), bytes);
  const units = (bytes + HEADER + 7) >> 3;
  const head = lists.heads[units]!;
  if (head != 0) {
    lists.heads[units] = load<usize>(head);
    return zeroed(head, bytes);
  }
  const block = next;
  const end = block + (units << 3);
  if (end >= limit || block < used) return zeroed(cut(units), bytes);
  next = end;
  store<usize>(block, units);
  return block + HEADER;
}

function zeroed(block: usize, bytes: usize): usize {
  memory.fill(block, 0, bytes);
  return block;
}

function takeMedium(bytes: usize): usize {
  if (bytes > MAX_BYTES) rtPanic("out of memory");
  let shift = MEDIUM_SHIFT;
  while (((1 as usize) << shift) < bytes + HEADER) {
    shift++;
    if (shift == CLASSES - SMALL_CLASSES + MEDIUM_SHIFT) return carve((bytes + HEADER + 7) & ~(7 as usize), CLASSES);
  }
  const index = shift - MEDIUM_SHIFT + SMALL_CLASSES;
  const head = lists.heads[index]!;
  if (head == 0) return carve((1 as usize) << shift, index);
  lists.heads[index] = load<usize>(head);
  return head;
}

/** Gives a block back. */
export function release(block: usize): void {
  if (block == 0) return;
  const index = load<u32>(block - HEADER);
  if (index >= CLASSES) return;
  if (shared) mutex.lock();
  store<usize>(block, lists.heads[index]!);
  lists.heads[index] = block;
  if (shared) mutex.unlock();
}
