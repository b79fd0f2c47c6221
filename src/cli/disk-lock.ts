// Two emulators must not write one image. Node has no file locks, so an image that is opened for writing is marked by a
// file of its own, `IMAGE.lock`, with the number of the process. A mark whose process has ended is taken over; where the
// folder cannot be written the image is used without a mark. QEMU does not see these marks, nor we its locks.

import { closeSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { LoadError } from '../pc/load-error.ts';

function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** The process that holds a mark; 0 when there is none that lives. */
function holder(mark: string): number {
  try {
    const pid = Number(readFileSync(mark, 'utf8'));
    return Number.isSafeInteger(pid) && pid > 0 && alive(pid) ? pid : 0;
  } catch {
    return 0;
  }
}

function create(mark: string): boolean {
  const fd = openSync(mark, 'wx');
  writeSync(fd, String(process.pid));
  closeSync(fd);
  process.on('exit', () => rmSync(mark, { force: true }));
  return true;
}

/** Marks an image as in use until this process ends. @throws LoadError when another process uses it */
export function lockImage(path: string): void {
  const mark = `${path}.lock`;
  for (let attempt = 0; attempt < 2; attempt++) {
    try {
      create(mark);
      return;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') return;
    }
    const pid = holder(mark);
    if (pid) throw new LoadError(`${path}: in use by process ${pid} (it holds ${mark}); expected an image that nobody else writes (-snapshot reads it only)`);
    rmSync(mark, { force: true });
  }
}
