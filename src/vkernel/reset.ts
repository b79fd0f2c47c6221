// The end of the virtual kernel is the end of its process: exit with the code, or exec itself again.

import { strerror } from '../abi/errno.ts';
import { _exit, closefrom, errno } from '../libc/sys.ts';
import { consEnd } from './console.ts';
import { restart } from './boot.ts';
import { stopTicks } from './intr.ts';
import { refuse } from './options.ts';
import { pidFileRemove } from './pidfile.ts';

const PANICKED: i32 = 8;

/** Ends the process; a code that is no exit status (a panic) becomes PANICKED. */
export function cpuHalt(code: i32): void {
  consEnd();
  pidFileRemove();
  _exit(code < 256 ? code : PANICKED);
}

/** Starts the same virtual kernel again in the same process. */
export function cpuReboot(): void {
  consEnd();
  pidFileRemove();
  stopTicks();
  closefrom(3);
  restart();
  refuse("cannot execute itself again: " + strerror(errno()));
}
