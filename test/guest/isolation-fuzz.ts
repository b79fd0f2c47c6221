// Random and adversarial page tables and programs, for an oracle outside to watch (test/fuzz/isolation.ts). For each seed it
// fills the pages of an image with VPTEs of any bits, makes VM spaces that show the image through them, and runs short programs
// of random accesses, jumps and privileged instructions in them; between runs it changes the tables, keeping to the protocol
// (whoever takes a permission away invalidates), and the mappings.
//
// The oracle reads the mailbox, one page of this program that says what each space should show; it never answers. Boot words:
// seed=N count=N.

import { VmStats } from '../../src/abi/file.ts';
import { T_PAGEFLT, T_SYSCALL80, TrapFrame, VextFrame } from '../../src/abi/frames.ts';
import { MADV_INVAL, MADV_NOSYNC, MADV_SETMAP, MAP_ANON, MAP_FIXED, MAP_PRIVATE, MAP_SHARED, MAP_VPAGETABLE, VPTE_A, VPTE_M, VPTE_PS, VPTE_RW, VPTE_V } from '../../src/abi/mman.ts';
import { SIGALRM, SigAction } from '../../src/abi/signal.ts';
import { Itimerval } from '../../src/abi/time.ts';
import { setMain } from '../../src/libc/crt.ts';
import { madvise, mmap, munmap, setitimer, sigaction, vmspaceCreate, vmspaceCtl, vmspaceDestroy, vmspaceMcontrol, vmspaceMmap, vmspaceMunmap, vmspacePread,
  vmspacePwrite } from '../../src/libc/sys.ts';
import { check, checkEqual, bootNumber, enableVkernel, mapFile, readStats, scratchFile, verdict } from './harness.ts';
import { below, oneIn, random, seedRandom } from './random.ts';

const RW: i32 = 3;
const PAGE: u32 = 4096;
const IMAGE_PAGES: u32 = 48;
const TABLES: u32 = 16;               // the first pages of the image are filled with VPTEs
const CODE_PAGE: u32 = 47;
const CODE: u32 = 0x50000000;         // where spaces see the code page, by an ordinary mapping
const PRIVATE: u32 = 0x58000000;      // and some private memory
const SPAN: u32 = 0x4000000;          // a tree is seen through 64 MiB: 16 directory slots
const SECRET_PAGES: u32 = 16;
const READY_ADDRESS: u32 = 0x7e57f000;
const SPACES: u32 = 2;
const ROUNDS: u32 = 12;
const OPS: u32 = 10;
const OP_BYTES: u32 = 32;
const MOST_EXITS: i32 = 48;

// Kinds of mapping, as the mailbox names them.
const KIND_TREE: u32 = 1;
const KIND_LINEAR: u32 = 2;
const KIND_PRIVATE: u32 = 3;
const MAIL_SPACE: u32 = 16;           // word of the first space
const MAIL_SPACE_WORDS: u32 = 64;
const MAIL_MAPPING_WORDS: u32 = 5;    // start end offset kind root

let image: i32 = -1;
let linear: usize = 0;
let mailbox: Ptr<u32> = changetype<Ptr<u32>>(0);
let frame!: Embed<TrapFrame>;
let ext!: Embed<VextFrame>;
let stats!: Embed<VmStats>;
let buffer!: FixedArray<u32, 4096>;

// Mappings of each space: two trees at most.
let treeStart!: FixedArray<u32, 4>;
let treeEnd!: FixedArray<u32, 4>;
let treeOffset!: FixedArray<u32, 4>;
let treeRoot!: FixedArray<u32, 4>;

function alarm(_signal: i32): void {}

/** Runs that do not end are ended. */
function startAlarms(): void {
  const act = new SigAction();
  act.handler = codeof(alarm);
  sigaction(SIGALRM, changetype<usize>(act), 0);
  const timer = new Itimerval();
  timer.valueUsec = 20000;
  timer.intervalUsec = 20000;
  setitimer(0, changetype<usize>(timer), 0);
}

/** Every page of both images says which it is; then the oracle is told to look for them. */
function introduce(): void {
  const secret = mapFile(scratchFile(SECRET_PAGES * PAGE), SECRET_PAGES * PAGE);
  for (let page: u32 = 0; page < IMAGE_PAGES; page++) tag(linear + page * PAGE, 0x1511d0a1, page);
  for (let page: u32 = 0; page < SECRET_PAGES; page++) tag(secret + page * PAGE, 0x5ec4e7a1, page);
  mailbox = changetype<Ptr<u32>>(mmap(0, PAGE, RW, MAP_PRIVATE | MAP_ANON, -1, 0));
  for (let i: u32 = 0; i < 1024; i++) mailbox[i] = 0;
  mailbox[5] = IMAGE_PAGES;
  mailbox[6] = SECRET_PAGES;
  mailbox[0] = 0x3a11b0c5;
  mailbox[1] = 0xc5b0113a;
  mmap(READY_ADDRESS, PAGE, RW, MAP_FIXED | MAP_PRIVATE | MAP_ANON, -1, 0);
  store<u32>(READY_ADDRESS, 1);
  munmap(READY_ADDRESS, PAGE);
}

function tag(at: usize, magic: u32, page: u32): void {
  for (let word: u32 = 0; word < 1024; word++) store<u32>(at + word * 4, 0);
  store<u32>(at, magic);
  store<u32>(at, page, 4);
  store<u32>(at, ~magic, 8);
}

/** A table entry: often plain, sometimes anything. */
function anyVpte(): u32 {
  const kind = below(16);
  const flags = VPTE_V | (random() & 0xf76);                    // all but PS and, here, V
  const frame = below(IMAGE_PAGES) * PAGE;
  if (kind < 7) return frame | VPTE_V | VPTE_RW | (random() & (VPTE_A | VPTE_M));
  if (kind < 9) return frame | VPTE_V | (random() & (VPTE_A | VPTE_M));
  if (kind < 11) return frame | flags;
  if (kind == 11) return frame | (random() & 0xffe);           // invalid
  if (kind == 12) return frame | flags | VPTE_PS;
  if (kind == 13) return ((IMAGE_PAGES + below(64)) * PAGE) | flags;
  if (kind == 14) return (below(TABLES) * PAGE) | VPTE_V | VPTE_RW;
  return random() | VPTE_V;
}

/** Slots in use are few, so that accesses find them: the first and the last of a table. */
function hotSlot(): u32 {
  const slot = below(40);
  return slot < 36 ? slot : 1024 - 40 + slot;
}

function fillTables(): void {
  for (let table: u32 = 0; table < TABLES; table++) {
    const at = linear + table * PAGE;
    memory.fill(at, 0, PAGE);
    for (let slot: u32 = 0; slot < 36; slot++) store<u32>(at + slot * 4, anyVpte());
    for (let slot: u32 = 1020; slot < 1024; slot++) store<u32>(at + slot * 4, anyVpte());
  }
}

function anyRoot(): u32 {
  const kind = below(10);
  if (kind < 7) return (below(TABLES) * PAGE) | VPTE_V | VPTE_RW;
  if (kind == 7) return (below(TABLES) * PAGE) | VPTE_V;
  if (kind == 8) return (below(IMAGE_PAGES + 4) * PAGE) | VPTE_V | VPTE_PS | (random() & VPTE_RW);
  return anyVpte();
}

function mail(space: u32, mapping: u32, word: u32, value: u32): void {
  mailbox[MAIL_SPACE + space * MAIL_SPACE_WORDS + 1 + mapping * MAIL_MAPPING_WORDS + word] = value;
}

/** Tell the oracle what `space` shows. */
function publish(space: u32): void {
  mailbox[MAIL_SPACE + space * MAIL_SPACE_WORDS] = 4;
  publishMapping(space, 0, CODE, CODE + PAGE, CODE_PAGE * PAGE, KIND_LINEAR, 0);
  publishMapping(space, 1, PRIVATE, PRIVATE + 4 * PAGE, 0, KIND_PRIVATE, 0);
  for (let i: u32 = 0; i < 2; i++) {
    const tree = space * 2 + i;
    publishMapping(space, 2 + i, treeStart[tree], treeEnd[tree], treeOffset[tree], KIND_TREE, treeRoot[tree]);
  }
}

function publishMapping(space: u32, mapping: u32, start: u32, end: u32, offset: u32, kind: u32, root: u32): void {
  mail(space, mapping, 0, start);
  mail(space, mapping, 1, end);
  mail(space, mapping, 2, offset);
  mail(space, mapping, 3, kind);
  mail(space, mapping, 4, root);
}

/** Map tree `tree` of its space anew, at another offset and with another root. */
function mapTree(tree: u32): void {
  const id = (tree >>> 1) + 1;
  const start = (tree & 1) * 0x10000000;
  treeStart[tree] = start;
  treeEnd[tree] = start + SPAN;
  treeOffset[tree] = oneIn(3) ? below(40) * PAGE : oneIn(3) ? below(4) * 0x400000 : 0;
  treeRoot[tree] = anyRoot();
  const at = vmspaceMmap(id, start, SPAN, RW, MAP_FIXED | MAP_SHARED | MAP_VPAGETABLE, image, treeOffset[tree]);
  check("vmspace_mmap", at == start);
  checkEqual("SETMAP", vmspaceMcontrol(id, start, SPAN, MADV_SETMAP, treeRoot[tree]), 0);
}

function makeSpaces(): void {
  for (let space: u32 = 0; space < SPACES; space++) {
    const id = space + 1;
    checkEqual("vmspace_create", vmspaceCreate(id, 0, 0), 0);
    vmspaceMmap(id, CODE, PAGE, RW, MAP_FIXED | MAP_SHARED, image, CODE_PAGE * PAGE);
    vmspaceMmap(id, PRIVATE, 4 * PAGE, RW, MAP_FIXED | MAP_PRIVATE | MAP_ANON, -1, 0);
    mapTree(space * 2);
    mapTree(space * 2 + 1);
    publish(space);
  }
  invalidateAll();
}

/** From here on no space knows anything of what the tables said before. */
function invalidateAll(): void {
  for (let space: u32 = 0; space < SPACES; space++) {
    vmspaceMcontrol(space + 1, 0, 0x20000000, MADV_INVAL, 0);
  }
  mailbox[8]++;
}

/** An address that a program may try: mostly where the tables have entries. */
function anyAddress(space: u32): u32 {
  const kind = below(24);
  if (kind == 0) return PRIVATE + below(4 * PAGE);
  if (kind == 1) return random();
  if (kind == 2) return 0xbfc00000 - 8 + below(16);
  if (kind == 3) return CODE + below(PAGE);
  const tree = space * 2 + below(2);
  const va = treeStart[tree] + (hotSlot() & 15) * 0x400000 + hotSlot() * PAGE - (treeOffset[tree] & 0x3fffff) * below(2);
  return kind == 4 ? (va | 0xfff) - below(4) : va + (below(1024) << 2);
}

let emitAt: usize = 0;

function byte(value: u32): void {
  store<u8>(emitAt, value as u8);
  emitAt++;
}

function bytes2(first: u32, second: u32): void {
  byte(first);
  byte(second);
}

function word(value: u32): void {
  store<u32>(emitAt, value);
  emitAt += 4;
}

/** One instruction, or a few, that reach for some address. */
function emitOp(space: u32): void {
  const va = anyAddress(space);
  switch (below(18)) {
    case 0: case 1: case 2: case 3:
      bytes2(0x8b, 0x0d); word(va); break;                     // mov ecx, [va]
    case 4: case 5: case 6:
      bytes2(0x89, 0x0d); word(va); break;                     // mov [va], ecx
    case 7:
      bytes2(0x01, 0x0d); word(va); break;                     // add [va], ecx
    case 8:
      bytes2(0x8a, 0x0d); word(va); break;                     // mov cl, [va]
    case 9:
      byte(0xbe); word(va); byte(0xbf); word(anyAddress(space)); byte(0xb9); word(below(1100)); bytes2(0xf3, 0xa5); break; // rep movsd
    case 10:
      byte(0xbc); word(va); bytes2(0x50, 0x5a); break;         // mov esp, va; push eax; pop edx
    case 11:
      bytes2(0x87, 0x0d); word(va); break;                     // xchg [va], ecx
    case 12:
      bytes2(0x0f, 0x01); byte((random() & 8) | 0x05); word(va); break;  // sgdt or sidt [va]
    case 13:
      byte(0xb8); word(random()); bytes2(0x8e, 0xe8); break;   // mov gs, ax
    case 14:
      byte(0xb9); word(random() & 0xfffffff); bytes2(0x0f, 0xab); byte(0x0d); word(va); break; // bts [va], ecx
    case 15:
      bytes2(0xdd, 0x1d); word(va); break;                     // fstp qword [va]
    case 16:
      emitPrivileged(va); break;
    default:
      byte(0xff); byte(0x15); word(va); break;                 // call [va]
  }
}

function emitPrivileged(va: u32): void {
  switch (below(8)) {
    case 0: bytes2(0x0f, 0x22); byte(0xd8); break;             // mov cr3, eax
    case 1: bytes2(0x0f, 0x20); byte(0xc0); break;             // mov eax, cr0
    case 2: bytes2(0xfa, 0xf4); break;                         // cli; hlt
    case 3: bytes2(0x0f, 0x01); byte(0x3d); word(va); break;   // invlpg [va]
    case 4: bytes2(0xe4, 0x60); break;                         // in al, 0x60
    case 5: bytes2(0x0f, 0x01); byte(0x15); word(va); break;   // lgdt [va]
    case 6: byte(0xea); word(va); bytes2(0x08, 0); break;      // jmp 0x08:va
    default: bytes2(0x9d, 0xcf); break;                        // popf; iret
  }
}

/** OPS operations at fixed places, and a system call behind them. */
function emitProgram(space: u32): void {
  const start = linear + CODE_PAGE * PAGE;
  for (let op: u32 = 0; op < OPS; op++) {
    emitAt = start + op * OP_BYTES;
    emitOp(space);
    while (emitAt < start + (op + 1) * OP_BYTES) byte(0x90);
  }
  emitAt = start + OPS * OP_BYTES;
  bytes2(0xcd, 0x80);
}

function enter(space: u32): void {
  mailbox[7] = space + 1;
  frame.xflags = 0;
  vmspaceCtl(space + 1, 1, changetype<usize>(frame), changetype<usize>(ext));
  mailbox[7] = 0;
}

/** Run the program: what traps is passed over. */
function runProgram(space: u32): void {
  memory.fill(changetype<usize>(frame), 0, 80);
  let next: u32 = 0;
  for (let exits: i32 = 0; exits < MOST_EXITS && next < OPS; exits++) {
    frame.eip = CODE + next * OP_BYTES;
    frame.esp = PRIVATE + 2 * PAGE;
    frame.gs = 0;
    frame.eflags = 0;
    enter(space);
    const at = frame.eip - CODE;
    const reached = at < PAGE ? at / OP_BYTES : next;
    next = reached >= next ? reached + 1 : next + 1;
  }
}

/** Execute whatever some page holds, a few instructions one by one. */
function runAnything(space: u32): void {
  frame.eip = anyAddress(space);
  frame.esp = anyAddress(space);
  for (let steps: i32 = 0; steps < 8; steps++) {
    frame.eflags = 0x100;
    frame.gs = 0;
    frame.fs = 0;
    enter(space);
    if (frame.trapno == T_PAGEFLT || frame.trapno == T_SYSCALL80) return;
  }
}

/** Change some entries, and invalidate unless they only became more permissive. */
function changeEntries(): void {
  if (oneIn(4)) {
    const at = linear + below(TABLES) * PAGE + hotSlot() * 4;
    const old = load<u32>(at);
    if ((old & VPTE_V) == 0) store<u32>(at, anyVpte());
    else store<u32>(at, old | VPTE_RW);
    return;
  }
  for (let i: u32 = below(6); i != 0; i--) store<u32>(linear + below(TABLES) * PAGE + hotSlot() * 4, anyVpte());
  if (oneIn(3)) clearMarks();
  invalidateAll();
}

function clearMarks(): void {
  const at = linear + below(TABLES) * PAGE;
  for (let slot: u32 = 0; slot < 40; slot++) store<u32>(at + slot * 4, load<u32>(at + slot * 4) & ~(VPTE_A | VPTE_M));
}

/** Change what a space shows. */
function changeMappings(space: u32): void {
  const tree = space * 2 + below(2);
  const id = space + 1;
  switch (below(4)) {
    case 0:
      treeRoot[tree] = anyRoot();
      if (treeEnd[tree] != treeStart[tree]) vmspaceMcontrol(id, treeStart[tree], treeEnd[tree] - treeStart[tree], MADV_SETMAP, treeRoot[tree]);
      break;
    case 1: {
      const end = treeStart[tree] + below(16) * 0x400000;
      if (end < treeEnd[tree]) vmspaceMunmap(id, end, treeEnd[tree] - end);
      if (end < treeEnd[tree]) treeEnd[tree] = end;
      break;
    }
    case 2:
      mapTree(tree);
      break;
    default:
      copyThrough(id, space);
      break;
  }
  publish(space);
}

/** The kernel's own accesses to a space, which change what its pages hold. */
function copyThrough(id: u32, space: u32): void {
  const n = below(12000);
  if (oneIn(2)) vmspacePread(id, addressof(buffer), n, anyAddress(space));
  else vmspacePwrite(id, addressof(buffer), n, anyAddress(space));
  invalidateAll();
}

function oneSeed(seed: u32): void {
  seedRandom(seed);
  mailbox[9] = seed;
  fillTables();
  makeSpaces();
  for (let round: u32 = 0; round < ROUNDS; round++) {
    const space = below(SPACES);
    emitProgram(space);
    runProgram(space);
    if (oneIn(3)) runAnything(space);
    if (oneIn(2)) changeEntries();
    if (oneIn(4)) changeMappings(space);
  }
  for (let space: u32 = 0; space < SPACES; space++) checkEqual("vmspace_destroy", vmspaceDestroy(space + 1), 0);
}

function main(args: string[]): i32 {
  enableVkernel(1);
  image = scratchFile(IMAGE_PAGES * PAGE);
  linear = mapFile(image, IMAGE_PAGES * PAGE);
  madvise(linear, IMAGE_PAGES * PAGE, MADV_NOSYNC);
  introduce();
  startAlarms();
  const seed = bootNumber("seed=", 1);
  const count = bootNumber("count=", 100);
  for (let i: u32 = 0; i < count; i++) oneSeed(seed + i);
  readStats(stats);
  checkEqual("the image stayed in memory", stats.pagedOut as i32, 0);
  return verdict("isolation-fuzz");
}

setMain(main);
