// What a shell remembers beside its variables: parameters, the last status, functions, and how it was started.

import { getenv, setenv, unsetenv } from '../libc/crt.ts';
import { Node } from './sh-parse.ts';

export let lastStatus: i32 = 0;
/** Process id of the last background job, 0 before the first. */
export let lastBackground: i32 = 0;
/** $1, $2, ... */
export let parameters: string[] = [];
/** $0 */
export let scriptName: string = "sh";
/** A person is at the terminal, and jobs have process groups of their own. */
export let interactive: bool = false;

// What `set -e`, `set -u` and `set -x` switch on.
/** A command that fails ends the shell, unless it is tested. */
export let endsOnError: bool = false;
/** A variable that is not set is an error. */
export let strictVariables: bool = false;
/** Commands are shown before they run. */
export let showsCommands: bool = false;

/** Switches one option; false when there is none of that letter. */
export function setOption(letter: i32, on: bool): bool {
  if (letter == 101) endsOnError = on;
  else if (letter == 117) strictVariables = on;
  else if (letter == 120) showsCommands = on;
  else return false;
  return true;
}

/** The letters of those that are on, for $-. */
export function optionLetters(): string {
  return (endsOnError ? "e" : "") + (interactive ? "i" : "") + (strictVariables ? "u" : "") + (showsCommands ? "x" : "");
}

const variables: Map<string, string> = new Map<string, string>();
const functions: Map<string, Node> = new Map<string, Node>();

export function setStatus(status: i32): void {
  lastStatus = status;
}

export function setBackground(pid: i32): void {
  lastBackground = pid;
}

export function setParameters(list: string[]): void {
  parameters = list;
}

export function setScriptName(name: string): void {
  scriptName = name;
}

export function setInteractive(on: bool): void {
  interactive = on;
}

export function defineFunction(name: string, body: Node): void {
  functions.set(name, body);
}

/** The body of a function, or null. */
export function functionOf(name: string): Node | null {
  return functions.has(name) ? functions.get(name)! : null;
}

/** The value of a variable, exported or not; null when it is not set. */
export function getVariable(name: string): string | null {
  return variables.has(name) ? variables.get(name)! : getenv(name);
}

/** Sets a variable; one that is exported stays so. */
export function setVariable(name: string, value: string): void {
  if (getenv(name) != null) setenv(name, value);
  else variables.set(name, value);
}

/** From now on commands find the variable in their environment. */
export function exportVariable(name: string): void {
  if (!variables.has(name)) return;
  setenv(name, variables.get(name)!);
  variables.delete(name);
}

export function unsetFunction(name: string): void {
  functions.delete(name);
}

export function unsetVariable(name: string): void {
  variables.delete(name);
  unsetenv(name);
}

/** The names of variables that are not exported. */
export function variableNames(): string[] {
  return variables.keys();
}
