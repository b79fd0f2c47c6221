// Shell patterns: * any text, ? any byte, [a-z] and [!a-z] a byte of a set, \ takes the next byte literally. And the names
// of files that match one.

import { DT_DIR, S_IFDIR, S_IFMT } from '../abi/file.ts';
import { readDirectory } from './directory.ts';
import { statOf } from './process.ts';
import { TextBuilder } from './text.ts';

const STAR: i32 = 42;
const QUESTION: i32 = 63;
const OPEN: i32 = 91;
const CLOSE: i32 = 93;
const BACKSLASH: i32 = 92;
const SLASH: i32 = 47;

/** Index after the set that begins at `at`, or -1 when it is none. */
function setEnd(pattern: string, at: i32): i32 {
  let i = at + 1;
  if (i < pattern.length && (pattern.charCodeAt(i) == 33 || pattern.charCodeAt(i) == 94)) i++;
  if (i < pattern.length && pattern.charCodeAt(i) == CLOSE) i++;
  while (i < pattern.length && pattern.charCodeAt(i) != CLOSE) i += pattern.charCodeAt(i) == BACKSLASH ? 2 : 1;
  return i < pattern.length ? i + 1 : -1;
}

function inSet(pattern: string, at: i32, end: i32, c: i32): bool {
  let i = at + 1;
  const negated = pattern.charCodeAt(i) == 33 || pattern.charCodeAt(i) == 94;
  if (negated) i++;
  let found = false;
  while (i < end - 1) {
    if (pattern.charCodeAt(i) == BACKSLASH) i++;
    const low = pattern.charCodeAt(i);
    let high = low;
    if (i + 2 < end - 1 && pattern.charCodeAt(i + 1) == 45) {
      high = pattern.charCodeAt(i + 2);
      i += 2;
    }
    if (c >= low && c <= high) found = true;
    i++;
  }
  return found != negated;
}

function matchFrom(pattern: string, p: i32, text: string, t: i32): bool {
  let at = t;
  for (let i = p; i < pattern.length;) {
    const c = pattern.charCodeAt(i);
    if (c == STAR) {
      while (i < pattern.length && pattern.charCodeAt(i) == STAR) i++;
      if (i == pattern.length) return true;
      for (let rest = at; rest <= text.length; rest++) if (matchFrom(pattern, i, text, rest)) return true;
      return false;
    }
    if (at == text.length) return false;
    const end = c == OPEN ? setEnd(pattern, i) : -1;
    if (end > 0) {
      if (!inSet(pattern, i, end, text.charCodeAt(at))) return false;
      i = end;
    } else {
      if (c == BACKSLASH && i + 1 < pattern.length) i++;
      if (c != QUESTION && pattern.charCodeAt(i) != text.charCodeAt(at)) return false;
      i++;
    }
    at++;
  }
  return at == text.length;
}

/** The whole text matches. */
export function matchesPattern(pattern: string, text: string): bool {
  return matchFrom(pattern, 0, text, 0);
}

/** There is something in it that is not to be taken literally. */
export function isPattern(text: string): bool {
  for (let i: i32 = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c == BACKSLASH) i++;
    else if (c == STAR || c == QUESTION || (c == OPEN && setEnd(text, i) > 0)) return true;
  }
  return false;
}

/** A pattern without its backslashes. */
export function literalOf(pattern: string): string {
  const text = new TextBuilder();
  for (let i: i32 = 0; i < pattern.length; i++) {
    if (pattern.charCodeAt(i) == BACKSLASH && i + 1 < pattern.length) i++;
    text.addByte(pattern.charCodeAt(i));
  }
  return text.take();
}

function isDirectory(path: string): bool {
  const st = statOf(path);
  return st != null && ((st.mode as u32) & S_IFMT) == S_IFDIR;
}

/** Adds the paths that begin with `base` and go on as the pattern does from `at`. */
function expandFrom(base: string, pattern: string, at: i32, found: string[]): void {
  let start = at;
  while (start < pattern.length && pattern.charCodeAt(start) == SLASH) start++;
  const prefix = base + pattern.substring(at, start);
  let end = start;
  while (end < pattern.length && pattern.charCodeAt(end) != SLASH) end++;
  const part = pattern.substring(start, end);
  if (part == "") {
    if (statOf(prefix) != null) found.push(prefix);
    return;
  }
  const last = end == pattern.length;
  if (!isPattern(part)) {
    const path = prefix + literalOf(part);
    if (last ? statOf(path) != null : isDirectory(path)) {
      if (last) found.push(path);
      else expandFrom(path, pattern, end, found);
    }
    return;
  }
  const entries = readDirectory(prefix == "" ? "." : prefix);
  if (entries == null) return;
  for (const entry of entries) {
    if (entry.name.startsWith(".") && !part.startsWith(".")) continue;
    if (!matchesPattern(part, entry.name)) continue;
    const path = prefix + entry.name;
    if (last) found.push(path);
    else if (entry.type == DT_DIR || isDirectory(path)) expandFrom(path, pattern, end, found);
  }
}

/** The files that match, sorted; none is an empty list. */
export function filesMatching(pattern: string): string[] {
  const found: string[] = [];
  expandFrom("", pattern, 0, found);
  return found;
}
