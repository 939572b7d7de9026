import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { resolve } from 'node:path';

export const ROOT = resolve(import.meta.dirname, '../..');

/** The package has no types. Aliases and merge keys are resolved by it. */
const { load } = createRequire(import.meta.url)('js-yaml') as { load(text: string): unknown };

export const readYaml = <T>(path: string): T => load(readFileSync(resolve(ROOT, path), 'utf8')) as T;

/** What of a service of `docker-compose.yml` the tests look at. */
export interface Service {
  image: string;
  build?: string;
  command?: string[];
  environment?: Record<string, string>;
  env_file?: string;
  depends_on?: string[] | Record<string, { condition: string }>;
  healthcheck?: { test?: string[]; disable?: boolean };
  ports?: string[];
  volumes?: string[];
  networks?: string[];
  read_only?: boolean;
  stop_grace_period?: string;
}

export interface Compose {
  services: Record<string, Service>;
  networks: Record<string, unknown>;
  volumes: Record<string, unknown>;
}

export const readCompose = (): Compose => readYaml('docker-compose.yml');

/** The services that run this repository's image. */
export const partsOf = ({ services }: Compose): [string, Service][] =>
  Object.entries(services).filter(([, service]) => service.build !== undefined);

/** The environment of a service, with what `.env` says put in. */
export const environmentOf = (service: Service, dotEnv: Record<string, string>): Record<string, string> => ({
  ...(service.env_file ? dotEnv : {}),
  ...Object.fromEntries(
    Object.entries(service.environment ?? {}).map(([name, value]) => [
      name,
      String(value).replace(/\$\{(\w+)\}/g, (_, key: string) => dotEnv[key] ?? ''),
    ]),
  ),
});

/** The arguments of a Dockerfile's instructions of one kind, in the stage that is shipped. */
export function dockerfileOf(instruction: string): string[] {
  const shipped = readFileSync(resolve(ROOT, 'Dockerfile'), 'utf8')
    .split(/^FROM /m)
    .at(-1) as string;
  return [...shipped.matchAll(new RegExp(`^${instruction} (.*)$`, 'gm'))].map(([, rest]) => String(rest));
}
