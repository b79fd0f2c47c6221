// The shell's language, its line editor, and job control at its prompt, as a person would use them.

import { beforeAll, describe, expect, it } from 'vitest';
import { Session, world } from '../system/session.ts';

const PROMPT = 'host# ';

type Command = readonly [line: string, output: string, status: number];

const LANGUAGE: readonly Command[] = [
  ['for i in a b c; do echo -n $i; done; echo', 'abc\n', 0],
  ['i=0; while [ $i -lt 3 ]; do echo $i; i=$((i+1)); done', '0\n1\n2\n', 0],
  ['until false; do echo once; break; done', 'once\n', 0],
  ['for i in 1 2 3 4; do [ $i = 2 ] && continue; [ $i = 4 ] && break; echo $i; done', '1\n3\n', 0],
  ['if test -d /tmp; then echo dir; else echo none; fi', 'dir\n', 0],
  ['if false; then echo a; elif true; then echo b; else echo c; fi', 'b\n', 0],
  ['case foo.ts in *.c) echo C;; *.ts|*.js) echo script;; *) echo other;; esac', 'script\n', 0],
  ['greet() { echo hello $1, $# words; return 4; }; greet you there', 'hello you, 2 words\n', 4],
  ['(cd /tmp; pwd); pwd', '/tmp\n/usr/src\n', 0],
  ['{ echo one; echo two; } | cat > /tmp/g; cat /tmp/g', 'one\ntwo\n', 0],
  ['echo "$(echo inner "$(echo deep)")" `echo back`', 'inner deep back\n', 0],
  ['echo $((2 + 3 * 4)) $(( (2+3)*4 % 7 )) $((1 < 2 && 2 != 3)) $((-5 / 2))', '14 6 1 -2\n', 0],
  ['x=hello; echo ${x} ${#x} ${y:-none} ${x%lo} ${x#he} ${x:+set}', 'hello 5 none hel llo set\n', 0],
  ['x="a  b"; echo $x; echo "$x"', 'a b\na  b\n', 0],
  ['set -- one "two three" four; echo $#; for w in "$@"; do echo "<$w>"; done; shift; echo $1', '3\n<one>\n<two three>\n<four>\ntwo three\n', 0],
  ['echo src/abi/e*.ts src/abi/[st]i*e.ts nothing*here "src/*"', 'src/abi/errno.ts src/abi/event.ts src/abi/time.ts nothing*here src/*\n', 0],
  ['cat /none 2>&1 | cat; echo $?', 'cat: /none: No such file or directory\n0\n', 0],
  ['! true; echo $?; ! false', '1\n', 0],
  ['sh -c "kill -9 \\$\\$"; echo $?', 'Killed\n137\n', 0],
  ['true | false; echo $?', '1\n', 0],
  ['x=1; sh -c \'echo "<$x>"\'; export x; sh -c \'echo "<$x>"\'; unset x', '<>\n<1>\n', 0],
  ['echo a b c > /tmp/r; read first rest < /tmp/r; echo $rest $first', 'b c a\n', 0],
  ['eval "echo \\$((1+1))"; . /tmp/none', '2\nsh: /tmp/none: No such file or directory\n', 1],
  ['echo ~ \\~ "~"', '/usr/src ~ ~\n', 0],
  ['echo "a\\"b\\$c" \'d"e\' f\\ g', 'a"b$c d"e f g\n', 0],
  ['sh -c \'echo $0 $1 $2\' name x y', 'name x y\n', 0],
  ['[ 3 -gt 2 -a ! -f /tmp/none ] && [ "a" != "b" ] && echo ok', 'ok\n', 0],
  ['[ 3 -gt x ]', 'sh: test: 3 -gt x: not an expression\n', 2],
  ['test -s /bin/sh && test -x /bin/sh; /bin/test "" ', '', 1],
  ['umask; umask 077; umask; umask 022', '0022\n0077\n', 0],
  ['fi', 'sh: unexpected fi\n', 2],
  ['echo ) x', 'sh: unexpected )\n', 2],
  ['exec 5> /tmp/five; echo out >&5; exec 5>&-; cat /tmp/five', 'out\n', 0],
  ['echo x > /none/x; echo $?', 'sh: /none/x: No such file or directory\n1\n', 0],
  ['a=5 b=$a; echo $b$a', '55\n', 0],
  ['rm -f /tmp/once; cat /none$(echo x >> /tmp/once) 2> /dev/null; cat /tmp/once', 'x\n', 0],
  ['sh -c "set -e; false || echo on; if false; then :; fi; ! true; true; (exit 5); echo never"', 'on\n', 5],
  ['sh -ec "false; echo never"; sh -c "set -e; set +e; false; echo on"', 'on\n', 0],
  ['sh -xc "x=1; echo \\$x | cat; cd /" 2>&1', '+ x=1\n+ echo 1\n+ cat\n1\n+ cd /\n', 0],
  ['sh -uc "echo \\$none; echo never"; echo $?; sh -c "echo \\${none:?is missing}; echo never"', 'sh: none: not set\n1\nsh: none: is missing\n', 1],
  ['echo ${none:?say}; echo next', 'sh: none: say\n', 1],
  ['sh -c "trap \'echo bye \\$?\' EXIT; exit 3"; sh -c "trap \'echo end\' 0; /bin/true"', 'bye 3\nend\n', 0],
  ['sh -c "trap \'echo caught\' USR1; kill -USR1 \\$\\$; echo on; trap - USR1; kill -USR1 \\$\\$; echo never"; echo $?', 'caught\non\nSignal 30\n158\n', 0],
  ['sh -c "trap \'\' TERM; kill \\$\\$; sh -c \'kill \\$\\$; echo both live\'"', 'both live\n', 0],
  ["trap 'echo x' TERM; trap; trap - TERM; trap; trap x NONE", "trap -- 'echo x' TERM\nsh: trap: NONE: no such signal\n", 1],
  ['f() { :; }; type f cd cat nothing; command -v cat; command -v cd; command -v nothing', 'f is a function\ncd is a shell builtin\ncat is /bin/cat\nsh: type: nothing: not found\n/bin/cat\ncd\n', 127],
  ['cat() { echo mine; }; cat /tmp/once; command cat /tmp/once; unset -f cat; command nothing', 'mine\nx\nsh: nothing: not found\n', 127],
  ['sh -z; set -z', 'usage: sh [-eux] [-c command [name [argument ...]] | file [argument ...]]\nsh: usage: set [-eux] [+eux] [--] [argument ...]\n', 2],
];

describe('the shell', () => {
  let session: Session;

  beforeAll(() => {
    world();
    session = new Session('native');
    session.waitFor(PROMPT);
  }, 180_000);

  const output = (line: string): string => session.command(line, PROMPT).output;
  /** Keys, and what is on the screen until the next prompt. */
  const keys = (text: string): string => {
    session.type(text);
    const line = session.waitFor('\r\n');
    return `${line}\n${session.waitFor(PROMPT)}`;
  };

  it.each(LANGUAGE)('%s', (line, text, status) => {
    expect(session.command(line, PROMPT)).toEqual({ output: text, status });
  }, 60_000);

  it('reads here-documents and commands over several lines', () => {
    session.type('cat << END | cat\r');
    session.waitFor('> ');
    session.type('$HOME and $((1+1))\r');
    session.waitFor('> ');
    session.type('END\r');
    expect(session.waitFor(PROMPT)).toContain('/usr/src and 2\n');
    session.type('for i in 1 2\r');
    session.waitFor('> ');
    session.type('do echo line $i\r');
    session.waitFor('> ');
    session.type('done\r');
    expect(session.waitFor(PROMPT)).toContain('line 1\nline 2\n');
    session.type("cat << 'X'\r");
    session.waitFor('> ');
    session.type('$HOME\r');
    session.waitFor('> ');
    session.type('X\r');
    expect(session.waitFor(PROMPT)).toContain('$HOME\n');
  }, 60_000);

  it('edits lines and remembers them', () => {
    expect(keys('echo acd\x1b[D\x1b[Db\x05e\r')).toMatch(/\nabcde\n$/);           // left twice, insert, end
    expect(keys('echo wrong\x17right\r')).toMatch(/\nright\n$/);                   // Ctrl-W
    expect(keys('xxx\x15echo new\r')).toMatch(/\nnew\n$/);                         // Ctrl-U
    expect(keys('\x1b[A\x1b[A\x7f\x7fw\r')).toMatch(/\nrigw\n$/);                  // up twice, Backspace twice
    expect(keys('echo src/user/sh-st\t\r')).toMatch(/\nsrc\/user\/sh-state.ts\n$/); // Tab
    expect(keys('not this\x03')).toContain('^C\n');                                 // Ctrl-C
    expect(keys('ho\x01ec\x05 x\r')).toMatch(/\nx\n$/);                             // Ctrl-A, Ctrl-E
    expect(output('history')).toMatch(/^1 {2}.*\n[^]*echo x\n/);
  }, 60_000);

  it('stops, lists, continues and ends jobs', () => {
    session.type('sleep 100\r');
    session.waitFor('sleep 100\r\n');
    session.type('\x1a');
    expect(session.waitFor(PROMPT)).toBe('^Z\n[1] Stopped     sleep 100\n');
    expect(output('jobs')).toBe('[1] Stopped     sleep 100\n');
    expect(output('bg')).toBe('[1] sleep 100\n');
    expect(output('jobs')).toBe('[1] Running     sleep 100\n');
    session.type('fg\r');
    session.waitFor('sleep 100\r\n');
    session.type('\x03');
    expect(session.waitFor(PROMPT)).toBe('^C\n');
    expect(output('jobs')).toBe('');
    expect(output('sleep 50 & sleep 60 &')).toMatch(/^\[1\] \d+\n\[2\] \d+\n$/);
    expect(output('kill %1 %2; wait; jobs')).toBe('');
    expect(output('fg')).toBe('sh: fg: no job\n');
    expect(output('kill %7')).toBe('kill: %7: no such process or job\n');
  }, 60_000);

  it('is not stopped by an endless loop', () => {
    session.type('while true; do :; done\r');
    session.waitFor('done\r\n');
    session.type('\x03');
    expect(session.waitFor(PROMPT)).toContain('^C');
    session.type('cat | cat\r');
    session.waitFor('cat | cat\r\n');
    session.type('\x03');
    expect(session.waitFor(PROMPT)).toContain('^C');
    expect(output('echo still here')).toBe('still here\n');
  }, 60_000);

  it('runs scripts with their arguments', () => {
    output("echo '#!/bin/sh' > /tmp/s; echo 'echo $0 $# \"$@\"' >> /tmp/s; echo 'exit 7' >> /tmp/s");
    expect(session.command('sh /tmp/s a "b c"', PROMPT)).toEqual({ output: '/tmp/s 2 a b c\n', status: 7 });
    expect(session.command('sh /tmp/missing', PROMPT)).toEqual({ output: 'sh: /tmp/missing: No such file or directory\n', status: 127 });
  }, 60_000);
});
