// How much of a file head and tail show: -n N lines or -c N bytes, -N for -n N, ten lines without either; and after a plus what begins at that
// line or byte, counted from 1.

import { afterOptions, nextOption, optionValue } from '../libc/options.ts';
import { parseNumber } from '../libc/strings.ts';

export class Amount {
  count: i32 = 10;
  bytes: bool = false;
  fromStart: bool = false;   // after a plus
  follow: bool = false;      // -f
  /** Where the names begin. */
  names: i32 = 1;
}

function setCount(amount: Amount, text: string, bytes: bool): bool {
  amount.fromStart = text.startsWith("+");
  amount.count = parseNumber(amount.fromStart ? text.substring(1) : text, -1);
  amount.bytes = bytes;
  return amount.count >= 0;
}

/** What the arguments ask for; null when they are wrong. `letters` are further options that are allowed. */
export function amountOf(args: string[], letters: string): Amount | null {
  const amount = new Amount();
  if (args.length > 1 && args[1]!.startsWith("-") && parseNumber(args[1]!.substring(1), -1) >= 0) {
    amount.count = parseNumber(args[1]!.substring(1), 0);
    amount.names = 2;
    return amount;
  }
  for (let option = nextOption(args, "c:n:" + letters); option != 0; option = nextOption(args, "c:n:" + letters)) {
    if (option < 0) return null;
    if (option == 102) amount.follow = true;
    else if (!setCount(amount, optionValue, option == 99)) return null;
  }
  amount.names = afterOptions;
  return amount;
}

/** Where the line of that number, counted from 0, begins in a text; the text's length when it has fewer. */
export function lineStart(text: string, line: i32): i32 {
  let at: i32 = 0;
  for (let left = line; left > 0 && at < text.length; at++) if (text.charCodeAt(at) == 10) left--;
  return at;
}
