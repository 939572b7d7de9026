export { type Clock, LicenseClient, type LicenseClientOptions } from './client.ts';
export type { Reason } from './judge.ts';
export { fileStore, type LicenseStore } from './memory.ts';
export type { FetchLike } from './platform.ts';
export type { Access, Check, Limit, Verdict } from './verdict.ts';
