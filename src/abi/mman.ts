// Memory mapping: protections, mmap flags, madvise behaviours, and the software page table entry (VPTE), whose bits
// are those of an i386 page table entry.

export const PROT_READ: i32 = 1;
export const PROT_WRITE: i32 = 2;
export const PROT_EXEC: i32 = 4;

export const MAP_FILE: i32 = 0;
export const MAP_SHARED: i32 = 1;
export const MAP_PRIVATE: i32 = 2;
export const MAP_FIXED: i32 = 0x10;
export const MAP_STACK: i32 = 0x400;
export const MAP_NOSYNC: i32 = 0x800;
export const MAP_ANON: i32 = 0x1000;
export const MAP_VPAGETABLE: i32 = 0x2000;

export const MADV_NORMAL: i32 = 0;
export const MADV_WILLNEED: i32 = 3;
export const MADV_DONTNEED: i32 = 4;
export const MADV_FREE: i32 = 5;
export const MADV_NOSYNC: i32 = 6;
export const MADV_AUTOSYNC: i32 = 7;
export const MADV_NOCORE: i32 = 8;
export const MADV_CORE: i32 = 9;
export const MADV_INVAL: i32 = 10;
export const MADV_SETMAP: i32 = 11;
/**
 * mcontrol and vmspace_mcontrol: INVAL for several ranges at once. The address is that of a vector of { start, length } in the
 * caller's memory, the length the number of its elements, at most INVALV_MOST. A start with INVALV_READ in it: only write permission has been
 * taken there, loads may go on. Ranges of no bytes at the end of the vector are offers: the page at such a start, with PROT_READ or PROT_WRITE in it, is
 * entered as by a fault there, if there is such a page. Our own; DragonFly needed a call for each range.
 */
export const MADV_INVALV: i32 = 0x100;
export const INVALV_MOST: u32 = 16;
export const INVALV_READ: u32 = 1;

export const VPTE_V: u32 = 0x001;
export const VPTE_RW: u32 = 0x002;
export const VPTE_U: u32 = 0x004;
export const VPTE_A: u32 = 0x020;
export const VPTE_M: u32 = 0x040;
export const VPTE_PS: u32 = 0x080;
export const VPTE_G: u32 = 0x100;
export const VPTE_WIRED: u32 = 0x200;
export const VPTE_MANAGED: u32 = 0x400;
export const VPTE_FRAME: u32 = 0xfffff000;

export const PAGE_SIZE: u32 = 4096;
/** First address above user space, in every address space. */
export const VM_MAX_USER_ADDRESS: u32 = 0xbfc00000;
