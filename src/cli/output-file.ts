// A text file that is written in large pieces.

import { closeSync, openSync, writeSync } from 'node:fs';
import { UsageError } from './args.ts';

const BUFFER = 1 << 16;
const STDERR = 2;
const PAUSE = new Int32Array(new SharedArrayBuffer(4));

export class OutputFile {
  private text = '';
  private readonly fd: number;

  /** @param path null: standard error. @throws UsageError that names the option */
  constructor(option: string, path: string | null) {
    try {
      this.fd = path === null ? STDERR : openSync(path, 'w');
    } catch (error) {
      throw new UsageError(`${option} ${path}: ${(error as Error).message.split(',')[0]}`);
    }
  }

  line(text: string): void {
    this.text += `${text}\n`;
    if (this.text.length > BUFFER) this.flush();
  }

  flush(): void {
    const bytes = Buffer.from(this.text, 'latin1');
    this.text = '';
    for (let done = 0; done < bytes.length; ) done += this.write(bytes.subarray(done));
  }

  /** Writes some of the bytes, and waits for a pipe that is full. */
  private write(bytes: Uint8Array): number {
    try {
      return writeSync(this.fd, bytes);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
      Atomics.wait(PAUSE, 0, 0, 1);
      return 0;
    }
  }

  close(): void {
    this.flush();
    if (this.fd !== STDERR) closeSync(this.fd);
  }
}
