// make: brings targets up to date. Rules with prerequisites and recipes, pattern rules with one %, variables (= := +=) and
// $(NAME:FROM=TO), $(wildcard PATTERN), the automatic variables $@ $< $^ $*, .PHONY, include and -include, recipe prefixes @ and -, line continuation. Options: -j N commands at a time, -f FILE,
// -C DIRECTORY, -n (print only), -s (silent), NAME=value. A recipe that fails stops what depends on it; a target that the failed recipe
// has changed is removed; jobs that run are waited for. SIGINT, SIGTERM and SIGHUP end the jobs in the same way, and then make by the
// same signal. Exit code 0: up to date, 2: error.

import { ECHILD } from '../abi/errno.ts';
import { SIG_DFL, SigAction, SIGHUP, SIGINT, SIGTERM } from '../abi/signal.ts';
import { setMain } from '../libc/crt.ts';
import { execvp, exitStatus, fail } from '../libc/process.ts';
import { eprint, flush, print } from '../libc/stdio.ts';
import { parseNumber } from '../libc/strings.ts';
import { malloc } from '../libc/rt.ts';
import { _exit, chdir, errno, fork, getpid, kill, sigaction, unlink, wait4 } from '../libc/sys.ts';
import { expand, Makefile, modificationTime, readMakefile, Rule, setVariable, stemOf, substituteStem } from './make-parse.ts';

const NEW: i32 = 0;
const WAITING: i32 = 1;    // for prerequisites
const READY: i32 = 2;
const RUNNING: i32 = 3;
const DONE: i32 = 4;
const FAILED: i32 = 5;

class Node {
  name: string = "";
  rule: Rule | null = null;
  stem: string = "";
  inputs: string[] = [];
  state: i32 = NEW;
  pending: i32 = 0;        // prerequisites that are not DONE
  dependents: Node[] = [];
  rebuilt: bool = false;
  before: u32 = 0;         // the target's time when its recipe began
  step: i32 = 0;           // next recipe line
  ignore: bool = false;    // the running line began with -
}

let makefile: Makefile = new Makefile();
let nodes: Map<string, Node> = new Map<string, Node>();
let ready: Node[] = [];
let running: Map<i32, Node> = new Map<i32, Node>();
let jobs: i32 = 1;
let dryRun: bool = false;
let silent: bool = false;
let failed: bool = false;
let interruption: i32 = 0;   // the signal that ends us
let action!: Embed<SigAction>;

// ---------------------------------------------------------------------------------------------------- the graph

/** Gives a node its rule: an explicit one, with the recipe of a pattern rule when it has none. */
function findRule(node: Node): void {
  if (makefile.rules.has(node.name)) {
    node.rule = makefile.rules.get(node.name)!;
    for (const input of node.rule!.inputs) node.inputs.push(input);
    if (node.rule!.recipe.length > 0 || makefile.phony.has(node.name)) return;
  }
  for (const rule of makefile.patterns) {
    const stem = stemOf(rule.target, node.name);
    if (stem == null) continue;
    node.rule = rule;
    node.stem = stem;
    for (const input of rule.inputs) node.inputs.push(substituteStem(input, stem));
    return;
  }
}

function nodeOf(name: string): Node {
  if (nodes.has(name)) return nodes.get(name)!;
  const node = new Node();
  node.name = name;
  nodes.set(name, node);
  findRule(node);
  return node;
}

/** Enters a target and all that it needs into the graph; false on a cycle or a missing file. */
function plan(node: Node, parent: Node | null): bool {
  if (node.state == NEW) {
    node.state = WAITING;
    node.pending = -1;     // being planned: meeting it again is a cycle
    let count: i32 = 0;
    for (const name of node.inputs) {
      const input = nodeOf(name);
      if (input.state == WAITING && input.pending == -1) {
        eprint("make: " + node.name + " and " + name + " depend on each other\n");
        return false;
      }
      if (!plan(input, node)) return false;
      count++;
    }
    node.pending = count;
    if (node.rule == null && modificationTime(node.name) == 0) {
      eprint("make: don't know how to make " + node.name + (parent == null ? "" : ", needed by " + parent.name) + "\n");
      return false;
    }
    if (count == 0) enqueue(node);
  }
  if (parent != null) node.dependents.push(parent);
  return true;
}

function enqueue(node: Node): void {
  node.state = READY;
  ready.push(node);
}

function outOfDate(node: Node): bool {
  if (makefile.phony.has(node.name)) return true;
  const time = modificationTime(node.name);
  if (time == 0) return true;
  for (const name of node.inputs) {
    if (nodes.get(name)!.rebuilt || modificationTime(name) > time) return true;
  }
  return false;
}

function finish(node: Node): void {
  node.state = DONE;
  for (const dependent of node.dependents) {
    dependent.pending--;
    if (dependent.pending == 0) enqueue(dependent);
  }
}

// ---------------------------------------------------------------------------------------------------- recipes

function automatic(node: Node): void {
  setVariable(makefile, "@", node.name);
  setVariable(makefile, "*", node.stem);
  setVariable(makefile, "<", node.inputs.length > 0 ? node.inputs[0]! : "");
  setVariable(makefile, "^", node.inputs.join(" "));
}

/** Starts the next line of a node's recipe, or finishes the node. */
function advance(node: Node): void {
  const recipe = node.rule!.recipe;
  while (node.step < recipe.length) {
    automatic(node);
    let line = expand(makefile, recipe[node.step]!);
    node.step++;
    let quiet = silent;
    node.ignore = false;
    while (line.startsWith("@") || line.startsWith("-")) {
      if (line.startsWith("@")) quiet = true;
      else node.ignore = true;
      line = line.substring(1);
    }
    if (line.length == 0) continue;
    if (!quiet || dryRun) print(line + "\n");
    if (dryRun) continue;
    launch(node, line);
    return;
  }
  finish(node);
}

function launch(node: Node, line: string): void {
  flush();
  const pid = fork();
  if (pid == 0) {                  // exec takes the handlers away
    execvp(["/bin/sh", "-c", line]);
    fail("make", "/bin/sh");
    _exit(127);
  }
  if (pid < 0) {
    fail("make", "fork");
    recipeFailed(node, 1);
    return;
  }
  node.state = RUNNING;
  running.set(pid, node);
}

function recipeFailed(node: Node, status: i32): void {
  failed = true;
  node.state = FAILED;
  eprint(`make: ${node.name}: error ${status}\n`);
  if (!makefile.phony.has(node.name) && modificationTime(node.name) != node.before && unlink(node.name) == 0) {
    eprint("make: removed " + node.name + "\n");
  }
}

function begin(node: Node): void {
  if (node.rule == null || !outOfDate(node)) {
    finish(node);
    return;
  }
  node.rebuilt = true;
  node.before = modificationTime(node.name);
  advance(node);
}

function interrupted(signal: i32): void {
  interruption = signal;
}

function setHandlers(handler: usize): void {
  action.handler = handler;
  for (const signal of [SIGHUP, SIGINT, SIGTERM]) sigaction(signal, changetype<usize>(action), 0);
}

/** The jobs get the signal, too, and no other begins. */
function passOn(signal: i32): void {
  failed = true;
  for (const pid of running.keys()) kill(pid, signal);
}

function reap(status: usize): bool {
  const pid = wait4(-1, status, 0, 0);
  if (interruption != 0 && !failed) passOn(interruption);
  if (pid < 0) return errno() != ECHILD;
  if (!running.has(pid)) return true;
  const node = running.get(pid)!;
  running.delete(pid);
  const code = exitStatus(load<i32>(status));
  if (code != 0 && !node.ignore) recipeFailed(node, code);
  else advance(node);
  return true;
}

/** Runs until nothing is left to do or, after a failure, nothing runs any more. */
function runAll(): void {
  const status = malloc(4);
  let taken: i32 = 0;
  for (;;) {
    while (!failed && taken < ready.length && running.size < jobs) {
      begin(ready[taken]!);
      taken++;
    }
    if (running.size == 0) return;
    if (!reap(status)) return;
  }
}

function endBy(signal: i32): void {
  eprint("make: interrupted\n");
  setHandlers(SIG_DFL);
  kill(getpid(), signal);
}

// ---------------------------------------------------------------------------------------------------- command line

function usage(): i32 {
  eprint("usage: make [-ns] [-j jobs] [-C directory] [-f makefile] [NAME=value ...] [target ...]\n");
  return 2;
}

function main(args: string[]): i32 {
  let file = "Makefile";
  const goals: string[] = [];
  const settings: string[] = [];
  for (let i: i32 = 1; i < args.length; i++) {
    const arg = args[i]!;
    if (arg == "-n") dryRun = true;
    else if (arg == "-s") silent = true;
    else if (arg.startsWith("-j") || arg.startsWith("-f") || arg.startsWith("-C")) {
      if (arg.length == 2 && i + 1 == args.length) return usage();
      const value = arg.length > 2 ? arg.substring(2) : args[i + 1]!;
      if (arg.length == 2) i++;
      if (arg.startsWith("-f")) file = value;
      else if (arg.startsWith("-C")) {
        if (chdir(value) < 0) return fail("make", value) + 1;
      } else {
        jobs = parseNumber(value, 0);
        if (jobs < 1) return usage();
      }
    } else if (arg.startsWith("-")) return usage();
    else if (arg.indexOf("=") > 0) settings.push(arg);
    else goals.push(arg);
  }
  const parsed = readMakefile(file, settings);
  if (parsed == null) return 2;
  makefile = parsed;
  if (goals.length == 0 && makefile.first != "") goals.push(makefile.first);
  if (goals.length == 0) {
    eprint("make: no target\n");
    return 2;
  }
  for (const goal of goals) if (!plan(nodeOf(goal), null)) return 2;
  setHandlers(codeof(interrupted));
  runAll();
  if (interruption != 0) endBy(interruption);
  return failed ? 2 : 0;
}

setMain(main);
