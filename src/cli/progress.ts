// A line on a terminal's standard error that says what is being built and disappears when all is done. Elsewhere: nothing.

/** A callback for buildWorld. */
export function progressLine(): (what: string, done: number, all: number) => void {
  if (!process.stderr.isTTY) return () => {};
  return (what, done, all) => {
    process.stderr.write(done === all ? '\r\x1b[K' : `\r\x1b[Kbuilding ${what} (${done + 1} of ${all})`);
  };
}
