// Signals by name, as kill and the shell print and read them.

import { parseNumber } from './strings.ts';

/** Name of signal i + 1. */
export const SIGNAL_NAMES: string[] = ["HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "EMT", "FPE", "KILL", "BUS", "SEGV", "SYS", "PIPE", "ALRM", "TERM", "URG",
  "STOP", "TSTP", "CONT", "CHLD", "TTIN", "TTOU", "IO", "XCPU", "XFSZ", "VTALRM", "PROF", "WINCH", "INFO", "USR1", "USR2"];

/** The number of `KILL`, `SIGKILL` or `9`; -1 for anything else. */
export function signalNumber(text: string): i32 {
  const name = text.startsWith("SIG") ? text.substring(3) : text;
  const at = SIGNAL_NAMES.indexOf(name);
  if (at >= 0) return at + 1;
  const number = parseNumber(text, -1);
  return number > 64 ? -1 : number;
}

/** What a shell says of a process that the signal ended. */
export function signalText(signal: i32): string {
  switch (signal) {
    case 1: return "Hangup";
    case 2: return "Interrupt";
    case 3: return "Quit";
    case 4: return "Illegal instruction";
    case 5: return "Trace trap";
    case 6: return "Abort trap";
    case 8: return "Floating exception";
    case 9: return "Killed";
    case 10: return "Bus error";
    case 11: return "Segmentation fault";
    case 12: return "Bad system call";
    case 13: return "Broken pipe";
    case 14: return "Alarm clock";
    case 15: return "Terminated";
    default: return `Signal ${signal}`;
  }
}
