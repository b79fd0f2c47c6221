// Local descriptor tables that programs fill themselves: sysarch(I386_SET_LDT) for one's own, vmspace_ctl(SETLDT) for that of a VM
// space, which a switch to the space puts into effect (DragonFly left its virtual kernels' processes without one).
//
// Guarantees. A table has 512 slots; the first 17 are the kernel's, the user's code and data segments among them. What a program
// puts into the others is a code or data segment of DPL 3, or not present: no gate, no system segment. Paging alone decides what such
// a segment reaches. An address space without a table of its own uses the kernel's. Fork copies a table, exec drops it.

import { EFAULT, EINVAL, ENOMEM } from "../abi/errno.ts";
import { I386_GET_LDT, I386_SET_LDT, LdtArguments, LDT_FIRST, LDT_SLOTS } from "../abi/frames.ts";
import { copyin, copyout } from "machine/copyio.ts";
import { ldtChanged, ldtCopyDefaults } from "machine/ldt.ts";
import { malloc, mfree } from "rt/rt.ts";
import type { Lwp } from "./proc.ts";
import type { Vmspace } from "./vm_map.ts";
import { vmKernelRoom } from "./vm_page.ts";

const SLOT: u32 = 8;

/** sysarch(op, args): I386_GET_LDT answers the number of descriptors copied, I386_SET_LDT the first slot. */
export function sysSysarch(lwp: Lwp, a: Ptr<u32>): i32 {
  const args = changetype<LdtArguments>(lwp.scratch);
  if (a[0] != (I386_GET_LDT as u32) && a[0] != (I386_SET_LDT as u32)) return EINVAL;
  if (copyin(a[1]!, changetype<usize>(args), sizeof<LdtArguments>()) != 0) return EFAULT;
  const vm = lwp.proc.vmspace;
  if (a[0] == (I386_GET_LDT as u32)) return getLdt(lwp, vm, args);
  lwp.retval0 = args.start;
  return setLdt(vm, args);
}

/** vmspace_ctl(id, SETLDT, args, 0): as I386_SET_LDT, for a VM space. No descriptors at all: without a table again. */
export function kernSetLdt(lwp: Lwp, vm: Vmspace, from: usize): i32 {
  const args = changetype<LdtArguments>(lwp.scratch);
  const error = copyin(from, changetype<usize>(args), sizeof<LdtArguments>());
  return error != 0 ? error : setLdt(vm, args);
}

function getLdt(lwp: Lwp, vm: Vmspace, args: LdtArguments): i32 {
  if (args.start >= LDT_SLOTS || vm.ldt == 0) return 0;
  const n = args.count < LDT_SLOTS - args.start ? args.count : LDT_SLOTS - args.start;
  lwp.retval0 = n;
  return copyout(vm.ldt + args.start * SLOT, args.descriptors, n * SLOT);
}

function setLdt(vm: Vmspace, args: LdtArguments): i32 {
  const start = args.start;
  const count = args.count;
  if (count == 0) {
    ldtDrop(vm);
    return 0;
  }
  if (start < LDT_FIRST || start > LDT_SLOTS || count > LDT_SLOTS - start) return EINVAL;
  if (!vmKernelRoom(0)) return ENOMEM;
  const fresh = malloc(count * SLOT);
  let error = copyin(args.descriptors, fresh, count * SLOT);
  for (let i: u32 = 0; error == 0 && i < count; i++) if (!mayStand(load<u32>(fresh + i * SLOT, 4))) error = EINVAL;
  if (error == 0) {
    if (vm.ldt == 0) makeTable(vm);
    memory.copy(vm.ldt + start * SLOT, fresh, count * SLOT);
    ldtChanged(vm);
  }
  mfree(fresh);
  return error;
}

// High word of a descriptor: bits 8-11 type, 12 set for code and data, 13-14 DPL, 15 present, 21 reserved.
function mayStand(high: u32): bool {
  return (high & 0x8000) == 0 || (high & 0x20f000) == 0xf000;
}

function makeTable(vm: Vmspace): void {
  vm.ldt = malloc(LDT_SLOTS * SLOT);
  memory.fill(vm.ldt, 0, LDT_SLOTS * SLOT);
  ldtCopyDefaults(vm.ldt);
}

/** The child's address space has the parent's table. */
export function ldtFork(from: Vmspace, to: Vmspace): void {
  if (from.ldt == 0) return;
  to.ldt = malloc(LDT_SLOTS * SLOT);
  memory.copy(to.ldt, from.ldt, LDT_SLOTS * SLOT);
  ldtChanged(to);
}

/** The address space has no table of its own any more. */
export function ldtDrop(vm: Vmspace): void {
  const table = vm.ldt;
  if (table == 0) return;
  vm.ldt = 0;
  ldtChanged(vm);
  mfree(table);
}
