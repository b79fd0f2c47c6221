export function bootArgs(): string { return ""; }
export function platformName(): string { return "box"; }
export function memoryWritable(): bool { return false; }
