// What a makefile says: rules, pattern rules and variables, and the expansion of $(NAME).

import { strerror } from '../abi/errno.ts';
import { getenv } from '../libc/crt.ts';
import { filesMatching } from '../libc/pattern.ts';
import { statOf } from '../libc/process.ts';
import { eprint, readFile } from '../libc/stdio.ts';
import { splitLines, splitWords } from '../libc/strings.ts';
import { errno } from '../libc/sys.ts';

export class Rule {
  target: string = "";
  inputs: string[] = [];
  recipe: string[] = [];
}

export class Makefile {
  rules: Map<string, Rule> = new Map<string, Rule>();
  patterns: Rule[] = [];
  phony: Map<string, bool> = new Map<string, bool>();
  variables: Map<string, string> = new Map<string, string>();
  fixed: Map<string, bool> = new Map<string, bool>();   // set on the command line
  first: string = "";      // the default goal
}

/** Seconds since 1970, or 0 when there is no such file. */
export function modificationTime(path: string): u32 {
  const st = statOf(path);
  return st == null ? 0 : st.mtime;
}

export function setVariable(makefile: Makefile, name: string, value: string): void {
  makefile.variables.set(name, value);
}

/** The files that match the patterns among the words. */
function wildcard(words: string): string {
  const found: string[] = [];
  for (const word of splitWords(words)) for (const name of filesMatching(word)) found.push(name);
  return found.join(" ");
}

/**
 * NAME, or NAME:FROM=TO, which puts TO in the place of FROM at the end of each word; with %, TO's % is what FROM's stood for. Or
 * wildcard PATTERN ..., the files that match.
 */
function lookUp(makefile: Makefile, name: string): string {
  if (name.startsWith("wildcard ")) return wildcard(name.substring(9));
  const colon = name.indexOf(":");
  const equals = name.indexOf("=", colon + 1);
  if (colon > 0 && equals > 0) return substituted(lookUp(makefile, name.substring(0, colon)), name.substring(colon + 1, equals), name.substring(equals + 1));
  if (makefile.variables.has(name)) return expand(makefile, makefile.variables.get(name)!);
  const value = getenv(name);
  return value == null ? "" : value;
}

function substituted(words: string, from: string, to: string): string {
  const pattern = from.indexOf("%") >= 0 ? from : "%" + from;
  const replacement = from.indexOf("%") >= 0 ? to : "%" + to;
  const out: string[] = [];
  for (const word of splitWords(words)) {
    const stem = stemOf(pattern, word);
    out.push(stem == null ? word : substituteStem(replacement, stem));
  }
  return out.join(" ");
}

/** The part of `name` that % stands for in `pattern`, at least one character; or null. */
export function stemOf(pattern: string, name: string): string | null {
  const at = pattern.indexOf("%");
  const prefix = pattern.substring(0, at);
  const suffix = pattern.substring(at + 1);
  if (name.length <= prefix.length + suffix.length || !name.startsWith(prefix) || !name.endsWith(suffix)) return null;
  return name.substring(prefix.length, name.length - suffix.length);
}

/** `text` with `stem` in the place of its first %. */
export function substituteStem(text: string, stem: string): string {
  const at = text.indexOf("%");
  return at < 0 ? text : text.substring(0, at) + stem + text.substring(at + 1);
}

/** Where the bracket that opens at `at` closes, or -1. */
function closing(text: string, at: i32): i32 {
  const open = text.charCodeAt(at);
  const close = open == 40 ? 41 : 125;
  let depth: i32 = 0;
  for (let i = at; i < text.length; i++) {
    if (text.charCodeAt(i) == open) depth++;
    else if (text.charCodeAt(i) == close) depth--;
    if (depth == 0) return i;
  }
  return -1;
}

/** Replaces $(NAME), $(NAME:FROM=TO), ${NAME}, $X and $$. */
export function expand(makefile: Makefile, text: string): string {
  let out = "";
  let start: i32 = 0;
  for (;;) {
    const at = text.indexOf("$", start);
    if (at < 0 || at + 1 >= text.length) return out + text.substring(start);
    out = out + text.substring(start, at);
    const c = text.charCodeAt(at + 1);
    let end = at + 2;
    if (c == 36) {
      out = out + "$";
    } else if (c == 40 || c == 123) {
      const close = closing(text, at + 1);
      if (close < 0) return out + text.substring(at);
      out = out + lookUp(makefile, expand(makefile, text.substring(at + 2, close)));
      end = close + 1;
    } else {
      out = out + lookUp(makefile, text.substring(at + 1, at + 2));
    }
    start = end;
  }
}

function trim(text: string): string {
  let start: i32 = 0;
  let end = text.length;
  while (start < end && text.charCodeAt(start) <= 32) start++;
  while (end > start && text.charCodeAt(end - 1) <= 32) end--;
  return text.substring(start, end);
}

/** NAME = value, NAME := value, NAME += value; false when the line is something else. */
function parseAssignment(makefile: Makefile, line: string, fixed: bool): bool {
  const equals = line.indexOf("=");
  if (equals <= 0) return false;
  const kind = line.charCodeAt(equals - 1);
  const special = kind == 58 || kind == 43;
  const name = trim(line.substring(0, special ? equals - 1 : equals));
  if (name.length == 0 || name.indexOf(":") >= 0 || name.indexOf(" ") >= 0) return false;
  if (!fixed && makefile.fixed.has(name)) return true;
  let value = trim(line.substring(equals + 1));
  if (kind == 58) value = expand(makefile, value);
  if (kind == 43 && makefile.variables.has(name)) value = makefile.variables.get(name)! + " " + value;
  setVariable(makefile, name, value);
  if (fixed) makefile.fixed.set(name, true);
  return true;
}

function ruleOf(makefile: Makefile, target: string): Rule {
  if (makefile.rules.has(target)) return makefile.rules.get(target)!;
  const rule = new Rule();
  rule.target = target;
  makefile.rules.set(target, rule);
  return rule;
}

/** `targets: inputs`; the rules that following recipe lines belong to, or null when the line is no rule. */
function parseRule(makefile: Makefile, line: string): Rule[] | null {
  const text = expand(makefile, line);
  const colon = text.indexOf(":");
  if (colon <= 0) return null;
  const inputs = splitWords(text.substring(colon + 1));
  const rules: Rule[] = [];
  for (const target of splitWords(text.substring(0, colon))) {
    if (target == ".PHONY") {
      for (const name of inputs) makefile.phony.set(name, true);
      continue;
    }
    const pattern = target.indexOf("%") >= 0;
    const rule = pattern ? new Rule() : ruleOf(makefile, target);
    rule.target = target;
    for (const input of inputs) rule.inputs.push(input);
    if (pattern) makefile.patterns.push(rule);
    else if (makefile.first == "" && !target.startsWith(".")) makefile.first = target;
    rules.push(rule);
  }
  return rules;
}

function withoutComment(line: string): string {
  const at = line.indexOf("#");
  return at < 0 ? line : line.substring(0, at);
}

/** Reads a makefile; null after a message. `settings` are NAME=value words that win over the file. */
export function readMakefile(path: string, settings: string[]): Makefile | null {
  const makefile = new Makefile();
  for (const setting of settings) parseAssignment(makefile, setting, true);
  return readInto(makefile, path) ? makefile : null;
}

/** Adds what the file at `path` says; false after a message. */
function readInto(makefile: Makefile, path: string): bool {
  const text = readFile(path);
  if (text == null) {
    eprint("make: " + path + ": " + strerror(errno()) + "\n");
    return false;
  }
  const lines = splitLines(text);
  let current: Rule[] = [];
  for (let i: i32 = 0; i < lines.length; i++) {
    const number = i + 1;
    let line = lines[i]!;
    while (line.endsWith("\\") && i + 1 < lines.length) {
      i++;
      line = line.substring(0, line.length - 1) + " " + trim(lines[i]!);
    }
    if (line.startsWith("\t")) {
      for (const rule of current) rule.recipe.push(trim(line));
      continue;
    }
    line = withoutComment(line);
    if (trim(line).length == 0) continue;
    if (line.startsWith("include ") || line.startsWith("-include ")) {
      if (!include(makefile, line)) return false;
      continue;
    }
    if (parseAssignment(makefile, line, false)) continue;
    const rules = parseRule(makefile, line);
    if (rules == null) {
      eprint(`${path}:${number}: expected a rule or an assignment: ${line}\n`);
      return false;
    }
    current = rules;
  }
  return true;
}

/** `include FILE ...`; `-include` passes over files that are not there. */
function include(makefile: Makefile, line: string): bool {
  const words = splitWords(expand(makefile, line));
  for (let i: i32 = 1; i < words.length; i++) {
    if (line.startsWith("-") && statOf(words[i]!) == null) continue;
    if (!readInto(makefile, words[i]!)) return false;
  }
  return true;
}
