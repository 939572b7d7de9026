/* The same for what draws it. */
export const { createRoot } = globalThis.ReactDOM;
