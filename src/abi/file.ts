// Files: open and fcntl flags, modes, struct stat, directory entries, terminal requests.

export const O_RDONLY: i32 = 0;
export const O_WRONLY: i32 = 1;
export const O_RDWR: i32 = 2;
export const O_ACCMODE: i32 = 3;
export const O_NONBLOCK: i32 = 4;
export const O_APPEND: i32 = 8;
export const O_SHLOCK: i32 = 0x10;        // with flock's LOCK_SH at once
export const O_EXLOCK: i32 = 0x20;        // with LOCK_EX; with O_NONBLOCK a locked file is EWOULDBLOCK
export const O_ASYNC: i32 = 0x40;
export const O_FSYNC: i32 = 0x80;
export const O_NOFOLLOW: i32 = 0x100;
export const O_CREAT: i32 = 0x200;
export const O_TRUNC: i32 = 0x400;
export const O_EXCL: i32 = 0x800;
export const O_DIRECT: i32 = 0x10000;
export const O_CLOEXEC: i32 = 0x20000;
/** extpread flag: do not block, whatever the descriptor says. */
export const O_FNONBLOCKING: i32 = 0x80000;

export const F_DUPFD: i32 = 0;
export const F_GETFD: i32 = 1;
export const F_SETFD: i32 = 2;
export const F_GETFL: i32 = 3;
export const F_SETFL: i32 = 4;
export const F_GETOWN: i32 = 5;
export const F_SETOWN: i32 = 6;
export const FD_CLOEXEC: i32 = 1;

export const LOCK_SH: i32 = 1;
export const LOCK_EX: i32 = 2;
export const LOCK_NB: i32 = 4;
export const LOCK_UN: i32 = 8;

export const SEEK_SET: i32 = 0;
export const SEEK_CUR: i32 = 1;
export const SEEK_END: i32 = 2;

export const S_IFMT: u32 = 0xf000;
export const S_IFIFO: u32 = 0x1000;
export const S_IFCHR: u32 = 0x2000;
export const S_IFDIR: u32 = 0x4000;
export const S_IFBLK: u32 = 0x6000;
export const S_IFREG: u32 = 0x8000;
export const S_IFLNK: u32 = 0xa000;

export const DT_FIFO: i32 = 1;
export const DT_CHR: i32 = 2;
export const DT_DIR: i32 = 4;
export const DT_BLK: i32 = 6;
export const DT_REG: i32 = 8;
export const DT_LNK: i32 = 10;

/** struct stat, 104 bytes. Times are seconds and nanoseconds. */
export class Stat {
  ino: u32 = 0; inoHigh: u32 = 0;
  nlink: u32 = 0;
  dev: u32 = 0;
  mode: u16 = 0; pad: u16 = 0;
  uid: u32 = 0;
  gid: u32 = 0;
  rdev: u32 = 0;
  atime: u32 = 0; atimeNsec: u32 = 0;
  mtime: u32 = 0; mtimeNsec: u32 = 0;
  ctime: u32 = 0; ctimeNsec: u32 = 0;
  size: u32 = 0; sizeHigh: u32 = 0;
  blocks: u32 = 0; blocksHigh: u32 = 0;
  blksize: u32 = 0;
  flags: u32 = 0;
  gen: u32 = 0;
  lspare: u32 = 0;
  q0: u32 = 0; q1: u32 = 0; q2: u32 = 0; q3: u32 = 0;
}

/** struct dirent header, 16 bytes, then the name and a NUL; a record takes (16 + namlen + 1 + 7) & ~7 bytes. */
export class Dirent {
  ino: u32 = 0; inoHigh: u32 = 0;
  namlen: u16 = 0;
  type: u8 = 0;
  unused: u8 = 0;
  unused2: u32 = 0;
}
export const DIRENT_NAME: u32 = 16;

// Device numbers (major << 8 | minor).
export const DEV_CONSOLE: u32 = 0x0000;   // /dev/console
export const DEV_TTY: u32 = 0x0100;       // /dev/tty
export const DEV_MEM: u32 = 0x0200;       // /dev/mem: physical memory by address
export const DEV_NULL: u32 = 0x0202;      // /dev/null
export const DEV_TIME: u32 = 0x0203;      // /dev/time: the time page (abi/time.ts), to be mapped
export const DEV_ZERO: u32 = 0x020c;      // /dev/zero

// ioctl requests.
export const TIOCGETA: u32 = 0x402c7413;  // get struct termios (44 bytes)
export const TIOCSETA: u32 = 0x802c7414;  // set it now
export const TIOCSETAW: u32 = 0x802c7415; // after output drains
export const TIOCSETAF: u32 = 0x802c7416; // and drop what was typed
export const TIOCGWINSZ: u32 = 0x40087468;// u16 rows, cols, xpixel, ypixel
export const TIOCSWINSZ: u32 = 0x80087467;// the foreground group gets SIGWINCH when they change
// Job control. A session leader without a terminal takes one with TIOCSCTTY; then its session's groups can be in the
// foreground, one at a time. A group in the background that reads gets SIGTTIN, one that changes settings, or writes when TOSTOP is
// set, SIGTTOU; ignoring or blocking that makes the read fail with EIO and lets the others pass.
export const TIOCSCTTY: u32 = 0x20007461; // EPERM: no session leader, or another session has the terminal
export const TIOCNOTTY: u32 = 0x20007471; // a session leader gives the terminal back: SIGHUP to the foreground, as when it ends
export const TIOCGSID: u32 = 0x40047463;  // session of the terminal; ENOTTY: it is not the caller's
export const TIOCSPGRP: u32 = 0x80047476; // foreground process group; ENOTTY: not the caller's terminal, EPERM: not a group of its session
export const TIOCGPGRP: u32 = 0x40047477;
export const FIONREAD: u32 = 0x4004667f;

/** struct termios: four flag words, 20 control characters, two speeds: 44 bytes. */
export class Termios {
  iflag: u32 = 0;
  oflag: u32 = 0;
  cflag: u32 = 0;
  lflag: u32 = 0;
  cc0: u32 = 0; cc1: u32 = 0; cc2: u32 = 0; cc3: u32 = 0; cc4: u32 = 0;  // 20 bytes, indexed by V*
  ispeed: u32 = 0;
  ospeed: u32 = 0;
}
export const VEOF: i32 = 0;
export const VERASE: i32 = 3;
export const VKILL: i32 = 5;
export const VINTR: i32 = 8;
export const VQUIT: i32 = 9;
export const VSUSP: i32 = 10;
export const VMIN: i32 = 16;
export const VTIME: i32 = 17;
export const VSTATUS: i32 = 18;            // SIGINFO to the foreground
export const ICRNL: u32 = 0x100;
export const OPOST: u32 = 1;
export const ONLCR: u32 = 2;
export const ECHO: u32 = 8;
export const ECHOE: u32 = 2;
export const ISIG: u32 = 0x80;
export const ICANON: u32 = 0x100;
export const TOSTOP: u32 = 0x400000;

// access(2), wait4(2), reboot(2).
export const R_OK: i32 = 4;
export const W_OK: i32 = 2;
export const X_OK: i32 = 1;
export const WNOHANG: i32 = 1;
export const WUNTRACED: i32 = 2;
/** Report children that SIGCONT has continued, with this status. */
export const WCONTINUED: i32 = 4;
export const W_CONTINUED: i32 = 0x13;
export const RB_AUTOBOOT: i32 = 0;
export const RB_HALT: i32 = 8;
/** The exit code of the machine, or of the virtual kernel's process, is in bits 31..16 of reboot's argument. */
export const RB_CODE_SHIFT: i32 = 16;

// sysctl names: { top level, leaf }.
export const CTL_KERN: i32 = 1;
export const CTL_VM: i32 = 2;
export const CTL_VFS: i32 = 3;
export const CTL_HW: i32 = 6;
export const KERN_OSTYPE: i32 = 1;        // string
export const KERN_PROC: i32 = 14;         // array of KInfoProc
export const KERN_BOOTARGS: i32 = 1001;   // string: the kernel's command line
export const KERN_PLATFORM: i32 = 1002;   // string: "host" or "vkernel"
export const KERN_CPTIME: i32 = 1005;     // CpTime
export const KERN_VMSPACES: i32 = 1020;   // array of KInfoVmspace
export const VM_VKERNEL_ENABLE: i32 = 1003; // i32, writable
export const VM_STATS: i32 = 1010;          // VmStats
export const VM_VKERNEL_SPACES: i32 = 1011; // i32, writable: VM spaces that one process may own
export const VFS_STATS: i32 = 1;          // FsStats of the root
export const HW_NCPU: i32 = 3;            // i32: processors
export const HW_PHYSMEM: i32 = 5;         // u32 bytes
export const HW_USERMEM: i32 = 6;         // u32 bytes free
export const HW_SYSENTER: i32 = 1000;     // i32: 1 if SYSENTER enters this kernel

/**
 * What the processor has done since the kernel began, as sysctl KERN_CPTIME reports it, 40 bytes, seconds and microseconds: it was in
 * user mode, in the kernel for some thread, in an interrupt that found it idle, or idle. In a virtual kernel, idle is when it
 * waits for the host. user + sys + intr + idle = real, but for what is lost by rounding each down.
 */
export class CpTime {
  userSec: u32 = 0; userUsec: u32 = 0;
  sysSec: u32 = 0; sysUsec: u32 = 0;
  intrSec: u32 = 0; intrUsec: u32 = 0;
  idleSec: u32 = 0; idleUsec: u32 = 0;
  realSec: u32 = 0; realUsec: u32 = 0;
}

/** What memory is used for, as sysctl VM_STATS reports it, 64 bytes. */
export class VmStats {
  pages: u32 = 0;          // all
  free: u32 = 0;           // free, or clean pages of files
  spaces: u32 = 0;         // address spaces, of processes and VM spaces
  entries: u32 = 0;        // map entries
  objects: u32 = 0;
  mappings: u32 = 0;       // reverse mappings
  tables: u32 = 0;         // pages that are page tables
  kernelBytes: u32 = 0;    // handed out by the kernel's malloc
  files: u32 = 0;          // open files
  imagePages: u32 = 0;     // changed pages of images, which sync does not write
  pagedOut: u32 = 0;       // of those, written so far because memory was short
  processes: u32 = 0;
  buffers: u32 = 0;        // of the buffer cache, part of kernelBytes with a page and a little each
  nodes: u32 = 0;          // inodes in memory, most of them kept for the next use
  diskCommands: u32 = 0;   // given to the disk so far
  cacheBytes: u32 = 0;     // of kernelBytes, for buffers, inodes, and what is kept to be used again: stacks, reverse mappings, disk requests
}

/** How full the file system is, as sysctl VFS_STATS reports it, 20 bytes. */
export class FsStats {
  blockSize: u32 = 0;
  blocks: u32 = 0;
  freeBlocks: u32 = 0;
  inodes: u32 = 0;
  freeInodes: u32 = 0;
}

/** One VM space as sysctl KERN_VMSPACES reports it, 24 bytes: those of one owner together, the owners in the order of KERN_PROC. */
export class KInfoVmspace {
  pid: i32 = 0;            // owner
  id: usize = 0;           // the owner's name for it
  running: i32 = 0;        // threads inside
  runs: u32 = 0;           // times that vmspace_ctl entered it
  usec: u32 = 0;           // processor time inside
  pages: u32 = 0;          // resident
}

/** One process as sysctl KERN_PROC reports it, 60 bytes. Times are microseconds of processor time. */
export class KInfoProc {
  pid: i32 = 0;
  ppid: i32 = 0;
  pgid: i32 = 0;
  state: i32 = 0;          // 'R' 'S' 'Z' 'T'
  userUsec: u32 = 0;
  sysUsec: u32 = 0;
  pages: u32 = 0;          // resident
  spaces: i32 = 0;         // VM spaces owned
  comm0: u32 = 0; comm1: u32 = 0; comm2: u32 = 0; comm3: u32 = 0; // 16 bytes, NUL padded
  wmesg0: u32 = 0; wmesg1: u32 = 0;                               // 8 bytes, NUL padded: what its first thread waits for
  threads: i32 = 0;
}
