// The heap of a user process: blocks of sixteen size classes from 16 bytes to 512 KiB, each class with its free list, cut
// from memory that grows by break(2); larger blocks are whole pages from the same place and are kept by size when freed.
// A block is preceded by one word with its class. Memory is never given back before exit. All threads may use it.

import { Mutex } from './mutex.ts';
import { brk } from './sys.ts';

const MIN_SHIFT: i32 = 4;
const CLASSES: i32 = 16;
const HEADER: usize = 8;           // keeps blocks 8-byte aligned
const GROW: usize = 65536;

class FreeLists { heads!: FixedArray<usize, 32>; }
let lists!: Embed<FreeLists>;
let next: usize = 0;
let limit: usize = 0;
let mutex!: Embed<Mutex>;
let shared: bool = false;

/** There is more than one thread from now on. */
export function shareHeap(): void {
  shared = true;
}

function classOf(bytes: usize): i32 {
  let shift = MIN_SHIFT;
  while (((1 as usize) << (shift as usize)) < bytes) shift++;
  return shift - MIN_SHIFT;
}

/** Fresh memory from the end of the heap, or 0. */
function carve(bytes: usize): usize {
  if (next == 0) {
    next = (linkerSymbol("_end") + 15) & ~(15 as usize);
    limit = next;
  }
  if (limit - next < bytes) {
    const wanted = (next + bytes + GROW - 1) & ~(GROW - 1);
    if (brk(wanted) < 0) return 0;
    limit = wanted;
  }
  const block = next;
  next += bytes;
  return block;
}

class HeapMark {
  next: usize = 0;
}

/** Remembers the heap for heapRelease. */
export function heapMark(): HeapMark {
  const mark = changetype<HeapMark>(carve((sizeof<HeapMark>() + 15) & ~(15 as usize)));
  mark.next = next;
  memory.fill(addressof(lists), 0, sizeof<FreeLists>());    // their links lie in the blocks and would not survive
  return mark;
}

/** Gives back at once everything that was allocated since the mark; what was free before it is not used any more. */
export function heapRelease(mark: HeapMark): void {
  next = mark.next;
  memory.fill(addressof(lists), 0, sizeof<FreeLists>());
}

/** At least `bytes` bytes, 8-byte aligned, contents arbitrary; 0 when the process may not grow. */
export function allocate(bytes: usize): usize {
  if (!shared) return take(bytes);
  mutex.lock();
  const block = take(bytes);
  mutex.unlock();
  return block;
}

function take(bytes: usize): usize {
  const index = classOf(bytes + HEADER);
  if (index >= CLASSES) return carveLarge(bytes);
  const head = lists.heads[index]!;
  if (head != 0) {
    lists.heads[index] = load<usize>(head);
    return head;
  }
  const size = (1 as usize) << ((index + MIN_SHIFT) as usize);
  const block = carve(size);
  if (block == 0) return 0;
  store<usize>(block, index as usize);
  return block + HEADER;
}

function carveLarge(bytes: usize): usize {
  const block = carve((bytes + HEADER + 15) & ~(15 as usize));
  if (block == 0) return 0;
  store<usize>(block, CLASSES as usize);
  return block + HEADER;
}

/** Gives a block back; blocks beyond the largest class are not reused. */
export function release(block: usize): void {
  if (block == 0) return;
  const index = load<usize>(block - HEADER) as i32;
  if (index >= CLASSES) return;
  if (shared) mutex.lock();
  store<usize>(block, lists.heads[index]!);
  lists.heads[index] = block;
  if (shared) mutex.unlock();
}
