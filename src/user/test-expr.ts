// The expressions of test and [: files (-e -f -d -r -w -x -s -L), strings (-z -n = != and a string alone), integers (-eq -ne -lt -le
// -gt -ge), ! ( ) -a -o.

import { S_IFDIR, S_IFLNK, S_IFMT, S_IFREG, Stat } from '../abi/file.ts';
import { parseNumber } from '../libc/strings.ts';
import { access, lstat, stat } from '../libc/sys.ts';

let words: string[] = [];
let at: i32 = 0;
let bad: bool = false;
let st!: Embed<Stat>;

/** 0: true, 1: false, 2: not an expression. */
export function evaluateTest(list: string[]): i32 {
  words = list;
  at = 0;
  bad = false;
  if (list.length == 0) return 1;
  const value = either();
  return bad || at < words.length ? 2 : value ? 0 : 1;
}

function take(word: string): bool {
  if (at >= words.length || words[at] != word) return false;
  at++;
  return true;
}

function either(): bool {
  let value = both();
  while (take("-o")) {
    const right = both();
    value = value || right;
  }
  return value;
}

function both(): bool {
  let value = negated();
  while (take("-a")) {
    const right = negated();
    value = value && right;
  }
  return value;
}

function negated(): bool {
  if (words.length - at > 1 && take("!")) return !negated();
  return primary();
}

function primary(): bool {
  if (at >= words.length) {
    bad = true;
    return false;
  }
  if (at + 2 < words.length && isBinary(words[at + 1]!)) {
    at += 3;
    return compare(words[at - 3]!, words[at - 2]!, words[at - 1]!);
  }
  if (words.length - at > 2 && take("(")) {
    const value = either();
    if (!take(")")) bad = true;
    return value;
  }
  const word = words[at]!;
  at++;
  if (word.length != 2 || !word.startsWith("-") || at >= words.length) return word != "";
  at++;
  return judge(word, words[at - 1]!);
}

function isBinary(word: string): bool {
  return word == "=" || word == "==" || word == "!=" || word == "-eq" || word == "-ne" || word == "-lt" || word == "-le" || word == "-gt" || word == "-ge";
}

function number(text: string): i32 {
  const value = parseNumber(text, -0x7fffffff);
  if (value == -0x7fffffff) bad = true;
  return value;
}

function compare(a: string, operator: string, b: string): bool {
  if (operator == "=" || operator == "==") return a == b;
  if (operator == "!=") return a != b;
  const x = number(a);
  const y = number(b);
  if (operator == "-eq") return x == y;
  if (operator == "-ne") return x != y;
  if (operator == "-lt") return x < y;
  if (operator == "-le") return x <= y;
  return operator == "-gt" ? x > y : x >= y;
}

function isType(path: string, type: u32): bool {
  return stat(path, addressof(st)) == 0 && ((st.mode as u32) & S_IFMT) == type;
}

function judge(operator: string, word: string): bool {
  if (operator == "-z") return word == "";
  if (operator == "-n") return word != "";
  if (operator == "-e") return stat(word, addressof(st)) == 0;
  if (operator == "-f") return isType(word, S_IFREG);
  if (operator == "-d") return isType(word, S_IFDIR);
  if (operator == "-s") return stat(word, addressof(st)) == 0 && st.size > 0;
  if (operator == "-r") return access(word, 4) == 0;
  if (operator == "-w") return access(word, 2) == 0;
  if (operator == "-x") return access(word, 1) == 0;
  if (operator == "-L" || operator == "-h") return lstat(word, addressof(st)) == 0 && ((st.mode as u32) & S_IFMT) == S_IFLNK;
  bad = true;
  return false;
}
