// Threads of a process: what lwp_create takes, and how extexit ends.

/** struct lwp_params, 20 bytes. */
export class LwpParams {
  func: usize = 0;           // begins here, with arg on its stack above a return address of 0
  arg: usize = 0;
  stack: usize = 0;          // its upper end
  tid1: usize = 0;           // where the new thread's id goes, twice; 0: nowhere
  tid2: usize = 0;
}

// extexit(how, status, addr): how = who | action.
export const EXTEXIT_PROC: u32 = 0;
export const EXTEXIT_LWP: u32 = 0x10000;
export const EXTEXIT_SIMPLE: u32 = 0;
export const EXTEXIT_SETINT: u32 = 1;      // store status at addr first
