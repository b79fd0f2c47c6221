// Times that cross the user boundary.

export class Timeval { sec: i32 = 0; usec: i32 = 0; }
export class Timespec { sec: i32 = 0; nsec: i32 = 0; }
export class Itimerval { intervalSec: i32 = 0; intervalUsec: i32 = 0; valueSec: i32 = 0; valueUsec: i32 = 0; }
export const ITIMER_REAL: i32 = 0;
export const CLOCK_REALTIME: i32 = 0;
export const CLOCK_MONOTONIC: i32 = 4;

/** struct rusage, 72 bytes. */
export class Rusage {
  utimeSec: i32 = 0; utimeUsec: i32 = 0;
  stimeSec: i32 = 0; stimeUsec: i32 = 0;
  maxrss: i32 = 0; ixrss: i32 = 0; idrss: i32 = 0; isrss: i32 = 0;
  minflt: i32 = 0; majflt: i32 = 0; nswap: i32 = 0; inblock: i32 = 0; oublock: i32 = 0;
  msgsnd: i32 = 0; msgrcv: i32 = 0; nsignals: i32 = 0; nvcsw: i32 = 0; nivcsw: i32 = 0;
}
export const RUSAGE_SELF: i32 = 0;
export const RUSAGE_CHILDREN: i32 = -1;

/** struct tls_info of set_tls_area. */
export class TlsInfo { base: u32 = 0; size: i32 = 0; }

/**
 * The time page, which /dev/time maps (PROT_READ, MAP_SHARED). While `sequence` is odd, or if it changes meanwhile, what was
 * read is of no use. CLOCK_MONOTONIC is ns + ((time stamp counter - cycles) * ratio >> 20) nanoseconds, or a little less than
 * what the tick after that says; when that is more than a tick beyond ns, the tick is late, and the clock waits for it.
 */
export class TimePage {
  sequence: u32 = 0;
  ratio: u32 = 0;             // nanoseconds a cycle, 20 bits of fraction; 0: not known yet
  nsLow: u32 = 0; nsHigh: u32 = 0;
  cyclesLow: u32 = 0; cyclesHigh: u32 = 0;
}
