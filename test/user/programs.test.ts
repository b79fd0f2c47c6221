// The programs of the world, each by some commands at one prompt: what they print and their exit codes.

import { beforeAll, describe, expect, it } from 'vitest';
import { Session, world } from '../system/session.ts';

const PROMPT = 'host# ';

type Command = readonly [line: string, output: string | RegExp, status: number];

const COMMANDS: readonly Command[] = [
  ["for w in pear apple fig apple; do echo $w; done > /tmp/w; sort /tmp/w", 'apple\napple\nfig\npear\n', 0],
  ['sort -ru /tmp/w', 'pear\nfig\napple\n', 0],
  ['for l in "b 10" "a 9" "c 100"; do echo "$l"; done | sort -n -k 2', 'a 9\nb 10\nc 100\n', 0],
  ['man true | cat; ls /usr/share/man | grep -c .; ls /bin | grep -c .', /^true: exits with 0\.\n(\d+)\n\1\n$/, 0],
  ['man nothing', 'man: nothing: No such file or directory\n', 1],
  ['man', 'usage: man name\n', 2],
  ['sort -x', /^usage: sort/, 2],
  ['grep -n p /tmp/w', '1:pear\n2:apple\n4:apple\n', 0],
  ['grep -c apple /tmp/w; grep -v p /tmp/w; grep -i PEAR /tmp/w', '2\nfig\npear\n', 0],
  ["grep -E '^(a|f)[a-z]+(le|ig)$' /tmp/w | wc -l", '       2\n', 0],
  ["echo 'one 1 two 22' | grep -oE '[0-9]+'", '1\n22\n', 0],
  ["grep -l TIOCGETA src/abi/*.ts src/kern/tty.ts; grep -q nothinglikeit src/abi/file.ts", 'src/abi/file.ts\nsrc/kern/tty.ts\n', 1],
  ["grep 'a\\(b' /tmp/w", /^grep: a\\\(b: unmatched \($/m, 2],
  ["echo abab | grep '\\(ab\\)\\1'; echo 'a.c' | grep -F 'a.c'; echo abc | grep -F 'a.c'", 'abab\na.c\n', 1],
  ["echo aaa | grep -oE 'a{2}'; echo ab | grep -E '^(a*)*b$'", 'aa\nab\n', 0],
  ['grep x /none', 'grep: /none: No such file or directory\n', 2],
  ["sed 's/p/P/g; 2d' /tmp/w", 'Pear\nfig\naPPle\n', 0],
  ["sed -n '2,3p' /tmp/w; sed -n '$=' /tmp/w; sed '/fig/q' /tmp/w | tail -n 1", 'apple\nfig\n4\nfig\n', 0],
  ["sed -E 's/(.)(.)/\\2\\1/' /tmp/w | head -n 2; sed 'y/ap/xy/' /tmp/w | head -n 1", 'epar\npaple\nyexr\n', 0],
  ["sed '/fig/!d; a\\more' /tmp/w; sed 's/e/E/2' /tmp/w | tail -n 1; echo aXbXc | sed 's/X/-/2'", 'fig\nmore\napple\naXb-c\n', 0],
  ["sed '/apple/{s/a/A/;p;}' /tmp/w | wc -l; sed 's/x' /tmp/w", '       6\nsed: s/x: a delimiter is missing\n', 2],
  ['head -n 1 /tmp/w; tail -n 1 /tmp/w; head -2 /tmp/w | tail -1; head -n x', 'pear\napple\napple\nusage: head [-n lines | -c bytes] [file ...]\n', 2],
  ['wc /tmp/w; wc -c /tmp/w /bin/sh | tail -n 1', /^ {7}4 {7}4 {6}21 \/tmp\/w\n +\d+ total\n$/, 0],
  ['sed s/fig/date/ /tmp/w > /tmp/v; diff /tmp/w /tmp/v', '3c3\n< fig\n---\n> date\n', 1],
  ['diff /tmp/w /tmp/w', '', 0],
  ['echo new >> /tmp/v; diff -u /tmp/w /tmp/v', '--- /tmp/w\n+++ /tmp/v\n@@ -1,4 +1,5 @@\n pear\n apple\n-fig\n+date\n apple\n+new\n', 1],
  ['sed 3d src/kern/tty.ts > /tmp/t; diff src/kern/tty.ts /tmp/t | head -n 1; diff /none /tmp/t', '3d2\ndiff: /none: No such file or directory\n', 2],
  ['mkdir -p /tmp/f/g; touch /tmp/f/a.ts /tmp/f/g/b.ts /tmp/f/c; ln -s c /tmp/f/l; find /tmp/f -name "*.ts"', '/tmp/f/a.ts\n/tmp/f/g/b.ts\n', 0],
  ['find /tmp/f -type d; find /tmp/f -type l; find /tmp/f ! -name "*.ts" -type f', '/tmp/f\n/tmp/f/g\n/tmp/f/l\n/tmp/f/c\n', 0],
  ['find src/compiler -size +100 -name "*.ts" | sort | head -n 2; find / -what', /^(src\/compiler\/.*\n)*usage: find/, 2],
  ['mv /tmp/f/c /tmp/f/d; mv /tmp/f/a.ts /tmp/f/d /tmp/f/g; ls /tmp/f/g; mv /none /tmp', 'a.ts    b.ts    d\nmv: /none: No such file or directory\n', 1],
  ['ln /tmp/w /tmp/w2; echo more >> /tmp/w2; tail -n 1 /tmp/w; ln /none /tmp/x', 'more\nln: /tmp/x: No such file or directory\n', 1],
  ['echo "hello, world" | od', '00000000  68 65 6c 6c 6f 2c 20 77  6f 72 6c 64 0a           |hello, world.|\n0000000d\n', 0],
  ['echo ab | od -c; echo ab | od -o; od -q', /^0000000 {3}a {3}b {2}\\n\n0000003\n0000000 061141 000012\n0000003\nusage: od/, 2],
  ['echo abcdefg | od -A x -t x1 -j 1 -N 3; echo ab | od -An -tu1; printf "\\377\\376" | od -An -td2; echo abc | od -t x4; od -t f4', /^0000001 62 63 64\n0000004\n {3}97 {3}98 {3}10\n {3}-257\n0000000 0a636261\n0000004\nusage: od/, 2],
  ['ls -C /usr; ls -1 /usr; ls -d /usr /bin; ls -F /usr; ls -m', /^obj {5}share {3}src\nobj\nshare\nsrc\n\/bin {4}\/usr\nobj\/ {4}share\/ {2}src\/\nusage: ls/, 2],
  ['mkdir -p /tmp/ls/d; printf 12345 > /tmp/ls/b; printf "%2048s" x > /tmp/ls/a; ls -lA /tmp/ls; ls -lh /tmp/ls/a', /^total \d+\n-rw-r--r-- {2}1 root {2}wheel {2}2048 Jan {2}1 00:\d\d a\n-rw-r--r-- {2}1 root {2}wheel {5}5 .* b\ndrwxr-xr-x {2}2 .* d\n-rw.* 2\.0K Jan .* \/tmp\/ls\/a\n$/, 0],
  ['ls -S1 /tmp/ls | head -n 2; ls -r1 /tmp/ls; touch /tmp/ls/d/e; ls -R /tmp/ls; ln -s /usr /tmp/ls/l; ls /tmp/ls/l; ls -l /tmp/ls/l | cut -c 1', 'd\na\nd\nb\na\n/tmp/ls:\na       b       d\n\n/tmp/ls/d:\ne\nobj     share   src\nl\n', 0],
  ['ls /none /tmp/ls/b /tmp/ls/d', 'ls: /none: No such file or directory\n/tmp/ls/b\n\n/tmp/ls/d:\ne\n', 1],
  ['cp -R /tmp/ls /tmp/copy; diff -r /tmp/ls /tmp/copy; ls -l /tmp/copy/l | cut -c 1; cp -r /tmp/ls /tmp/copy; ls -d /tmp/copy/ls/d; cp -R /tmp/ls /tmp/ls/d', 'l\n/tmp/copy/ls/d\ncp: /tmp/ls: /tmp/ls/d is in it\n', 1],
  ['echo x > /tmp/copy/b; rm /tmp/copy/a; diff -rq /tmp/ls /tmp/copy; diff /tmp/ls /tmp/copy/b', 'Only in /tmp/ls: a\nFiles /tmp/ls/b and /tmp/copy/b differ\nOnly in /tmp/copy: ls\n1c1\n< 12345\n---\n> x\n', 1],
  ['cp /tmp/ls /tmp/x; cp -q a b', /^cp: \/tmp\/ls: Is a directory\nusage: cp/, 2],
  ['printf "a\\nb\\n" | cat -n; echo x | cat - /none; cat -q', '     1\ta\n     2\tb\nx\ncat: /none: No such file or directory\nusage: cat [-nu] [file ...]\n', 2],
  ['seq 5 | tail -n +4; seq 5 | tail -c 4; seq 5 | head -c 3; echo; tail +x', /^4\n5\n4\n5\n1\n2\ntail: \+x: No such file/, 1],
  ['printf "b:2\\na:10\\nC:1\\n" > /tmp/k; sort -t : -k 2n /tmp/k; sort -f /tmp/k; sort -t: -k1,1r -o /tmp/k /tmp/k; cat /tmp/k; sort -k x', /^C:1\nb:2\na:10\na:10\nb:2\nC:1\nb:2\na:10\nC:1\nusage: sort/, 2],
  ['printf "xa\\na b\\nab\\na\\n" > /tmp/g; grep -w a /tmp/g; grep -cx a /tmp/g; seq 9 | grep -n -A1 -B 1 -e 3 -e 8; seq 9 | grep -C1 5; grep -sh x /none /tmp/g', 'a b\na\n1\n7-7\n8:8\n9-9\n4\n5\n6\nxa\n', 2],
  ['seq 9 | grep -A1 "[27]"; cd /tmp/ls; grep -r 123; cd; grep -A x', /^2\n3\n--\n7\n8\n\.\/b:12345\nusage: grep/, 2],
  ['find /tmp/ls -maxdepth 1 -type d; find /tmp/ls -type f -exec basename {} \\;; find /tmp/ls -name "[ab]" -exec wc -c {} +; find /tmp/ls -exec', /^\/tmp\/ls\n\/tmp\/ls\/d\na\nb\ne\n +2048 \/tmp\/ls\/a\n +5 \/tmp\/ls\/b\n +2053 total\nusage: find/, 2],
  ['find /tmp/ls -type f -exec grep -q 123 {} \\; -print; find /tmp/ls -name b -exec /none {} \\;', '/tmp/ls/b\nfind: /none: No such file or directory\n', 0],
  ["printf 'one\\ntwo\\n' > /tmp/i; cp /tmp/i /tmp/j; sed -i -e 1s/o/O/ -e '2i\\new' /tmp/i /tmp/j; cat /tmp/i /tmp/j; sed -i 1q /tmp/i; cat /tmp/i; sed -i p /none", 'One\nnew\ntwo\nOne\nnew\ntwo\nOne\nnew\ntwo\nsed: /none: No such file or directory\n', 1],
  ['sleep 3 & sleep 1; kill -STOP %1; sleep 1; kill -CONT %1; jobs; wait', /^\[1\] \d+\n(\[1\] Stopped.*\n)?\[1\] Running {5}sleep 3 \n$/, 0],
  ['ps aux | grep -c init; ps -ef | grep -c init; ps -q', /^[1-9]\n[1-9]\nusage: ps/, 2],
  ['df -h; df -k /tmp | wc -l; df /none', /^Filesystem +Size .*\nroot +128M +\d+M .*\n {7}2\ndf: \/none: No such file or directory\n$/, 1],
  ['date -u +%F; date -u | cut -c 1-3; date -q', /^\d{4}-\d\d-\d\d\n[A-Z][a-z]{2}\nusage: date/, 2],
  ['/bin/true; echo $?; /bin/false', '0\n', 1],
  ['env -i A=1 B=2 | sort; env A=5 sh -c "echo \\$A"; env /none', 'A=1\nB=2\n5\nenv: /none: No such file or directory\n', 127],
  ['uname; uname -m; uname -a; uname -z', 'Damselfly\ni386\nDamselfly host 0.1 i386\nusage: uname [-amnrs]\n', 2],
  ['date', /^[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d UTC \d{4}\n$/, 0],
  ['date +%Y-%m-%d; date x', /^\d{4}-\d\d-\d\d\nusage: date/, 2],
  ['df', /^Filesystem +1K-blocks .*\nroot +\d+ +\d+ +\d+ +\d+% +\d+ +\d+ {2}\/\n$/, 0],
  ['nm -n /boot/host-kernel.elf | head -n 1; nm /bin/cat | grep " main$"; nm /tmp/w', /^c01[0-9a-f]{5} T .+\n[0-9a-f]{8} T main\nnm: \/tmp\/w: not an ELF file\n$/, 1],
  ['size /bin/cat', /^ +text .*\n +\d+ +\d+ +\d+ +\d+ +[0-9a-f]+ {2}\/bin\/cat\n$/, 0],
  ['objdump -d /bin/true _start', /^\n\/bin\/true: section \.text\n\n[0-9a-f]{8} <_start>:\n [0-9a-f]{7}: {2}31 ed +xor {4}ebp,ebp\n[^]* call {3}0x[0-9a-f]+ <startProgram>\n.* hlt\n/, 0],
  ['objdump -d /bin/cat main | grep -c call; objdump -d /bin/cat nosuch | tail -n 1', /^\d+\nobjdump: \/bin\/cat: no such function\n/, 0],
  ['objdump /bin/cat; size; nm', /^usage: objdump.*\nusage: size.*\nusage: nm/, 2],
  ['sysctl kern.ostype; sysctl none', 'kern.ostype: Damselfly\nsysctl: none: no such value; sysctl -a lists them\n', 1],
  ['touch /none/x', 'touch: /none/x: No such file or directory\n', 1],
  ['echo text | less | cat; less /none', 'text\nless: /none: No such file or directory\n', 1],
  ['basename /a/b/c.ts .ts; basename /; basename a/; dirname /a/b/; dirname a; dirname /a; dirname', 'c\n/\na\n/a\n.\n/\nusage: dirname path\n', 2],
  ['mkdir -p /tmp/r/s/t; cd /tmp; rmdir r; rmdir -p r/s/t; ls -d r 2> /dev/null; ls r; cd /usr/src; rmdir', 'rmdir: r: Directory not empty\nls: r: No such file or directory\nusage: rmdir [-p] directory ...\n', 2],
  ['chmod 640 /tmp/w; ls -l /tmp/w; chmod u+x,go=r /tmp/w; ls -l /tmp/w; chmod -w /tmp/w; ls -l /tmp/w; chmod 644 /tmp/w', /^-rw-r----- .*\n-rwxr--r-- .*\n-r-xr--r-- .*\n$/, 0],
  ['mkdir /tmp/m; touch /tmp/m/x; chmod -R 700 /tmp/m; ls -l /tmp/m; chmod 9 /tmp/m; chmod 7 /none', /^total 0\n-rwx------ .* x\nusage: chmod.*\nchmod: \/none: No such file or directory\n$/, 1],
  ['echo text | tee /tmp/1 /tmp/2; echo more | tee -a /tmp/1 | wc -l; cat /tmp/1 /tmp/2; echo x | tee /none/x', 'text\n       1\ntext\nmore\ntext\ntee: /none/x: No such file or directory\nx\n', 1],
  ["echo 'Hello  World' | tr a-z A-Z; echo 'a b  c' | tr -s ' ' '\\n'; echo hello | tr -d l; echo ab12 | tr -cd '[:digit:]'; tr x", /^HELLO {2}WORLD\na\nb\nc\nheo\n12usage: tr/, 2],
  ["echo aabba | tr -s ab; echo abc | tr '[:lower:]' '[:upper:]'; echo 'a-b' | tr -- -a +A", 'aba\nABC\nA+b\n', 0],
  ['sort /tmp/w2 | uniq -c; sort /tmp/w2 | uniq -d; sort /tmp/w2 | uniq -u | wc -l; uniq -z', '   2 apple\n   1 fig\n   1 more\n   1 pear\napple\n       3\nusage: uniq [-cdu] [file]\n', 2],
  ["printf 'a:b:c\\nplain\\n' | cut -d : -f 2-; printf 'a:b:c\\nplain\\n' | cut -sd: -f1,3; echo abcdef | cut -c -2,5; cut -f 0", /^b:c\nplain\na:c\nabe\nusage: cut/, 2],
  ['seq 2 4; seq 5 -5 0; seq 1 0 2', '2\n3\n4\n5\n0\nusage: seq [first [step]] last\n', 2],
  ['mkdir /tmp/u; cp src/compiler/emit.ts /tmp/u/a; ln /tmp/u/a /tmp/u/b; du -s /tmp/u; du /tmp/u | wc -l; du -a /tmp/u | wc -l; du -as', /^\d{2,} +\/tmp\/u\n {7}1\n {7}3\nusage: du/, 2],
  ["echo a 'b\\ c' '\"d e\"' | xargs -n 1 echo got; echo x | xargs /none; echo 1 2 3 | xargs -t -n 2", 'got a\ngot b c\ngot d e\nxargs: /none: No such file or directory\necho 1 2\n1 2\necho 3\n3\n', 0],
  ['echo x | xargs false; echo $?; echo "\'" | xargs; echo $?; find src/abi -name "m*.ts" | xargs grep -l VPTE_RW', '123\nxargs: a quote has no end\n1\nsrc/abi/mman.ts\n', 0],
  ["printf '%s|%5d|%-5d|%05d|%x|%X|%o|%c|%%|%.2s|%b\\n' str 42 42 -42 255 255 8 xyz abcdef 'q\\tw'", 'str|   42|42   |-0042|ff|FF|10|x|%|ab|q\tw\n', 0],
  ["printf '%d,%s\\n' 1 a 0x10 b 010; printf '\\101%b' 'x\\cy'; echo; printf '%d\\n' abc; printf %z", '1,a\n16,b\n8,\nAx\nprintf: abc: not a number\n0\nprintf: %z: unknown conversion\n', 2],
  ['vi < /dev/null', 'vi: standard input is no terminal\n', 1],
];

describe('the programs', () => {
  let session: Session;

  beforeAll(() => {
    world();
    session = new Session('native');
    session.waitFor(PROMPT);
  }, 180_000);

  it.each(COMMANDS)('%s', (line, output, status) => {
    const result = session.command(line, PROMPT);
    if (typeof output === 'string') expect(result).toEqual({ output, status });
    else expect(result).toEqual({ output: expect.stringMatching(output) as string, status });
  }, 60_000);

  it('sh completes names, and lists in columns what could be meant', () => {
    session.type('echo src/user/usertests-p\t');
    expect(session.waitFor(`${PROMPT}echo src/user/usertests-p\x1b[J`)).toBe(`echo src/user/usertests-p\nusertests-pointer.ts  usertests-process.ts\n`);
    session.type('o\t\r');
    expect(session.waitFor(PROMPT)).toMatch(/ \nsrc\/user\/usertests-pointer\.ts\n$/);
  }, 60_000);

  it('vi edits a file', () => {
    session.command('rm -f /tmp/e', PROMPT);
    session.type('vi /tmp/e\r');
    session.waitFor('is new');
    session.type('ifirst line\rsecond\rthird\x1b');   // insert three lines
    session.type('ggdd');                             // delete the first
    session.type('p');                                // put it below
    session.type('GAd\x1b');                          // append to the last
    session.type('1GxP');                             // delete a byte; put the yanked line above
    session.type('u');                                // take that back
    session.type(':2\r:s/line/LINE/\r');
    session.type('/third\rrT');                       // search and replace a byte
    session.type(':wq\r');
    session.waitFor(PROMPT);
    expect(session.command('cat /tmp/e', PROMPT).output).toBe('econd\nfirst LINE\nThirdd\n');
  }, 60_000);

  it('vi does not lose changes', () => {
    session.type('vi /tmp/e\r');
    session.waitFor('of 3');
    session.type('dd:q\r');
    session.waitFor(':q! gives up');
    session.type(':w /none/x\r');
    session.waitFor('No such file or directory');
    session.type(':q!\r');
    session.waitFor(PROMPT);
    expect(session.command('wc -l /tmp/e', PROMPT).output).toBe('       3 /tmp/e\n');
  }, 60_000);

  it('less shows a screen at a time', () => {
    session.type('less src/kern/tty.ts\r');
    session.waitFor('lines 1-23/');
    session.type(' ');
    session.waitFor('lines 24-46/');
    session.type('G');
    session.waitFor('(END)');
    session.type('g');
    session.waitFor('lines 1-23/');
    session.type('/^export function ttyInit\r');
    session.waitFor('export function ttyInit');
    session.type('/nothing like it\r');
    session.waitFor('not found');
    session.type('q');
    session.waitFor(PROMPT);
    session.type('cat src/kern/tty.ts | less\r');
    session.waitFor('lines 1-23/');
    session.type('q');
    session.waitFor(PROMPT);
    expect(session.command('echo fine', PROMPT).output).toBe('fine\n');
  }, 60_000);
});
