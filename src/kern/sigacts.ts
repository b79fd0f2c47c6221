// What a process does on each signal: the table that sigaction changes, fork copies and exec resets.

import { SIG_DFL, SIG_IGN, SigAction } from "../abi/signal.ts";

export class SigActs {
  words!: FixedArray<u32, 384>;  // 64 SigAction records of 6 words, signal 1 first
}

/** The entry of signal sig (1..64). */
export function sigAct(acts: SigActs, sig: i32): SigAction {
  return changetype<SigAction>(changetype<usize>(acts) + ((sig - 1) as u32) * sizeof<SigAction>());
}

export function sigactsCopy(from: SigActs): SigActs {
  const acts = new SigActs();
  memory.copy(changetype<usize>(acts), changetype<usize>(from), sizeof<SigActs>());
  return acts;
}

/** After exec: handlers of the old image are gone, what was ignored stays ignored. */
export function sigactsExec(acts: SigActs): void {
  for (let sig: i32 = 1; sig <= 64; sig++) {
    const act = sigAct(acts, sig);
    const ignored = act.handler == SIG_IGN;
    memory.fill(changetype<usize>(act), 0, sizeof<SigAction>());
    act.handler = ignored ? SIG_IGN : SIG_DFL;
  }
}
