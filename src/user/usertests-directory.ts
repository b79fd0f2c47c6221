// Cases about names: directories, links, symbolic links, rename with all its corners, the working directory, and deep trees.

import { EEXIST, EINVAL, EISDIR, ELOOP, ENAMETOOLONG, ENOENT, ENOTDIR, ENOTEMPTY, EPERM, ERANGE } from '../abi/errno.ts';
import { Dirent, DIRENT_NAME, DT_DIR, DT_LNK, DT_REG, O_CREAT, O_RDONLY, O_WRONLY, S_IFDIR, S_IFLNK, S_IFMT, Stat } from '../abi/file.ts';
import { readDirectory } from '../libc/directory.ts';
import { malloc } from '../libc/rt.ts';
import { stringAt, stringOf } from '../libc/strings.ts';
import { chdir, close, fchdir, getcwd, getdirentries, link, lstat, mkdir, open, readlink, rename, rmdir, stat, symlink, unlink } from '../libc/sys.ts';
import { check, checkEqual, checkChild, checkError, checkText, get, must, put, test } from './usertests-harness.ts';

let st!: Embed<Stat>;
let fd: i32 = -1;

function exists(path: string): bool {
  return lstat(path, addressof(st)) == 0;
}

function linksOf(path: string): i32 {
  must("stat " + path, stat(path, addressof(st)));
  return st.nlink as i32;
}

function inoOf(path: string): i32 {
  must("lstat " + path, lstat(path, addressof(st)));
  return st.ino as i32;
}

function cwd(): string {
  const buffer = malloc(1024);
  must("getcwd", getcwd(buffer, 1024));
  return stringAt(buffer);
}

/** The names in a directory, joined by blanks. */
function namesIn(path: string): string {
  const list = readDirectory(path);
  let text = "";
  if (list == null) return "(none)";
  for (const entry of list) text = text + (text == "" ? "" : " ") + entry.name;
  return text;
}

function directoryBasics(): void {
  test("mkdir-rmdir", () => {
    must("mkdir", mkdir("d", 0x1ff));
    stat("d", addressof(st));
    checkEqual("mode", st.mode as i32, (S_IFDIR | 0x1ed) as i32);
    checkText("what is in it", namesIn("d"), ". ..");
    checkError("again", mkdir("d", 0x1ff), EEXIST);
    must("rmdir", rmdir("d"));
    check("gone", !exists("d"));
  });
  test("mkdir-errors", () => {
    put("f", "");
    checkError("over a file", mkdir("f", 0x1ff), EEXIST);
    checkError("below a file", mkdir("f/d", 0x1ff), ENOTDIR);
    checkError("below nothing", mkdir("x/y", 0x1ff), ENOENT);
    checkError("root", mkdir("/", 0x1ff), EISDIR);
    checkError("here", mkdir(".", 0x1ff), EEXIST);
    checkError("empty", mkdir("", 0x1ff), ENOENT);
    must("with a slash behind", mkdir("e/", 0x1ff));
  });
  test("rmdir-errors", () => {
    mkdir("d", 0x1ff);
    put("d/f", "");
    put("f", "");
    checkError("not empty", rmdir("d"), ENOTEMPTY);
    checkError("a file", rmdir("f"), ENOTDIR);
    checkError("nothing", rmdir("x"), ENOENT);
    checkError("itself", rmdir("d/."), EINVAL);
    check("its parent", rmdir("d/..") == -1);
    symlink("e", "l");
    mkdir("e", 0x1ff);
    checkError("through a link", rmdir("l"), ENOTDIR);
  });
  test("directory-links", () => {
    mkdir("d", 0x1ff);
    checkEqual("new", linksOf("d"), 2);
    mkdir("d/a", 0x1ff);
    mkdir("d/b", 0x1ff);
    checkEqual("with two below", linksOf("d"), 4);
    rmdir("d/a");
    checkEqual("with one", linksOf("d"), 3);
    put("d/f", "");
    checkEqual("files do not count", linksOf("d"), 3);
    checkEqual(".. of the one below", inoOf("d/b/.."), inoOf("d"));
    checkEqual(". of it", inoOf("d/b/."), inoOf("d/b"));
  });
  test("directory-many-entries", () => {
    mkdir("d", 0x1ff);
    for (let i: i32 = 0; i < 300; i++) put(`d/a-rather-long-name-of-a-file-${i}`, `${i}`);
    checkEqual("entries", readDirectory("d")!.length, 302);
    checkText("the last", get("d/a-rather-long-name-of-a-file-299"), "299");
    for (let i: i32 = 0; i < 300; i += 2) must("unlink", unlink(`d/a-rather-long-name-of-a-file-${i}`));
    checkEqual("half of them", readDirectory("d")!.length, 152);
    checkText("between the gaps", get("d/a-rather-long-name-of-a-file-151"), "151");
    for (let i: i32 = 0; i < 300; i += 2) put(`d/b${i}`, "");
    checkEqual("gaps are used again", readDirectory("d")!.length, 302);
  });
  test("getdirentries", () => {
    mkdir("d", 0x1ff);
    put("d/file", "");
    mkdir("d/dir", 0x1ff);
    symlink("x", "d/link");
    fd = must("open", open("d", O_RDONLY, 0));
    const buffer = malloc(512);
    let types: i32 = 0;
    let entries: i32 = 0;
    for (;;) {
      const n = must("getdirentries", getdirentries(fd, buffer, 64, 0));
      if (n == 0) break;
      for (let at: i32 = 0; at < n;) {
        const e = changetype<Dirent>(buffer + (at as usize));
        types += e.type as i32;
        entries++;
        at += ((DIRENT_NAME + (e.namlen as u32) + 8) & 0xfffffff8) as i32;
      }
    }
    checkEqual("entries with a small buffer", entries, 5);
    checkEqual("their types", types, 3 * DT_DIR + DT_REG + DT_LNK);
    put("plain", "");
    checkError("of a file", getdirentries(open("plain", O_RDONLY, 0), buffer, 512, 0), EINVAL);
  });
  test("deep-directories", () => {
    for (let i: i32 = 0; i < 60; i++) {
      must("mkdir", mkdir("d", 0x1ff));
      must("chdir", chdir("d"));
    }
    put("bottom", "here");
    let path = "/tmp/usertests";
    for (let i: i32 = 0; i < 60; i++) path = path + "/d";
    checkText("getcwd", cwd(), path);
    checkText("by its whole name", get(path + "/bottom"), "here");
    for (let i: i32 = 0; i < 60; i++) must("up", chdir(".."));
    checkText("back", cwd(), "/tmp/usertests");
  });
  test("long-names", () => {
    let name = "";
    for (let i: i32 = 0; i < 255; i++) name = name + "n";
    put(name, "long");
    checkText("255 bytes", get(name), "long");
    checkError("256 bytes", open(name + "n", O_WRONLY | O_CREAT, 0x1b6), ENAMETOOLONG);
    let path = "";
    while (path.length < 1030) path = path + "./";
    checkError("a path of 1,030 bytes", stat(path, addressof(st)), ENAMETOOLONG);
    check("one of 1,000", stat(path.substring(0, 1000), addressof(st)) == 0);
  });
  test("slashes-and-dots", () => {
    mkdir("d", 0x1ff);
    put("d/f", "x");
    checkText("many slashes", get("d///f"), "x");
    checkText("dots", get("./d/../d/./f"), "x");
    checkEqual("above the root", inoOf("/.."), inoOf("/"));
    checkEqual("from the root", inoOf("//tmp//usertests/d"), inoOf("d"));
  });
}

function linkCases(): void {
  test("link-unlink", () => {
    put("a", "text");
    must("link", link("a", "b"));
    checkEqual("links", linksOf("a"), 2);
    checkEqual("same file", inoOf("a"), inoOf("b"));
    must("unlink", unlink("a"));
    checkEqual("one link", linksOf("b"), 1);
    checkText("contents stay", get("b"), "text");
  });
  test("link-errors", () => {
    put("a", "");
    put("b", "");
    mkdir("d", 0x1ff);
    checkError("over a name", link("a", "b"), EEXIST);
    checkError("of a directory", link("d", "e"), EPERM);
    checkError("of nothing", link("x", "y"), ENOENT);
    checkError("into nothing", link("a", "x/y"), ENOENT);
    checkError("below a file", link("a", "b/y"), ENOTDIR);
  });
  test("unlink-errors", () => {
    mkdir("d", 0x1ff);
    checkError("directory", unlink("d"), EPERM);
    checkError("nothing", unlink("x"), ENOENT);
    checkError("empty", unlink(""), ENOENT);
  });
  test("many-links", () => {
    put("a", "x");
    for (let i: i32 = 0; i < 200; i++) must("link", link("a", `l${i}`));
    checkEqual("count", linksOf("a"), 201);
    for (let i: i32 = 0; i < 200; i++) must("unlink", unlink(`l${i}`));
    checkEqual("count", linksOf("a"), 1);
  });
  test("symlink-readlink", () => {
    must("symlink", symlink("somewhere/else", "l"));
    const buffer = malloc(256);
    checkEqual("length", readlink("l", buffer, 256), 14);
    checkText("target", stringOf(buffer, 14), "somewhere/else");
    checkEqual("as much as fits", readlink("l", buffer, 4), 4);
    lstat("l", addressof(st));
    checkEqual("lstat sees the link", ((st.mode as u32) & S_IFMT) as i32, S_IFLNK as i32);
    checkEqual("its size", st.size as i32, 14);
    checkError("stat what it names", stat("l", addressof(st)), ENOENT);
    put("f", "");
    checkError("readlink of a file", readlink("f", buffer, 256), EINVAL);
    checkError("over a name", symlink("x", "f"), EEXIST);
    checkError("to an empty name", symlink("", "m"), ENOENT);
  });
  test("symlink-long", () => {
    put("f", "found");
    let target = "";
    for (let i: i32 = 0; i < 100; i++) target = target + "./";
    must("symlink", symlink(target + "f", "l"));
    checkText("of 201 bytes", get("l"), "found");
  });
  test("symlink-in-path", () => {
    mkdir("d", 0x1ff);
    put("d/f", "x");
    symlink("d", "l");
    symlink("/tmp/usertests/d", "absolute");
    checkText("relative", get("l/f"), "x");
    checkText("absolute", get("absolute/f"), "x");
    put("l/g", "y");
    checkText("creates in its target", get("d/g"), "y");
    chdir("l");
    checkText("where we are", cwd(), "/tmp/usertests/d");
  });
  test("symlink-loop", () => {
    symlink("b", "a");
    symlink("a", "b");
    checkError("two of them", stat("a", addressof(st)), ELOOP);
    checkError("in the middle", stat("a/x", addressof(st)), ELOOP);
    put("l0", "end");
    for (let i: i32 = 1; i <= 10; i++) symlink(`l${i - 1}`, `l${i}`);
    checkText("ten in a row are fine", get("l10"), "end");
    must("unlink removes the link", unlink("l10"));
    checkText("not the target", get("l9"), "end");
  });
}

function renameCases(): void {
  test("rename-file", () => {
    put("a", "text");
    const ino = inoOf("a");
    must("rename", rename("a", "b"));
    check("old name is gone", !exists("a"));
    checkEqual("same file", inoOf("b"), ino);
    checkEqual("links", linksOf("b"), 1);
  });
  test("rename-over-file", () => {
    put("a", "new");
    put("b", "old");
    link("b", "c");
    must("rename", rename("a", "b"));
    checkText("the new one", get("b"), "new");
    checkText("the old one's other name", get("c"), "old");
    checkEqual("its links", linksOf("c"), 1);
    check("old name is gone", !exists("a"));
  });
  test("rename-to-itself", () => {
    put("a", "text");
    link("a", "b");
    must("rename", rename("a", "a"));
    checkText("same name", get("a"), "text");
    must("rename", rename("a", "b"));
    check("two names of one file stay", exists("a") && exists("b"));
  });
  test("rename-open-file", () => {
    put("a", "new");
    put("b", "old one");
    fd = open("b", O_RDONLY, 0);
    must("rename", rename("a", "b"));
    fd = must("the open file lives", fd);
    checkText("by name the new", get("b"), "new");
    check("closing it is fine", close(fd) == 0);
  });
  test("rename-directory", () => {
    mkdir("p", 0x1ff);
    mkdir("q", 0x1ff);
    mkdir("p/d", 0x1ff);
    put("p/d/f", "x");
    must("rename", rename("p/d", "q/e"));
    checkText("contents moved", get("q/e/f"), "x");
    checkEqual("links of the old parent", linksOf("p"), 2);
    checkEqual("links of the new", linksOf("q"), 3);
    checkEqual("its ..", inoOf("q/e/.."), inoOf("q"));
    chdir("q/e");
    checkText("getcwd", cwd(), "/tmp/usertests/q/e");
  });
  test("rename-over-directory", () => {
    mkdir("a", 0x1ff);
    mkdir("b", 0x1ff);
    put("a/f", "x");
    must("an empty one", rename("a", "b"));
    checkText("contents", get("b/f"), "x");
    checkEqual("links of the parent", linksOf("."), 3);
    mkdir("c", 0x1ff);
    checkError("a full one", rename("c", "b"), ENOTEMPTY);
  });
  test("rename-mixed", () => {
    mkdir("d", 0x1ff);
    put("f", "x");
    checkError("directory over file", rename("d", "f"), ENOTDIR);
    checkError("file over directory", rename("f", "d"), EISDIR);
    checkText("file", get("f"), "x");
  });
  test("rename-into-itself", () => {
    mkdir("d", 0x1ff);
    mkdir("d/e", 0x1ff);
    checkError("below itself", rename("d", "d/x"), EINVAL);
    checkError("deeper", rename("d", "d/e/x"), EINVAL);
    check("still there", exists("d/e"));
  });
  test("rename-errors", () => {
    put("f", "");
    checkError("nothing", rename("x", "y"), ENOENT);
    checkError("into nothing", rename("f", "x/y"), ENOENT);
    checkError("below a file", rename("f", "f/y"), ENOTDIR);
    mkdir("d", 0x1ff);
    checkError("of .", rename("d/.", "e"), EINVAL);
    checkError("to ..", rename("d", "d/.."), EINVAL);
  });
  test("rename-symlink", () => {
    put("f", "x");
    symlink("f", "l");
    must("rename", rename("l", "m"));
    check("the link moved", !exists("l"));
    checkText("the file did not", get("f"), "x");
    checkText("it still leads there", get("m"), "x");
  });
}

function placeCases(): void {
  test("chdir", () => {
    mkdir("d", 0x1ff);
    put("f", "");
    must("chdir", chdir("d"));
    checkText("getcwd", cwd(), "/tmp/usertests/d");
    checkError("a file", chdir("../f"), ENOTDIR);
    checkError("nothing", chdir("x"), ENOENT);
    checkText("still there", cwd(), "/tmp/usertests/d");
    must("root", chdir("/"));
    checkText("getcwd", cwd(), "/");
  });
  test("fchdir", () => {
    mkdir("d", 0x1ff);
    put("f", "");
    fd = open("d", O_RDONLY, 0);
    must("fchdir", fchdir(fd));
    checkText("getcwd", cwd(), "/tmp/usertests/d");
    checkError("a file", fchdir(open("../f", O_RDONLY, 0)), ENOTDIR);
  });
  test("cwd-of-child", () => {
    mkdir("d", 0x1ff);
    checkChild("may move", () => {
      chdir("d");
      return 0;
    });
    checkText("without its parent", cwd(), "/tmp/usertests");
  });
  test("getcwd-errors", () => {
    const buffer = malloc(64);
    checkError("no room", getcwd(buffer, 5), ERANGE);
  });
  test("removed-cwd", () => {
    mkdir("d", 0x1ff);
    chdir("d");
    must("rmdir", rmdir("../d"));
    checkError("nothing can be made there", open("f", O_WRONLY | O_CREAT, 0x1b6), ENOENT);
    check("the way up still works", chdir("..") == 0 || chdir("/tmp/usertests") == 0);
  });
  test("removed-directory-open", () => {
    mkdir("d", 0x1ff);
    fd = open("d", O_RDONLY, 0);
    rmdir("d");
    check("reading it is safe", getdirentries(fd, malloc(256), 256, 0) >= -1);
    mkdir("d", 0x1ff);
    checkText("a new one is empty", namesIn("d"), ". ..");
  });
}

export function directoryCases(): void {
  directoryBasics();
  linkCases();
  renameCases();
  placeCases();
}
