// The virtual kernel's entry: an ordinary process. Thread-local storage for the system call stubs, the options, the memory
// image as physical memory, the signals that are our interrupts, and then kernMain as on any machine.
//
// Usage: vkernel [-hUv] [-m size] [-n cpus] -r disk [-i image] [-p pidfile] [-e name=value:...]; options.ts reads it.

import { execve } from '../libc/sys.ts';
import { setUpTls } from '../libc/tls.ts';
import { kernMain } from '../kern/main.ts';
import { tuningInit } from '../kern/tuning.ts';
import { vmPageStartup } from '../kern/vm_page.ts';
import { clockInit } from './clock.ts';
import { consInit } from './console.ts';
import { openDisk } from './disk.ts';
import { eventsInit } from './events.ts';
import { fpuInit } from '../kern/fpu.ts';
import { imageBytes, mapImage } from './image.ts';
import { intrInit } from './intr.ts';
import { options, parseOptions, textAt } from './options.ts';
import { pidFileCreate } from './pidfile.ts';

let bootStack!: FixedArray<u32, 4096>;
let argv: usize = 0;
let envp: usize = 0;

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

function vkernelBoot(stack: usize): void {
  setUpTls();
  __init();
  const argc = load<i32>(stack);
  argv = stack + 4;
  envp = argv + (((argc + 1) as usize) << 2);
  parseOptions(argc, argv);
  tuningInit();
  mapImage();
  openDisk(options.disk);
  pidFileCreate();
  vmPageStartup(4096, imageBytes);
  fpuInit();
  intrInit();
  eventsInit();
  consInit();
  clockInit();
  kernMain(addressof(bootStack));
}

/** Arguments for the kernel: the word `vkernel`, then every -e setting. */
export function bootArgs(): string {
  return options.settings;
}

export function platformName(): string {
  return "vkernel";
}

/** -U: whoever has this kernel may change its memory. */
export function memoryWritable(): bool {
  return options.insecure;
}

/** Executes this program again with its arguments. Returns only on failure. */
export function restart(): void {
  execve(textAt(load<usize>(argv)), argv, envp);
}
