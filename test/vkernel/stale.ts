// Does a thread in a VM space ever reach through what its virtual kernel has taken back? This observer stands outside the guest. It hears of
// every page walk of user code (a hook of the CPU; there is no access without one), reads the VPTE of the address as the virtual kernel has it at
// that moment, and compares: it must be valid, writable for a store, and always lead to the same page of RAM as before.
//
// While a virtual CPU is in the kernel and another in a process, a VPTE may just have been changed and not been announced: such walks do not
// count. When nobody is in the kernel, everything has been announced to whoever runs (vkernel/pmap.ts).

import { HOST_KERNEL, nestedRootOf, compiled, VIRTUAL_KERNEL } from '../kern/roots.ts';
import { MemoryDisk } from '../../src/devices/memory-disk.ts';
import { hostView } from '../../src/debug/guest.ts';
import type { KernelView } from '../../src/debug/guest.ts';
import { systemFiles } from '../../src/debug/own-system.ts';
import { compileProgram } from '../../src/image/compile.ts';
import type { Compiled } from '../../src/image/compile.ts';
import type { SourceTree } from '../../src/image/inputs.ts';
import { Machine } from '../../src/pc/machine.ts';

const V = 1;
const RW = 2;

export interface Watched {
  /** The console, carriage returns removed. */
  readonly text: string;
  /** Walks that were compared, and those that could not be. */
  readonly compared: number;
  readonly uncertain: number;
  /** The first that should not have succeeded. */
  readonly stale: string | null;
}

class Observer {
  compared = 0;
  uncertain = 0;
  stale: string | null = null;
  private readonly host: KernelView;
  private readonly lockAt: number;
  private readonly pages = new Map<number, number>();     // of the image, in RAM

  constructor(machine: Machine, virtual: Compiled, hostLayout: string) {
    const files = systemFiles({ hostKernel: compiled(HOST_KERNEL), virtualKernel: virtual.bytes, layouts: { host: hostLayout, virtual: virtual.layout } });
    this.host = hostView(machine.cpu, files);
    this.lockAt = files.virtual.symbols.address('lock')!;
    machine.cpu.setHooks({ walk: (la, page, write, user) => (user && this.stale === null ? this.walked(la, page, write) : undefined) });
  }

  private walked(la: number, page: number, write: boolean): void {
    const { host } = this;
    const lwp = host.curLwp();
    const ve = lwp === 0 ? 0 : host.field(lwp, 'Lwp.ve');
    if (ve === 0) return;
    const kernel = host.virtualKernelOf(host.field(lwp, 'Lwp.proc'));
    if (kernel === null) return;
    if (kernel.memory.word(this.lockAt) !== 0) this.uncertain++;
    else this.compare(kernel, host.field(ve, 'VmspaceEntry.id'), la, page, write);
  }

  private compare(kernel: KernelView, id: number, la: number, page: number, write: boolean): void {
    const owner = kernel.processOfSpace(id);
    if (owner === null) return this.report(`space ${id} runs, but is no process's`);
    const vpte = kernel.pageTableEntry(owner.vmspace, la);
    const frame = vpte >>> 12;
    this.compared++;
    if ((vpte & V) === 0 || (write && (vpte & RW) === 0)) return this.report(`space ${id}: ${write ? 'a store to' : 'a load of'} ${la.toString(16)} succeeds, and its VPTE is ${vpte.toString(16)}`);
    const known = this.pages.get(frame) ?? page;
    this.pages.set(frame, page);
    if (known !== page) this.report(`space ${id}: ${la.toString(16)} is page ${frame} of the image, at ${known.toString(16)}, and reaches ${page.toString(16)}`);
  }

  private report(what: string): void {
    this.stale = what;
  }
}

let hostLayout: string | undefined;

/** A run of the program in the virtual kernel that `tree` has, under observation, until it ends or something is wrong. */
export function watch(tree: SourceTree, program: string, commandLine: string, budget = 1_000_000_000): Watched {
  hostLayout ??= compileProgram(tree, HOST_KERNEL, true).layout;
  const virtual = compileProgram(tree, VIRTUAL_KERNEL, true);
  let text = '';
  const machine = new Machine({ memory: 128 << 20, disks: [new MemoryDisk(nestedRootOf(program, virtual.bytes))], serial: (byte) => (text += String.fromCharCode(byte)) });
  machine.loadKernel(compiled(HOST_KERNEL), 'kernel', `kernel ${commandLine}exec=none`);
  const observer = new Observer(machine, virtual, hostLayout);
  while (observer.stale === null && machine.cpu.instructions < budget) if (machine.run(machine.cpu.instructions + 1_000_000, true).kind !== 'limit') break;
  const { compared, uncertain, stale } = observer;
  return { text: text.replaceAll('\r', ''), compared, uncertain, stale };
}
