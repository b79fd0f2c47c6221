// Judges the file calls: open and its flags, reading and writing through holes and the indirect blocks, truncation, names,
// links, directories, rename, files without a name, descriptors, /dev, and that what one path wrote all others see.

import { EBADF, EEXIST, EINVAL, EISDIR, ELOOP, ENAMETOOLONG, ENOENT, ENOTDIR, ENOTEMPTY, ENOTTY, EPERM, ESPIPE } from '../../src/abi/errno.ts';
import { Dirent, DIRENT_NAME, DT_DIR, DT_LNK, DT_REG, F_DUPFD, F_GETFD, F_GETFL, F_SETFD, FD_CLOEXEC, O_APPEND, O_CREAT, O_EXCL, O_NOFOLLOW, O_RDONLY,
  O_RDWR, O_TRUNC, O_WRONLY, S_IFDIR, S_IFLNK, S_IFMT, S_IFREG, SEEK_CUR, SEEK_END, SEEK_SET, Stat, Termios, TIOCGETA } from '../../src/abi/file.ts';
import { MAP_PRIVATE, MAP_SHARED, PROT_READ, PROT_WRITE } from '../../src/abi/mman.ts';
import { setMain } from '../../src/libc/crt.ts';
import { stringAt, stringOf } from '../../src/libc/strings.ts';
import { malloc, mfree } from '../../src/libc/rt.ts';
import { chdir, chmod, close, dup, dup2, extpread, extpwrite, fcntl, fstat, fsync, ftruncate, getcwd, getdirentries, ioctl, link, lseek, lstat, mkdir,
  mmap, munmap, open, pipe, read, readlink, rename, rmdir, stat, symlink, sync, unlink, write } from '../../src/libc/sys.ts';
import { check, checkEqual, checkError, inChild, verdict } from './harness.ts';

const PAGE: u32 = 4096;
let st!: Embed<Stat>;
let termios!: Embed<Termios>;
let fds!: FixedArray<i32, 2>;
let buffer: usize = 0;
let other: usize = 0;

function fill(seed: u32, bytes: u32): void {
  for (let i: u32 = 0; i < bytes; i++) store<u8>(buffer + i, ((i * 7 + (i >>> 8) * 13 + seed) & 255) as u8);
}

function same(bytes: u32): bool {
  for (let i: u32 = 0; i < bytes; i++) {
    if (load<u8>(buffer + i) != load<u8>(other + i)) return false;
  }
  return true;
}

function zeros(bytes: u32): bool {
  for (let i: u32 = 0; i < bytes; i++) {
    if (load<u8>(other + i) != 0) return false;
  }
  return true;
}

function put(path: string, text: string): void {
  const fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0x1b6);
  write(fd, changetype<usize>(text) + 4, text.length as u32);
  close(fd);
}

function contents(path: string): string {
  const fd = open(path, O_RDONLY, 0);
  if (fd < 0) return "(none)";
  const n = read(fd, other, PAGE);
  close(fd);
  return n < 0 ? "(error)" : stringOf(other, n);
}

function openFlags(): void {
  checkError("open of nothing", open("/t/none", O_RDONLY, 0), ENOENT);
  const fd = open("/t/a", O_RDWR | O_CREAT | O_EXCL, 0x1b6);
  check("open O_CREAT", fd >= 0);
  checkError("open O_EXCL again", open("/t/a", O_RDWR | O_CREAT | O_EXCL, 0x1b6), EEXIST);
  checkEqual("write", write(fd, buffer, 10), 10);
  checkEqual("fstat", fstat(fd, addressof(st)), 0);
  checkEqual("size", st.size as i32, 10);
  checkEqual("mode and umask", st.mode as i32, (S_IFREG as i32) | 0x1a4);
  close(fd);
  const append = open("/t/a", O_WRONLY | O_APPEND, 0);
  write(append, buffer, 5);
  checkError("read of O_WRONLY", read(append, other, 1), EBADF);
  close(append);
  stat("/t/a", addressof(st));
  checkEqual("O_APPEND", st.size as i32, 15);
  close(open("/t/a", O_WRONLY | O_TRUNC, 0));
  stat("/t/a", addressof(st));
  checkEqual("O_TRUNC", st.size as i32, 0);
  checkError("open directory for writing", open("/t", O_WRONLY, 0), EISDIR);
  checkError("the root for writing", open("/", O_WRONLY | O_CREAT, 0), EISDIR);
  checkError("file as directory", open("/t/a/b", O_RDONLY, 0), ENOTDIR);
  checkError("closed descriptor", close(append), EBADF);
  unlink("/t/a");
}

/** Write and read back pieces at positions that need all kinds of block pointers. */
function bigFiles(): void {
  const fd = open("/t/big", O_RDWR | O_CREAT | O_TRUNC, 0x1b6);
  const last: i32 = 5 * 1024 * 1024 - 3;
  fill(1, 9000);
  checkEqual("direct", extpwrite(fd, buffer, 9000, 0, 1000), 9000);
  fill(2, 9000);
  checkEqual("single indirect", extpwrite(fd, buffer, 9000, 0, 200000), 9000);
  fill(3, 9000);
  checkEqual("double indirect", extpwrite(fd, buffer, 9000, 0, last as i64), 9000);
  fstat(fd, addressof(st));
  checkEqual("size of a sparse file", st.size as i32, last + 9000);
  checkEqual("blocks of a sparse file", st.blocks as i32, 8 * (3 + 4 + 4 + 1 + 2));
  fsync(fd);
  fill(1, 9000);
  extpread(fd, other, 9000, 0, 1000);
  check("direct again", same(9000));
  fill(2, 9000);
  extpread(fd, other, 9000, 0, 200000);
  check("single again", same(9000));
  fill(3, 9000);
  checkEqual("short at the end", extpread(fd, other, 10000, 0, last as i64), 9000);
  check("double again", same(9000));
  extpread(fd, other, 5000, 0, 100000);
  check("hole", zeros(5000));
  truncation(fd);
  close(fd);
  unlink("/t/big");
}

function truncation(fd: i32): void {
  checkEqual("ftruncate", ftruncate(fd, 1500), 0);
  fstat(fd, addressof(st));
  checkEqual("blocks after truncation", st.blocks as i32, 8);
  checkEqual("and longer", ftruncate(fd, 20000), 0);
  extpread(fd, other, 8000, 0, 1500);
  check("zeros behind the old end", zeros(8000));
  fill(1, 9000);
  extpread(fd, other, 500, 0, 1000);
  check("what was kept", same(500));
}

function seeking(): void {
  put("/t/s", "0123456789");
  const fd = open("/t/s", O_RDWR, 0);
  checkEqual("lseek", lseek(fd, 4, SEEK_SET), 4);
  read(fd, other, 2);
  checkEqual("read there", load<u8>(other) as i32, 52);
  checkEqual("SEEK_CUR back", lseek(fd, -3, SEEK_CUR), 3);
  checkEqual("SEEK_END", lseek(fd, -1, SEEK_END), 9);
  checkError("before the start", lseek(fd, -20, SEEK_CUR), EINVAL);
  checkEqual("extpread leaves the position", extpread(fd, other, 1, 0, 0), 1);
  checkEqual("where it was", lseek(fd, 0, SEEK_CUR), 9);
  const second = dup(fd);
  lseek(second, 2, SEEK_SET);
  checkEqual("dup shares the position", lseek(fd, 0, SEEK_CUR), 2);
  checkEqual("F_DUPFD", fcntl(fd, F_DUPFD, 30), 30);
  checkEqual("dup2", dup2(fd, 31), 31);
  fcntl(fd, F_SETFD, FD_CLOEXEC);
  checkEqual("F_GETFD", fcntl(fd, F_GETFD, 0), FD_CLOEXEC);
  checkEqual("not of the copy", fcntl(31, F_GETFD, 0), 0);
  checkEqual("F_GETFL", fcntl(fd, F_GETFL, 0), O_RDWR);
  close(second);
  close(30);
  close(31);
  close(fd);
  pipe(changetype<Ptr<i32>>(addressof(fds)));
  checkError("lseek of a pipe", lseek(fds[0], 0, SEEK_CUR), ESPIPE);
  close(fds[0]);
  close(fds[1]);
  unlink("/t/s");
}

function links(): void {
  put("/t/one", "one");
  checkEqual("link", link("/t/one", "/t/two"), 0);
  stat("/t/two", addressof(st));
  checkEqual("nlink", st.nlink as i32, 2);
  checkError("link over", link("/t/one", "/t/two"), EEXIST);
  checkError("link of a directory", link("/t", "/t/three"), EPERM);
  checkEqual("unlink", unlink("/t/one"), 0);
  check("the other name", contents("/t/two") == "one");
  checkEqual("symlink", symlink("two", "/t/soft"), 0);
  check("through it", contents("/t/soft") == "one");
  lstat("/t/soft", addressof(st));
  checkEqual("lstat", (st.mode as i32) & (S_IFMT as i32), S_IFLNK as i32);
  checkEqual("readlink", readlink("/t/soft", other, 100), 3);
  checkError("readlink of a file", readlink("/t/two", other, 100), EINVAL);
  checkError("O_NOFOLLOW", open("/t/soft", O_RDONLY | O_NOFOLLOW, 0), ELOOP);
  symlink("/t/loop", "/t/loop");
  checkError("loop", open("/t/loop", O_RDONLY, 0), ELOOP);
  symlink("/t/../t/./dir", "/t/todir");
  mkdir("/t/dir", 0x1ed);
  put("/t/todir/x", "x");
  check("link to a directory", contents("/t/dir/x") == "x");
  const long = "/t/././././././././././././././././././././././././././././././two";
  checkEqual("long symlink", symlink(long, "/t/long"), 0);
  check("through it", contents("/t/long") == "one");
  checkEqual("create through a dangling link", symlink("/t/made", "/t/dangling"), 0);
  put("/t/dangling", "made");
  check("made", contents("/t/made") == "made");
  unlink("/t/dangling");
  unlink("/t/made");
  unlink("/t/long");
  unlink("/t/dir/x");
  rmdir("/t/dir");
  unlink("/t/todir");
  unlink("/t/loop");
  unlink("/t/soft");
  unlink("/t/two");
}

/** Count entries of a directory, with a small buffer; adds up their types in typeSum. */
let typeSum: i32 = 0;
function countEntries(path: string): i32 {
  const fd = open(path, O_RDONLY, 0);
  let count: i32 = 0;
  typeSum = 0;
  for (;;) {
    const n = getdirentries(fd, other, 300, 0);
    if (n <= 0) break;
    let at: usize = 0;
    while (at < (n as u32)) {
      const e = changetype<Dirent>(other + at);
      count++;
      typeSum += e.type as i32;
      at += (DIRENT_NAME + (e.namlen as u32) + 8) & 0xfffffff8;
    }
  }
  close(fd);
  return count;
}

function directories(): void {
  checkEqual("mkdir", mkdir("/t/d/", 0x1ff), 0);
  checkError("mkdir again", mkdir("/t/d", 0x1ff), EEXIST);
  stat("/t/d", addressof(st));
  checkEqual("mode", st.mode as i32, (S_IFDIR as i32) | 0x1ed);
  checkEqual("links of a new directory", st.nlink as i32, 2);
  mkdir("/t/d/sub", 0x1ff);
  symlink("x", "/t/d/soft");
  stat("/t/d", addressof(st));
  checkEqual("links with a subdirectory", st.nlink as i32, 3);
  for (let i: i32 = 0; i < 300; i++) put(`/t/d/a-rather-long-name-of-a-file-${i}`, `${i}`);
  checkEqual("entries", countEntries("/t/d"), 304);
  checkEqual("types", typeSum, 3 * DT_DIR + DT_LNK + 300 * DT_REG);
  check("one of many", contents("/t/d/a-rather-long-name-of-a-file-299") == "299");
  checkError("rmdir of a full one", rmdir("/t/d"), ENOTEMPTY);
  checkError("unlink of a directory", unlink("/t/d/sub"), EPERM);
  checkError("rmdir of a file", rmdir("/t/d/a-rather-long-name-of-a-file-1"), ENOTDIR);
  for (let i: i32 = 0; i < 300; i += 2) unlink(`/t/d/a-rather-long-name-of-a-file-${i}`);
  checkEqual("half of them", countEntries("/t/d"), 154);
  for (let i: i32 = 1; i < 300; i += 2) unlink(`/t/d/a-rather-long-name-of-a-file-${i}`);
  checkError("rmdir of .", rmdir("/t/d/sub/."), EINVAL);
  checkEqual("chdir", chdir("/t/d/sub"), 0);
  getcwd(other, 200);
  check("getcwd", stringAt(other) == "/t/d/sub");
  checkEqual("rmdir of the current directory", rmdir("../sub"), 0);
  checkError("nothing can be made there", open("x", O_WRONLY | O_CREAT, 0x1b6), ENOENT);
  chdir("/");
  getcwd(other, 200);
  check("getcwd of the root", stringAt(other) == "/");
  unlink("/t/d/soft");
  checkEqual("rmdir", rmdir("/t/d"), 0);
  let name = "/t/";
  for (let i: i32 = 0; i < 256; i++) name = name + "n";
  checkError("a name of 256 bytes", open(name, O_WRONLY | O_CREAT, 0x1b6), ENAMETOOLONG);
}

function renames(): void {
  put("/t/from", "from");
  put("/t/to", "to");
  checkEqual("rename over a file", rename("/t/from", "/t/to"), 0);
  check("its contents", contents("/t/to") == "from");
  checkError("the old name", stat("/t/from", addressof(st)), ENOENT);
  mkdir("/t/p", 0x1ff);
  mkdir("/t/q", 0x1ff);
  mkdir("/t/p/child", 0x1ff);
  put("/t/p/child/file", "deep");
  checkEqual("rename of a directory", rename("/t/p/child", "/t/q/moved"), 0);
  check("what is in it", contents("/t/q/moved/../moved/file") == "deep");
  stat("/t/p", addressof(st));
  checkEqual("old parent", st.nlink as i32, 2);
  stat("/t/q", addressof(st));
  checkEqual("new parent", st.nlink as i32, 3);
  checkError("into itself", rename("/t/q", "/t/q/moved/q"), EINVAL);
  checkError("file over directory", rename("/t/to", "/t/p"), EISDIR);
  checkError("directory over file", rename("/t/p", "/t/to"), ENOTDIR);
  checkError("over a full directory", rename("/t/p", "/t/q"), ENOTEMPTY);
  checkEqual("over an empty one", rename("/t/q", "/t/p"), 0);
  check("still there", contents("/t/p/moved/file") == "deep");
  unlink("/t/p/moved/file");
  rmdir("/t/p/moved");
  rmdir("/t/p");
  unlink("/t/to");
}

/** Contents live until the last descriptor goes, and a mapping sees what write wrote. */
function mappings(): void {
  const fd = open("/t/gone", O_RDWR | O_CREAT, 0x1b6);
  unlink("/t/gone");
  checkEqual("write without a name", write(fd, buffer, 5000), 5000);
  const at = mmap(0, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  fill(9, 100);
  extpwrite(fd, buffer, 100, 0, 4096);
  checkEqual("mapping sees write", load<u8>(at + PAGE + 99) as i32, load<u8>(buffer + 99) as i32);
  store<u8>(at + 7, 200);
  extpread(fd, other, 1, 0, 7);
  checkEqual("read sees mapping", load<u8>(other) as i32, 200);
  const mine = mmap(0, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
  store<u8>(mine + 7, 100);
  extpread(fd, other, 1, 0, 7);
  checkEqual("private mapping stays private", load<u8>(other) as i32, 200);
  const status = inChild(() => 0);
  checkEqual("child", status, 0);
  munmap(at, 2 * PAGE);
  munmap(mine, PAGE);
  close(fd);
}

function devices(): void {
  const zero = open("/dev/zero", O_RDWR, 0);
  store<u8>(other + 4999, 1);
  checkEqual("read of zero", read(zero, other, 5000), 5000);
  check("zeros", zeros(5000));
  const none = open("/dev/null", O_RDWR, 0);
  checkEqual("write to null", write(none, other, 5000), 5000);
  checkEqual("read of null", read(none, other, 10), 0);
  checkError("null is no terminal", ioctl(none, TIOCGETA, addressof(termios)), ENOTTY);
  const console = open("/dev/console", O_RDWR, 0);
  checkEqual("console is one", ioctl(console, TIOCGETA, addressof(termios)), 0);
  close(zero);
  close(none);
  close(console);
}

function modes(): void {
  put("/t/m", "");
  checkEqual("chmod", chmod("/t/m", 0x1c0), 0);
  stat("/t/m", addressof(st));
  checkEqual("mode", (st.mode as i32) & 0xfff, 0x1c0);
  unlink("/t/m");
}

/** What stays for whoever looks at the disk afterwards. */
function leaveSomething(): void {
  mkdir("/left", 0x1ff);
  put("/left/small", "left behind\n");
  const fd = open("/left/large", O_WRONLY | O_CREAT, 0x1b6);
  fill(5, 65536);
  for (let i: i32 = 0; i < 80; i++) write(fd, buffer, 65536);
  close(fd);
  symlink("small", "/left/link");
  const open1 = open("/left/nameless", O_RDWR | O_CREAT, 0x1b6);
  unlink("/left/nameless");
  write(open1, buffer, 50000);
}

/** Three pages through a shared mapping: stored before and after the file went to disk, after a load, and never unmapped. */
function leaveMapped(): void {
  const fd = open("/left/mapped", O_RDWR | O_CREAT, 0x1b6);
  fill(0, 3 * PAGE);
  write(fd, buffer, 3 * PAGE);
  fsync(fd);
  const at = mmap(0, 3 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  memory.fill(at, 65, PAGE);
  fsync(fd);
  memory.fill(at, 66, 100);
  check("mapping shows the file", load<u8>(at + PAGE + 1) == load<u8>(buffer + PAGE + 1));
  memory.fill(at + PAGE, 67, PAGE);
  memory.fill(at + 2 * PAGE, 68, PAGE);
  checkEqual("munmap of the last page", munmap(at + 2 * PAGE, PAGE), 0);
  close(fd);
}

function main(args: string[]): i32 {
  buffer = malloc(65536);
  other = malloc(65536);
  mkdir("/t", 0x1ff);
  openFlags();
  bigFiles();
  seeking();
  links();
  directories();
  renames();
  mappings();
  devices();
  modes();
  checkEqual("nothing is left", rmdir("/t"), 0);
  leaveSomething();
  leaveMapped();
  sync();
  mfree(other);
  return verdict("files");
}

setMain(main);
