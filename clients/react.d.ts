/**
 * The few types of React the clients use, for this repository has React's code (through GraphiQL) and not its types.
 * A project with `@types/react` needs none of this.
 */
declare module 'react' {
  export type ReactNode = ReactElement | string | number | boolean | null | undefined | readonly ReactNode[];
  export interface ReactElement {
    readonly type: unknown;
    readonly props: unknown;
    readonly key: string | null;
  }
  export type Component<P> = (props: P) => ReactNode;
  export interface Context<T> {
    Provider: Component<{ value: T; children?: ReactNode }>;
  }
  export interface FormEvent {
    readonly currentTarget: HTMLFormElement;
    preventDefault(): void;
  }

  export function createElement<P>(
    type: string | Component<P>,
    props: P | null,
    ...children: ReactNode[]
  ): ReactElement;
  export const Fragment: Component<{ children?: ReactNode }>;
  export function createContext<T>(value: T): Context<T>;
  export function useContext<T>(context: Context<T>): T;
  export function useState<T>(first: T | (() => T)): [T, (next: T | ((last: T) => T)) => void];
  export function useMemo<T>(make: () => T, dependencies: readonly unknown[]): T;
  export function useEffect(run: () => undefined | (() => void), dependencies: readonly unknown[]): void;
  export function useId(): string;
  export function useSyncExternalStore<T>(subscribe: (changed: () => void) => () => void, read: () => T): T;

  interface Attributes {
    children?: ReactNode;
    onSubmit?: (event: FormEvent) => void;
    onClick?: () => void;
    [name: string]: unknown;
  }
  export namespace JSX {
    type ElementType = string | Component<never>;
    type Element = ReactElement;
    interface ElementChildrenAttribute {
      children: unknown;
    }
    interface IntrinsicAttributes {
      key?: string;
    }
    interface IntrinsicElements {
      [tag: string]: Attributes;
    }
  }
}

declare module 'react-dom/client' {
  import type { ReactNode } from 'react';
  export function createRoot(element: Element): { render(node: ReactNode): void };
}
