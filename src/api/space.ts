// A VM space of Damselfly's own system as an embedding program sees it: who owns it, whose memory it is, and that memory through
// its page tables. Looking changes nothing: no accessed bit is set, no page is brought in.

/** How an address of a VM space is found: the mapping, each VPTE, and the end of it. */
export interface SpaceWalk {
  /** Root VPTE of the mapping; null when the mapping has no virtual page table. */
  readonly root: number | null;
  /** Each VPTE below the root: word `index` of page `page` of the image, and what it says; null where that page is not in memory. */
  readonly steps: readonly { readonly page: number; readonly index: number; readonly entry: number | null }[];
  /** Page of the mapped object, null when a VPTE is not valid. */
  readonly page: number | null;
  /** Physical address of the byte, null when its page is not in memory. */
  readonly physical: number | null;
}

/** A VM space at the moment at which it was asked for. Once the machine runs on, its methods throw: ask `space` again. */
export interface Space {
  /** The id under which its owner knows it. */
  readonly id: number;
  /** Process id of its owner, among the processes of the kernel that keeps it. */
  readonly owner: number;
  /** 0 when the host kernel keeps it, 1 when a virtual kernel on it does, and so on. */
  readonly level: number;
  /** The process of the virtual kernel whose memory it is; null when there is none. */
  readonly process: { readonly pid: number; readonly name: string } | null;
  /** Pages that its page tables map. */
  readonly pages: number;
  /** Physical address of a user address, or null when no page is in memory there. @throws Error when the machine has run since */
  translate(address: number): number | null;
  /** Bytes at a user address, or null when a page of them is not in memory. @throws Error when the machine has run since */
  read(address: number, bytes: number): Uint8Array | null;
  /** The walk of a user address, or null when nothing is mapped there. @throws Error when the machine has run since */
  walk(address: number): SpaceWalk | null;
}
