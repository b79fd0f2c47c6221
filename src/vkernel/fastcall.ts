// SYSENTER as the real kernel offers it (src/host-kernel/fastcall.ts): it enters that kernel, not this one. A process of ours that
// executes it leaves its VM space with a system call, like one that executes int 0x80; so whether ours may is what the real kernel says.

import { CTL_HW, HW_SYSENTER } from '../abi/file.ts';
import { fastCallOn } from '../kern/tuning.ts';
import { Sys } from '../abi/syscalls.ts';
import { failed, syscall8, sysctl } from '../libc/sys.ts';

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

type HostCall = (a: usize, b: usize, c: usize, d: usize, e: usize, f: usize, nr: i32) => i32;

/** A system call by SYSENTER, which continues at offset 16: behind it. -1, and errno() says why, when it fails. */
function callFast(): void {
  naked();
  asm`mov eax, [esp+28]
      mov ecx, esp
      mov edx, ${callFast}
      lea edx, [edx+16]
      sysenter
      jb bad
      ret
 bad: jmp ${failed}`;
}

function hostCall(nr: i32, a: usize, b: usize, c: usize, d: usize, e: usize): i32 {
  if (!fastCalls) return syscall8(nr, a, b, c, d, e, 0, 0, 0);
  const call = changetype<HostCall>(codeof(callFast));
  return call(a, b, c, d, e, 0, nr);
}

// The calls that are made often, quickly. What they do is in libc/sys.ts.

export function hostMcontrol(id: usize, start: usize, bytes: usize, behaviour: i32, value: u32): i32 {
  return hostCall(Sys.vmspace_mcontrol, id, start, bytes, behaviour as usize, value);
}

export function hostSleep(at: usize, value: u32, timeout: u32): i32 {
  return hostCall(Sys.umtx_sleep, at, value, timeout, 0, 0);
}

export function hostWakeup(at: usize, count: u32): i32 {
  return hostCall(Sys.umtx_wakeup, at, count, 0, 0, 0);
}
