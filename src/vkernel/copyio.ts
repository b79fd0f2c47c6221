// Copies between the kernel and the current process. The kernel can't address a process's memory: each page is looked up in
// (or faulted into) the process's map in software and reached through the linear mapping of the image. Any failure is EFAULT.

import { EFAULT, ENAMETOOLONG } from '../abi/errno.ts';
import { VM_MAX_USER_ADDRESS } from '../abi/mman.ts';
import { curLwp } from '../kern/proc.ts';
import { VM_READ, VM_WRITE, vmFaultPage } from '../kern/vm_fault.ts';
import { pmapExtract } from '../kern/ptable.ts';
import { windowOn } from '../kern/tuning.ts';
import { throughWindow } from './image.ts';
import { ptov } from './pmap.ts';

const WRITABLE: u32 = 2;

/** Kernel address of the byte at user address `ua`, good to the end of its page; 0 if access is not allowed. May sleep. */
function reach(ua: usize, write: bool): usize {
  if (ua >= VM_MAX_USER_ADDRESS) return 0;
  const vm = curLwp.vmspace!;
  const entry = pmapExtract(vm.pmap, ua & 0xfffff000);
  if (entry != 0 && (!write || (entry & WRITABLE) != 0)) return show((entry & 0xfffff000) | (ua & 4095));
  const page = vmFaultPage(vm, ua, write ? VM_WRITE : VM_READ);
  return page == null ? 0 : show(page.pa | (ua & 4095));
}

function show(pa: u32): usize {
  return windowOn ? ptov(pa) : throughWindow(pa);
}

/** Bytes from `ua` to the end of its page, at most `len`. */
function pieceAt(ua: usize, len: u32): u32 {
  const room = 4096 - (ua & 4095);
  return room < len ? room : len;
}

export function copyin(ua: usize, kva: usize, len: u32): i32 {
  let done: u32 = 0;
  while (done < len) {
    const at = reach(ua + done, false);
    if (at == 0) return EFAULT;
    const piece = pieceAt(ua + done, len - done);
    memory.copy(kva + done, at, piece);
    done += piece;
  }
  return 0;
}

export function copyout(kva: usize, ua: usize, len: u32): i32 {
  let done: u32 = 0;
  while (done < len) {
    const at = reach(ua + done, true);
    if (at == 0) return EFAULT;
    const piece = pieceAt(ua + done, len - done);
    memory.copy(at, kva + done, piece);
    done += piece;
  }
  return 0;
}

/** Copies a NUL-terminated string of at most `max` bytes with its NUL; its length with the NUL goes to `lengthOut`. */
export function copyinstr(ua: usize, kva: usize, max: u32, lengthOut: Ptr<u32> | null): i32 {
  let done: u32 = 0;
  while (done < max) {
    const at = reach(ua + done, false);
    if (at == 0) return EFAULT;
    const piece = pieceAt(ua + done, max - done);
    for (let i: u32 = 0; i < piece; i++) {
      const byte = load<u8>(at + i);
      store<u8>(kva + done + i, byte);
      if (byte != 0) continue;
      if (lengthOut != null) lengthOut[0] = done + i + 1;
      return 0;
    }
    done += piece;
  }
  return ENAMETOOLONG;
}

let word!: FixedArray<u32, 1>;

/** The user word that fuword read last. */
export function fetchedWord(): u32 {
  return word[0]!;
}

/** Read a user word: 0, then fetchedWord() has it, or EFAULT. */
export function fuword(from: usize): i32 {
  return copyin(from, addressof(word), 4);
}

/** Write a user word. */
export function suword(to: usize, value: u32): i32 {
  word[0] = value;
  return copyout(addressof(word), to, 4);
}
