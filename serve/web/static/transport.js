// How the page reaches what answers it: over the network. A page without a server brings another file of this name.

/** @type {typeof fetch} */
export const request = (path, init) => fetch(path, init);
