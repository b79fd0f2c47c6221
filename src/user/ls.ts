// ls: lists files and what is in directories, by name, in columns when a terminal reads and else one a line. -1 one a line, -C columns, -a with
// names that begin with a dot, -A without . and .., -d directories themselves, -F a mark for what kind of file it is, -i inode numbers,
// -l mode, links, owner, group, size and time, -h with sizes as 1.5K, -R all below, -S by size, -t by time, newest first, -r backwards.

import { S_IFBLK, S_IFCHR, S_IFDIR, S_IFIFO, S_IFLNK, S_IFMT, Stat } from '../abi/file.ts';
import { Timeval } from '../abi/time.ts';
import { calendarTime, monthName } from '../libc/calendar.ts';
import { setMain } from '../libc/crt.ts';
import { readDirectory } from '../libc/directory.ts';
import { afterOptions, nextOption } from '../libc/options.ts';
import { fail, statOf } from '../libc/process.ts';
import { malloc } from '../libc/rt.ts';
import { eprint, print } from '../libc/stdio.ts';
import { humanSize, padLeft, padRight, stringOf, twoDigits } from '../libc/strings.ts';
import { gettimeofday, lstat, readlink } from '../libc/sys.ts';
import { isTerminal, screenColumns } from '../libc/terminal.ts';

const HALF_YEAR: u32 = 15768000;

class Item {
  name: string = "";
  path: string = "";
  mode: u32 = 0;
  links: u32 = 0;
  uid: u32 = 0;
  gid: u32 = 0;
  size: u32 = 0;
  mtime: u32 = 0;
  blocks: u32 = 0;
  ino: u32 = 0;
  rdev: u32 = 0;
}

let flags: string = "";
let st!: Embed<Stat>;
let now!: Embed<Timeval>;
let blankBefore: bool = false;

function flag(letter: string): bool {
  return flags.indexOf(letter) >= 0;
}

/** The file at `path`, or null after a message. */
function itemAt(path: string, name: string): Item | null {
  if (lstat(path, addressof(st)) < 0) {
    fail("ls", path);
    return null;
  }
  const item = new Item();
  item.name = name;
  item.path = path;
  item.mode = st.mode as u32;
  item.links = st.nlink;
  item.uid = st.uid;
  item.gid = st.gid;
  item.size = st.size;
  item.mtime = st.mtime;
  item.blocks = st.blocks;
  item.ino = st.ino;
  item.rdev = st.rdev;
  return item;
}

function isDirectory(item: Item): bool {
  return (item.mode & S_IFMT) == S_IFDIR;
}

/** An argument is a directory, or without -l a link to one. */
function isDirectoryNamed(item: Item): bool {
  if (isDirectory(item) || flag("l")) return isDirectory(item);
  const target = statOf(item.path);
  return target != null && ((target.mode as u32) & S_IFMT) == S_IFDIR;
}

function compareItems(a: Item, b: Item): i32 {
  let order: i32 = 0;
  if (flag("t")) order = a.mtime > b.mtime ? -1 : a.mtime < b.mtime ? 1 : 0;
  else if (flag("S")) order = a.size > b.size ? -1 : a.size < b.size ? 1 : 0;
  if (order == 0) order = a.name < b.name ? -1 : a.name == b.name ? 0 : 1;
  return flag("r") ? -order : order;
}

function typeLetter(mode: u32): string {
  const type = mode & S_IFMT;
  if (type == S_IFDIR) return "d";
  if (type == S_IFLNK) return "l";
  if (type == S_IFCHR) return "c";
  if (type == S_IFBLK) return "b";
  return type == S_IFIFO ? "p" : "-";
}

function modeText(mode: u32): string {
  let text = typeLetter(mode);
  for (let i: i32 = 8; i >= 0; i--) {
    const set = ((mode >> (i as u32)) & 1) != 0;
    text = text + (set ? (i % 3 == 2 ? "r" : i % 3 == 1 ? "w" : "x") : "-");
  }
  return text;
}

function linkTarget(path: string): string {
  const buffer = malloc(1024);
  const n = readlink(path, buffer, 1024);
  return n < 0 ? "" : " -> " + stringOf(buffer, n);
}

/** The month, the day, and the time of day or, for what is not of these months, the year. */
function timeText(seconds: u32): string {
  const time = calendarTime(seconds as i32);
  const present = now.sec as u32;
  const recent = seconds + HALF_YEAR > present && seconds < present + HALF_YEAR;
  const clock = twoDigits(time.second / 3600) + ":" + twoDigits(time.second / 60 % 60);
  return monthName(time) + " " + padLeft(`${time.day}`, 2) + " " + (recent ? clock : padLeft(`${time.year}`, 5));
}

function sizeText(item: Item): string {
  const type = item.mode & S_IFMT;
  if (type == S_IFCHR || type == S_IFBLK) return `${item.rdev >>> 8}, ${item.rdev & 255}`;
  return flag("h") ? humanSize(item.size, 0) : `${item.size}`;
}

function mark(mode: u32): string {
  const type = mode & S_IFMT;
  if (!flag("F")) return "";
  if (type == S_IFDIR) return "/";
  if (type == S_IFLNK) return "@";
  if (type == S_IFIFO) return "|";
  return (mode & 0x49) != 0 && type != S_IFCHR && type != S_IFBLK ? "*" : "";
}

function shortText(item: Item): string {
  return (flag("i") ? padLeft(`${item.ino}`, 5) + " " : "") + item.name + mark(item.mode);
}

function printLong(items: Item[]): void {
  let links: i32 = 1;
  let size: i32 = 1;
  for (const item of items) {
    if (`${item.links}`.length > links) links = `${item.links}`.length;
    if (sizeText(item).length > size) size = sizeText(item).length;
  }
  for (const item of items) {
    const owners = padRight(item.uid == 0 ? "root" : `${item.uid}`, 4) + "  " + padRight(item.gid == 0 ? "wheel" : `${item.gid}`, 5);
    const target = (item.mode & S_IFMT) == S_IFLNK ? linkTarget(item.path) : "";
    print((flag("i") ? padLeft(`${item.ino}`, 5) + " " : "") + modeText(item.mode) + "  " + padLeft(`${item.links}`, links) + " " + owners + "  "
      + padLeft(sizeText(item), size) + " " + timeText(item.mtime) + " " + item.name + mark(item.mode) + target + "\n");
  }
}

/** Down the columns, as many as the screen holds. */
function printColumns(items: Item[]): void {
  let widest: i32 = 0;
  for (const item of items) if (shortText(item).length > widest) widest = shortText(item).length;
  const width = (widest + 8) & ~7;
  const columns = flag("C") && screenColumns() > width ? screenColumns() / width : 1;
  const rows = (items.length + columns - 1) / columns;
  for (let row: i32 = 0; row < rows; row++) {
    for (let at = row; at < items.length; at += rows) {
      const text = shortText(items[at]!);
      print(at + rows < items.length ? padRight(text, width) : text);
    }
    print("\n");
  }
}

function printItems(items: Item[]): void {
  items.sort(compareItems);
  if (flag("l")) printLong(items);
  else printColumns(items);
}

function listDirectory(path: string, header: bool): i32 {
  const entries = readDirectory(path);
  if (entries == null) return fail("ls", path);
  if (header) print((blankBefore ? "\n" : "") + path + ":\n");
  blankBefore = true;
  const items: Item[] = [];
  let result: i32 = 0;
  let blocks: u32 = 0;
  for (const entry of entries) {
    const dots = entry.name == "." || entry.name == "..";
    if (entry.name.charCodeAt(0) == 46 && (dots ? !flag("a") : !flag("a") && !flag("A"))) continue;
    const item = itemAt(path == "/" ? "/" + entry.name : path + "/" + entry.name, entry.name);
    if (item == null) result = 1;
    else items.push(item!);
    if (item != null) blocks += item!.blocks;
  }
  if (flag("l")) print(`total ${blocks / 2}\n`);
  printItems(items);
  if (!flag("R")) return result;
  for (const item of items) if (isDirectory(item) && item.name != "." && item.name != ".." && listDirectory(item.path, true) != 0) result = 1;
  return result;
}

/** -1, -C and -l undo each other; without them it depends on who reads. */
function addFlag(letter: string): void {
  const form = letter == "1" || letter == "C" || letter == "l";
  let kept = "";
  for (let i: i32 = 0; i < flags.length; i++) if (!form || "1Cl".indexOf(flags.substring(i, i + 1)) < 0) kept = kept + flags.substring(i, i + 1);
  flags = kept + letter;
}

function main(args: string[]): i32 {
  if (isTerminal(1)) addFlag("C");
  for (let option = nextOption(args, "1ACFRSadhilrt"); option != 0; option = nextOption(args, "1ACFRSadhilrt")) {
    const letter = String.fromCharCode(option);
    if (option < 0) {
      eprint("usage: ls [-1ACFRSadhilrt] [file ...]\n");
      return 2;
    }
    addFlag(letter);
  }
  gettimeofday(addressof(now));
  const names = afterOptions < args.length ? args.slice(afterOptions) : ["."];
  const files: Item[] = [];
  const directories: Item[] = [];
  let result: i32 = 0;
  for (const name of names) {
    const item = itemAt(name, name);
    if (item == null) result = 1;
    else if (isDirectoryNamed(item!) && !flag("d")) directories.push(item!);
    else files.push(item!);
  }
  if (files.length > 0) printItems(files);
  blankBefore = files.length > 0;
  directories.sort(compareItems);
  for (const item of directories) if (listDirectory(item.name, names.length > 1 || flag("R")) != 0) result = 1;
  return result;
}

setMain(main);
