// Cases about files: open and its flags, reading and writing at all kinds of places, truncation, holes, large files, times,
// and devices.

import { EBADF, EEXIST, EFBIG, EINVAL, EISDIR, ELOOP, ENOENT, ENOTDIR, ENXIO, EOVERFLOW, EACCES } from '../abi/errno.ts';
import { O_APPEND, O_CREAT, O_EXCL, O_NOFOLLOW, O_RDONLY, O_RDWR, O_TRUNC, O_WRONLY, R_OK, S_IFCHR, S_IFMT, S_IFREG, SEEK_CUR, SEEK_END, SEEK_SET, Stat, W_OK,
  X_OK } from '../abi/file.ts';
import { Timeval } from '../abi/time.ts';
import { malloc } from '../libc/rt.ts';
import { access, chmod, close, extpread, extpwrite, fork, fstat, fsync, ftruncate, gettimeofday, lseek, mkdir, mknod, open, read, stat, symlink, sync, syscall8,
  truncate, umask, unlink, write, _exit, wait4 } from '../libc/sys.ts';
import { check, checkChild, checkEqual, checkError, checkText, fill, get, isFilled, isZero, must, newFile, put, sleepMs, test } from './usertests-harness.ts';

let st!: Embed<Stat>;
let now!: Embed<Timeval>;
let buffer: usize = 0;
let fd: i32 = -1;

function room(bytes: u32): usize {
  buffer = malloc(bytes);
  return buffer;
}

function sizeOf(path: string): i32 {
  must("stat " + path, stat(path, addressof(st)));
  return st.size as i32;
}

function openCases(): void {
  test("open-missing", () => {
    checkError("for reading", open("none", O_RDONLY, 0), ENOENT);
    checkError("empty name", open("", O_RDONLY, 0), ENOENT);
    checkError("with a slash behind", open("none/", O_CREAT | O_RDWR, 0x1b6), EISDIR);
  });
  test("open-create", () => {
    fd = must("open", open("f", O_CREAT | O_EXCL | O_RDWR, 0x1b6));
    checkError("O_EXCL again", open("f", O_CREAT | O_EXCL | O_RDWR, 0x1b6), EEXIST);
    check("without it", open("f", O_CREAT | O_RDWR, 0x1b6) >= 0);
    checkEqual("empty", sizeOf("f"), 0);
  });
  test("open-umask", () => {
    checkEqual("the mask at first", umask(0x3f), 0x12);
    close(open("f", O_CREAT | O_RDWR, 0x1ff));
    stat("f", addressof(st));
    checkEqual("mode", st.mode as i32, (S_IFREG | 0x1c0) as i32);
    checkEqual("the mask given", umask(0), 0x3f);
    checkChild("a child has it", () => umask(0) == 0 ? 0 : 1);
  });
  test("open-modes", () => {
    put("f", "text");
    room(16);
    fd = open("f", O_RDONLY, 0);
    checkError("write to O_RDONLY", write(fd, buffer, 1), EBADF);
    checkError("truncate it", ftruncate(fd, 0), EINVAL);
    fd = open("f", O_WRONLY, 0);
    checkError("read of O_WRONLY", read(fd, buffer, 1), EBADF);
    checkError("both bits", open("f", 3, 0), EINVAL);
    checkText("unchanged", get("f"), "text");
  });
  test("open-append", () => {
    put("f", "abc");
    fd = open("f", O_WRONLY | O_APPEND, 0);
    store<u8>(room(16), 120);
    lseek(fd, 0, SEEK_SET);
    write(fd, buffer, 1);
    checkText("at the end", get("f"), "abcx");
    extpwrite(fd, buffer, 1, 0, 0);
    check("never in the middle", get("f").startsWith("abc"));
  });
  test("open-truncate", () => {
    put("f", "abc");
    close(open("f", O_WRONLY | O_TRUNC, 0));
    checkEqual("size", sizeOf("f"), 0);
  });
  test("open-directory", () => {
    mkdir("d", 0x1ff);
    checkError("for writing", open("d", O_WRONLY, 0), EISDIR);
    checkError("to truncate", open("d", O_RDONLY | O_TRUNC, 0), EISDIR);
    fd = must("for reading", open("d", O_RDONLY, 0));
    checkError("read", read(fd, room(16), 4), EISDIR);
  });
  test("open-below-file", () => {
    put("f", "");
    checkError("open", open("f/x", O_RDONLY, 0), ENOTDIR);
    checkError("create", open("f/x", O_RDWR | O_CREAT, 0x1b6), ENOTDIR);
    checkError("slash behind a file", open("f/", O_RDONLY, 0), ENOTDIR);
  });
  test("open-symlink", () => {
    put("f", "text");
    symlink("f", "l");
    symlink("l2", "l2");
    symlink("made", "dangling");
    checkText("through a link", get("l"), "text");
    checkError("O_NOFOLLOW", open("l", O_RDONLY | O_NOFOLLOW, 0), ELOOP);
    checkError("link to itself", open("l2", O_RDONLY, 0), ELOOP);
    checkError("to nothing", open("dangling", O_RDONLY, 0), ENOENT);
    checkError("O_EXCL sees the link", open("dangling", O_CREAT | O_EXCL | O_RDWR, 0x1b6), EEXIST);
    close(must("creates its target", open("dangling", O_CREAT | O_RDWR, 0x1b6)));
    checkEqual("there", sizeOf("made"), 0);
  });
  test("access", () => {
    put("f", "");
    checkEqual("read", access("f", R_OK), 0);
    checkEqual("write", access("f", W_OK), 0);
    checkError("execute", access("f", X_OK), EACCES);
    chmod("f", 0x49);
    checkEqual("execute after chmod", access("f", X_OK), 0);
    checkError("missing", access("g", 0), ENOENT);
  });
  test("chmod", () => {
    put("f", "");
    must("chmod", chmod("f", 0x924));
    stat("f", addressof(st));
    checkEqual("mode", st.mode as i32, (S_IFREG | 0x924) as i32);
    checkError("missing", chmod("g", 0x1ff), ENOENT);
  });
}

/** Where blocks are reached directly and through one, two and three levels of indirection, with blocks of 4 KiB. */
function bigPlace(level: u32): i64 {
  return level == 0 ? 1000 : level == 1 ? 200000 : level == 2 ? 5000000 : 0x41000000;
}

function contentCases(): void {
  test("write-read", () => {
    fill(room(20000), 9000, 1);
    fd = newFile("f");
    checkEqual("write", write(fd, buffer, 9000), 9000);
    checkEqual("position", lseek(fd, 0, SEEK_CUR), 9000);
    lseek(fd, 0, SEEK_SET);
    memory.fill(buffer, 0, 20000);
    checkEqual("read to the end", read(fd, buffer, 20000), 9000);
    check("same bytes", isFilled(buffer, 9000, 1));
    checkEqual("then nothing", read(fd, buffer, 20000), 0);
  });
  test("write-in-pieces", () => {
    room(8192);
    fd = newFile("f");
    for (let i: u32 = 0; i < 300; i++) {
      fill(buffer, 37, i);
      checkEqual("write", write(fd, buffer, 37), 37);
    }
    lseek(fd, 0, SEEK_SET);
    for (let i: u32 = 0; i < 300; i++) {
      checkEqual("read", read(fd, buffer, 37), 37);
      check("same bytes", isFilled(buffer, 37, i));
    }
  });
  test("write-overwrites", () => {
    put("f", "0123456789");
    fd = open("f", O_RDWR, 0);
    lseek(fd, 3, SEEK_SET);
    store<u32>(room(8), 0x41424344);
    write(fd, buffer, 4);
    checkText("in the middle", get("f"), "012DCBA789");
  });
  test("write-nothing", () => {
    fd = newFile("f");
    checkEqual("no bytes", write(fd, room(8), 0), 0);
    checkEqual("read none", read(fd, buffer, 0), 0);
    checkEqual("size", sizeOf("f"), 0);
  });
  test("pread-pwrite", () => {
    fd = newFile("f");
    room(100);
    store<u32>(buffer, 0x44434241);
    checkEqual("write at 10", extpwrite(fd, buffer, 4, 0, 10), 4);
    checkEqual("position stays", lseek(fd, 0, SEEK_CUR), 0);
    checkEqual("read at 11", extpread(fd, buffer, 100, 0, 11), 3);
    check("bytes", load<u8>(buffer) == 66 && load<u8>(buffer, 2) == 68);
    checkEqual("behind the end", extpread(fd, buffer, 4, 0, 14), 0);
    checkEqual("hole before", extpread(fd, buffer, 10, 0, 0), 10);
    check("zeros", isZero(buffer, 10));
  });
  test("lseek", () => {
    put("f", "0123456789");
    fd = open("f", O_RDWR, 0);
    room(8);
    checkEqual("set", lseek(fd, 4, SEEK_SET), 4);
    read(fd, buffer, 2);
    checkEqual("byte there", load<u8>(buffer) as i32, 52);
    checkEqual("back", lseek(fd, -3, SEEK_CUR), 3);
    checkEqual("from the end", lseek(fd, -1, SEEK_END), 9);
    checkEqual("behind the end", lseek(fd, 100, SEEK_END), 110);
    checkEqual("nothing to read there", read(fd, buffer, 1), 0);
    checkEqual("size stays", sizeOf("f"), 10);
    checkError("before the start", lseek(fd, -200, SEEK_CUR), EINVAL);
    checkError("no such way", lseek(fd, 0, 9), EINVAL);
    checkError("too far", syscall8(199, fd as usize, 0, 0, 1, 0, 0, 0, 0), EOVERFLOW);
    checkEqual("position is as it was", lseek(fd, 0, SEEK_CUR), 110);
  });
  test("truncate-shorter-longer", () => {
    fill(room(20000), 10000, 3);
    fd = newFile("f");
    write(fd, buffer, 10000);
    must("shorter", ftruncate(fd, 5000));
    must("longer", truncate("f", 9000));
    checkEqual("size", sizeOf("f"), 9000);
    checkEqual("read", extpread(fd, buffer + 10000, 10000, 0, 0), 9000);
    check("kept", isFilled(buffer + 10000, 5000, 3));
    check("zeros behind", isZero(buffer + 15000, 4000));
    must("to nothing", truncate("f", 0));
    stat("f", addressof(st));
    checkEqual("no blocks", st.blocks as i32, 0);
    checkError("missing", truncate("g", 0), ENOENT);
    mkdir("d", 0x1ff);
    checkError("directory", truncate("d", 0), EISDIR);
  });
  test("truncate-frees-blocks", () => {
    fd = newFile("f");
    memory.fill(room(65536), 1, 65536);
    for (let i: i32 = 0; i < 20; i++) write(fd, buffer, 65536);
    fsync(fd);
    fstat(fd, addressof(st));
    check("blocks of 1.25 MiB", st.blocks >= 2560 && st.blocks < 2600);
    ftruncate(fd, 4096);
    fstat(fd, addressof(st));
    checkEqual("blocks of a page", st.blocks as i32, 8);
  });
  test("sparse-file", () => {
    fd = newFile("f");
    fill(room(9000), 100, 5);
    extpwrite(fd, buffer, 100, 0, 5000000);
    fstat(fd, addressof(st));
    checkEqual("size", st.size as i32, 5000100);
    check("few blocks", st.blocks < 40);
    checkEqual("read a hole", extpread(fd, buffer, 9000, 0, 1000000), 9000);
    check("zeros", isZero(buffer, 9000));
    extpread(fd, buffer, 100, 0, 5000000);
    check("what was written", isFilled(buffer, 100, 5));
  });
  test("large-file", () => {
    // Direct, single, double and triple indirect blocks.
    fd = newFile("f");
    room(9000);
    for (let i: u32 = 0; i < 4; i++) {
      fill(buffer, 9000, i);
      checkEqual("write", extpwrite(fd, buffer, 9000, 0, bigPlace(i)), 9000);
    }
    fsync(fd);
    for (let i: u32 = 0; i < 4; i++) {
      checkEqual("read", extpread(fd, buffer, 9000, 0, bigPlace(i)), 9000);
      check("same bytes", isFilled(buffer, 9000, i));
    }
    ftruncate(fd, 20000);
    checkEqual("shorter", extpread(fd, buffer, 9000, 0, bigPlace(0)), 9000);
    check("still there", isFilled(buffer, 9000, 0));
  });
  test("largest-file", () => {
    fd = newFile("f");
    room(16);
    checkEqual("last byte", extpwrite(fd, buffer, 1, 0, 0x7ffffffe), 1);
    checkError("one more", extpwrite(fd, buffer, 2, 0, 0x7ffffffe), EFBIG);
    checkError("negative", extpwrite(fd, buffer, 1, 0, -5), EINVAL);
  });
  test("unlinked-file-lives", () => {
    put("f", "still here");
    fd = open("f", O_RDWR, 0);
    unlink("f");
    checkError("no name", open("f", O_RDONLY, 0), ENOENT);
    checkEqual("contents", read(fd, room(32), 32), 10);
    fstat(fd, addressof(st));
    checkEqual("no links", st.nlink as i32, 0);
    checkEqual("can grow", write(fd, buffer, 10), 10);
  });
  test("two-opens", () => {
    put("f", "abc");
    const a = open("f", O_RDONLY, 0);
    const b = open("f", O_WRONLY, 0);
    read(a, room(8), 1);
    store<u8>(buffer, 88);
    extpwrite(b, buffer, 1, 0, 1);
    read(a, buffer, 1);
    checkEqual("one sees what the other wrote", load<u8>(buffer) as i32, 88);
  });
  test("concurrent-appends", () => {
    for (let i: i32 = 0; i < 4; i++) {
      if (fork() != 0) continue;
      fd = must("open", open("f", O_WRONLY | O_CREAT | O_APPEND, 0x1b6));
      memory.fill(room(16), (65 + i) as u8, 16);
      for (let k: i32 = 0; k < 50; k++) write(fd, buffer, 10);
      _exit(0);
    }
    for (let i: i32 = 0; i < 4; i++) wait4(-1, 0, 0, 0);
    const text = get("f");
    checkEqual("nothing is lost", text.length, 2000);
    for (let i: i32 = 0; i < 2000; i += 10) check("records are whole", text.charCodeAt(i) == text.charCodeAt(i + 9));
  });
  test("fsync-sync", () => {
    put("f", "x");
    fd = open("f", O_RDWR, 0);
    checkEqual("fsync", fsync(fd), 0);
    checkEqual("sync", sync(), 0);
    checkError("bad descriptor", fsync(50), EBADF);
  });
  test("file-times", () => {
    gettimeofday(addressof(now));
    put("f", "x");
    stat("f", addressof(st));
    const first = st.mtime;
    check("made just now", first + 2 >= (now.sec as u32) && first <= (now.sec as u32) + 2);
    sleepMs(1200);
    get("f");
    stat("f", addressof(st));
    checkEqual("reading leaves it", st.mtime as i32, first as i32);
    put("f", "y");
    stat("f", addressof(st));
    check("writing changes it", st.mtime > first);
  });
  test("stat-fields", () => {
    put("f", "12345");
    stat("f", addressof(st));
    check("ino", st.ino != 0);
    checkEqual("links", st.nlink as i32, 1);
    checkEqual("size", st.size as i32, 5);
    checkEqual("owner", (st.uid + st.gid) as i32, 0);
    checkEqual("block size", st.blksize as i32, 4096);
    const ino = st.ino;
    fd = open("f", O_RDONLY, 0);
    fstat(fd, addressof(st));
    checkEqual("fstat agrees", st.ino as i32, ino as i32);
    put("g", "");
    stat("g", addressof(st));
    check("another file", st.ino != ino);
    checkError("missing", stat("h", addressof(st)), ENOENT);
  });
}

function deviceCases(): void {
  test("dev-null", () => {
    fd = must("open", open("/dev/null", O_RDWR, 0));
    checkEqual("takes", write(fd, room(100), 100), 100);
    checkEqual("gives nothing", read(fd, buffer, 100), 0);
    fstat(fd, addressof(st));
    checkEqual("a character device", ((st.mode as u32) & S_IFMT) as i32, S_IFCHR as i32);
  });
  test("dev-zero", () => {
    fd = must("open", open("/dev/zero", O_RDWR, 0));
    memory.fill(room(5000), 7, 5000);
    checkEqual("gives", read(fd, buffer, 4000), 4000);
    check("zeros", isZero(buffer, 4000));
    checkEqual("no more than asked", load<u8>(buffer, 4000) as i32, 7);
  });
  test("mknod", () => {
    must("mknod", mknod("null", S_IFCHR | 0x1b6, 0x0202));
    fd = must("open", open("null", O_RDWR, 0));
    checkEqual("works", read(fd, room(8), 8), 0);
    checkError("again", mknod("null", S_IFCHR | 0x1b6, 0x0202), EEXIST);
    mknod("strange", S_IFCHR | 0x1b6, 0x7777);
    checkError("no such device", open("strange", O_RDWR, 0), ENXIO);
    checkError("a directory", mknod("d", 0x4000, 0), EINVAL);
  });
}

export function fileCases(): void {
  openCases();
  contentCases();
  deviceCases();
}
