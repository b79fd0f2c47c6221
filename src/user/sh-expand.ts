// Expansion of words: quotes, ~, $name and its forms, $(command), $((arithmetic)), splitting into fields, and file names.
//
// On the way a word is a text in which some bytes have a meaning: LITERAL takes the next byte as it is (it was quoted), BREAK ends a
// field, QUOTED says that a field exists even if it is empty.

import { filesMatching, isPattern, literalOf, matchesPattern } from '../libc/pattern.ts';
import { eprint } from '../libc/stdio.ts';
import { parseNumber } from '../libc/strings.ts';
import { getpid } from '../libc/sys.ts';
import { TextBuilder } from '../libc/text.ts';
import { evaluate } from './sh-arith.ts';
import { afterDollar, afterQuote, isNameByte, isSpace } from './sh-parse.ts';
import { outputOf } from './sh-exec.ts';
import { getVariable, interactive, lastBackground, lastStatus, optionLetters, parameters, scriptName, setVariable, strictVariables } from './sh-state.ts';
import { exitShell, setInterrupted } from './sh-trap.ts';

const LITERAL: i32 = 1;
const BREAK: i32 = 2;
const QUOTED: i32 = 3;
const BACKSLASH: i32 = 92;
const DOLLAR: i32 = 36;
const NEWLINE: i32 = 10;

/** Adds an expanded value: literally inside quotes, else with breaks for its blanks. */
function addValue(out: TextBuilder, value: string, quoted: bool): void {
  for (let i: i32 = 0; i < value.length; i++) {
    const c = value.charCodeAt(i);
    if (!quoted && (isSpace(c) || c == NEWLINE)) {
      out.addByte(BREAK);
      continue;
    }
    if (quoted || c == BACKSLASH || c <= QUOTED) out.addByte(LITERAL);
    out.addByte(c);
  }
}

/** All parameters, each a field of its own. */
function addParameters(out: TextBuilder, quoted: bool): void {
  for (let i: i32 = 0; i < parameters.length; i++) {
    if (i > 0) out.addByte(BREAK);
    if (quoted) out.addByte(QUOTED);
    addValue(out, parameters[i]!, quoted);
  }
}

/** The value of a variable or special parameter, null when it is not set. */
function valueOf(name: string): string | null {
  if (name == "?") return `${lastStatus}`;
  if (name == "$") return `${getpid()}`;
  if (name == "!") return lastBackground == 0 ? "" : `${lastBackground}`;
  if (name == "-") return optionLetters();
  if (name == "#") return `${parameters.length}`;
  if (name == "*" || name == "@") return parameters.join(" ");
  const index = parseNumber(name, -1);
  if (index == 0) return scriptName;
  if (index > 0) return index <= parameters.length ? parameters[index - 1]! : null;
  return getVariable(name);
}

/** A variable should be set and is not: the end of a script, or of what was typed at the prompt. */
function missingVariable(name: string, message: string): void {
  eprint("sh: " + name + ": " + (message == "" ? "not set" : message) + "\n");
  if (!interactive) exitShell(1);
  setInterrupted(true);
}

/** Index after the name that begins at `at`: a special character, a digit, or letters. */
function nameEnd(text: string, at: i32): i32 {
  if (at >= text.length) return at;
  const c = text.charCodeAt(at);
  if (c == 63 || c == 45 || c == 36 || c == 33 || c == 35 || c == 42 || c == 64 || (c >= 48 && c <= 57)) return at + 1;
  let end = at;
  while (end < text.length && isNameByte(text.charCodeAt(end))) end++;
  return end;
}

/** ${inside}: #name, name, or name followed by an operator (- = + ? with or without a colon, # ## % %%) and a word. */
function addBraced(out: TextBuilder, inside: string, quoted: bool): void {
  if (inside.length > 1 && inside.charCodeAt(0) == 35) {
    const value = valueOf(inside.substring(1));
    addValue(out, `${value == null ? 0 : value.length}`, quoted);
    return;
  }
  const end = nameEnd(inside, 0);
  const name = inside.substring(0, end);
  const value = valueOf(name);
  if (end == inside.length) {
    if (name == "@") addParameters(out, quoted);
    else if (value != null) addValue(out, value, quoted);
    else if (strictVariables) missingVariable(name, "");
    return;
  }
  let at = end;
  let missing = value == null;
  if (inside.charCodeAt(at) == 58) {
    at++;
    missing = value == null || value == "";
  }
  const operator = at < inside.length ? inside.charCodeAt(at) : 0;
  const word = at < inside.length ? inside.substring(at + 1) : "";
  if (operator == 43) {                                   // +
    if (!missing) addValue(out, expandOne(word), quoted);
  } else if (operator == 45 || operator == 61) {          // - =
    if (missing && operator == 61) setVariable(name, expandOne(word));
    addValue(out, missing ? expandOne(word) : value!, quoted);
  } else if (operator == 63) {                            // ?
    if (missing) missingVariable(name, expandOne(word));
    else addValue(out, value!, quoted);
  } else if (operator == 35 || operator == 37) {          // # %
    if (value != null) addValue(out, stripped(value, word, operator == 37), quoted);
  } else if (value != null) {
    addValue(out, value, quoted);
  }
}

/** `value` without the part at its start (or end) that matches; a doubled operator takes the longest. */
function stripped(value: string, word: string, fromEnd: bool): string {
  const longest = word.length > 0 && word.charCodeAt(0) == (fromEnd ? 37 : 35);
  const pattern = patternOf(longest ? word.substring(1) : word);
  for (let i: i32 = 0; i <= value.length; i++) {
    const n = longest ? value.length - i : i;
    const part = fromEnd ? value.substring(value.length - n) : value.substring(0, n);
    if (matchesPattern(pattern, part)) return fromEnd ? value.substring(0, value.length - n) : value.substring(n);
  }
  return value;
}

/** What the dollar sign at `at` begins; the index after it. */
function addDollar(out: TextBuilder, text: string, at: i32, quoted: bool): i32 {
  const end = afterDollar(text, at);
  if (end > at + 1) {
    const c = text.charCodeAt(at + 1);
    if (c == 123) addBraced(out, text.substring(at + 2, end - 1), quoted);
    else if (text.substring(at, at + 3) == "$((" && text.substring(end - 2, end) == "))") addValue(out, `${evaluate(expandOne(text.substring(at + 3, end - 2)))}`, quoted);
    else addValue(out, outputOf(text.substring(at + 2, end - 1)), quoted);
    return end;
  }
  const after = nameEnd(text, at + 1);
  const name = text.substring(at + 1, after);
  if (name == "") {
    out.addByte(LITERAL);
    out.addByte(DOLLAR);
  } else if (name == "@") addParameters(out, quoted);
  else {
    const value = valueOf(name);
    if (value != null) addValue(out, value, quoted);
    else if (strictVariables) missingVariable(name, "");
  }
  return after;
}

/** `command`: its output, with \` inside of it taken literally. */
function addBackquoted(out: TextBuilder, text: string, quoted: bool): void {
  const command = new TextBuilder();
  for (let i: i32 = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c == BACKSLASH && i + 1 < text.length && (text.charCodeAt(i + 1) == 96 || text.charCodeAt(i + 1) == BACKSLASH || text.charCodeAt(i + 1) == DOLLAR)) i++;
    command.addByte(text.charCodeAt(i));
  }
  addValue(out, outputOf(command.take()), quoted);
}

function addWord(out: TextBuilder, text: string, quoted: bool): void {
  let i: i32 = 0;
  while (i < text.length) {
    const c = text.charCodeAt(i);
    if (c == BACKSLASH && i + 1 < text.length) {
      i = addEscaped(out, text, i, quoted);
    } else if (c == 39 && !quoted) {
      const end = afterQuote(text, i);
      out.addByte(QUOTED);
      addValue(out, text.substring(i + 1, end - 1), true);
      i = end;
    } else if (c == 34 && !quoted) {
      const end = afterQuote(text, i);
      const inside = text.substring(i + 1, end - 1);
      if (inside != "$@") out.addByte(QUOTED);
      addWord(out, inside, true);
      i = end;
    } else if (c == DOLLAR) {
      i = addDollar(out, text, i, quoted);
    } else if (c == 96) {
      const end = afterQuote(text, i);
      addBackquoted(out, text.substring(i + 1, end - 1), quoted);
      i = end;
    } else {
      if (quoted || c <= QUOTED) out.addByte(LITERAL);
      out.addByte(c);
      i++;
    }
  }
}

/** A backslash at `at`: in double quotes it is one unless a special byte follows; before a newline both vanish. */
function addEscaped(out: TextBuilder, text: string, at: i32, quoted: bool): i32 {
  const next = text.charCodeAt(at + 1);
  if (next == NEWLINE) return at + 2;
  out.addByte(LITERAL);
  if (quoted && next != DOLLAR && next != 34 && next != 96 && next != BACKSLASH) {
    out.addByte(BACKSLASH);
    return at + 1;
  }
  out.addByte(next);
  return at + 2;
}

/** ~ and ~/... at the start of a word. */
function withHome(text: string): string {
  if (!text.startsWith("~") || (text.length > 1 && text.charCodeAt(1) != 47)) return text;
  const home = getVariable("HOME");
  return (home == null ? "/" : home) + text.substring(1);
}

/** The field of bytes from..to as a shell pattern, in which what was quoted has a backslash. */
function fieldPattern(marked: TextBuilder, from: i32, to: i32): string {
  const out = new TextBuilder();
  for (let i = from; i < to; i++) {
    let c = marked.at(i);
    if (c == QUOTED) continue;
    if (c == LITERAL) {
      i++;
      c = marked.at(i);
      if (c == BACKSLASH || c == 42 || c == 63 || c == 91) out.addByte(BACKSLASH);
    }
    out.addByte(c);
  }
  return out.take();
}

/** The fields that a word becomes, file names included. */
function expandFields(text: string, fields: string[]): void {
  const marked = new TextBuilder();
  addWord(marked, withHome(text), false);
  let start: i32 = 0;
  for (let i: i32 = 0; i <= marked.length; i++) {
    if (i < marked.length && marked.at(i) == LITERAL) {
      i++;
      continue;
    }
    if (i < marked.length && marked.at(i) != BREAK) continue;
    if (i > start) addField(fieldPattern(marked, start, i), fields);
    start = i + 1;
  }
}

function addField(pattern: string, fields: string[]): void {
  if (isPattern(pattern)) {
    const names = filesMatching(pattern);
    for (const name of names) fields.push(name);
    if (names.length > 0) return;
  }
  fields.push(literalOf(pattern));
}

/** A plain word needs no work at all. */
function isPlain(text: string): bool {
  for (let i: i32 = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c != 45 && c != 46 && c != 47 && c != 58 && c != 61 && !isNameByte(c)) return false;
  }
  return true;
}

export function expandAll(words: string[]): string[] {
  const fields: string[] = [];
  for (const word of words) {
    if (isPlain(word)) fields.push(word);
    else expandFields(word, fields);
  }
  return fields;
}

/** A word as one string: not split, no file names. */
export function expandOne(text: string): string {
  if (isPlain(text)) return text;
  const marked = new TextBuilder();
  addWord(marked, withHome(text), false);
  return unmarked(marked);
}

/** The text of a here-document: $ and ` are special, quotes are not. */
export function expandHere(text: string): string {
  const marked = new TextBuilder();
  addWord(marked, text, true);
  return unmarked(marked);
}

function unmarked(marked: TextBuilder): string {
  const out = new TextBuilder();
  for (let i: i32 = 0; i < marked.length; i++) {
    const c = marked.at(i);
    if (c == LITERAL) {
      i++;
      out.addByte(marked.at(i));
    } else if (c == BREAK) out.addByte(32);
    else if (c != QUOTED) out.addByte(c);
  }
  return out.take();
}

/** A word as a pattern, for case and ${name#word}. */
export function patternOf(text: string): string {
  const marked = new TextBuilder();
  addWord(marked, withHome(text), false);
  return fieldPattern(marked, 0, marked.length);
}
