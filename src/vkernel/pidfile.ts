// -p: a file with our process id, locked as long as we run, so that there is one virtual kernel for each such file.

import { O_CREAT, O_EXLOCK, O_NONBLOCK, O_RDWR, O_TRUNC } from '../abi/file.ts';
import { cstr, getpid, open, unlink, write } from '../libc/sys.ts';
import { options, refuseFile } from './options.ts';

/** Makes the file; ends the process when another has it. */
export function pidFileCreate(): void {
  if (options.pidFile == "") return;
  const fd = open(options.pidFile, O_RDWR | O_CREAT | O_TRUNC | O_EXLOCK | O_NONBLOCK, 0x1a4);
  if (fd < 0) refuseFile(options.pidFile);
  const text = `${getpid()}\n`;
  if (write(fd, cstr(text), text.length as usize) != text.length) refuseFile(options.pidFile);
}

/** Takes it away again. */
export function pidFileRemove(): void {
  if (options.pidFile != "") unlink(options.pidFile);
}
