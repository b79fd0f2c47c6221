// SYSENTER as the real kernel offers it (src/host-kernel/fastcall.ts): it enters that kernel, not this one. A process of ours that
// executes it leaves its VM space with a system call, like one that executes int 0x80; so whether ours may is what the real kernel says.

import { CTL_HW, HW_SYSENTER } from '../abi/file.ts';
import { fastCallOn } from '../kern/tuning.ts';
import { sysctl } from '../libc/sys.ts';

/** This kernel and its processes may use SYSENTER. */
export let fastCalls: bool = false;

let query!: FixedArray<u32, 4>;     // name, value, length

/** Ask the real kernel. */
export function fastCallInit(): void {
  const at = addressof(query);
  query[0] = CTL_HW as u32;
  query[1] = HW_SYSENTER as u32;
  query[3] = 4;
  fastCalls = fastCallOn && sysctl(at, 2, at + 8, at + 12, 0, 0) == 0 && query[2] == 1;
}
