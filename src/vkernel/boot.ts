// The virtual kernel's entry: an ordinary process. Thread-local storage for the system call stubs, the options, the memory
// image as physical memory, the signals that are our interrupts, and then kernMain as on any machine.
//
// Usage: vkernel [-hv] [-m size] [-r root image] [-e name=value]

import { errno, execve, write, cstr, fcntl, _exit } from '../libc/sys.ts';
import { EOPNOTSUPP, strerror } from '../abi/errno.ts';
import { F_SETFD, FD_CLOEXEC } from '../abi/file.ts';
import { setUpTls } from '../libc/tls.ts';
import { kernMain } from '../kern/main.ts';
import { vmPageStartup } from '../kern/vm_page.ts';
import { clockInit } from './clock.ts';
import { consInit } from './console.ts';
import { openDisk } from './disk.ts';
import { fpuInit } from '../kern/fpu.ts';
import { imageFd, mapImage } from './image.ts';
import { intrInit } from './intr.ts';

const MEGABYTE: u32 = 0x100000;
const LEAST_MEMORY: u32 = 32 * MEGABYTE;
const MOST_MEMORY: u32 = 1024 * MEGABYTE;
const PIECE: u32 = 4 * MEGABYTE;
const IMAGE_PATH = "/var/vkernel/memimg";

let bootStack!: FixedArray<u32, 4096>;
let argv: usize = 0;
let envp: usize = 0;
let memoryBytes: u32 = 64 * MEGABYTE;
let rootImage: string = "";
let settings: string = "vkernel";

/** Entry point: argc, argv, envp on the stack. */
export function _start(): void {
  naked();
  asm`xor ebp, ebp
      mov eax, esp
      mov esp, ${bootStack}
      add esp, 16304
      push eax
      call ${vkernelBoot}
      ud2`;
}

function say(text: string): void {
  write(2, cstr(text), text.length as usize);
}

/** One line on standard error, and the end. */
function refuse(text: string): void {
  say("vkernel: " + text + "\n");
  _exit(1);
}

function usage(code: i32): void {
  say("usage: vkernel [-hv] [-m size[kmg]] -r root-image [-e name=value]\n");
  _exit(code);
}

function textAt(address: usize): string {
  let text = "";
  for (let at = address; load<u8>(at) != 0; at++) text = text + String.fromCharCode(load<u8>(at) as i32);
  return text;
}

/** Bytes of a size such as 64m. */
function sizeOf(text: string): u32 {
  let value: u32 = 0;
  for (let i: i32 = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    const last = i == text.length - 1;
    if (c >= 48 && c <= 57 && value < 4000000) value = value * 10 + ((c - 48) as u32);
    else if (last && c == 107) value = value << 10;
    else if (last && c == 109) value = value << 20;
    else if (last && c == 103) value = value << 30;
    else refuse("-m " + text + ": expected a size such as 64m");
  }
  if (value < LEAST_MEMORY || value > MOST_MEMORY || value % PIECE != 0) {
    refuse("-m " + text + ": expected a multiple of 4 MB from 32m to 1024m");
  }
  return value;
}

function parseOptions(argc: i32): void {
  for (let i: i32 = 1; i < argc; i++) {
    const option = textAt(load<usize>(argv + ((i as usize) << 2)));
    if (option == "-h") usage(0);
    if (option == "-v") continue;
    if (option != "-m" && option != "-r" && option != "-e") usage(2);
    i++;
    if (i == argc) usage(2);
    const value = textAt(load<usize>(argv + ((i as usize) << 2)));
    if (option == "-m") memoryBytes = sizeOf(value);
    else if (option == "-r") rootImage = value;
    else settings = settings + " " + value;
  }
  if (rootImage == "") usage(2);
}

function vkernelBoot(stack: usize): void {
  setUpTls();
  __init();
  const argc = load<i32>(stack);
  argv = stack + 4;
  envp = argv + (((argc + 1) as usize) << 2);
  parseOptions(argc);
  const failed = mapImage(IMAGE_PATH, memoryBytes);
  if (failed != null && errno() == EOPNOTSUPP) refuse("the host's vm.vkernel_enable is 0; set it to 1");
  if (failed != null) refuse(IMAGE_PATH + ": " + failed + ": " + strerror(errno()));
  if (!openDisk(rootImage)) refuse(rootImage + ": " + strerror(errno()));
  fcntl(imageFd, F_SETFD, FD_CLOEXEC);
  vmPageStartup(4096, memoryBytes);
  fpuInit();
  intrInit();
  consInit();
  clockInit();
  kernMain(addressof(bootStack));
}

/** Arguments for the kernel: the word `vkernel`, then every -e setting. */
export function bootArgs(): string {
  return settings;
}

export function platformName(): string {
  return "vkernel";
}

/** Executes this program again with its arguments. Returns only on failure. */
export function restart(): void {
  execve(textAt(load<usize>(argv)), argv, envp);
}
