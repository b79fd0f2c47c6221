// Directories as lists of entries.

import { Dirent, DIRENT_NAME, O_RDONLY } from '../abi/file.ts';
import { malloc, mfree } from './rt.ts';
import { stringOf } from './strings.ts';
import { close, getdirentries, open } from './sys.ts';

export class DirectoryEntry {
  name: string = "";
  type: i32 = 0;           // DT_*
  ino: u32 = 0;
}

const CHUNK: usize = 4096;

function addEntries(list: DirectoryEntry[], buffer: usize, bytes: usize): void {
  for (let at: usize = 0; at < bytes;) {
    const record = changetype<Dirent>(buffer + at);
    const entry = new DirectoryEntry();
    entry.name = stringOf(buffer + at + DIRENT_NAME, record.namlen as i32);
    entry.type = record.type as i32;
    entry.ino = record.ino;
    if (record.ino != 0) list.push(entry);
    at += (DIRENT_NAME + (record.namlen as usize) + 8) & ~(7 as usize);
  }
}

function compareNames(a: DirectoryEntry, b: DirectoryEntry): i32 {
  return a.name < b.name ? -1 : a.name == b.name ? 0 : 1;
}

/** The entries of a directory by name, or null with errno. */
export function readDirectory(path: string): DirectoryEntry[] | null {
  const fd = open(path, O_RDONLY, 0);
  if (fd < 0) return null;
  const list: DirectoryEntry[] = [];
  const buffer = malloc(CHUNK);
  let n = getdirentries(fd, buffer, CHUNK, 0);
  while (n > 0) {
    addEntries(list, buffer, n as usize);
    n = getdirentries(fd, buffer, CHUNK, 0);
  }
  mfree(buffer);
  close(fd);
  return n < 0 ? null : list.sort(compareNames);
}
