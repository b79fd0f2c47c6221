// The log items about our own system, for `-d`: system calls in the manner of strace, faults, switches into and out of VM
// spaces, what is done to VM spaces, VPTE walks, signals to virtual kernels. One line an event, which begins with the
// instruction count at which the event was over.

import { VPTE_V } from '../../abi/mman.ts';
import type { KernelView, VpteWalk } from '../guest.ts';
import { hex } from '../text.ts';
import { faultText, ownerText } from './activity.ts';
import type { Sink, Stay } from './activity.ts';
import type { Moment } from './observer.ts';
import type { Owner } from './stacks.ts';

/** Every item with what it prints. */
export const EVENT_ITEMS: Readonly<Record<string, string>> = {
  syscall: 'system calls of our own system with arguments and results',
  fault: 'faults of its programs, and who resolved them',
  switch: 'entering and leaving VM spaces, and why',
  vmspace: 'VM spaces made, changed and destroyed',
  vpte: 'the VPTE walk of each page fault in a VM space',
  upcall: 'signals to virtual kernels',
  calls: 'every function that both kernels call, by depth: long, and the best way to read them',
};

const PAGE_FAULT = 14;

export class EventLog implements Sink {
  constructor(private readonly items: ReadonlySet<string>, private readonly host: KernelView, private readonly line: (text: string) => void) {}

  private put({ instructions }: Moment, item: string, text: string): void {
    this.line(`${String(instructions).padStart(10)} ${item.padEnd(7)} ${text}`);
  }

  entered(owner: Owner, what: string, place: string, at: Moment): void {
    if (this.items.has('calls')) this.put(at, 'calls', `${ownerText(owner)} leaves user mode${place ? ` at ${place}` : ''}: ${what}`);
  }

  returned(owner: Owner, at: Moment, virtual: boolean): void {
    if (this.items.has('calls')) this.put(at, 'calls', `${ownerText(owner)} is back in user mode${virtual ? ', at work as a kernel' : ''}`);
  }

  called(kernel: Owner, name: string, frames: number, instructions: number): void {
    if (!this.items.has('calls')) return;
    this.line(`${String(instructions).padStart(10)} calls   ${kernel.depth ? 'vkernel' : 'host   '} ${'| '.repeat(Math.max(0, frames - 1))}${name}`);
  }

  stayed(stay: Stay, result: string | null, to: Moment): void {
    const { owner, call } = stay;
    if (call) {
      const text = `${ownerText(owner)}: ${call.name}${call.text} = ${result ?? '?'}`;
      if (this.items.has('syscall')) this.put(to, 'syscall', text);
      if (this.items.has('vmspace') && /^vmspace_|^mcontrol$/.test(call.name) && call.name !== 'vmspace_ctl') this.put(to, 'vmspace', text);
      return;
    }
    if (this.items.has('fault')) {
      const by = result === null ? 'never came back' : `${to.instructions - stay.from.instructions} instructions, ${stay.upcall ? 'the virtual kernel' : 'the host kernel'}`;
      this.put(to, 'fault', `${ownerText(owner)}: ${faultText(stay.why)}, at ${stay.place || hex(stay.why.eip)}: ${by}`);
    }
    if (this.items.has('vpte') && stay.why.vector === PAGE_FAULT && owner.space !== null) this.walk(owner, stay.why.address, to);
  }

  /** What the tree of VPTEs shows after the fault. */
  private walk(owner: Owner, address: number, at: Moment): void {
    const lwp = this.host.curLwp();
    const ve = lwp ? this.host.field(lwp, 'Lwp.ve') : 0;
    if (!ve || this.host.space(ve).id !== owner.space) return;
    const walk = this.host.walk(this.host.space(ve).vmspace, address);
    if (walk) this.put(at, 'vpte', `${ownerText(owner)}: ${walkText(walk, address)}`);
  }

  crossed(way: 'in' | 'out', space: Owner, owner: Owner, at: Moment, why: string): void {
    if (!this.items.has('switch')) return;
    this.put(at, 'switch', way === 'in' ? `${ownerText(owner)} -> ${ownerText(space)}` : `${ownerText(space)} -> ${ownerText(owner)}: ${why}`);
  }

  signalled(owner: Owner, signal: string, at: Moment, virtual: boolean): void {
    if (virtual && this.items.has('upcall')) this.put(at, 'upcall', `${ownerText(owner)}: ${signal}`);
  }
}

/** `0804c123: root 000d0003, 000d5067, 000cf025: page 0xcf`. */
function walkText({ entry, steps, page }: VpteWalk, address: number): string {
  const words = [...(entry.root === null ? [] : [`root ${hex(entry.root)}`]), ...steps.map((step) => (step.entry === null ? 'paged out' : hex(step.entry)))];
  const last = steps.at(-1)?.entry ?? entry.root ?? 0;
  return `${hex(address)}: ${words.join(', ')}: ${page !== null ? `page 0x${page.toString(16)}` : last & VPTE_V ? 'not in memory' : 'not valid'}`;
}
