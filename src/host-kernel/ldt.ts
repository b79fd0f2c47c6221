// The LDT register follows the address space: that of a space with a table of its own, else the kernel's.

import { LDT_SLOTS } from "../abi/frames.ts";
import { curLwp } from "../kern/proc.ts";
import type { Vmspace } from "../kern/vm_map.ts";
import { copyDefaultLdt, loadLdt } from "./segments.ts";

let active: usize = 0;            // the table in effect; 0: the kernel's

/** The space is entered: its table comes into effect. */
export function ldtActivate(vm: Vmspace): void {
  if (vm.ldt != active) use(vm.ldt);
}

function use(table: usize): void {
  active = table;
  loadLdt(table, LDT_SLOTS);
}

/** The table of a space has come, changed or gone; the old one, if it is another, may be freed after this. */
export function ldtChanged(vm: Vmspace): void {
  const inUse = curLwp.vmspace;
  use(changetype<usize>(inUse) != 0 ? inUse.ldt : 0);
}

/** The kernel's slots of a new table. */
export function ldtCopyDefaults(table: usize): void {
  copyDefaultLdt(table);
}
