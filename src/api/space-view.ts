// `Space` over what src/debug knows of the kernels.

import type { Memory } from '../debug/guest.ts';
import type { OwnedSpace } from '../debug/spaces.ts';
import type { Space, SpaceWalk } from './space.ts';

export class SpaceView implements Space {
  readonly id: number;
  readonly owner: number;
  readonly level: number;
  readonly process: Space['process'];
  readonly pages: number;
  readonly #found: OwnedSpace;
  readonly #moment: number;
  readonly #now: () => number;

  /** @param now instructions since power-on */
  constructor(found: OwnedSpace, now: () => number) {
    const { kernel, owner, space } = found;
    const user = kernel.virtualKernel(owner)?.processOfSpace(space.id);
    this.id = space.id;
    this.owner = owner.pid;
    this.level = kernel.depth;
    this.process = user ? { pid: user.pid, name: user.name } : null;
    this.pages = kernel.residentPages(space.vmspace);
    this.#found = found;
    this.#now = now;
    this.#moment = now();
  }

  translate(address: number): number | null {
    const pa = this.#memory().translate(address >>> 0);
    return pa < 0 ? null : pa;
  }

  read(address: number, bytes: number): Uint8Array | null {
    const memory = this.#memory();
    const found = new Uint8Array(bytes);
    for (let i = 0; i < bytes; i++) {
      const at = (address + i) >>> 0;
      if (memory.translate(at) < 0) return null;
      found[i] = memory.byte(at);
    }
    return found;
  }

  walk(address: number): SpaceWalk | null {
    this.#check();
    const { kernel, space } = this.#found;
    const walk = kernel.walk(space.vmspace, address >>> 0);
    return walk && { root: walk.entry.root, steps: walk.steps, page: walk.page, physical: walk.pa };
  }

  #memory(): Memory {
    this.#check();
    return this.#found.kernel.userMemory(this.#found.space.vmspace);
  }

  #check(): void {
    if (this.#now() !== this.#moment) throw new Error(`VM space ${this.id}: the machine has run on; ask for the space again`);
  }
}
