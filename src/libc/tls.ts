// The thread control block that %gs:0 points at, and its set-up. errno lives in it: the system call stubs reach it through
// %gs:12. Needs neither heap nor initialisers, so it may be the first thing a program does.

import { TlsInfo } from '../abi/time.ts';
import { setTlsArea } from './sys.ts';

class Tcb {
  self: usize = 0;
  dtv: usize = 0;
  thread: usize = 0;
  errnoAt: usize = 0;
  errno: i32 = 0;
  spare0: usize = 0;
  spare1: usize = 0;
  spare2: usize = 0;
}

let tcb!: Embed<Tcb>;
let tls!: Embed<TlsInfo>;

/** Points TLS slot 0 and %gs at the block of the only thread. */
export function setUpTls(): void {
  const record = changetype<usize>(tcb);
  tcb.self = record;
  tcb.errnoAt = record + offsetof<Tcb>("errno");
  tls.base = record;
  tls.size = sizeof<Tcb>() as i32;
  const selector = setTlsArea(0, changetype<usize>(tls), 8);
  asm`mov eax, ${selector}
      mov gs, ax`;
}
