// The thread control block that %gs:0 points at, and its set-up. errno lives in it: the system call stubs reach it through
// %gs:12. Needs neither heap nor initialisers, so it may be the first thing a program does.

import { TlsInfo } from '../abi/time.ts';
import { setTlsArea } from './sys.ts';

export class Tcb {
  self: usize = 0;
  dtv: usize = 0;
  thread: usize = 0;         // record of the thread; 0 for the first of a process
  errnoAt: usize = 0;
  errno: i32 = 0;
  own: usize = 0;            // the program's
  spare1: usize = 0;
  spare2: usize = 0;
}

let tcb!: Embed<Tcb>;
let tls!: Embed<TlsInfo>;

/** Points TLS slot 0 and %gs at the block of the first thread. */
export function setUpTls(): void {
  useTcb(tcb, tls, 0);
}

/** A word of the current thread that the program may use. */
export function ownWord(): usize {
  let value: usize = 0;
  asm`mov eax, gs:[20]
      mov ${value}, eax`;
  return value;
}

export function setOwnWord(value: usize): void {
  asm`mov eax, ${value}
      mov gs:[20], eax`;
}

/** Points TLS slot 0 and %gs of the current thread at `block`. */
export function useTcb(block: Tcb, info: TlsInfo, thread: usize): void {
  const record = changetype<usize>(block);
  block.self = record;
  block.thread = thread;
  block.errnoAt = record + offsetof<Tcb>("errno");
  info.base = record;
  info.size = sizeof<Tcb>() as i32;
  const selector = setTlsArea(0, changetype<usize>(info), 8);
  asm`mov eax, ${selector}
      mov gs, ax`;
}
