// The software TLB. Four tables of one word per linear page: supervisor read, supervisor write, user read, user write.
// A word is (host address - linear address - 1), so its low twelve bits are all ones; 0 = no entry. A page has a write
// entry only when its dirty bit is set, writing needs no check and no micro-ops were made from it. Device memory never
// has an entry. Every filled slot is on a list, so a flush costs what was filled. Microcode text.

/** Where the tables lie in the memory of the CPU. */
export interface TlbLayout {
  TLB_LIST: number; TLB_LIST_MAX: number; TLB_READ: number; TLB_WRITE: number; TLB_USER: number; TLB_NONE: number;
  GRANULES: number; PAGE_ATTR: number; RAM: number; CODE_TLB: number; CODE_TLB_ENTRIES: number;
}

export const tlbText = (L: TlbLayout): string => `
const TLB_LIST = ${L.TLB_LIST}; const TLB_LIST_MAX = ${L.TLB_LIST_MAX};
const TLB_READ = ${L.TLB_READ}; const TLB_WRITE = ${L.TLB_WRITE}; const TLB_USER = ${L.TLB_USER}; const TLB_NONE = ${L.TLB_NONE};
const GRANULES = ${L.GRANULES}; const PAGE_ATTR = ${L.PAGE_ATTR}; const RAM = ${L.RAM};
const CODE_TLB = ${L.CODE_TLB}; const CODE_TLB_ENTRIES = ${L.CODE_TLB_ENTRIES};

/// True when a physical page is ordinary memory.
inline fn isRam(page: i32): i32 {
  return page <u ramBytes && !m8[PAGE_ATTR : page >>> 12];
}

/// Enters a translation as returned by translate().
fn tlbFill(la: i32, t: i32, user: i32) {
  let page = t & 0xfffff000;
  if (!isRam(page)) { return; }
  if (user && (la | 0xfff) >u flatLimitU) { return; }
  let slot = ((la >>> 10) & 0x3ffffc) + (user ? TLB_USER : 0);
  let entry = RAM + page - (la & 0xfffff000) - 1;
  if (m32[TLB_READ : slot] == 0) {
    if (tlbCount >= TLB_LIST_MAX) { tlbFlush(0); }
    m32[TLB_LIST : tlbCount << 2] = slot | walkGlobal;
    tlbCount += 1;
    if (cr0 < 0 && m32[TLB_READ : slot ^ TLB_USER] == 0) { charge(EV_TLBMISS); }
  }
  m32[TLB_READ : slot] = entry;
  if ((t & 2) && m64[GRANULES : page >>> 9] == 0L) { m32[TLB_WRITE : slot] = entry; }
}

/// Forgets every translation; those of global pages stay when keepGlobal is 1.
export fn tlbFlush(keepGlobal: i32) {
  let kept = 0;
  let i = 0;
  while (i < tlbCount) {
    let slot = m32[TLB_LIST : i << 2];
    if (keepGlobal & slot) { m32[TLB_LIST : kept << 2] = slot; kept += 1; }
    else { m32[TLB_READ : slot & -4] = 0; m32[TLB_WRITE : slot & -4] = 0; }
    i += 1;
  }
  tlbCount = kept;
  codeTlbFlush();
}

/// Forgets the user translations above a new, lower limit.
fn tlbLowerUserLimit(limit: i32) {
  flatLimitU = limit;
  tlbFlush(0);
}

/// Starts a new generation of code translations.
fn codeTlbFlush() {
  generation += 1;
  if (generation > 126) { generation = 1; memfill(CODE_TLB, 0, CODE_TLB_ENTRIES * 8); }
  ctx = (ctx & 31) | (generation << 5);
}

/// Offset of the code TLB entry of an address in the current context.
inline fn codeSlot(la: i32): i32 { return (((la >>> 12) ^ codeHash) & (CODE_TLB_ENTRIES - 1)) << 3; }

/// INVLPG: forgets one page, global or not.
fn tlbDrop(la: i32) {
  let slot = (la >>> 10) & 0x3ffffc;
  m32[TLB_READ : slot] = 0; m32[TLB_WRITE : slot] = 0;
  m32[TLB_READ + TLB_USER : slot] = 0; m32[TLB_WRITE + TLB_USER : slot] = 0;
  let hash = 0;
  while (hash < CODE_TLB_ENTRIES) {
    m32[CODE_TLB : (((la >>> 12) ^ hash) & (CODE_TLB_ENTRIES - 1)) << 3] = 0;
    hash += 128;
  }
}

/// Removes write entries of a physical page that now has micro-ops.
export fn protectPage(page: i32) {
  let i = 0;
  while (i < tlbCount) {
    let slot = m32[TLB_LIST : i << 2] & -4;
    let entry = m32[TLB_WRITE : slot];
    if (entry != 0 && entry + 1 + ((slot & 0x3ffffc) << 10) == RAM + page) { m32[TLB_WRITE : slot] = 0; }
    i += 1;
  }
}
`;
