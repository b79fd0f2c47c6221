// Hostile system calls: children that own VM spaces make random calls with arguments of every kind, and let code in their spaces make
// some too. The kernel must survive, and when the children are dead it must hold what it held before: no address space, page,
// page table, mapping, object or open file more.
//
// Boot words: seed=N calls=N. The calls of a child that dies early are made up by further children. With /boot/vkernel on the disk
// the program also starts a virtual kernel whose process 1 is this program, and counts what the host holds after that.

import { O_RDONLY, O_RDWR, VmStats } from '../../src/abi/file.ts';
import { ResumeWish, TrapFrame, VMSPACE_CTL_RESUME, VMSPACE_CTL_SETLDT } from '../../src/abi/frames.ts';
import { MAP_ANON, MAP_FIXED, MAP_SHARED, MAP_VPAGETABLE, MADV_SETMAP, VPTE_PS, VPTE_RW, VPTE_V } from '../../src/abi/mman.ts';
import { SIGALRM, SIGIO, SIGKILL, SIGPIPE, SIGSYS, SIG_IGN, SigAction, SigSet } from '../../src/abi/signal.ts';
import { Sys } from '../../src/abi/syscalls.ts';
import { Itimerval, Timespec } from '../../src/abi/time.ts';
import { setMain } from '../../src/libc/crt.ts';
import { vectorOf, waitFor } from '../../src/libc/process.ts';
import { print, flushAll } from '../../src/libc/stdio.ts';
import { _exit, chdir, close, execve, fork, kill, mmap, mprotect, nanosleep, open, rmdir, setitimer, setsid, sigaction, sigprocmask, sync, unlink, vmspaceCreate,
  vmspaceMcontrol, vmspaceMmap, wait4 } from '../../src/libc/sys.ts';
import { bootNumber, check, checkEqual, enableVkernel, limitSpaces, mapFile, readStats, scratchFile, verdict } from './harness.ts';
import { below, oneIn, random, seedRandom } from './random.ts';

const RW: i32 = 3;
const PAGE: u32 = 4096;
const CALLS_OF_CHILD: u32 = 400;
const IMAGE: u32 = 0x100000;
const IMAGE_FD: i32 = 20;
const PATIENCE: i32 = 60;             // naps of 10 ms that a child may take without making a call
const NUMBERS: u32 = 550;
const WORDS: u32 = 512;
const MAPPING_BYTES: u32 = 16;
const OBJECT_BYTES: u32 = 48;

let counter: Ptr<u32> = changetype<Ptr<u32>>(0);   // calls of the child that runs; it may write nonsense here
let made: u32 = 0;                    // calls of all children
let before!: Embed<VmStats>;
let after!: Embed<VmStats>;
let arena!: FixedArray<u32, 1536>;    // what pointers point at
let guard: usize = 0;                 // a page before nothing
let args!: FixedArray<u32, 8>;
let emptySet!: Embed<SigSet>;


/** A value that some argument may not expect. */
function anyValue(): u32 {
  switch (below(20)) {
    case 0: return 0;
    case 1: return 0xffffffff;
    case 2: return below(8);
    case 3: return below(64);
    case 4: return random();
    case 5: return PAGE * below(64);
    case 6: return 0xbfc00000 - below(3) * 4;
    case 7: return 0xc0100000 + below(PAGE);
    case 8: return 0x40000000 + below(0x10000000);
    case 9: return guard + PAGE - below(40);
    case 10: return 0xfffff000 + below(PAGE);
    case 11: return 0x7fffffff + below(2);
    case 12: return (1 as u32) << below(32);
    case 13: return addressof(arena) + below(64) * 4;
    default: return addressof(arena) + 256 + below(1024);
  }
}

/** A value for an argument of that kind: mostly sensible, so that calls get somewhere. */
function anyOf(kind: i32): u32 {
  if (oneIn(4)) return anyValue();
  switch (kind) {
    case 1: return oneIn(3) ? IMAGE_FD as u32 : below(24);                      // descriptor
    case 2: return below(6);                                                    // id of a space
    case 3: return below(64) * PAGE * (oneIn(3) ? 1 : 16) + (oneIn(6) ? below(PAGE) : 0);  // address
    case 4: return oneIn(4) ? below(0x2000) : below(64) * PAGE;                 // length
    case 5: return pathAt(below(6));                                            // path
    case 6: return addressof(arena) + 256 + below(64) * 16;                     // buffer
    case 7: return (random() & 0x3413) | (oneIn(2) ? 0x10 : 0);                 // flags of mmap
    case 8: return below(12);                                                   // behaviour
    case 9: return oneIn(2) ? VMSPACE_CTL_RESUME as u32 : oneIn(4) ? VMSPACE_CTL_SETLDT as u32 : below(3);  // command for a space
    default: return anyValue();
  }
}

const PATH_BYTES: u32 = 32;
let paths!: FixedArray<u32, 48>;

function pathAt(n: u32): usize {
  return addressof(paths) + n * PATH_BYTES;
}

function setPath(n: u32, text: string): void {
  memory.copy(pathAt(n), changetype<usize>(text) + 4, (text.length + 1) as u32);
}

/** Calls of the facility and those near it, with the kinds of their arguments as digits. */
const FAVOURITES: string[] = [
  "485 34800", "486 200", "487 2", "488 2966", "488 2966", "488 2166", "489 2343710", "490 234", "491 234800", "492 264040", "493 264040", "197 34371000", "73 34", "74 342",
  "75 348", "65 340", "17 3", "472 166", "473 166", "340 166", "342 266", "344 6", "53 66", "90 11", "41 1", "6 1", "42 0", "5 520", "3 164", "4 164", "173 164000", "174 164000",
  "92 120", "54 106", "201 1040", "202 626606", "2 0", "83 166",
];

/** Never made: what would stop the machine or hit processes that are not ours. */
function forbidden(nr: u32): bool {
  return nr == (Sys.reboot as u32) || nr == (Sys.kill as u32) || nr == (Sys.exit as u32) || nr == (Sys.execve as u32) || nr == (Sys.fork as u32) || (nr >= 494 && nr <= 498);
}

/** int 0x80 with what args says. The child of a fork is gone at once. */
function makeCall(nr: u32): void {
  const at = addressof(args);
  asm`push esi
      push edi
      push ebx
      push ebp
      mov ecx, ${nr}
      mov esi, ${at}
      mov ebp, esp
      sub esp, 36
      lea edi, [esp+4]
      mov eax, ecx
      mov ecx, 8
      cld
      rep movsd
      xor edx, edx
      int 0x80
      mov esp, ebp
      pop ebp
      pop ebx
      pop edi
      pop esi`;
}

function hostileCall(): void {
  let nr = below(NUMBERS);
  for (let i: i32 = 0; i < 8; i++) args[i] = anyValue();
  if (!oneIn(4)) {
    const line = FAVOURITES[below(FAVOURITES.length as u32) as i32]!;
    let at: i32 = 0;
    for (nr = 0; line.charCodeAt(at) != 32; at++) nr = nr * 10 + ((line.charCodeAt(at) - 48) as u32);
    for (let i: i32 = 0; at + 1 + i < line.length && i < 8; i++) args[i] = anyOf(line.charCodeAt(at + 1 + i) - 48);
  }
  if (nr == (Sys.fork as u32)) forkAndDie();
  else if (!forbidden(nr) && !((nr == 0 || nr == 198) && forbidden(args[0]))) makeCall(nr);
}

function forkAndDie(): void {
  const pid = fork();
  if (pid == 0) _exit(0);
  wait4(pid, 0, 0, 0);
}

/** New contents for what pointers point at: numbers, addresses, register frames. */
function stir(): void {
  for (let i: u32 = 0; i < 24; i++) arena[below(WORDS)] = anyValue();
  const frame = changetype<TrapFrame>(addressof(arena) + 256 + below(64) * 16);
  frame.eip = oneIn(3) ? anyValue() : 0x10000 + below(PAGE);
  frame.esp = oneIn(2) ? anyValue() : 0x11000;
  frame.eax = below(NUMBERS);
  frame.xflags = random() & 0xff;
  const wish = changetype<ResumeWish>(addressof(arena) + 256 + below(64) * 16);
  wish.vframe = oneIn(4) ? anyValue() : addressof(arena) + 256 + below(64) * 16;
  wish.ranges = oneIn(4) ? anyValue() : addressof(arena) + below(64) * 4;
  wish.count = oneIn(2) ? 0 : oneIn(4) ? anyValue() : below(20);
  wish.enter = oneIn(2) ? 0 : oneIn(4) ? anyValue() : below(64) * PAGE + below(4);
}

function onSignal(_signal: i32): void {}

function catchSignals(): void {
  const act = new SigAction();
  act.handler = codeof(onSignal);
  sigaction(SIGALRM, changetype<usize>(act), 0);
  act.handler = SIG_IGN;
  sigaction(SIGSYS, changetype<usize>(act), 0);
  sigaction(SIGPIPE, changetype<usize>(act), 0);
  sigaction(SIGIO, changetype<usize>(act), 0);
  free(act);
}

/** An image full of `int 0x80`, its descriptor, and four spaces that show it. */
function makeSpaces(): void {
  const fd = scratchFile(IMAGE);
  const linear = mapFile(fd, IMAGE);
  for (let at: u32 = 0x10000; at < 0x12000; at += 4) store<u32>(linear + at, 0x80cd80cd);
  for (let at: u32 = 0; at < 8 * PAGE; at += 4) if (oneIn(16)) store<u32>(linear + at, (below(300) * PAGE) | (random() & 0xfff));
  args[0] = fd as u32;
  args[1] = IMAGE_FD as u32;
  makeCall(Sys.dup2);
  close(fd);
  for (let id: usize = 0; id < 4; id++) {
    vmspaceCreate(id, 0, 0);
    vmspaceMmap(id, 0, IMAGE, RW, MAP_FIXED | MAP_SHARED | MAP_VPAGETABLE, IMAGE_FD, 0);
    vmspaceMcontrol(id, 0, IMAGE, MADV_SETMAP, oneIn(2) ? VPTE_PS | VPTE_RW | VPTE_V : random());
  }
}

/** Short timers end what sleeps or spins; they are set anew in case a call has changed them. */
function startTimer(): void {
  const timer = new Itimerval();
  timer.valueUsec = 10000;
  timer.intervalUsec = 10000;
  setitimer(0, changetype<usize>(timer), 0);
  free(timer);
}

/** Never returns. */
function child(seed: u32): void {
  seedRandom(seed);
  setsid();
  chdir("/tmp");
  for (let fd: i32 = 0; fd < 3; fd++) close(fd);
  open("/dev/null", O_RDWR, 0);
  setPath(0, "/tmp/a");
  setPath(1, "/tmp/b");
  setPath(2, "/tmp");
  setPath(3, "/dev/null");
  setPath(4, "");
  setPath(5, "/tmp/c/d/e");
  guard = mmap(0, 2 * PAGE, RW, MAP_SHARED | MAP_ANON, -1, 0);
  mprotect(guard + PAGE, PAGE, 0);
  makeSpaces();
  catchSignals();
  for (let i: u32 = 0; i < CALLS_OF_CHILD; i++) {
    if ((i & 31) == 0) {
      startTimer();
      sigprocmask(3, changetype<usize>(emptySet), 0);
    }
    if ((i & 3) == 0) stir();
    hostileCall();
    counter[0]++;
  }
  _exit(0);
}

function nap(): void {
  const time = new Timespec();
  time.nsec = 10000000;
  nanosleep(changetype<usize>(time), 0);
  free(time);
}

/** One child to its end; one that makes no more calls is killed. */
function oneChild(seed: u32): void {
  const pid = fork();
  if (pid == 0) child(seed);
  let last = counter[0];
  let idle: i32 = 0;
  while (wait4(pid, 0, 1, 0) == 0) {
    nap();
    idle = counter[0] == last ? idle + 1 : 0;
    last = counter[0];
    if (idle == PATIENCE) kill(pid, SIGKILL);
  }
  while (wait4(-1, 0, 1, 0) > 0) {}
  if (counter[0] <= CALLS_OF_CHILD) made += counter[0];
  counter[0] = 0;
}

function cleanUp(): void {
  unlink("/tmp/a");
  unlink("/tmp/b");
  rmdir("/tmp/a");
  rmdir("/tmp/b");
}

function settle(): void {
  cleanUp();
  sync();
  for (let i: i32 = 0; i < 3; i++) nap();
}

/** Children from `seed` on until they have made `calls` calls; how many there were. */
function attack(seed: u32, calls: u32): u32 {
  made = 0;
  let children: u32 = 0;
  while (made < calls) {
    oneChild(seed + children);
    cleanUp();
    children++;
  }
  return children;
}

/** What one side holds more than the other, within `slack`. */
function compare(what: string, first: u32, second: u32, slack: u32): void {
  check(`${what}: ${first} before, ${second} after`, second <= first + slack && first <= second + slack);
}

/** Kernel memory, but for what it keeps to be used again and for what is counted by itself. */
function besidesCaches(stats: VmStats): u32 {
  return stats.kernelBytes - stats.cacheBytes - stats.mappings * MAPPING_BYTES - stats.objects * OBJECT_BYTES;
}

function nothingLeaked(): void {
  compare("address spaces", before.spaces, after.spaces, 0);
  compare("map entries", before.entries, after.entries, 0);
  compare("page tables", before.tables, after.tables, 2);
  compare("open files", before.files, after.files, 0);
  compare("processes", before.processes, after.processes, 0);
  const files = after.nodes > before.nodes ? after.nodes - before.nodes : 0;   // each has an object at most
  check(`objects: ${before.objects} before, ${after.objects} after, ${files} of files`, after.objects <= before.objects + files);
  compare("reverse mappings", before.mappings, after.mappings, 64);
  compare("image pages", before.imagePages, after.imagePages, 0);
  compare("kernel memory besides caches", besidesCaches(before), besidesCaches(after), 0);
  compare("memory besides caches", before.free + before.buffers + before.nodes / 16, after.free + after.buffers + after.nodes / 16, 16);
}

function virtualKernel(): void {
  const fd = open("/boot/vkernel", O_RDONLY, 0);
  if (fd < 0) return;
  close(fd);
  const line = `seed=${bootNumber("seed=", 1)} calls=${bootNumber("calls=", 2000)}`;
  const pid = fork();
  if (pid == 0) {
    setsid();
    execve("/boot/vkernel", vectorOf(["/boot/vkernel", "-m", "64m", "-r", "/vroot.img", "-e", line]), vectorOf([]));
    _exit(127);
  }
  checkEqual("the virtual kernel survived its users", waitFor(pid), 0);
}

function main(words: string[]): i32 {
  void words;
  enableVkernel(1);
  limitSpaces(16);
  counter = changetype<Ptr<u32>>(mmap(0, PAGE, RW, MAP_SHARED | MAP_ANON, -1, 0));
  const seed = bootNumber("seed=", 1);
  const calls = bootNumber("calls=", 2000);
  attack(seed, 4000);                      // what the kernel keeps for later is then there
  virtualKernel();
  settle();
  readStats(before);
  virtualKernel();
  const children = attack(seed + 1000, calls);
  settle();
  readStats(after);
  nothingLeaked();
  print(`${made} hostile calls of ${children} children\n`);
  flushAll();
  return verdict("hostile");
}

setMain(main);
