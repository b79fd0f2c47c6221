// What a platform has and the box has not: processes, page tables, interrupts. Reaching any of it is a failed test.

import { panic } from '../../../src/kern/panic.ts';

export function missing(what: string): void {
  panic("the box has no " + what);
}
