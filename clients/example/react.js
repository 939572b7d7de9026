/* React as a module, for browsers that run the source as it stands. */
const { React } = globalThis;
export const { createElement, createContext, Fragment } = React;
export const { useContext, useEffect, useId, useMemo, useState, useSyncExternalStore } = React;
