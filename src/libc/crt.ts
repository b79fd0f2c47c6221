// From the kernel's initial stack to main: thread-local storage, top-level initialisers, arguments and environment as
// strings, and exit with main's value. A program names its main function with setMain at top level.

import { flushAll } from './stdio.ts';
import { stringAt } from './strings.ts';
import { _exit } from './sys.ts';
import { setUpTls } from './tls.ts';

let mainFunction: ((args: string[]) => i32) | null = null;
let environment: string[] = [];

export function setMain(main: (args: string[]) => i32): void {
  mainFunction = main;
}

/** The environment, each string `NAME=value`. */
export function environ(): string[] {
  return environment;
}

/** The value of an environment variable, or null. */
export function getenv(name: string): string | null {
  for (const entry of environment) {
    if (entry.length > name.length && entry.charCodeAt(name.length) == 61 && entry.startsWith(name)) return entry.substring(name.length + 1);
  }
  return null;
}

export function setenv(name: string, value: string): void {
  for (let i = 0; i < environment.length; i++) {
    const entry = environment[i]!;
    if (entry.length > name.length && entry.charCodeAt(name.length) == 61 && entry.startsWith(name)) {
      environment[i] = name + "=" + value;
      return;
    }
  }
  environment.push(name + "=" + value);
}

export function unsetenv(name: string): void {
  const kept: string[] = [];
  for (const entry of environment) if (!entry.startsWith(name + "=")) kept.push(entry);
  environment = kept;
}

function stringsAt(vector: usize): string[] {
  const list: string[] = [];
  for (let p = vector; load<usize>(p) != 0; p += 4) list.push(stringAt(load<usize>(p)));
  return list;
}

/** @param stack address of argc on the initial stack */
export function startProgram(stack: usize): void {
  setUpTls();
  __init();
  const argc = load<i32>(stack);
  const args = stringsAt(stack + 4);
  environment = stringsAt(stack + 8 + ((argc as usize) << 2));
  const main = mainFunction;
  exit(main == null ? 127 : main(args));
}

/** Flushes output and ends the process. */
export function exit(status: i32): void {
  flushAll();
  _exit(status);
}
