export function bootArgs(): string { return ""; }
export function platformName(): string { return "box"; }
