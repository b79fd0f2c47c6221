// The VM spaces of all kernels on a machine that runs our own system, from the host kernel down. Pure observation, as all of
// guest.ts.

import type { KernelView, Proc, Space } from './guest.ts';

/** A VM space with the process that owns it and the kernel that keeps it. */
export interface OwnedSpace {
  readonly kernel: KernelView;
  readonly owner: Proc;
  readonly space: Space;
}

/** Every kernel with the process that is it, from the host kernel down. */
export function* kernels(host: KernelView, name = 'host kernel'): Generator<{ kernel: KernelView; name: string }> {
  yield { kernel: host, name };
  for (const proc of host.processes()) {
    const inner = host.virtualKernel(proc);
    if (inner) yield* kernels(inner, `${name === 'host kernel' ? '' : `${name}, `}vkernel, process ${proc.pid}`);
  }
}

/** Every VM space, by kernel, owner and id. */
export function* ownedSpaces(host: KernelView): Generator<OwnedSpace> {
  for (const { kernel } of kernels(host)) {
    for (const owner of kernel.processes()) for (const space of kernel.spaces(owner)) yield { kernel, owner, space };
  }
}
