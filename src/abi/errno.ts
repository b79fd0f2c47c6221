// 4.4BSD error numbers, as returned in eax with CF=1, and two answers that never reach a user: ERESTART and EJUSTRETURN.

export const ERESTART: i32 = -1;     // run the system call instruction again
export const EJUSTRETURN: i32 = -2;  // the handler has rewritten the frame: do not touch it

export const EPERM: i32 = 1;
export const ENOENT: i32 = 2;
export const ESRCH: i32 = 3;
export const EINTR: i32 = 4;
export const EIO: i32 = 5;
export const ENXIO: i32 = 6;
export const E2BIG: i32 = 7;
export const ENOEXEC: i32 = 8;
export const EBADF: i32 = 9;
export const ECHILD: i32 = 10;
export const EDEADLK: i32 = 11;
export const ENOMEM: i32 = 12;
export const EACCES: i32 = 13;
export const EFAULT: i32 = 14;
export const EBUSY: i32 = 16;
export const EEXIST: i32 = 17;
export const EXDEV: i32 = 18;
export const ENODEV: i32 = 19;
export const ENOTDIR: i32 = 20;
export const EISDIR: i32 = 21;
export const EINVAL: i32 = 22;
export const ENFILE: i32 = 23;
export const EMFILE: i32 = 24;
export const ENOTTY: i32 = 25;
export const ETXTBSY: i32 = 26;
export const EFBIG: i32 = 27;
export const ENOSPC: i32 = 28;
export const ESPIPE: i32 = 29;
export const EROFS: i32 = 30;
export const EMLINK: i32 = 31;
export const EPIPE: i32 = 32;
export const ERANGE: i32 = 34;
export const EAGAIN: i32 = 35;
export const EWOULDBLOCK: i32 = 35;
export const EOPNOTSUPP: i32 = 45;
export const ELOOP: i32 = 62;
export const ENAMETOOLONG: i32 = 63;
export const ENOTEMPTY: i32 = 66;
export const ENOSYS: i32 = 78;
export const EOVERFLOW: i32 = 84;

/** The message that perror prints, e.g. "No such file or directory". */
export function strerror(error: i32): string {
  switch (error) {
    case 1: return "Operation not permitted";
    case 2: return "No such file or directory";
    case 3: return "No such process";
    case 4: return "Interrupted system call";
    case 5: return "Input/output error";
    case 6: return "Device not configured";
    case 7: return "Argument list too long";
    case 8: return "Exec format error";
    case 9: return "Bad file descriptor";
    case 10: return "No child processes";
    case 11: return "Resource deadlock avoided";
    case 12: return "Cannot allocate memory";
    case 13: return "Permission denied";
    case 14: return "Bad address";
    case 16: return "Device busy";
    case 17: return "File exists";
    case 18: return "Cross-device link";
    case 19: return "Operation not supported by device";
    case 20: return "Not a directory";
    case 21: return "Is a directory";
    case 22: return "Invalid argument";
    case 23: return "Too many open files in system";
    case 24: return "Too many open files";
    case 25: return "Inappropriate ioctl for device";
    case 26: return "Text file busy";
    case 27: return "File too large";
    case 28: return "No space left on device";
    case 29: return "Illegal seek";
    case 30: return "Read-only file system";
    case 31: return "Too many links";
    case 32: return "Broken pipe";
    case 34: return "Result too large";
    case 35: return "Resource temporarily unavailable";
    case 45: return "Operation not supported";
    case 62: return "Too many levels of symbolic links";
    case 63: return "File name too long";
    case 66: return "Directory not empty";
    case 78: return "Function not implemented";
    case 84: return "Value too large to be stored in data type";
    default: return `Unknown error: ${error}`;
  }
}
