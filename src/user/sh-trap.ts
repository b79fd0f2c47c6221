// trap: commands that the shell runs when a signal has come, between its other commands, or, as signal 0 (EXIT), when it ends.

import { SIG_DFL, SIG_IGN, SIGINT, SigAction, SIGQUIT, SIGTSTP, SIGTTIN, SIGTTOU } from '../abi/signal.ts';
import { exit } from '../libc/crt.ts';
import { signalNumber, SIGNAL_NAMES } from '../libc/signals.ts';
import { eprint, print } from '../libc/stdio.ts';
import { sigaction } from '../libc/sys.ts';
import { runText } from './sh-exec.ts';
import { interactive, lastStatus, setStatus } from './sh-state.ts';

const EXIT: i32 = 0;

const actions: Map<i32, string> = new Map<i32, string>();   // "" is ignored
let pending: u32 = 0;                                       // by signal number - 1
let action!: Embed<SigAction>;

export function setSignal(signal: i32, handler: usize): void {
  action.handler = handler;
  sigaction(signal, addressof(action), 0);
}

/** Ctrl-C was typed while the shell itself was at work: everything ends. */
export let interrupted: bool = false;

export function setInterrupted(on: bool): void {
  interrupted = on;
}

function onInterrupt(_signal: i32): void {
  interrupted = true;
}

function onTrapped(signal: i32): void {
  pending |= 1 << ((signal - 1) as u32);
}

/** What a signal without a trap does to this shell. */
function usual(signal: i32): usize {
  if (!interactive) return SIG_DFL;
  if (signal == SIGINT) return codeof(onInterrupt);
  return signal == SIGQUIT || signal == SIGTSTP || signal == SIGTTIN || signal == SIGTTOU ? SIG_IGN : SIG_DFL;
}

/** The signals of a shell at a terminal. */
export function interactiveSignals(): void {
  setSignal(SIGINT, usual(SIGINT));
  setSignal(SIGQUIT, usual(SIGQUIT));
  setSignal(SIGTSTP, usual(SIGTSTP));
  setSignal(SIGTTIN, usual(SIGTTIN));
  setSignal(SIGTTOU, usual(SIGTTOU));
}

/** In a new process, still marked interactive if its parent is: signals as programs expect them, but those ignored by a trap stay so. */
export function childSignals(): void {
  pending = 0;
  for (let signal: i32 = 1; signal <= SIGNAL_NAMES.length; signal++) {
    const ignored = actions.has(signal) && actions.get(signal)! == "";
    if (!ignored && (actions.has(signal) || usual(signal) != SIG_DFL)) setSignal(signal, SIG_DFL);
    if (!ignored) actions.delete(signal);
  }
  actions.delete(EXIT);
}

/** Runs what is due. Between commands. */
export function runTraps(): void {
  while (pending != 0) {
    let signal: i32 = 1;
    while (((pending >>> ((signal - 1) as u32)) & 1) == 0) signal++;
    pending &= ~(1 << ((signal - 1) as u32));
    const status = lastStatus;
    if (actions.has(signal)) runText(actions.get(signal)!);
    setStatus(status);
  }
}

/** Ends the shell. A trap for it runs before, with $? what the shell ends with. */
export function exitShell(status: i32): void {
  setStatus(status);
  if (actions.has(EXIT)) {
    const text = actions.get(EXIT)!;
    actions.delete(EXIT);
    runText(text);
  }
  exit(status);
}

/** Is there anything to do when the shell ends? */
export function hasExitTrap(): bool {
  return actions.has(EXIT);
}

function setTrap(signal: i32, text: string): void {
  if (text == "-") actions.delete(signal);
  else actions.set(signal, text);
  if (signal != EXIT) setSignal(signal, text == "-" ? usual(signal) : text == "" ? SIG_IGN : codeof(onTrapped));
}

function nameOf(signal: i32): string {
  return signal == EXIT ? "EXIT" : SIGNAL_NAMES[signal - 1]!;
}

/** trap [text | - signal ...] */
export function trapCommand(args: string[]): i32 {
  if (args.length == 1) {
    for (let signal: i32 = 0; signal <= SIGNAL_NAMES.length; signal++) {
      if (actions.has(signal)) print("trap -- '" + actions.get(signal)! + "' " + nameOf(signal) + "\n");
    }
    return 0;
  }
  const first: i32 = args[1] == "--" ? 2 : 1;
  const only = args.length == first + 1;           // trap signal: as it was
  let status: i32 = 0;
  for (let i = only ? first : first + 1; i < args.length; i++) {
    const signal = args[i] == "EXIT" ? EXIT : signalNumber(args[i]!);
    if (signal < 0 || signal > SIGNAL_NAMES.length) {
      eprint("sh: trap: " + args[i]! + ": no such signal\n");
      status = 1;
    } else setTrap(signal, only ? "-" : args[first]!);
  }
  return status;
}
