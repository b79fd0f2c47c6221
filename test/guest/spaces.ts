// N VM spaces under a random schedule of create, map, setmap, run, fault, signal, FPU use and destroy, beside a simple model of
// each: its registers, what its mappings show, its TLS and LDT words and the number on its FPU stack. After every run they must be
// equal, and in the end so must all memory.
//
// The program plays the virtual kernel: it keeps registers and descriptors, moves FPU contents when a space asks for the FPU, and maps a
// page when one is missing. It runs spaces by RUN or by RESUME, which then also announces what it has changed and the page. Boot words: seed=N spaces=N steps=N.

import { LdtArguments, PGEX_FPFAULT, PGEX_W, ResumeWish, SEL_TLS0, T_DNA, T_PAGEFLT, T_SYSCALL80, TrapFrame, VextFrame, VMSPACE_CTL_RESUME, VMSPACE_CTL_RUN, VMSPACE_CTL_SETLDT } from '../../src/abi/frames.ts';
import { MADV_INVAL, MADV_NOSYNC, MADV_SETMAP, MAP_FIXED, MAP_SHARED, MAP_VPAGETABLE, VPTE_RW, VPTE_V } from '../../src/abi/mman.ts';
import { SIGALRM, SigAction } from '../../src/abi/signal.ts';
import { Itimerval } from '../../src/abi/time.ts';
import { setMain } from '../../src/libc/crt.ts';
import { malloc } from '../../src/libc/rt.ts';
import { print } from '../../src/libc/stdio.ts';
import { madvise, setitimer, sigaction, vmspaceCreate, vmspaceCtl, vmspaceDestroy, vmspaceMcontrol, vmspaceMmap } from '../../src/libc/sys.ts';
import { bootNumber, check, checkEqual, enableVkernel, mapFile, scratchFile, verdict } from './harness.ts';
import { below, oneIn, random, seedRandom } from './random.ts';

const RW: i32 = 3;
const PAGE: u32 = 4096;
const VW: u32 = VPTE_V | VPTE_RW;
const MOST: u32 = 256;
const SPAN: u32 = 0x400000;
const CODE: u32 = 0x10000;
const CODE_FRAME: u32 = 1;
const SHARED: u32 = 8;               // frames 8 to 15 may be seen by every space
const FIRST: u32 = 16;               // frames of the first space
const FRAMES: u32 = 10;              // of a space: directory and table of either tree, five of data, one that is always mapped
const DATA: u32 = 0x20000;           // eight pages, mapped to anything
const PAGES: u32 = 8;
const OWN: u32 = 0x30000;            // the one that is always mapped
const FPU_WORD: u32 = 0x800;         // where it stores the number on its FPU stack
const WORDS: u32 = 4;                // of each data page that programs use
const REGISTERS: u32 = 8;
const ESP: u32 = 4;
const LDT_SLOT: u32 = 20;
const LDT_SELECTOR: u32 = 0xa7;
const OP_BYTES: u32 = 16;
const OPS: u32 = 8;
const FPU_BYTES: u32 = 512;
const MOST_RANGES: u32 = 4;

class Space {
  alive: bool = false;
  frame!: Embed<TrapFrame>;
  ext!: Embed<VextFrame>;
  fpu: usize = 0;                    // FXSAVE area
  hasFpu: bool = false;
  ranges!: FixedArray<u32, 8>;       // changed and not announced: start and length of each
  unannounced: u32 = 0;
  missing: u32 = 0;                  // what to tell RESUME of a page that was missing
  // the model
  tree: u32 = 0;                     // which of the two is in effect
  ldt: bool = false;
  count: u32 = 0;                    // number on the FPU stack
  registers!: FixedArray<u32, 8>;    // in the order of the encoding
  map!: FixedArray<u32, 16>;         // two trees of PAGES entries: frame << 1 | writable, 0 for none
}

let spaces: Space[] = [];
let many: u32 = 0;
let linear: usize = 0;
let image: i32 = -1;
let words: Ptr<u32> = changetype<Ptr<u32>>(0);   // the model of memory: WORDS of every frame
let fpuOwner: i32 = -1;
let alarms: u32 = 0;
let faults: u32 = 0;
let ldtArgs!: Embed<LdtArguments>;
let descriptor!: FixedArray<u32, 2>;
let wish!: Embed<ResumeWish>;

function firstFrame(id: u32): u32 {
  return FIRST + id * FRAMES;
}

function at(frame: u32): usize {
  return linear + frame * PAGE;
}

function tlsOffset(id: u32): u32 {
  return (id % 64) * 16 + 0x100;
}

function mark(id: u32): u32 {
  return 0x7e000000 + id * 256;
}

function aligned(bytes: u32): usize {
  return (malloc(bytes + 16) + 15) & 0xfffffff0;
}

// --- what the program does to spaces, and to their models

/** Write the VPTE of page `page` in tree `tree`. The caller invalidates. */
function setPage(id: u32, tree: u32, page: u32, frame: u32, writable: bool): void {
  const s = spaces[id as i32]!;
  s.map[tree * PAGES + page] = frame == 0 ? 0 : (frame << 1) | (writable ? 1 : 0);
  const table = at(firstFrame(id) + tree * 2 + 1);
  store<u32>(table + ((DATA >>> 12) + page) * 4, frame == 0 ? 0 : (frame * PAGE) | (writable ? VW : VPTE_V));
}

function anyFrame(id: u32): u32 {
  return oneIn(3) ? SHARED + below(8) : firstFrame(id) + 4 + below(5);
}

function root(id: u32, tree: u32): u32 {
  return ((firstFrame(id) + tree * 2) * PAGE) | VW;
}

function makeTree(id: u32, tree: u32): void {
  const first = firstFrame(id) + tree * 2;
  memory.fill(at(first), 0, 2 * PAGE);
  store<u32>(at(first), ((first + 1) * PAGE) | VW);
  store<u32>(at(first + 1) + (CODE >>> 12) * 4, (CODE_FRAME * PAGE) | VPTE_V);
  store<u32>(at(first + 1) + (OWN >>> 12) * 4, ((firstFrame(id) + 9) * PAGE) | VW);
  for (let page: u32 = 0; page < PAGES; page++) setPage(id, tree, page, oneIn(3) ? 0 : anyFrame(id), !oneIn(3));
}

function segment(base: u32): void {
  descriptor[0] = (base << 16) | 0xffff;
  descriptor[1] = ((base >>> 16) & 0xff) | 0x00cff300 | (base & 0xff000000);
}

function create(id: u32): void {
  const s = spaces[id as i32]!;
  makeTree(id, 0);
  makeTree(id, 1);
  checkEqual("create", vmspaceCreate(id + 1, 0, 0), 0);
  check("map", vmspaceMmap(id + 1, 0, SPAN, RW, MAP_FIXED | MAP_SHARED | MAP_VPAGETABLE, image, 0) == 0);
  checkEqual("setmap", vmspaceMcontrol(id + 1, 0, SPAN, MADV_SETMAP, root(id, 0)), 0);
  s.alive = true;
  s.tree = 0;
  s.ldt = false;
  s.hasFpu = false;
  s.unannounced = 0;
  s.missing = 0;
  s.count = 0;
  for (let r: u32 = 0; r < REGISTERS; r++) s.registers[r] = random();
  memory.fill(changetype<usize>(s.frame), 0, 80);
  segment(OWN + tlsOffset(id));
  s.ext.tls0lo = descriptor[0]!;
  s.ext.tls0hi = descriptor[1]!;
  memory.fill(at(firstFrame(id) + 9), 0, PAGE);
  store<u32>(at(firstFrame(id) + 9) + tlsOffset(id), mark(id) + 1);
  store<u32>(at(firstFrame(id) + 9) + tlsOffset(id) + 8, mark(id) + 2);
}

function destroy(id: u32): void {
  checkEqual("destroy", vmspaceDestroy(id + 1), 0);
  spaces[id as i32]!.alive = false;
  if (fpuOwner == (id as i32)) fpuOwner = -1;
}

function changeMap(id: u32): void {
  const tree = below(2);
  const page = below(PAGES);
  setPage(id, tree, page, oneIn(3) ? 0 : anyFrame(id), oneIn(2));
  const s = spaces[id as i32]!;
  if (s.unannounced < MOST_RANGES && oneIn(2)) {
    s.ranges[s.unannounced * 2] = DATA + page * PAGE;
    s.ranges[s.unannounced * 2 + 1] = PAGE;
    s.unannounced++;
  } else checkEqual("invalidate", vmspaceMcontrol(id + 1, DATA + page * PAGE, PAGE, MADV_INVAL, 0), 0);
}

function changeTree(id: u32): void {
  const s = spaces[id as i32]!;
  s.tree = 1 - s.tree;
  checkEqual("setmap", vmspaceMcontrol(id + 1, 0, SPAN, MADV_SETMAP, root(id, s.tree)), 0);
}

function changeLdt(id: u32): void {
  const s = spaces[id as i32]!;
  s.ldt = !s.ldt;
  segment(OWN + tlsOffset(id) + 8);
  ldtArgs.start = LDT_SLOT;
  ldtArgs.descriptors = addressof(descriptor);
  ldtArgs.count = s.ldt ? 1 : 0;
  checkEqual("ldt", vmspaceCtl(id + 1, VMSPACE_CTL_SETLDT, changetype<usize>(ldtArgs), 0), 0);
}

// --- programs: each operation is OP_BYTES of code, and what it does to the model

let emitAt: usize = 0;
let opKind!: FixedArray<u32, 8>;
let opRegister!: FixedArray<u32, 8>;
let opOther!: FixedArray<u32, 8>;
let opValue!: FixedArray<u32, 8>;

const ADD: u32 = 0;
const LOAD: u32 = 1;
const STORE: u32 = 2;
const XOR: u32 = 3;
const TLS: u32 = 4;
const LDT: u32 = 5;
const FLOAT: u32 = 6;
const SPIN: u32 = 7;
const SPINS: u32 = 400000;

function byte(value: u32): void {
  store<u8>(emitAt, value as u8);
  emitAt++;
}

function word(value: u32): void {
  store<u32>(emitAt, value);
  emitAt += 4;
}

function anyRegister(): u32 {
  const r = below(7);
  return r >= ESP ? r + 1 : r;
}

function chooseOp(op: u32, ldt: bool): void {
  const kind = below(20);
  opKind[op] = kind < 3 ? ADD : kind < 8 ? LOAD : kind < 13 ? STORE : kind < 15 ? XOR : kind == 15 ? TLS : kind == 16 && ldt ? LDT : kind == 17 ? FLOAT
    : kind == 18 && oneIn(12) ? SPIN : ADD;
  opRegister[op] = anyRegister();
  opOther[op] = anyRegister();
  opValue[op] = opKind[op] == LOAD || opKind[op] == STORE ? DATA + below(PAGES) * PAGE + below(WORDS) * 4 : random();
}

function emitOp(op: u32): void {
  const r = opRegister[op]!;
  switch (opKind[op]) {
    case LOAD: byte(0x8b); byte((r << 3) | 5); word(opValue[op]!); break;
    case STORE: byte(0x89); byte((r << 3) | 5); word(opValue[op]!); break;
    case XOR: byte(0x31); byte(0xc0 | (opOther[op]! << 3) | r); break;
    case TLS: byte(0x65); byte(0x8b); byte((r << 3) | 5); word(0); break;
    case LDT: byte(0x64); byte(0x8b); byte((r << 3) | 5); word(0); break;
    case FLOAT: byte(0xd9); byte(0xe8); byte(0xde); byte(0xc1); byte(0xdb); byte(0x15); word(OWN + FPU_WORD); break;  // fld1; faddp; fist
    case SPIN: byte(0xb9); word(SPINS); byte(0xe2); byte(0xfe); break;                                                 // mov ecx; loop
    default: byte(0x81); byte(0xc0 | r); word(opValue[op]!); break;
  }
}

function emitProgram(ldt: bool): void {
  for (let op: u32 = 0; op < OPS; op++) {
    emitAt = at(CODE_FRAME) + op * OP_BYTES;
    chooseOp(op, ldt);
    emitOp(op);
    while (emitAt < at(CODE_FRAME) + (op + 1) * OP_BYTES) byte(0x90);
  }
  emitAt = at(CODE_FRAME) + OPS * OP_BYTES;
  byte(0xcd);
  byte(0x80);
}

/** Do the operation in the model. False: it faults. */
function model(id: u32, op: u32): bool {
  const s = spaces[id as i32]!;
  const r = opRegister[op]!;
  const value = opValue[op]!;
  switch (opKind[op]) {
    case LOAD: case STORE: {
      const entry = s.map[s.tree * PAGES + ((value - DATA) >>> 12)]!;
      if (entry == 0 || (opKind[op] == STORE && (entry & 1) == 0)) return false;
      const cell = (entry >>> 1) * WORDS + ((value & 0xfff) >>> 2);
      if (opKind[op] == LOAD) s.registers[r] = words[cell]!;
      else words[cell] = s.registers[r]!;
      return true;
    }
    case XOR: s.registers[r] = s.registers[r]! ^ s.registers[opOther[op]!]!; return true;
    case TLS: s.registers[r] = mark(id) + 1; return true;
    case LDT: s.registers[r] = mark(id) + 2; return true;
    case FLOAT: s.count++; return true;
    case SPIN: s.registers[1] = 0; return true;
    default: s.registers[r] = s.registers[r]! + value; return true;
  }
}

// --- running

function toFrame(s: Space): void {
  const f = s.frame;
  f.eax = s.registers[0]!; f.ecx = s.registers[1]!; f.edx = s.registers[2]!; f.ebx = s.registers[3]!;
  f.esp = s.registers[4]!; f.ebp = s.registers[5]!; f.esi = s.registers[6]!; f.edi = s.registers[7]!;
}

function sameRegisters(s: Space): bool {
  const f = s.frame;
  return f.eax == s.registers[0] && f.ecx == s.registers[1] && f.edx == s.registers[2] && f.ebx == s.registers[3]
    && f.esp == s.registers[4] && f.ebp == s.registers[5] && f.esi == s.registers[6] && f.edi == s.registers[7];
}

/** The space wants the FPU: put away whose it was, bring its own contents. */
function moveFpu(id: u32): void {
  if (fpuOwner >= 0) {
    const old = spaces[fpuOwner]!.fpu;
    asm`mov eax, ${old}
        fxsave [eax]`;
  }
  const s = spaces[id as i32]!;
  const area = s.fpu;
  if (s.hasFpu) {
    asm`mov eax, ${area}
        fxrstor [eax]`;
  } else {
    asm`fninit
        fldz`;
  }
  s.hasFpu = true;
  fpuOwner = id as i32;
}

function resume(id: u32, s: Space): i32 {
  wish.vframe = changetype<usize>(s.ext);
  wish.ranges = addressof(s.ranges);
  wish.count = s.unannounced;
  wish.enter = s.missing;
  s.unannounced = 0;
  s.missing = 0;
  return vmspaceCtl(id + 1, VMSPACE_CTL_RESUME, changetype<usize>(s.frame), changetype<usize>(wish));
}

/** RUN until something other than a signal or the FPU stops it. */
function enter(id: u32): void {
  const s = spaces[id as i32]!;
  for (;;) {
    s.frame.xflags = fpuOwner == (id as i32) ? 0 : PGEX_FPFAULT;
    const result = s.unannounced != 0 || s.missing != 0 || oneIn(2) ? resume(id, s)
      : vmspaceCtl(id + 1, VMSPACE_CTL_RUN, changetype<usize>(s.frame), changetype<usize>(s.ext));
    if (result != 0) {
      checkEqual("RUN", result, 0);
      return;
    }
    if (s.frame.trapno == T_DNA) moveFpu(id);
    else if (s.frame.trapno != 0) return;
  }
}

/** A page for a fault: what was not valid needs no invalidation, nor does write permission for the same frame. */
function givePage(id: u32, page: u32): void {
  const s = spaces[id as i32]!;
  const old = s.map[s.tree * PAGES + page]!;
  setPage(id, s.tree, page, old != 0 ? old >>> 1 : firstFrame(id) + 4 + below(5), true);
}

/** One program in one space: it must do what the model does, fault where the model faults, and go on when the page is there. */
function run(id: u32): void {
  const s = spaces[id as i32]!;
  emitProgram(s.ldt);
  toFrame(s);
  s.frame.gs = SEL_TLS0;
  s.frame.fs = s.ldt ? LDT_SELECTOR : 0;
  s.frame.eip = CODE;
  s.frame.eflags = 0;
  let op: u32 = 0;
  for (;;) {
    while (op < OPS && model(id, op)) op++;
    enter(id);
    if (!sameRegisters(s)) check(`space ${id}: registers after operation ${op}, kind ${opKind[op < OPS ? op : 0]}, trap ${s.frame.trapno}`, false);
    if (op == OPS) break;
    faults++;
    if (s.frame.trapno != T_PAGEFLT || s.frame.err != opValue[op] || s.frame.eip != CODE + op * OP_BYTES) {
      check(`space ${id}: fault of operation ${op}: trap ${s.frame.trapno}, address ${s.frame.err}`, false);
      return;
    }
    givePage(id, (opValue[op]! - DATA) >>> 12);
    if (oneIn(2)) s.missing = (opValue[op]! & 0xfffff000) | ((s.frame.xflags & PGEX_W) != 0 ? 2 : 1);
  }
  if (s.frame.trapno != T_SYSCALL80) check(`space ${id}: trap ${s.frame.trapno} instead of the system call`, false);
  if (s.count != 0 && load<u32>(at(firstFrame(id) + 9) + FPU_WORD) != s.count) check(`space ${id}: FPU`, false);
}

function step(): void {
  const id = below(many);
  const s = spaces[id as i32]!;
  if (!s.alive) {
    create(id);
    return;
  }
  switch (below(24)) {
    case 0: destroy(id); break;
    case 1: case 2: case 3: changeMap(id); break;
    case 4: changeTree(id); break;
    case 5: changeLdt(id); break;
    default: run(id); break;
  }
}

function sameMemory(): void {
  let wrong: i32 = 0;
  for (let frame: u32 = SHARED; frame < firstFrame(many); frame++) {
    if (frame >= FIRST && ((frame - FIRST) % FRAMES < 4 || (frame - FIRST) % FRAMES == 9)) continue;
    for (let i: u32 = 0; i < WORDS; i++) if (load<u32>(at(frame) + i * 4) != words[frame * WORDS + i]) wrong++;
  }
  checkEqual("every word of memory", wrong, 0);
}

function onAlarm(_signal: i32): void {
  alarms++;
}

function startAlarms(): void {
  const act = new SigAction();
  act.handler = codeof(onAlarm);
  sigaction(SIGALRM, changetype<usize>(act), 0);
  const timer = new Itimerval();
  timer.valueUsec = 10000;
  timer.intervalUsec = 10000;
  setitimer(0, changetype<usize>(timer), 0);
}

function main(args: string[]): i32 {
  void args;
  enableVkernel(1);
  seedRandom(bootNumber("seed=", 1));
  many = bootNumber("spaces=", 8);
  if (many > MOST) many = MOST;
  const steps = bootNumber("steps=", 1000);
  const pages = firstFrame(many);
  image = scratchFile(pages * PAGE);
  linear = mapFile(image, pages * PAGE);
  madvise(linear, pages * PAGE, MADV_NOSYNC);
  words = changetype<Ptr<u32>>(malloc(pages * WORDS * 4));
  memory.fill(changetype<usize>(words), 0, pages * WORDS * 4);
  for (let id: u32 = 0; id < many; id++) {
    const s = new Space();
    s.fpu = aligned(FPU_BYTES);
    spaces.push(s);
  }
  startAlarms();
  for (let i: u32 = 0; i < steps; i++) step();
  sameMemory();
  check("there were faults", faults > 0);
  print(`${many} spaces, ${steps} steps, ${faults} faults, signals: ${alarms > 0 ? "some" : "none"}\n`);
  return verdict("spaces");
}

setMain(main);
