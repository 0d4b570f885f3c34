// Module paths: names of the checkpoint's tensors and of the values made from them.

/** `name` below `path`; at the top there is no path. */
export const join = (path: string, name: string): string => (path === "" ? name : `${path}.${name}`);
