// Who runs: from the kernels' records to the stack of the thread that the processor executes. Asked at every change between
// user and kernel mode, when the records are at rest.

import { TRAPFRAME_SIZE } from '../../abi/frames.ts';
import type { KernelView } from '../guest.ts';
import { namedFunction } from './code.ts';
import type { Code } from './code.ts';
import type { Trip, Where } from './ledger.ts';
import { Stack } from './stacks.ts';
import type { Owner, Path } from './stacks.ts';

type Thread = Stack<Trip>;

/** The threads of one kernel: their stacks in the kernel, and those of the programs that run on it. */
class Threads {
  readonly kernel = new Map<number, Thread>();
  readonly programs = new Map<number, { thread: Thread; vmspace: number }>();
  /** Threads of a virtual kernel's process that are none of its threads. */
  readonly helpers = new Map<number, Thread>();
  /** What the kernel stacks were named after. */
  readonly named = new Map<number, number>();

  constructor(readonly view: KernelView, readonly code: Code | null) {}
}

/** Codes by name: `host kernel`, `vkernel`, and every program. */
export type Codes = ReadonlyMap<string, Code>;

export class Watch {
  private readonly all = new Map<KernelView, Threads>();
  private readonly host: Threads;
  private place: Where = 0;
  /** The host's thread that last went to user mode, and what it is to others: a virtual kernel is a process. */
  hostLwp = 0;
  private userAs: { threads: Threads; lwp: number; space: number | null } | null = null;
  private readonly processes = new Map<Threads, Map<number, Owner>>();

  constructor(host: KernelView, private readonly codes: Codes, private readonly root: Path) {
    this.host = this.threadsOf(host);
  }

  private threadsOf(view: KernelView): Threads {
    let found = this.all.get(view);
    if (!found) this.all.set(view, (found = new Threads(view, this.codes.get(view.depth ? 'vkernel' : 'host kernel') ?? null)));
    return found;
  }

  private rootOf(space: string, name: string): Path {
    return this.root.into(namedFunction(space)).into(namedFunction(name));
  }

  /** The thread that starts the host kernel. */
  bootThread(): Thread {
    const owner: Owner = { depth: 0, kernel: '', kind: 'kernel', name: 'boot', pid: 0, tid: 0, space: null };
    const thread: Thread = new Stack<Trip>(owner, this.rootOf('host kernel', 'boot'), this.host.code, this.host.view.memory);
    thread.high = 0xffffffff;
    return thread;
  }

  /** Is the program that was left last, or its kernel, in a VM space or the owner of some? */
  where(): Where {
    return this.place;
  }

  /** The host kernel's thread that takes a trap of `from`. */
  hostThread(from: Thread): Thread {
    const thread = this.kernelStack(this.host, this.host.view.curLwp());
    thread.root = this.rootOf('host kernel', from.owner.name);
    return thread;
  }

  /** Kernel code of `from`'s kernel goes on with the stack pointer `esp`. */
  kernelThread(from: Thread, esp: number): Thread {
    const threads = [...this.all.values()].find((candidate) => candidate.view.memory === from.memory) ?? this.host;
    return this.knownStack(threads, esp) ?? this.anyStack(threads, esp) ?? from;
  }

  private knownStack(threads: Threads, esp: number): Thread | null {
    for (const thread of threads.kernel.values()) if (thread.holds(esp)) return thread;
    return null;
  }

  private anyStack(threads: Threads, esp: number): Thread | null {
    for (const proc of threads.view.processes()) {
      for (const { at } of proc.lwps) {
        const thread = this.kernelStack(threads, at);
        if (thread.holds(esp)) return thread;
      }
    }
    return null;
  }

  /** The stack of a thread in its kernel. Its record may have been given to another thread. */
  private kernelStack(threads: Threads, lwp: number): Thread {
    const { view } = threads;
    const known = threads.kernel.get(lwp);
    const low = view.field(lwp, 'Lwp.kstack');
    const proc = view.field(lwp, 'Lwp.proc');
    const title = view.nameHash(proc);
    const pid = view.field(proc, 'Proc.pid');
    if (known && known.low === low && known.owner.pid === pid && threads.named.get(lwp) === title) return known;
    threads.named.set(lwp, title);
    const { name, tid } = { name: view.proc(proc).name, tid: view.lwp(lwp).tid };
    const owner: Owner = { depth: view.depth, kernel: view.chain, kind: 'kernel', name, pid, tid, space: null };
    const root = this.rootOf(this.kernelName(view), name);
    if (known && known.low === low && known.owner.pid === pid) {
      known.owner = owner;
      known.moveTo(root);
      return known;
    }
    const thread: Thread = new Stack<Trip>(owner, root, threads.code, view.memory);
    thread.low = low;
    thread.high = view.field(lwp, 'Lwp.ownFrame') + TRAPFRAME_SIZE;
    threads.kernel.set(lwp, thread);
    return thread;
  }

  /** The thread that the host kernel returns to in user mode. */
  userThread(esp: number): Thread {
    let threads = this.host;
    let lwp = threads.view.curLwp();
    let space: number | null = null;
    this.hostLwp = lwp;
    this.userAs = null;
    for (;;) {
      const { view } = threads;
      const proc = view.field(lwp, 'Lwp.proc');
      const ve = view.field(lwp, 'Lwp.ve');
      const inner = view.virtualKernelOf(proc);
      this.place = space !== null || ve !== 0 || inner !== null ? 1 : 0;
      if (!inner) return this.program(threads, lwp, proc, ve ? view.space(ve).id : space);
      if (!ve) {
        this.userAs = { threads, lwp, space };
        return this.virtualThread(inner, esp, lwp);
      }
      space = view.space(ve).id;
      const user = inner.lwpOfSpace(space);
      if (!user) return this.program(threads, lwp, proc, space);
      threads = this.threadsOf(inner);
      lwp = user;
    }
  }

  /** Whose thread `userThread` has found, seen from outside: for a virtual kernel the process that it is. */
  ownerOf(thread: Thread): Owner {
    if (!this.userAs) return thread.owner;
    const { threads, lwp, space } = this.userAs;
    const known = this.processes.get(threads) ?? new Map<number, Owner>();
    this.processes.set(threads, known);
    const { view } = threads;
    const pid = view.field(view.field(lwp, 'Lwp.proc'), 'Proc.pid');
    let owner = known.get(lwp);
    if (!owner || owner.pid !== pid || owner.space !== space) {
      owner = { depth: view.depth, kernel: view.chain, kind: 'program', name: 'vkernel', pid, tid: view.lwp(lwp).tid, space };
      known.set(lwp, owner);
    }
    return owner;
  }

  /**
   * The thread of a virtual kernel whose stack it is on: the current one, but for the moment in which it changes threads; or a helper of the
   * kernel, a thread of its process (`lwp` of the host) with a stack of its own.
   */
  private virtualThread(view: KernelView, esp: number, lwp: number): Thread {
    const threads = this.threadsOf(view);
    const current = this.kernelStack(threads, view.curLwp());
    if (current.holds(esp)) return current;
    const known = this.knownStack(threads, esp) ?? threads.helpers.get(lwp) ?? this.anyStack(threads, esp);
    if (known) return known;
    const owner: Owner = { depth: view.depth, kernel: view.chain, kind: 'kernel', name: 'helper', pid: 0, tid: 0, space: null };
    const helper: Thread = new Stack<Trip>(owner, this.rootOf(this.kernelName(view), 'helper'), threads.code, view.memory);
    helper.high = 0xffffffff;
    threads.helpers.set(lwp, helper);
    return helper;
  }

  private kernelName({ depth }: KernelView): string {
    return depth === 0 ? 'host kernel' : depth === 1 ? 'vkernel' : `vkernel ${depth}`;
  }

  /** The user stack of a program's thread, fresh after exec. */
  private program(threads: Threads, lwp: number, proc: number, space: number | null): Thread {
    const { view } = threads;
    const vmspace = view.field(proc, 'Proc.vmspace');
    const known = threads.programs.get(lwp);
    const pid = view.field(proc, 'Proc.pid');
    if (known && known.vmspace === vmspace && known.thread.owner.pid === pid && known.thread.owner.space === space) return known.thread;
    const { name } = view.proc(proc);
    const owner: Owner = { depth: view.depth, kernel: view.chain, kind: 'program', name, pid, tid: view.lwp(lwp).tid, space };
    const root = this.rootOf(view.depth || space !== null ? 'vmspace' : 'host', name);
    const thread: Thread = new Stack<Trip>(owner, root, this.codes.get(name) ?? null, view.userMemory(vmspace));
    threads.programs.set(lwp, { thread, vmspace });
    return thread;
  }
}
