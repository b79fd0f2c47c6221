// umtx_sleep and umtx_wakeup: sleeping until a word of user memory changes. Sleepers and wakers meet at the physical address
// of the word, so it may be mapped at several addresses, in several processes and through VPTEs.
//
// What keeps the physical address while somebody sleeps: a page of a file is held, with its object; anonymous pages are never
// moved, except that a write after a fork copies one, so fork wakes its process's sleepers, who then sleep on the copy.
// Waking for no reason is allowed.

import { EBUSY, EFAULT, EINTR, EINVAL, ERESTART } from "../abi/errno.ts";
import { VM_MAX_USER_ADDRESS } from "../abi/mman.ts";
import { splhigh, splx } from "machine/intr.ts";
import { ptov, vtop } from "machine/pmap.ts";
import { TICK_NS } from "./callout.ts";
import { Lwp, LS_SLEEP, Proc } from "./proc.ts";
import { pmapExtract } from "./ptable.ts";
import { PCATCH, PUMTX, tsleep, unsleep, wakeSome } from "./sched.ts";
import { cursig, signalPending } from "./signal.ts";
import { VM_READ, VM_WRITE, vmFaultPage } from "./vm_fault.ts";
import { OBJ_VNODE, vmObjectRef, vmObjectRelease } from "./vm_object.ts";
import { paToPage, vmPageHold, vmPageRelease } from "./vm_page.ts";

const PTE_FRAME: u32 = 0xfffff000;
const PTE_WRITABLE: u32 = 2;
const TICK_USEC: i32 = TICK_NS / 1000;

/** Kernel address of the user word at ua; 0 if it can't be accessed so. May sleep. */
function wordAt(lwp: Lwp, ua: usize, access: i32): usize {
  if ((ua & 3) != 0 || ua >= VM_MAX_USER_ADDRESS) return 0;
  const entry = pmapExtract(lwp.vmspace.pmap, ua & PTE_FRAME);
  if (entry != 0 && (access == VM_READ || (entry & PTE_WRITABLE) != 0)) return ptov((entry & PTE_FRAME) | (ua & 4095));
  const page = vmFaultPage(lwp.vmspace, ua, access);
  return page == null ? 0 : ptov(page.pa | (ua & 4095));
}

/**
 * umtx_sleep(ptr, value, timeout): sleep while *ptr == value, for `timeout` microseconds (rounded up to ticks) when not 0.
 * 0 when woken, EBUSY at once when the word differs, EWOULDBLOCK after the time, EINTR on any signal.
 */
export function sysUmtxSleep(lwp: Lwp, a: Ptr<u32>): i32 {
  const timeout = a[2] as i32;
  if (timeout < 0) return EINVAL;
  for (;;) {
    if (signalPending(lwp) && cursig(lwp) != 0) return EINTR;   // stops happen here, before the word is looked at
    const word = wordAt(lwp, a[0], VM_READ | VM_WRITE);
    if (word == 0) return EFAULT;
    const s = splhigh();
    if (!signalPending(lwp)) {
      const error = load<u32>(word) == a[1] ? sleepOn(word, timeout) : EBUSY;
      splx(s);
      return error == ERESTART ? EINTR : error;
    }
    splx(s);
  }
}

/** At splhigh, which is what makes comparing and going to sleep one step. */
function sleepOn(word: usize, timeout: i32): i32 {
  const ticks = timeout == 0 ? 0 : (timeout - 1) / TICK_USEC + 2;
  const page = paToPage(vtop(word));
  const object = page.object;
  const file = object != null && object.kind == OBJ_VNODE;
  if (file) {
    vmObjectRef(object!);
    vmPageHold(page);
  }
  const error = tsleep(word, PCATCH | PUMTX, "umtx", ticks);
  if (file) {
    vmPageRelease(page);
    vmObjectRelease(object!);
  }
  return error;
}

/** umtx_wakeup(ptr, count): wake one sleeper when count is 1, else all. */
export function sysUmtxWakeup(lwp: Lwp, a: Ptr<u32>): i32 {
  return umtxWake(lwp, a[0], a[1] == 1 ? 1 : 0) ? 0 : EFAULT;
}

/** Wake `count` sleepers on the user word at ua, all when 0. False: there is no such word. */
export function umtxWake(lwp: Lwp, ua: usize, count: i32): bool {
  const word = wordAt(lwp, ua, VM_READ);
  if (word != 0) wakeSome(word, count);
  return word != 0;
}

/** Fork is about to make p's memory copy-on-write: who sleeps on a word of it must look again. */
export function umtxFork(p: Proc): void {
  const s = splhigh();
  for (let lwp = p.lwps; lwp != null; lwp = lwp.sibling) {
    if (lwp.state == LS_SLEEP && (lwp.sleepFlags & PUMTX) != 0) unsleep(lwp);
  }
  splx(s);
}
