// Threads: LWPs of the kernel with a stack and a thread control block of their own, so that each has its errno. Memory comes from
// the allocator that the program binds; the creator allocates all of it and threadJoin gives it back, so that a thread need
// not allocate at all. The heap of rt.ts may be used by all threads; standard output by one at a time.

import { EXTEXIT_LWP, EXTEXIT_SETINT, LwpParams } from '../abi/lwp.ts';
import { TlsInfo } from '../abi/time.ts';
import { shareHeap } from './malloc.ts';
import { extexit, lwpCreate, umtxSleep } from './sys.ts';
import { Tcb, useTcb } from './tls.ts';

class ThreadStack { words!: FixedArray<u32, 16376>; }
const STACK_BYTES: usize = 65504;

export class Thread {
  /** Its LWP's id. */
  tid: i32 = 0;
  /** 1 when the LWP is gone; the kernel stores it and wakes who sleeps on it. */
  gone: i32 = 0;
  result: usize = 0;
  arg: usize = 0;
  fn!: (arg: usize) => usize;
  stack!: ThreadStack;
  tcb!: Embed<Tcb>;
  tls!: Embed<TlsInfo>;
}

/** A thread that runs fn(arg), with the caller's signal mask; null with errno when there can't be one. */
export function threadCreate(fn: (arg: usize) => usize, arg: usize): Thread | null {
  shareHeap();
  const thread = new Thread();
  thread.fn = fn;
  thread.arg = arg;
  thread.stack = new ThreadStack();
  const params = new LwpParams();
  params.func = codeof(begin);
  params.arg = changetype<usize>(thread);
  params.stack = changetype<usize>(thread.stack) + STACK_BYTES;
  params.tid1 = changetype<usize>(thread) + offsetof<Thread>("tid");
  const failed = lwpCreate(changetype<usize>(params)) < 0;
  free(params);
  if (!failed) return thread;
  free(thread.stack);
  free(thread);
  return null;
}

/** First code of a thread, which the kernel enters as if called. */
function begin(thread: Thread): void {
  useTcb(thread.tcb, thread.tls, changetype<usize>(thread));
  const fn = thread.fn;
  threadExit(fn(thread.arg));
}

/** End the current thread, made by threadCreate; threadJoin returns `result`. */
export function threadExit(result: usize): void {
  const thread = threadSelf()!;
  thread.result = result;
  extexit(EXTEXIT_LWP | EXTEXIT_SETINT, 1, changetype<usize>(thread) + offsetof<Thread>("gone"));
}

/** Wait until `thread` has ended and free it; what it returned. */
export function threadJoin(thread: Thread): usize {
  const gone = changetype<usize>(thread) + offsetof<Thread>("gone");
  while (load<i32>(gone) == 0) umtxSleep(gone, 0, 0);
  const result = thread.result;
  free(thread.stack);
  free(thread);
  return result;
}

/** The current thread; null in the first of the process. */
export function threadSelf(): Thread | null {
  let self: usize = 0;
  asm`mov eax, gs:[8]
      mov ${self}, eax`;
  return changetype<Thread | null>(self);
}
