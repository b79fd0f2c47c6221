// The shell's grammar, one function a production: a list is and-or lists separated by ; & or newlines, an and-or list is
// pipelines joined by && and ||, a pipeline is commands joined by |, a command is simple, compound or a function definition. Words
// keep their quotes; expansion comes when the command runs.

import { eprint } from '../libc/stdio.ts';
import { TextBuilder } from '../libc/text.ts';

export enum Kind { SIMPLE, PIPELINE, AND, OR, LIST, BACKGROUND, NOT, IF, WHILE, UNTIL, FOR, CASE, GROUP, SUBSHELL, FUNCTION }

export class Redirection {
  fd: i32 = 0;
  operator: string = "";   // < > >> <> <& >& <<
  target: string = "";     // a word; for << the text
  literal: bool = false;   // of <<: nothing in the text is expanded
}

export class Node {
  kind: Kind;
  words: string[] = [];          // SIMPLE: words; FOR: items; CASE: the word
  children: Node[] = [];         // IF: condition, then [, else]; WHILE: condition, body; the others: in order
  redirections: Redirection[] = [];
  name: string = "";             // FOR: variable; FUNCTION: name
  patterns: string[] = [];       // CASE: for each child its patterns, joined by |
  text: string = "";             // as it was written, for messages about jobs

  constructor(kind: Kind) {
    this.kind = kind;
  }
}

const SEMICOLON: i32 = 59;
const AMPERSAND: i32 = 38;
const BAR: i32 = 124;
const LESS: i32 = 60;
const GREATER: i32 = 62;
const LEFT: i32 = 40;
const RIGHT: i32 = 41;
const NEWLINE: i32 = 10;
const QUOTE: i32 = 39;
const DOUBLE: i32 = 34;
const BACKSLASH: i32 = 92;
const DOLLAR: i32 = 36;
const BACKQUOTE: i32 = 96;

const RESERVED: string[] = ["if", "then", "elif", "else", "fi", "while", "until", "do", "done", "for", "case", "esac", "{", "}", "!"];

// The text that is being parsed, and the token at `start`: a word, an operator, "\n", or "" at the end.
let text: string = "";
let start: i32 = 0;
let next: i32 = 0;
let token: string = "";
let isWord: bool = false;
let pending: Redirection[] = [];   // here-documents whose text begins after the next newline
let message: string = "";

/** The last text ended in the middle of something: with another line it may be right. */
export let incomplete: bool = false;

export function isSpace(c: i32): bool {
  return c == 32 || c == 9 || c == 13;
}

function isOperator(c: i32): bool {
  return c == SEMICOLON || c == AMPERSAND || c == BAR || c == LESS || c == GREATER || c == LEFT || c == RIGHT;
}

function fail(what: string): void {
  if (message == "") message = what;
}

function failIncomplete(what: string): void {
  if (message == "") incomplete = true;
  fail(what);
}

// ---------------------------------------------------------------------------------------------------- words

/** Index after the parenthesis that closes the one before `at`. */
function afterParenthesis(s: string, at: i32): i32 {
  let depth: i32 = 1;
  let i = at;
  while (i < s.length) {
    const c = s.charCodeAt(i);
    if (c == RIGHT && --depth == 0) return i + 1;
    if (c == LEFT) depth++;
    i = c == QUOTE || c == DOUBLE || c == BACKQUOTE ? afterQuote(s, i) : c == BACKSLASH ? i + 2 : i + 1;
  }
  return s.length + 1;
}

/** Index after the quoted part that begins at `at`; beyond the text when it is not closed. */
export function afterQuote(s: string, at: i32): i32 {
  const quote = s.charCodeAt(at);
  let i = at + 1;
  while (i < s.length) {
    const c = s.charCodeAt(i);
    if (c == quote) return i + 1;
    if (quote != QUOTE && c == BACKSLASH) i += 2;
    else if (quote == DOUBLE && c == DOLLAR) i = afterDollar(s, i);
    else if (quote == DOUBLE && c == BACKQUOTE) i = afterQuote(s, i);
    else i++;
  }
  return s.length + 1;
}

/** Index after what the dollar sign at `at` begins: $(...), ${...} or nothing of length. */
export function afterDollar(s: string, at: i32): i32 {
  if (at + 1 >= s.length) return at + 1;
  if (s.charCodeAt(at + 1) == LEFT) return afterParenthesis(s, at + 2);
  if (s.charCodeAt(at + 1) != 123) return at + 1;
  let i = at + 2;
  while (i < s.length && s.charCodeAt(i) != 125) {
    const c = s.charCodeAt(i);
    i = c == QUOTE || c == DOUBLE || c == BACKQUOTE ? afterQuote(s, i) : c == BACKSLASH ? i + 2 : c == DOLLAR ? afterDollar(s, i) : i + 1;
  }
  return i + 1;
}

function wordEnd(at: i32): i32 {
  let i = at;
  while (i < text.length) {
    const c = text.charCodeAt(i);
    if (isSpace(c) || c == NEWLINE || isOperator(c)) break;
    if (c == BACKSLASH) i += 2;
    else if (c == QUOTE || c == DOUBLE || c == BACKQUOTE) i = afterQuote(text, i);
    else if (c == DOLLAR) i = afterDollar(text, i);
    else i++;
  }
  if (i > text.length) failIncomplete("a quote is not closed");
  return i > text.length ? text.length : i;
}

function operatorEnd(at: i32): i32 {
  const c = text.charCodeAt(at);
  const d = at + 1 < text.length ? text.charCodeAt(at + 1) : 0;
  if (c == LESS && d == LESS) return at + 2 < text.length && text.charCodeAt(at + 2) == 45 ? at + 3 : at + 2;
  if ((c == LESS || c == GREATER) && (d == AMPERSAND || d == GREATER)) return at + 2;
  return d == c && (c == AMPERSAND || c == BAR || c == SEMICOLON) ? at + 2 : at + 1;
}

/** To the next token. */
function advance(): void {
  let i = next;
  for (;;) {
    while (i < text.length && (isSpace(text.charCodeAt(i)) || (text.charCodeAt(i) == BACKSLASH && i + 1 < text.length && text.charCodeAt(i + 1) == NEWLINE))) {
      i += text.charCodeAt(i) == BACKSLASH ? 2 : 1;
    }
    if (i >= text.length || text.charCodeAt(i) != 35) break;
    while (i < text.length && text.charCodeAt(i) != NEWLINE) i++;
  }
  start = i;
  isWord = false;
  if (i >= text.length) {
    next = i;
    token = "";
    if (pending.length > 0) failIncomplete("a here-document has no end");
    return;
  }
  const c = text.charCodeAt(i);
  if (c == NEWLINE) next = takeHereDocuments(i + 1);
  else if (isOperator(c)) next = operatorEnd(i);
  else {
    next = wordEnd(i);
    isWord = true;
  }
  token = c == NEWLINE ? "\n" : text.substring(i, next);
}

/** Reads the texts of pending here-documents from the lines after `at`; where they end. */
function takeHereDocuments(at: i32): i32 {
  let i = at;
  for (const redirection of pending) {
    const body = new TextBuilder();
    const end = redirection.target;
    for (;;) {
      if (i >= text.length) {
        failIncomplete("a here-document has no end");
        break;
      }
      let eol = text.indexOf("\n", i);
      if (eol < 0) eol = text.length;
      let from = i;
      while (redirection.operator == "<<-" && from < eol && text.charCodeAt(from) == 9) from++;
      const line = text.substring(from, eol);
      i = eol + 1;
      if (line == end) break;
      body.add(line);
      body.addByte(NEWLINE);
    }
    redirection.operator = "<<";
    redirection.target = body.take();
  }
  pending = [];
  return i > text.length ? text.length : i;
}

// ---------------------------------------------------------------------------------------------------- commands

function unexpected(): void {
  if (token == "") failIncomplete("unexpected end of line");
  else fail(token == "\n" ? "unexpected newline" : "unexpected " + token);
}

function skipNewlines(): void {
  while (token == "\n") advance();
}

/** The token must be this word. */
function need(word: string): void {
  if (token == word) advance();
  else unexpected();
}

function isReserved(word: string): bool {
  return RESERVED.indexOf(word) >= 0;
}

function endsList(): bool {
  return token == "" || token == ")" || token == ";;" || (isWord && (token == "then" || token == "elif" || token == "else" || token == "fi" || token == "do"
    || token == "done" || token == "esac" || token == "}"));
}

/** and-or lists up to a word that ends a list. */
function parseList(): Node {
  const list = new Node(Kind.LIST);
  skipNewlines();
  while (message == "" && !endsList()) {
    const from = start;
    let node = parseAndOr();
    if (token == "&") {
      const job = new Node(Kind.BACKGROUND);
      job.text = text.substring(from, start);
      job.children.push(node);
      node = job;
    }
    list.children.push(node);
    if (token != "&" && token != ";" && token != "\n") break;
    advance();
    skipNewlines();
  }
  return list;
}

function parseAndOr(): Node {
  let left = parsePipeline();
  while (message == "" && (token == "&&" || token == "||")) {
    const node = new Node(token == "&&" ? Kind.AND : Kind.OR);
    advance();
    skipNewlines();
    node.children.push(left);
    node.children.push(parsePipeline());
    left = node;
  }
  return left;
}

function parsePipeline(): Node {
  if (isWord && token == "!") {
    advance();
    const not = new Node(Kind.NOT);
    not.children.push(parsePipeline());
    return not;
  }
  const from = start;
  const first = parseCommand();
  if (token != "|") {
    first.text = trimmed(from);
    return first;
  }
  const pipeline = new Node(Kind.PIPELINE);
  pipeline.children.push(first);
  while (message == "" && token == "|") {
    advance();
    skipNewlines();
    pipeline.children.push(parseCommand());
  }
  pipeline.text = trimmed(from);
  return pipeline;
}

/** What was written from `from` to before the present token. */
function trimmed(from: i32): string {
  let end = start;
  while (end > from && (isSpace(text.charCodeAt(end - 1)) || text.charCodeAt(end - 1) == NEWLINE)) end--;
  return text.substring(from, end);
}

function parseCommand(): Node {
  if (token == "(") return withRedirections(enclosed(Kind.SUBSHELL, ")"));
  if (!isWord && !startsRedirection()) {
    unexpected();
    return new Node(Kind.LIST);
  }
  if (token == "{") return withRedirections(enclosed(Kind.GROUP, "}"));
  if (token == "if") return withRedirections(parseIf());
  if (token == "while" || token == "until") return withRedirections(parseLoop());
  if (token == "for") return withRedirections(parseFor());
  if (token == "case") return withRedirections(parseCase());
  if (isWord && isReserved(token)) {
    unexpected();
    return new Node(Kind.LIST);
  }
  return parseSimple();
}

function enclosed(kind: Kind, close: string): Node {
  const node = new Node(kind);
  advance();
  node.children.push(parseList());
  need(close);
  return node;
}

/** After if or elif: condition, then, and what follows up to fi. */
function parseIf(): Node {
  const node = new Node(Kind.IF);
  advance();
  node.children.push(parseList());
  need("then");
  node.children.push(parseList());
  if (token == "elif") {
    node.children.push(parseIf());
    return node;
  }
  if (token == "else") {
    advance();
    node.children.push(parseList());
  }
  need("fi");
  return node;
}

function parseLoop(): Node {
  const node = new Node(token == "while" ? Kind.WHILE : Kind.UNTIL);
  advance();
  node.children.push(parseList());
  parseBody(node);
  return node;
}

function parseBody(node: Node): void {
  need("do");
  node.children.push(parseList());
  need("done");
}

function parseFor(): Node {
  const node = new Node(Kind.FOR);
  advance();
  node.name = token;
  if (!isWord || !isName(token)) unexpected();
  advance();
  skipNewlines();
  if (token == "in") {
    advance();
    while (isWord) {
      node.words.push(token);
      advance();
    }
  } else {
    node.words.push('"$@"');
  }
  if (token == ";") advance();
  skipNewlines();
  parseBody(node);
  return node;
}

function parseCase(): Node {
  const node = new Node(Kind.CASE);
  advance();
  node.words.push(token);
  if (!isWord) unexpected();
  advance();
  skipNewlines();
  need("in");
  skipNewlines();
  while (message == "" && token != "esac") {
    if (token == "(") advance();
    let patterns = "";
    while (isWord) {
      patterns = patterns == "" ? token : patterns + "|" + token;
      advance();
      if (token == "|") advance();
      else break;
    }
    if (patterns == "") unexpected();
    need(")");
    node.patterns.push(patterns);
    node.children.push(parseList());
    if (token == ";;") advance();
    else if (token != "esac") unexpected();
    skipNewlines();
  }
  need("esac");
  return node;
}

export function isNameByte(c: i32): bool {
  return (c >= 65 && c <= 90) || (c >= 97 && c <= 122) || (c >= 48 && c <= 57) || c == 95;
}

export function isName(word: string): bool {
  for (let i: i32 = 0; i < word.length; i++) if (!isNameByte(word.charCodeAt(i))) return false;
  return word.length > 0 && (word.charCodeAt(0) < 48 || word.charCodeAt(0) > 57);
}

function parseSimple(): Node {
  const node = new Node(Kind.SIMPLE);
  for (;;) {
    if (startsRedirection()) {
      parseRedirection(node);
    } else if (isWord) {
      node.words.push(token);
      advance();
      if (token == "(" && node.words.length == 1 && isName(node.words[0]!)) return parseFunction(node.words[0]!);
    } else return node;
    if (message != "") return node;
  }
}

function parseFunction(name: string): Node {
  const node = new Node(Kind.FUNCTION);
  node.name = name;
  advance();
  need(")");
  skipNewlines();
  node.children.push(parseCommand());
  return node;
}

function withRedirections(node: Node): Node {
  while (message == "" && startsRedirection()) parseRedirection(node);
  return node;
}

/** The token is < or >, or the number directly before one. */
function startsRedirection(): bool {
  if (token.length == 0) return false;
  const c = token.charCodeAt(0);
  if (!isWord) return c == LESS || c == GREATER;
  if (next >= text.length || (text.charCodeAt(next) != LESS && text.charCodeAt(next) != GREATER)) return false;
  for (let i: i32 = 0; i < token.length; i++) if (token.charCodeAt(i) < 48 || token.charCodeAt(i) > 57) return false;
  return true;
}

function parseRedirection(node: Node): void {
  const r = new Redirection();
  r.fd = -1;
  if (isWord) {
    r.fd = token.charCodeAt(0) - 48;
    if (token.length > 1) r.fd = r.fd * 10 + token.charCodeAt(1) - 48;
    advance();
  }
  r.operator = token;
  if (r.fd < 0) r.fd = token.charCodeAt(0) == LESS ? 0 : 1;
  advance();
  if (!isWord) {
    unexpected();
    return;
  }
  r.target = token;
  if (r.operator.startsWith("<<")) {
    r.literal = token.indexOf("'") >= 0 || token.indexOf('"') >= 0 || token.indexOf("\\") >= 0;
    r.target = unquoted(token);
    pending.push(r);
  }
  node.redirections.push(r);
  advance();
}

function unquoted(word: string): string {
  const plain = new TextBuilder();
  for (let i: i32 = 0; i < word.length; i++) {
    const c = word.charCodeAt(i);
    if (c != QUOTE && c != DOUBLE && c != BACKSLASH) plain.addByte(c);
  }
  return plain.take();
}

/** The list that a text says; null after a message, or with `incomplete` when more lines could complete it (then without). */
export function parseText(source: string, quiet: bool): Node | null {
  text = source;
  next = 0;
  message = "";
  incomplete = false;
  pending = [];
  advance();
  const list = parseList();
  if (message == "" && token != "") unexpected();
  if (message == "") return list;
  if (!quiet || !incomplete) eprint("sh: " + message + "\n");
  return null;
}
