// What a command does when nobody reads its output any more (`| head -1`): it ends without a word, as others do by SIGPIPE,
// with the exit code that a shell shows for them. Handlers of 'exit' still run, so terminals and locks are put right.

const BY_SIGPIPE = 128 + 13;

/** For the start of a command: its process ends when a pipe at standard output or standard error has lost its reader. */
export function endWithReader(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') throw error;
      process.exit(BY_SIGPIPE);
    });
  }
}

/** Lets endWithReader act: long computations call this between their lines of output. */
export function afterOutput(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
