// Broken kernels: memory, and pointers that system calls must not trust. See sabotage.ts.

import type { Sabotages } from './sabotage.ts';

export const MEMORY_SABOTAGES: Sabotages = {
  'src/host-kernel/copyio.ts': [
    ['copyout that trusts its pointer', 'return userRange(to, bytes) ? guardedCopy(to, from, bytes) : EFAULT;', 'return guardedCopy(to, from, bytes);', 
      'efault-read efault-read-pipe efault-sigaltstack-old efault-readlink-buffer efault-setitimer-old efault-getitimer efault-gettimeofday efault-getrusage efault-uname efault-extpread efault-sysctl-old efault-clock_gettime efault-getcwd efault-sigprocmask-old efault-sigaction-old efault-sigpending efault-get_tls_area efault-stat-buffer efault-fstat efault-lstat-buffer efault-getdirentries efault-kevent-events efault-getdirentries-base efault-wait4-status'],
    ['copyin that trusts its pointer', 'return userRange(from, bytes) ? guardedCopy(to, from, bytes) : EFAULT;', 'return guardedCopy(to, from, bytes);', 
      'efault-write efault-write-pipe efault-sigaltstack efault-setitimer efault-sysarch efault-extpwrite efault-sysctl-name efault-nanosleep efault-sigprocmask efault-sigsuspend efault-sigaction efault-set_tls_area'],
    ['copies whose faults nobody minds', 'return result != 0 ? EFAULT : 0;', 'return 0;', 
      'handler-in-fault-on-full-stack mprotect-system-call efault-sysctl-oldlen efault-select-in efault-select-out efault-select-timeout efault-poll efault-kevent-changes efault-kevent-timeout efault-write efault-write-pipe efault-sigaltstack efault-read efault-read-pipe efault-sigaltstack-old'],
    ['strings that are trusted', 'if (result < 0) return EFAULT;', 'if (result < 0) return 0;', 
      'efault-open efault-link-from efault-link-to efault-unlink efault-chdir efault-mknod efault-chmod efault-access efault-symlink-target efault-symlink efault-readlink efault-execve efault-rename-from efault-rename-to efault-mkdir efault-rmdir efault-truncate efault-stat efault-lstat'],
  ],
  'src/host-kernel/trap.ts': [['copies that may miss one page', '  pcb.onFault = onFault;\n', '  pcb.onFault = codeof(laneFault);\n', 'read-across-pages']],
  'src/kern/vm_map.ts': [
    ['children that write into the data of their parents', 'copy.flags = e.flags;', 'copy.flags = e.start < 0x20000000 ? e.flags & ~VME_NEEDS_COPY : e.flags;', 'fork-copies-memory cow-of-data-segment'],
    ['maps of two hundred entries', 'export const MAX_ENTRIES: i32 = 4096;', 'export const MAX_ENTRIES: i32 = 200;', 'mmap-many'],
    ['copy-on-write that leaves the parent its page table', '  pmapProtect(vm.pmap, e.start, e.end);\n', '  if (e.start < 0x20000000 || e.start >= 0x80000000) pmapProtect(vm.pmap, e.start, e.end);\n', 'cow-both-ways'],
    ['mprotect that leaves the page table', 'else if ((prot & PROT_WRITE) == 0) pmapProtect(vm.pmap, start, end);', '', 'mprotect-read-only mprotect-system-call'],
    ['PROT_NONE that leaves the page table', 'if ((prot & PROT_READ) == 0) pmapRemove(vm.pmap, start, end);\n  else if', 'if', 'mprotect-none'],
    ['munmap that leaves the page table', 'pmapRemove(vm.pmap, start, end);\n  const whole', 'const whole', 'munmap-middle munmap-many-pieces brk-shrinks'],
    ['mappings that are never cut', 'clipAt(vm, start);\n  clipAt(vm, end);\n  let removed', 'let removed', 'munmap-middle mmap-fixed-replaces'],
    ['pieces that show the beginning again', 'tail.offset = e.offset + (va - e.start);', 'tail.offset = e.offset;', 'munmap-middle'],
    ['protections beyond the maximum', 'if ((prot & ~e.maxProt) != 0) return EACCES;', '', 'mmap-file-access'],
    ['children with all protections', 'copy.prot = e.prot;', 'copy.prot = e.maxProt;', 'mprotect-child'],
    ['children that write into the parent\'s mappings', 'copy.flags = e.flags;', 'copy.flags = e.start >= 0x20000000 && e.start < 0x80000000 ? e.flags & ~VME_NEEDS_COPY : e.flags;', 'cow-both-ways cow-generations cow-many-pages cow-by-system-call mmap-file-private mprotect-child'],
    ['memory of the dead that nobody frees', 'vmMapRemove(vm, 0, VM_MAX_USER_ADDRESS);', '', 'memory-of-the-dead'],
    ['heaps that children do not have', 'vm.dataStart = old.dataStart;\n  vm.dataEnd = old.dataEnd;', '', 'brk-of-child'],
  ],
  'src/kern/vm_syscalls.ts': [
    ['shared memory that is private', 'let entryFlags: i32 = VME_SHARED;', 'let entryFlags: i32 = VME_COW;', 'shared-anonymous fork-returns-twice flock-waits umtx-between-processes pipe-blocks-writer preemption stop-and-continue mmap-file-shared'],
    ['a heap that ends before the program', 'if (end < vm.dataStart) return EINVAL;', 'if (end < vm.dataStart) return 0;', 'brk-errors'],
    ['a heap that never shrinks', 'vmMapRemove(vm, end, vm.dataEnd);', '', 'brk-shrinks'],
    ['a heap that does not grow', 'if (end - vm.dataStart > MAX_DATA) return ENOMEM;', 'if (end - vm.dataStart > 0x800000) return ENOMEM;', 'brk-grows brk-shrinks brk-of-child'],
    ['odd places', 'mmapResult = start;', 'mmapResult = start + 16;', 'mmap-anonymous'],
    ['no stacks', 'if ((flags & MAP_STACK) != 0) entryFlags |= VME_STACK;', 'if ((flags & MAP_STACK) != 0) return ENOMEM;', 'mmap-stack'],
    ['advice that is refused', 'if ((a[2] as i32) > MADV_INVAL) return EINVAL;', 'if ((a[2] as i32) > 0) return EINVAL;', 'madvise-free'],
    ['odd offsets', ' || (offset & 4095) != 0', '', 'mmap-errors'],
    ['any protection', ' || offsetHigh != 0 || (prot & ~PROT_ALL) != 0', ' || offsetHigh != 0', 'mmap-errors'],
    ['mappings that all begin with the file', 'insertMapping(vm, start, bytes, object, offset, prot', 'insertMapping(vm, start, bytes, object, 0, prot', 'mmap-file-offset'],
    ['files that are mapped without being readable', 'if (mode == O_WRONLY) return EACCES;', '', 'mmap-file-access'],
    ['/dev/zero that cannot be mapped', 'return vp.rdev == DEV_ZERO ? 0 : ENODEV;', 'return ENODEV;', 'mmap-dev-zero'],
    ['private mappings that change the file', 'entryFlags = o != null ? VME_COW | VME_NEEDS_COPY : VME_COW;', 'entryFlags = VME_COW;', 'mmap-file-private'],
    ['mappings that hold no file', 'vmObjectRef(object);\n  mapObject = object;', 'mapObject = object;', 'mmap-outlives-descriptor vpagetable-outlives-descriptor'],
    ['msync of nothing', 'if (e == null) return ENOMEM;', 'if (e == null) return 0;', 'mmap-file-persists'],
    ['mprotect of any bits', ' || (a[2]! & ~(PROT_ALL as u32)) != 0) return EINVAL;', ') return EINVAL;', 'mprotect-system-call'],
    ['munmap in the kernel', 'if (bytes < len || !vmRangeOk(start, bytes)) return EINVAL;\n  if (!vmMapMayClip', 'if (!vmMapMayClip', 'munmap-middle'],
  ],
  'src/kern/vm_object.ts': [
    ['pages of files that nobody gets while the file system is at work', '  fsLock();\n  const page = filePage', '  if (fsHeldOnce()) return noPage(EINVAL);\n  fsLock();\n  const page = filePage', 'mmap-write-from-mapping'],
    ['pages behind the end of a file', 'if (pindex >= pagesOf(vp.size)) return noPage(EINVAL);', '', 'mmap-file-end mmap-file-grows'],
    ['truncation that leaves mappings', 'vmPageUnmap(p);\n  if (p.wire', 'if (p.wire', 'mmap-file-grows'],
  ],
  'src/kern/vm_fault.ts': [
    ['protections that nobody minds', 'if (write ? (e.prot & PROT_WRITE) == 0 : e.prot == 0) return SEGV_ACCERR;', '', 'death-write-to-text mprotect-read-only mprotect-none mprotect-child mprotect-system-call handler-fault-address'],
  ],
  'src/kern/uio.ts': [['transfers that do not move on', 'uio.addr += bytes;', '', 'write-read']],
};

/** Of the virtual kernel. */
export const VIRTUAL_SABOTAGES: Sabotages = {
  'src/vkernel/trap.ts': [
    ['the TLS descriptors of somebody else', 'wish.vframe = changetype<usize>(tlsOf(lwp));', 'wish.vframe = changetype<usize>(tlsOf(lwp.proc.parent != null && lwp.proc.parent!.pid > 1 ? lwp.proc.parent!.lwps! : lwp));', 'tls-of-each'],
    ['FPU registers that are anybody\'s', 'fpuReady(lwp) ? 0 : PGEX_FPFAULT', '0', 'fpu-two-processes fpu-many'],
  ],
  'src/kern/vm_map.ts': [
    ['forks that leave the parent its page table', '  pmapProtect(vm.pmap, e.start, e.end);\n', '  if (e.start < 0x20000000 || e.start >= 0x80000000) pmapProtect(vm.pmap, e.start, e.end);\n', 'cow-both-ways'],
    ['stores that stay allowed', 'else if ((prot & PROT_WRITE) == 0) pmapProtect(vm.pmap, start, end);', '', 'mprotect-read-only'],
  ],
  'src/vkernel/ldt.ts': [['local tables that the real kernel does not hear of', 'vm.ldt != 0 ? LDT_SLOTS - LDT_FIRST : 0;', '0;', 'vmspace-ldt']],
  'src/vkernel/copyio.ts': [
    ['copies to read-only pages', '(!write || (entry & WRITABLE) != 0)', '(!write || entry != 0)', 'mprotect-system-call'],
    ['strings that never end', 'return ENAMETOOLONG;', 'return EFAULT;', 'long-names'],
  ],
};
