// The shell's grammar: a line is pipelines joined by ; & && ||; a pipeline is commands joined by |; a command is words and
// redirections. Words keep their quotes; expansion comes when the command runs.

import { O_APPEND, O_CREAT, O_RDONLY, O_TRUNC, O_WRONLY } from '../abi/file.ts';
import { eprint } from '../libc/stdio.ts';
import { close, dup2, open } from '../libc/sys.ts';

export class Redirection {
  fd: i32 = 0;
  flags: i32 = 0;
  duplicate: i32 = -1;     // 2>&1: the descriptor to copy
  target: string = "";
}

export class Command {
  words: string[] = [];
  redirections: Redirection[] = [];
}

export class Pipeline {
  commands: Command[] = [];
  background: bool = false;
  onlyIf: i32 = 0;         // 1: after &&, 2: after ||
}

export function isSpace(c: i32): bool {
  return c == 32 || c == 9 || c == 13;
}

function isOperator(c: i32): bool {
  return c == 59 || c == 38 || c == 124 || c == 60 || c == 62;
}

/** Index after the word that starts at `at`, or -1 when a quote is not closed. */
function wordEnd(line: string, at: i32): i32 {
  let quote: i32 = 0;
  let i = at;
  for (; i < line.length; i++) {
    const c = line.charCodeAt(i);
    if (quote == 0 && (isSpace(c) || isOperator(c))) break;
    if (c == 92 && quote != 39) i++;
    else if (quote != 0 && c == quote) quote = 0;
    else if (quote == 0 && (c == 34 || c == 39)) quote = c;
  }
  return quote != 0 ? -1 : i > line.length ? line.length : i;
}

/** Words and operators of a line, or null after a message. */
function tokens(line: string): string[] | null {
  const list: string[] = [];
  let i: i32 = 0;
  while (i < line.length) {
    const c = line.charCodeAt(i);
    if (isSpace(c)) {
      i++;
      continue;
    }
    if (c == 35) break;
    let end = i + 1;
    if (isOperator(c)) {
      if (end < line.length && line.charCodeAt(end) == c && c != 59 && c != 60) end++;
    } else if (c == 50 && end < line.length && line.charCodeAt(end) == 62) {
      end = line.substring(i, i + 4) == "2>&1" ? i + 4 : i + 2;
    } else {
      end = wordEnd(line, i);
      if (end < 0) {
        eprint("sh: a quote is not closed\n");
        return null;
      }
    }
    list.push(line.substring(i, end));
    i = end;
  }
  return list;
}

function redirection(operator: string, target: string): Redirection {
  const r = new Redirection();
  r.target = target;
  r.fd = operator == "<" ? 0 : operator.startsWith("2") ? 2 : 1;
  r.flags = operator == "<" ? O_RDONLY : O_WRONLY | O_CREAT | (operator == ">>" ? O_APPEND : O_TRUNC);
  if (operator == "2>&1") r.duplicate = 1;
  return r;
}

function isOperatorToken(token: string): bool {
  return isOperator(token.charCodeAt(0));
}

function unexpected(token: string): null {
  eprint("sh: unexpected " + token + "\n");
  return null;
}

/** The pipelines of a line, or null after a message about its syntax. */
export function parseLine(line: string): Pipeline[] | null {
  const list = tokens(line);
  if (list == null) return null;
  const result: Pipeline[] = [];
  let pipeline = new Pipeline();
  let command = new Command();
  for (let i: i32 = 0; i < list.length; i++) {
    const token = list[i]!;
    if (token == "2>&1") {
      command.redirections.push(redirection(token, ""));
    } else if (token == "<" || token == ">" || token == ">>" || token == "2>") {
      if (i + 1 == list.length || isOperatorToken(list[i + 1]!)) return unexpected(i + 1 == list.length ? "end of line" : list[i + 1]!);
      i++;
      command.redirections.push(redirection(token, list[i]!));
    } else if (!isOperatorToken(token)) {
      command.words.push(token);
    } else {
      if (command.words.length == 0) return unexpected(token);
      pipeline.commands.push(command);
      command = new Command();
      if (token == "|") continue;
      if (token == "&") pipeline.background = true;
      result.push(pipeline);
      pipeline = new Pipeline();
      pipeline.onlyIf = token == "&&" ? 1 : token == "||" ? 2 : 0;
    }
  }
  if (command.words.length > 0) {
    pipeline.commands.push(command);
    result.push(pipeline);
  } else if (pipeline.commands.length > 0 || pipeline.onlyIf != 0 || command.redirections.length > 0) {
    return unexpected("end of line");
  }
  return result;
}

/** Opens and moves descriptors; the name of the file that failed, or null. */
export function applyRedirections(command: Command): string | null {
  for (const r of command.redirections) {
    if (r.duplicate >= 0) {
      dup2(r.duplicate, r.fd);
      continue;
    }
    const fd = open(r.target, r.flags, 0x1a4);
    if (fd < 0) return r.target;
    if (fd != r.fd) {
      dup2(fd, r.fd);
      close(fd);
    }
  }
  return null;
}
