// $((...)): 32-bit integers, names of variables, + - * / % ( ) ! comparisons, && || and unary minus, with C's precedence.

import { eprint } from '../libc/stdio.ts';
import { parseNumber } from '../libc/strings.ts';
import { isNameByte, isSpace } from './sh-parse.ts';
import { getVariable } from './sh-state.ts';

let text: string = "";
let at: i32 = 0;
let bad: bool = false;

/** The value of an expression; 0 after a message. */
export function evaluate(expression: string): i32 {
  text = expression;
  at = 0;
  bad = false;
  const value = binary(0);
  skip();
  if (!bad && at == text.length) return value;
  eprint("sh: " + expression + ": not an expression\n");
  return 0;
}

function skip(): void {
  while (at < text.length && (isSpace(text.charCodeAt(at)) || text.charCodeAt(at) == 10)) at++;
}

const OPERATORS: string[] = ["||", "&&", "==", "!=", "<=", ">=", "<", ">", "+", "-", "*", "/", "%"];
const LEVELS: string = "0122333344555";

/** The operator at `at` of this level or a higher one: its index, or -1. */
function operatorAt(level: i32): i32 {
  skip();
  for (let i: i32 = 0; i < OPERATORS.length; i++) {
    const name = OPERATORS[i]!;
    if (text.substring(at, at + name.length) == name) return LEVELS.charCodeAt(i) - 48 >= level ? i : -1;
  }
  return -1;
}

function binary(level: i32): i32 {
  let left = unary();
  for (;;) {
    const operator = operatorAt(level);
    if (operator < 0 || bad) return left;
    at += OPERATORS[operator]!.length;
    left = apply(OPERATORS[operator]!, left, binary(LEVELS.charCodeAt(operator) - 47));
  }
}

function apply(operator: string, a: i32, b: i32): i32 {
  if (operator == "+") return a + b;
  if (operator == "-") return a - b;
  if (operator == "*") return a * b;
  if (operator == "==") return a == b ? 1 : 0;
  if (operator == "!=") return a != b ? 1 : 0;
  if (operator == "<") return a < b ? 1 : 0;
  if (operator == ">") return a > b ? 1 : 0;
  if (operator == "<=") return a <= b ? 1 : 0;
  if (operator == ">=") return a >= b ? 1 : 0;
  if (operator == "&&") return a != 0 && b != 0 ? 1 : 0;
  if (operator == "||") return a != 0 || b != 0 ? 1 : 0;
  if (b == 0 || (b == -1 && a == -0x7fffffff - 1)) {
    bad = true;
    return 0;
  }
  return operator == "/" ? a / b : a % b;
}

function unary(): i32 {
  skip();
  const c = at < text.length ? text.charCodeAt(at) : 0;
  if (c == 45 || c == 33 || c == 43) {
    at++;
    const value = unary();
    return c == 45 ? -value : c == 33 ? (value == 0 ? 1 : 0) : value;
  }
  if (c == 40) {
    at++;
    const value = binary(0);
    skip();
    if (at < text.length && text.charCodeAt(at) == 41) at++;
    else bad = true;
    return value;
  }
  const start = at;
  while (at < text.length && isNameByte(text.charCodeAt(at))) at++;
  if (at == start) bad = true;
  const word = text.substring(start, at);
  if (c >= 48 && c <= 57) return parseNumber(word, 0);
  const value = getVariable(word);
  return value == null ? 0 : parseNumber(value, 0);
}
