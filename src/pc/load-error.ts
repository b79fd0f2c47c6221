// What a loader says of a file that cannot be loaded: one line that names the file, what was found and what was expected.

export class LoadError extends Error {}
