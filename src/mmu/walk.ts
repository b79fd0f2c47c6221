// The page walk of a 386 to P6 without PAE: two levels, 4 MiB pages through CR4.PSE, accessed and dirty bits, CR0.WP.
// The A20 gate clears bit 20 of every physical address, those of tables included.
// Microcode text (see cpu/micro). A walk that faults has written nothing; #PF carries the error code of the access.
// (Intel SDM vol. 3, "32-bit paging".)

/** @param watched bit of the `debug` cell: somebody wants to hear of walks that succeed */
export const walkText = (watched: number): string => `
extern fn walked(la: i32, t: i32, access: i32);
const DEBUG_WALKS = ${watched};
const PRESENT = 1; const WRITABLE = 2; const USER = 4; const ACCESSED = 0x20; const DIRTY = 0x40; const LARGE = 0x80;

global walkGlobal: i32 = 0;       // the last walk met a global page

/// Raises #PF with CR2 and error code.
throws fn pageFault(la: i32, error: i32) {
  cr2 = la;
  faultVector = 14; faultError = error; faultHasError = 1;
  raise;
}

/// Physical page of a linear address, bit 1 set when later writes need no further walk. Raises #PF.
throws fn translate(la: i32, write: i32, user: i32): i32 {
  let t = walk(la, write, user);
  if (debug & DEBUG_WALKS) { walked(la, t, write | (user << 1)); }
  return t;
}

throws fn walk(la: i32, write: i32, user: i32): i32 {
  walkGlobal = 0;
  if (cr0 >= 0) { return (la & 0xfffff000 & a20) | WRITABLE; }
  let access = (write << 1) | (user << 2);
  let pdeAt = ((cr3 & 0xfffff000) | ((la >>> 20) & 0xffc)) & a20;
  let pde = physRead32(pdeAt);
  if (!(pde & PRESENT)) { pageFault(la, access); }
  if ((pde & LARGE) && (cr4 & 0x10)) {
    if (pde & 0x003fe000) { pageFault(la, access | 9); }
    let big = pde;
    if (!mayAccess(big, write, user)) { pageFault(la, access | 1); }
    let newBig = big | ACCESSED | (write << 6);
    if (newBig != big) { physWrite32(pdeAt, newBig); charge(EV_PAGEMARK); }
    walkGlobal = (big >>> 8) & 1;
    return (((big & 0xffc00000) | (la & 0x003ff000)) & a20) | writeAhead(big, newBig, user);
  }
  let pteAt = ((pde & 0xfffff000) | ((la >>> 10) & 0xffc)) & a20;
  let pte = physRead32(pteAt);
  if (!(pte & PRESENT)) { pageFault(la, access); }
  let rights = pde & pte;
  if (!mayAccess(rights, write, user)) { pageFault(la, access | 1); }
  if (!(pde & ACCESSED)) { physWrite32(pdeAt, pde | ACCESSED); }
  let newPte = pte | ACCESSED | (write << 6);
  if (newPte != pte) { physWrite32(pteAt, newPte); charge(EV_PAGEMARK); }
  walkGlobal = (pte >>> 8) & 1;
  return (pte & 0xfffff000 & a20) | writeAhead(rights, newPte, user);
}

fn mayAccess(rights: i32, write: i32, user: i32): i32 {
  if (user) {
    if (!(rights & USER)) { return 0; }
    return !write || (rights & WRITABLE);
  }
  return !write || (rights & WRITABLE) || !(cr0 & 0x10000);
}

fn writeAhead(rights: i32, leaf: i32, user: i32): i32 {
  if (!(leaf & DIRTY)) { return 0; }
  if (rights & WRITABLE) { return WRITABLE; }
  return (user || (cr0 & 0x10000)) ? 0 : WRITABLE;
}

/// The walk without side effects, for debuggers: physical address, or -1.
export fn peek(la: i32): i64 {
  if (cr0 >= 0) { return u64(la & a20); }
  let pde = physRead32(((cr3 & 0xfffff000) | ((la >>> 20) & 0xffc)) & a20);
  if (!(pde & PRESENT)) { return -1L; }
  if ((pde & LARGE) && (cr4 & 0x10)) { return u64(((pde & 0xffc00000) | (la & 0x003fffff)) & a20); }
  let pte = physRead32(((pde & 0xfffff000) | ((la >>> 10) & 0xffc)) & a20);
  if (!(pte & PRESENT)) { return -1L; }
  return u64(((pte & 0xfffff000) | (la & 0xfff)) & a20);
}
`;
