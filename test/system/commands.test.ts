// The same commands with the same results at `host# ` and at `vkernel# `, typed at the console as a person would.

import { beforeAll, describe, expect, it } from 'vitest';
import { Session, world } from './session.ts';

type Command = readonly [line: string, output: string | RegExp, status: number];

const COMMANDS: readonly Command[] = [
  ['echo hello   world', 'hello world\n', 0],
  [`echo "a  b" 'c $HOME' $HOME \\$HOME`, 'a  b c $HOME /usr/src $HOME\n', 0],
  ['pwd; cd /tmp; pwd; cd; pwd', '/usr/src\n/tmp\n/usr/src\n', 0],
  ['ls /usr; ls /usr | cat', 'obj     share   src\nobj\nshare\nsrc\n', 0],
  ['true && echo yes || echo no', 'yes\n', 0],
  ['false && echo yes || echo no', 'no\n', 0],
  ["sh -c 'exit 9'", '', 9],
  ['nothing', 'sh: nothing: not found\n', 127],
  ['/etc', /denied/i, 126],
  ['cat /none', /none: No such file/i, 1],
  ['cat /none 2> /dev/null', '', 1],
  ['cat /none 2>&1 > /dev/null | cat', /none: No such file/i, 0],
  ["sh -c 'echo \"unfinished'", 'sh: a quote is not closed\n', 2],
  ['echo one > /tmp/a; echo two >> /tmp/a; cat < /tmp/a', 'one\ntwo\n', 0],
  ['cat src/kern/tty.ts src/kern/trap.ts | cat | cat | cat > /tmp/b; cat src/kern/tty.ts src/kern/trap.ts > /tmp/c; cmp /tmp/b /tmp/c', '', 0],
  ['cmp src/kern/tty.ts src/kern/trap.ts', /differ/, 1],
  ['mkdir /tmp/d && cp /bin/ls /tmp/d/list && /tmp/d/list /tmp/d', 'list\n', 0],
  ['rm -r /tmp/d; ls /tmp/d', /No such file/i, 1],
  ['cat src/kern/tty.ts > /tmp/e & cat src/kern/trap.ts > /tmp/f & wait; cmp /tmp/e src/kern/tty.ts && cmp /tmp/f src/kern/trap.ts', /^\[1\] \d+\n\[2\] \d+\n$/, 0],
  ['A=1; B=two sh -c \'echo "$A$B"\'', 'two\n', 0],
  ['cat /dev/null; echo x > /dev/null; ls /dev', 'console mem     null    time    tty     zero\n', 0],
  ['ls -l /bin/sh', /^-rwxr-xr-x {2}1 root {2}wheel {2}\d+ Dec 31 00:00 \/bin\/sh\n$/, 0],
  ['ps', /^ +1 +0 \S+ .* init\n[^]* sh\n[^]* ps\n$/m, 0],
  ['time sh -c \'exit 3\'', /^ +\d+\.\d\d real +\d+\.\d\d user +\d+\.\d\d sys\n$/, 3],
  ["echo 'all: a b' > /tmp/Makefile; echo '.PHONY: a b' >> /tmp/Makefile; echo 'a b:' >> /tmp/Makefile; echo '\t@echo made $@' >> /tmp/Makefile", '', 0],
  ['make -C /tmp -j 2', /^made ([ab])\nmade (?!\1)[ab]\n$/, 0],
  ["echo 'A = x.o y.o' > /tmp/m; echo 'B = .o' >> /tmp/m; echo 'all:' >> /tmp/m; echo '\t@echo $(A:$(B)=.c) $(A:x%=z%) ${A:%.o=d/%}' >> /tmp/m", '', 0],
  ['make -f /tmp/m', 'x.c y.c z.o y.o d/x d/y\n', 0],
  ["echo 'include /tmp/m' > /tmp/n; echo '-include /tmp/none' >> /tmp/n; make -f /tmp/n", 'x.c y.c z.o y.o d/x d/y\n', 0],
  ["echo 'include /tmp/none' > /tmp/n; make -f /tmp/n", /^make: \/tmp\/none: No such file/, 2],
  ["echo 'all:' > /tmp/Makefile; echo '\tfalse' >> /tmp/Makefile; make -f /tmp/Makefile", /^false\nmake: /, 2],
];

describe.each([['host', 'native'], ['vkernel', '']])('at the prompt of the %s kernel', (platform, commandLine) => {
  let session: Session;
  const prompt = `${platform}# `;

  beforeAll(() => {
    world();
    session = new Session(commandLine);
    session.waitFor(prompt);
  }, 180_000);

  it.each(COMMANDS)('%s', (line, output, status) => {
    const result = session.command(line, prompt);
    if (typeof output === 'string') expect(result).toEqual({ output, status });
    else expect(result).toEqual({ output: expect.stringMatching(output) as string, status });
  }, 60_000);
});
