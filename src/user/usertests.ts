// usertests: judges the kernel that it runs on from a user program. `usertests` runs every case, `usertests NAME...` those
// cases, `usertests -l` lists them. One line a case, `NAME: ok` or `NAME: FAILED, why`, and at the end how many passed. Exit code 0: all
// passed, 1: some failed, 2: no such case. The transcript does not depend on the kernel.

import { setMain } from '../libc/crt.ts';
import { eprint, print } from '../libc/stdio.ts';
import { caseNames, runCases } from './usertests-harness.ts';
import { processCases } from './usertests-process.ts';
import { execCases, helper } from './usertests-exec.ts';
import { signalCases } from './usertests-signal.ts';
import { fileCases } from './usertests-file.ts';
import { directoryCases } from './usertests-directory.ts';
import { descriptorCases } from './usertests-descriptor.ts';
import { memoryCases } from './usertests-memory.ts';
import { eventCases } from './usertests-event.ts';
import { threadCases } from './usertests-thread.ts';
import { pointerCases } from './usertests-pointer.ts';
import { vpagetableCases } from './usertests-vpagetable.ts';
import { vmspaceCases } from './usertests-vmspace.ts';

function addCases(): void {
  processCases();
  execCases();
  signalCases();
  fileCases();
  directoryCases();
  descriptorCases();
  memoryCases();
  eventCases();
  threadCases();
  pointerCases();
  vpagetableCases();
  vmspaceCases();
}

function main(args: string[]): i32 {
  if (args.length > 2 && args[1] == "-x") return helper(args);
  addCases();
  const names = args.slice(1);
  const known = caseNames();
  if (names.length == 1 && names[0] == "-l") {
    print(known.join("\n") + "\n");
    return 0;
  }
  for (const name of names) {
    if (known.indexOf(name) >= 0) continue;
    eprint("usertests: no case " + name + "; usage: usertests [-l] [name ...]\n");
    return 2;
  }
  return runCases(names) == 0 ? 0 : 1;
}

setMain(main);
