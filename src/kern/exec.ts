// execve: a new program in an old process. ELF32 static executables, and scripts that begin with #!.
//
// Everything that can be refused is checked before the old address space goes. The new one has the file's segments mapped
// privately, zero-filled memory for what the file does not fill, and a stack whose top holds, from the top down: struct
// ps_strings, the signal trampoline, the strings, the auxiliary vector, environment and argument pointers, and argc.

import { E2BIG, EACCES, EFAULT, EINTR, EJUSTRETURN, ENOEXEC, ENOMEM, ERESTART } from "../abi/errno.ts";
import { NOTE_EXEC } from "../abi/event.ts";
import { PSL_I, SEL_UCODE, SEL_UDATA, TRAPFRAME_SIZE } from "../abi/frames.ts";
import { PAGE_SIZE, PROT_EXEC, PROT_READ, PROT_WRITE, VM_MAX_USER_ADDRESS } from "../abi/mman.ts";
import { SIGKILL } from "../abi/signal.ts";
import { copyinstr, copyout, fetchedWord, fuword } from "machine/copyio.ts";
import { fpuExit } from "./fpu.ts";
import { pmapActivate, ptov } from "machine/pmap.ts";
import { tlsLoad } from "machine/tls.ts";
import { malloc, mfree } from "rt/rt.ts";
import { sigexit } from "./exit.ts";
import { fdExec } from "./file.ts";
import { knoteNotify } from "./knote.ts";
import { stringOf } from "./kstring.ts";
import { lookup, lookupError } from "./namei.ts";
import { endOthers } from "./lwp.ts";
import { Lwp, procSetName } from "./proc.ts";
import { PCATCH, tsleep, wakeup } from "./sched.ts";
import { PS_STRINGS, SIGCODE, writeSigcode } from "./sendsig.ts";
import { sigactsExec } from "./sigacts.ts";
import { vmObjectGetPage, vmObjectOf, vmObjectRef, vmObjectRelease } from "./vm_object.ts";
import { vmMapInsert, VME_COW, VME_NEEDS_COPY, VME_STACK, Vmspace, vmspaceAlloc, vmspaceFree } from "./vm_map.ts";
import { enterProgram } from "./vm_around.ts";
import { vmKernelRoom, vmPageHold, vmPageRelease } from "./vm_page.ts";
import { vkernelExit } from "./vmspace.ts";
import { Vnode, VT_REG } from "./vnode.ts";

const ARG_MAX: u32 = 65536;
const ARGS_MAX: u32 = 4096;               // strings in arguments and environment together
const PATH_MAX: u32 = 1024;
const ANY_X: u32 = 0o111;
const STACK_BYTES: u32 = 8388608;
const PROT_ALL: i32 = PROT_READ | PROT_WRITE | PROT_EXEC;

// The one set of arguments in the making: argument strings, then environment strings, each with its NUL.
let strings!: FixedArray<u32, 16384>;
let used: u32 = 0;
let argc: u32 = 0;
let envc: u32 = 0;
let busy: bool = false;
let lengthOut!: FixedArray<u32, 1>;

/** False: a signal comes first. */
function lockArgs(): bool {
  while (busy) {
    if (tsleep(addressof(strings), PCATCH, "exec", 0) != 0) return false;
  }
  busy = true;
  used = 0;
  argc = 0;
  envc = 0;
  return true;
}

function unlockArgs(): void {
  busy = false;
  wakeup(addressof(strings));
}

/** Append the user string at `from`. */
function takeUserString(from: usize): i32 {
  if (used >= ARG_MAX || argc + envc >= ARGS_MAX) return E2BIG;
  const error = copyinstr(from, addressof(strings) + used, ARG_MAX - used, changetype<Ptr<u32>>(addressof(lengthOut)));
  if (error != 0) return error == EFAULT ? EFAULT : E2BIG;
  used += lengthOut[0];
  return 0;
}

/** Append the strings of a user vector of pointers, to the arguments or to the environment. */
function takeVector(vector: usize, environment: bool): i32 {
  if (vector == 0) return 0;
  for (let at = vector; ; at += 4) {
    let error = fuword(at);
    if (error != 0) return error;
    const from = fetchedWord();
    if (from == 0) return 0;
    error = takeUserString(from);
    if (error != 0) return error;
    if (environment) envc++;
    else argc++;
  }
}

function takeString(text: string): void {
  memory.copy(addressof(strings) + used, changetype<usize>(text) + 4, (text.length + 1) as u32);
  used += (text.length + 1) as u32;
  argc++;
}

export function sysExecve(lwp: Lwp, a: Ptr<u32>): i32 {
  if (!lockArgs()) return ERESTART;
  let error = copyinstr(a[0], addressof(strings), PATH_MAX, changetype<Ptr<u32>>(addressof(lengthOut)));
  if (error == 0) {
    const path = stringOf(addressof(strings), lengthOut[0] - 1);
    error = takeVector(a[1], false);
    if (error == 0) error = takeVector(a[2], true);
    if (error == 0) error = execFile(lwp, path, true);
    free(path);
  }
  unlockArgs();
  return error == 0 ? EJUSTRETURN : error;
}

/** The first program of a process that has none yet, with these arguments and no environment. */
export function kernExec(lwp: Lwp, path: string, args: string[]): i32 {
  lockArgs();
  for (let i: i32 = 0; i < args.length; i++) takeString(args[i]!);
  const error = execFile(lwp, path, true);
  unlockArgs();
  return error;
}

function execFile(lwp: Lwp, path: string, mayBeScript: bool): i32 {
  const vp = lookup(path);
  if (vp == null) return lookupError;
  if (vp.type != VT_REG || (vp.mode() & ANY_X) == 0) {
    vp.unref();
    return EACCES;
  }
  const object = vmObjectOf(vp);
  vmObjectRef(object);
  vp.unref();
  const page = vmObjectGetPage(object, 0);
  let error = ENOEXEC;
  if (page != null) {
    vmPageHold(page);
    const header = ptov(page.pa);
    if (load<u16>(header) == 0x2123 && mayBeScript) error = execScript(lwp, path, header);
    else if (validHeader(header, vp.size)) error = execImage(lwp, path, vp, header);
    vmPageRelease(page);
  }
  vmObjectRelease(object);
  return error;
}

const SPACE: i32 = 32;
const TAB: i32 = 9;
const NEWLINE: i32 = 10;
const SCRIPT_LINE: i32 = 128;

/** "#!interpreter [argument]": run that with the script's path as its last argument before the others. */
function execScript(lwp: Lwp, path: string, header: usize): i32 {
  let end: i32 = 2;
  while (end < SCRIPT_LINE && byteAt(header, end) != NEWLINE) end++;
  if (end == SCRIPT_LINE) return ENOEXEC;
  let at: i32 = 2;
  while (at < end && isBlank(byteAt(header, at))) at++;
  let word = at;
  while (word < end && !isBlank(byteAt(header, word))) word++;
  if (word == at) return ENOEXEC;
  const interpreter = stringOf(header + (at as u32), (word - at) as u32);
  at = word;
  while (at < end && isBlank(byteAt(header, at))) at++;
  while (end > at && isBlank(byteAt(header, end - 1))) end--;
  const argument = stringOf(header + (at as u32), (end - at) as u32);
  let error = replaceFirst(interpreter, argument, path);
  if (error == 0) error = execFile(lwp, interpreter, false);
  free(interpreter);
  free(argument);
  return error;
}

function byteAt(at: usize, index: i32): i32 {
  return load<u8>(at + (index as u32)) as i32;
}

function isBlank(c: i32): bool {
  return c == SPACE || c == TAB;
}

/** Put interpreter, argument (unless empty) and path in place of argv[0]. */
function replaceFirst(interpreter: string, argument: string, path: string): i32 {
  const base = addressof(strings);
  let gone: u32 = 0;
  if (argc > 0) {
    while (load<u8>(base + gone) != 0) gone++;
    gone++;
    argc--;
  }
  let extra = (interpreter.length + path.length + 2) as u32;
  if (argument.length > 0) extra += (argument.length + 1) as u32;
  const rest = used - gone;
  if (extra + rest > ARG_MAX) return E2BIG;
  memory.copy(base + extra, base + gone, rest);
  used = 0;
  takeString(interpreter);
  if (argument.length > 0) takeString(argument);
  takeString(path);
  used = extra + rest;
  return 0;
}

// ELF header and program header fields.
const ELF_MAGIC: u32 = 0x464c457f;
const E_TYPE: usize = 16;
const E_MACHINE: usize = 18;
const E_ENTRY: usize = 24;
const E_PHOFF: usize = 28;
const E_PHENTSIZE: usize = 42;
const E_PHNUM: usize = 44;
const P_OFFSET: usize = 4;
const P_VADDR: usize = 8;
const P_FILESZ: usize = 16;
const P_MEMSZ: usize = 20;
const P_FLAGS: usize = 24;
const PT_LOAD: u32 = 1;
const PF_X: u32 = 1;
const PF_W: u32 = 2;
const PF_R: u32 = 4;
const PH_BYTES: u32 = 32;

/** An i386 executable whose program headers lie in the first page. */
function validHeader(header: usize, size: u32): bool {
  if (size < 52 || load<u32>(header) != ELF_MAGIC || load<u8>(header, 4) != 1 || load<u8>(header, 5) != 1) return false;
  if (load<u16>(header, E_TYPE) != 2 || load<u16>(header, E_MACHINE) != 3) return false;
  if (load<u16>(header, E_PHENTSIZE) != PH_BYTES) return false;
  const offset = load<u32>(header, E_PHOFF);
  const count = load<u16>(header, E_PHNUM) as u32;
  return count > 0 && offset < PAGE_SIZE && count * PH_BYTES <= PAGE_SIZE - offset;
}

let tailStart: usize = 0;                 // bytes [tailStart, tailEnd) of the last file page must become zero
let tailEnd: usize = 0;
let headersAt: usize = 0;                 // user address of the program headers

function execImage(lwp: Lwp, path: string, vp: Vnode, header: usize): i32 {
  const space = vmKernelRoom(0) ? vmspaceAlloc() : null;
  if (space == null) return ENOMEM;
  const error = mapImage(space, vp, header);
  if (error != 0 || !endOthers(lwp)) {
    vmspaceFree(space);
    return error != 0 ? error : EINTR;
  }
  lwp.proc.ender = null;
  replaceSpace(lwp, space);
  procSetName(lwp.proc, path);
  if (fillSpace(lwp, header) != 0) {
    unlockArgs();
    sigexit(lwp, SIGKILL);
  }
  return 0;
}

function mapImage(space: Vmspace, vp: Vnode, header: usize): i32 {
  const count = load<u16>(header, E_PHNUM) as u32;
  const first = header + load<u32>(header, E_PHOFF);
  tailStart = 0;
  tailEnd = 0;
  headersAt = 0;
  for (let i: u32 = 0; i < count; i++) {
    const ph = first + i * PH_BYTES;
    const error = load<u32>(ph) == PT_LOAD ? mapSegment(space, vp, header, ph) : 0;
    if (error != 0) return error;
  }
  return vmMapInsert(space, VM_MAX_USER_ADDRESS - STACK_BYTES, STACK_BYTES, null, 0, PROT_ALL, PROT_ALL, VME_STACK | VME_COW);
}

function roundPage(at: u32): u32 {
  return (at + PAGE_SIZE - 1) & ~(PAGE_SIZE - 1);
}

function mapSegment(space: Vmspace, vp: Vnode, header: usize, ph: usize): i32 {
  const offset = load<u32>(ph, P_OFFSET);
  const address = load<u32>(ph, P_VADDR);
  const fileBytes = load<u32>(ph, P_FILESZ);
  const memBytes = load<u32>(ph, P_MEMSZ);
  if (memBytes == 0) return 0;
  if (fileBytes > memBytes || ((offset ^ address) & (PAGE_SIZE - 1)) != 0) return ENOEXEC;
  if (address >= VM_MAX_USER_ADDRESS - STACK_BYTES || memBytes > VM_MAX_USER_ADDRESS - STACK_BYTES - address) return ENOEXEC;
  if (offset > vp.size || fileBytes > vp.size - offset) return ENOEXEC;
  const prot = protection(load<u32>(ph, P_FLAGS));
  const start = address & ~(PAGE_SIZE - 1);
  const fileEnd = fileBytes == 0 ? start : roundPage(address + fileBytes);
  const memEnd = roundPage(address + memBytes);
  let error = mapFilePart(space, vp, start, fileEnd - start, offset & ~(PAGE_SIZE - 1), prot);
  if (error == 0 && memEnd > fileEnd) error = vmMapInsert(space, fileEnd, memEnd - fileEnd, null, 0, prot, PROT_ALL, VME_COW);
  if (memBytes > fileBytes && fileBytes != 0) {
    tailStart = address + fileBytes;
    tailEnd = fileEnd;
  }
  const headers = load<u32>(header, E_PHOFF);
  if (headers >= offset && headers < offset + fileBytes) headersAt = address + headers - offset;
  if (memEnd > space.dataEnd) {
    space.dataStart = memEnd;
    space.dataEnd = memEnd;
  }
  return error;
}

function mapFilePart(space: Vmspace, vp: Vnode, start: u32, bytes: u32, offset: u32, prot: i32): i32 {
  if (bytes == 0) return 0;
  const object = vmObjectOf(vp);
  vmObjectRef(object);
  const error = vmMapInsert(space, start, bytes, object, offset, prot, PROT_ALL, VME_COW | VME_NEEDS_COPY);
  if (error != 0) vmObjectRelease(object);
  return error;
}

function protection(flags: u32): i32 {
  return ((flags & PF_R) != 0 ? PROT_READ : 0) | ((flags & PF_W) != 0 ? PROT_WRITE : 0) | ((flags & PF_X) != 0 ? PROT_EXEC : 0);
}

/** The point of no return, in the only thread left: the old program's memory, VM spaces, handlers and FPU state go. */
function replaceSpace(lwp: Lwp, space: Vmspace): void {
  const p = lwp.proc;
  const old = p.vmspace;
  vkernelExit(lwp);
  p.vmspace = space;
  lwp.vmspace = space;
  pmapActivate(lwp);
  if (changetype<usize>(old) != 0) vmspaceFree(old);
  enterProgram(space);
  fdExec(p.fd!);
  sigactsExec(p.sigacts);
  knoteNotify(p.notes, NOTE_EXEC);
  fpuExit(lwp);
  lwp.altSize = 0;
  lwp.onAltStack = false;
  memory.fill(changetype<usize>(lwp.tls), 0, 24);
  tlsLoad(lwp);
}

/** Write what the new space must contain, and point the registers at its entry. */
function fillSpace(lwp: Lwp, header: usize): i32 {
  let error = clearTail();
  if (error == 0) error = writeSigcode();
  if (error != 0) return error;
  const base = (SIGCODE - used) & ~(3 as u32);
  error = copyout(addressof(strings), base, used);
  if (error == 0) error = writeVectors(lwp, header, base);
  return error;
}

function clearTail(): i32 {
  if (tailStart == tailEnd) return 0;
  const zeros = malloc(PAGE_SIZE);
  memory.fill(zeros, 0, PAGE_SIZE);
  const error = copyout(zeros, tailStart, tailEnd - tailStart);
  mfree(zeros);
  return error;
}

const AUX_WORDS: u32 = 16;

function writeVectors(lwp: Lwp, header: usize, base: usize): i32 {
  const count: u32 = 1 + argc + 1 + envc + 1 + AUX_WORDS;
  const sp = (base - count * 4) & ~(15 as u32);
  if (!vmKernelRoom(count * 4)) return ENOMEM;
  const kva = malloc(count * 4);
  const w = changetype<Ptr<u32>>(kva);
  w[0] = argc;
  const envAt = 1 + argc + 1;
  let string = pointers(w, 1, argc, base);
  pointers(w, envAt, envc, string);
  auxiliary(w, envAt + envc + 1, header);
  let error = copyout(kva, sp, count * 4);
  w[0] = sp + 4;                         // struct ps_strings
  w[1] = argc;
  w[2] = sp + envAt * 4;
  w[3] = envc;
  if (error == 0) error = copyout(kva, PS_STRINGS, 16);
  mfree(kva);
  setRegisters(lwp, load<u32>(header, E_ENTRY), sp);
  return error;
}

/** w[at..]: user addresses of n strings that begin at `string`, and a 0. Returns the address after them. */
function pointers(w: Ptr<u32>, at: u32, n: u32, string: usize): usize {
  const shift = addressof(strings) - ((SIGCODE - used) & ~(3 as u32));
  for (let i: u32 = 0; i < n; i++) {
    w[at + i] = string;
    while (load<u8>(string + shift) != 0) string++;
    string++;
  }
  w[at + n] = 0;
  return string;
}

// Auxiliary vector types.
const AT_PHDR: u32 = 3;
const AT_PHENT: u32 = 4;
const AT_PHNUM: u32 = 5;
const AT_PAGESZ: u32 = 6;
const AT_BASE: u32 = 7;
const AT_FLAGS: u32 = 8;
const AT_ENTRY: u32 = 9;

function auxiliary(w: Ptr<u32>, at: u32, header: usize): void {
  let i = aux(w, at, AT_PHDR, headersAt);
  i = aux(w, i, AT_PHENT, PH_BYTES);
  i = aux(w, i, AT_PHNUM, load<u16>(header, E_PHNUM) as u32);
  i = aux(w, i, AT_PAGESZ, PAGE_SIZE);
  i = aux(w, i, AT_BASE, 0);
  i = aux(w, i, AT_FLAGS, 0);
  i = aux(w, i, AT_ENTRY, load<u32>(header, E_ENTRY));
  aux(w, i, 0, 0);
}

function aux(w: Ptr<u32>, at: u32, type: u32, value: u32): u32 {
  w[at] = type;
  w[at + 1] = value;
  return at + 2;
}

function setRegisters(lwp: Lwp, entry: usize, sp: usize): void {
  const frame = lwp.frame;
  memory.fill(changetype<usize>(frame), 0, TRAPFRAME_SIZE);
  frame.eip = entry;
  frame.esp = sp;
  frame.ebx = PS_STRINGS;
  frame.eflags = PSL_I | 2;
  frame.cs = SEL_UCODE;
  frame.ss = SEL_UDATA;
  frame.ds = SEL_UDATA;
  frame.es = SEL_UDATA;
}
