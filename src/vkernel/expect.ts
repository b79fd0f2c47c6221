// What a process will touch at once in memory that is new to it: each such page would cost an exit to the virtual kernel, or at least a
// fault that the real kernel resolves. So the page is made now, and offered to the call that runs the process (pmapExpect).
//
// Only where a fault of the process at the same address would have done the same, and only while memory is plenty: the process sees
// no difference.

import { VM_MAX_USER_ADDRESS, VPTE_RW, VPTE_V } from '../abi/mman.ts';
import { Lwp } from '../kern/proc.ts';
import { pmapExtract } from '../kern/ptable.ts';
import { vmFault, VM_READ, VM_WRITE } from '../kern/vm_fault.ts';
import { Vmspace } from '../kern/vm_map.ts';
import { memoryPlenty } from '../kern/vm_page.ts';
import { pmapExpect } from './pmap.ts';

/** A thread begins, or a program: its stack, its first instruction and, of a program, the end of its data, where the heap's variables lie. */
export function expectStart(lwp: Lwp): void {
  const vm = lwp.vmspace;
  if (vm.pmap.space == forker) forker = 0;               // that was another process's
  expectPage(vm, lwp.frame.eip, VM_READ);
  expectPage(vm, lwp.frame.esp - 4, VM_WRITE);
  if (vm.dataEnd == vm.dataStart) expectPage(vm, vm.dataStart - 4, VM_WRITE);
}

const MOST: u32 = 8;
let forker: usize = 0;                 // the space that forked last
let copied!: FixedArray<u32, 8>;       // pages of it that had to be copied when they were written, the oldest at `oldest` once there are so many
let oldest: u32 = 0;

/** A space has faulted at `page`, in a store. */
export function noteStore(space: usize, page: u32): void {
  if (space != forker) return;
  copied[oldest] = page;
  oldest = (oldest + 1) % MOST;
}

/** A process has forked, or changed its mappings: what it has written after the last fork, it will write again. */
export function expectAgain(lwp: Lwp): void {
  const vm = lwp.vmspace;
  if (vm.pmap.space == forker) {
    for (let i: u32 = 0; i < MOST; i++) if (copied[i] != 0) expectPage(vm, copied[i]!, VM_WRITE);
    return;
  }
  forker = vm.pmap.space;
  memory.fill(addressof(copied), 0, MOST * 4);
}

/** The heap has grown from `end`. */
export function expectHeap(lwp: Lwp, end: u32): void {
  expectPage(lwp.vmspace, end, VM_WRITE);
}

function expectPage(vm: Vmspace, address: u32, access: i32): void {
  if (address >= VM_MAX_USER_ADDRESS || !memoryPlenty()) return;
  const wanted = access == VM_WRITE ? VPTE_RW : VPTE_V;
  if ((pmapExtract(vm.pmap, address) & wanted) != 0 || vmFault(vm, address, access) == 0) pmapExpect(vm.pmap, address, access);
}
