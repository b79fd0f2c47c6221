// Copies between kernel and user memory of the current thread. User pages are in the page table that is loaded, so these
// are plain accesses; a page fault in them is resolved like the user's own, and if that fails the copy ends with EFAULT
// (Pcb.onFault). Nothing at or above VM_MAX_USER_ADDRESS is ever touched.

import { EFAULT, ENAMETOOLONG } from "../abi/errno.ts";
import { VM_MAX_USER_ADDRESS } from "../abi/mman.ts";
import { curLwp, Lwp } from "../kern/proc.ts";

// The two copying loops are bare code with this signature: to, from, bytes; -1 after a fault.
type Copier = (to: usize, from: usize, bytes: u32) => i32;

function copyBytes(): void {
  naked();
  asm`push esi
      push edi
      mov edi, [esp+12]
      mov esi, [esp+16]
      mov ecx, [esp+20]
      mov edx, ecx
      shr ecx, 2
      rep movsd
      mov ecx, edx
      and ecx, 3
      rep movsb
      xor eax, eax
      pop edi
      pop esi
      ret`;
}

/** Copy up to and including a NUL, at most `bytes`. Returns how many bytes were copied, or 0 when there was no NUL. */
function copyString(): void {
  naked();
  asm`push esi
      push edi
      mov edi, [esp+12]
      mov esi, [esp+16]
      mov ecx, [esp+20]
      next:
      test ecx, ecx
      jz none
      dec ecx
      lodsb
      stosb
      test al, al
      jnz next
      mov eax, edi
      sub eax, [esp+12]
      jmp done
      none:
      xor eax, eax
      done:
      pop edi
      pop esi
      ret`;
}

/** Where a failed copy continues: the stack is as in the middle of either function above. */
function copyFault(): void {
  naked();
  asm`mov eax, -1
      pop edi
      pop esi
      ret`;
}

function userRange(address: usize, bytes: u32): bool {
  return address < VM_MAX_USER_ADDRESS && bytes <= VM_MAX_USER_ADDRESS - address;
}

function guardedCopy(to: usize, from: usize, bytes: u32): i32 {
  const pcb = curLwp.pcb;
  pcb.onFault = codeof(copyFault);
  const copier = changetype<Copier>(codeof(copyBytes));
  const result = copier(to, from, bytes);
  pcb.onFault = 0;
  return result != 0 ? EFAULT : 0;
}

/** Copy from user address `from` to kernel address `to`. */
export function copyin(from: usize, to: usize, bytes: u32): i32 {
  return userRange(from, bytes) ? guardedCopy(to, from, bytes) : EFAULT;
}

/** Copy from kernel address `from` to user address `to`. */
export function copyout(from: usize, to: usize, bytes: u32): i32 {
  return userRange(to, bytes) ? guardedCopy(to, from, bytes) : EFAULT;
}

/** Copy a NUL-terminated string in; its length with the NUL goes to lengthOut. ENAMETOOLONG: no NUL within `max`. */
export function copyinstr(from: usize, to: usize, max: u32, lengthOut: Ptr<u32> | null): i32 {
  if (from >= VM_MAX_USER_ADDRESS) return EFAULT;
  const room = VM_MAX_USER_ADDRESS - from;
  const pcb = curLwp.pcb;
  pcb.onFault = codeof(copyFault);
  const copier = changetype<Copier>(codeof(copyString));
  const result = copier(to, from, max < room ? max : room);
  pcb.onFault = 0;
  if (result < 0) return EFAULT;
  if (result == 0) return max < room ? ENAMETOOLONG : EFAULT;
  if (lengthOut != null) lengthOut[0] = result as u32;
  return 0;
}

/** The user word that the current thread's last fuword read. */
export function fetchedWord(): u32 {
  return curLwp.fetched;
}

function wordAddress(): usize {
  return changetype<usize>(curLwp) + offsetof<Lwp>("fetched");
}

/** Read a user word: 0, and fetchedWord() has it, or EFAULT. */
export function fuword(from: usize): i32 {
  return copyin(from, wordAddress(), 4);
}

/** Write a user word. */
export function suword(to: usize, value: u32): i32 {
  curLwp.fetched = value;
  return copyout(wordAddress(), to, 4);
}
