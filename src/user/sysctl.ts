// sysctl: reads kernel values by their names, and sets those that can be set. `sysctl -a` prints all of them.

import { CTL_HW, CTL_KERN, CTL_VM, HW_NCPU, HW_PHYSMEM, HW_SYSENTER, HW_USERMEM, KERN_BOOTARGS, KERN_OSTYPE, KERN_PLATFORM, VM_VKERNEL_ENABLE,
  VM_VKERNEL_SPACES } from '../abi/file.ts';
import { setMain } from '../libc/crt.ts';
import { fail } from '../libc/process.ts';
import { malloc } from '../libc/rt.ts';
import { eprint, print } from '../libc/stdio.ts';
import { indexOfByte, parseNumber, stringAt } from '../libc/strings.ts';
import { sysctl } from '../libc/sys.ts';

class Node {
  name: string;
  top: i32;
  leaf: i32;
  text: bool;

  constructor(name: string, top: i32, leaf: i32, text: bool) {
    this.name = name;
    this.top = top;
    this.leaf = leaf;
    this.text = text;
  }
}

const NODES: Node[] = [];

function listNodes(): void {
  NODES.push(new Node("kern.ostype", CTL_KERN, KERN_OSTYPE, true));
  NODES.push(new Node("kern.platform", CTL_KERN, KERN_PLATFORM, true));
  NODES.push(new Node("kern.bootargs", CTL_KERN, KERN_BOOTARGS, true));
  NODES.push(new Node("hw.ncpu", CTL_HW, HW_NCPU, false));
  NODES.push(new Node("hw.physmem", CTL_HW, HW_PHYSMEM, false));
  NODES.push(new Node("hw.sysenter", CTL_HW, HW_SYSENTER, false));
  NODES.push(new Node("hw.usermem", CTL_HW, HW_USERMEM, false));
  NODES.push(new Node("vm.vkernel_enable", CTL_VM, VM_VKERNEL_ENABLE, false));
  NODES.push(new Node("vm.vkernel_spaces", CTL_VM, VM_VKERNEL_SPACES, false));
}

function show(node: Node): i32 {
  const name = malloc(12);
  const buffer = malloc(2052);
  memory.fill(buffer, 0, 2052);
  store<i32>(name, node.top);
  store<i32>(name, node.leaf, 4);
  store<u32>(name, 2048, 8);
  if (sysctl(name, 2, buffer, name + 8, 0, 0) < 0) return fail("sysctl", node.name);
  print(node.name + ": " + (node.text ? stringAt(buffer) : `${load<u32>(buffer)}`) + "\n");
  return 0;
}

function set(node: Node, value: i32): i32 {
  const name = malloc(12);
  store<i32>(name, node.top);
  store<i32>(name, node.leaf, 4);
  store<i32>(name, value, 8);
  return sysctl(name, 2, 0, 0, name + 8, 4) < 0 ? fail("sysctl", node.name) : show(node);
}

/** NAME or NAME=VALUE. */
function handle(text: string): i32 {
  const equals = indexOfByte(text, 61, 0);
  const name = equals < 0 ? text : text.substring(0, equals);
  for (const node of NODES) {
    if (node.name != name) continue;
    if (equals < 0) return show(node);
    const value = parseNumber(text.substring(equals + 1), -1);
    if (value >= 0 && !node.text) return set(node, value);
    eprint("sysctl: " + text + ": expected a number\n");
    return 1;
  }
  eprint("sysctl: " + name + ": no such value; sysctl -a lists them\n");
  return 1;
}

function main(args: string[]): i32 {
  listNodes();
  let status: i32 = 0;
  if (args.length == 2 && args[1] == "-a") {
    for (const node of NODES) if (show(node) != 0) status = 1;
    return status;
  }
  if (args.length < 2) {
    eprint("usage: sysctl -a | name[=value] ...\n");
    return 2;
  }
  for (let i: i32 = 1; i < args.length; i++) if (handle(args[i]!) != 0) status = 1;
  return status;
}

setMain(main);
