import { z } from 'zod';

const secret = (bytes: number) =>
  z.string().refine((text) => /^[A-Za-z0-9_-]+$/.test(text) && Buffer.from(text, 'base64url').length === bytes, {
    message: `must be ${bytes} random bytes in base64url`,
  });
const port = z.coerce.number().int().min(0).max(65_535);
const list = z.string().transform((text) =>
  text
    .split(',')
    .map((part) => part.trim())
    .filter(Boolean),
);
const keys = list.refine((parts) => parts.length > 0 && parts.every((part) => secret(32).safeParse(part).success), {
  message: 'must be 32-byte Ed25519 public keys in base64url, comma-separated',
});
const signingKeys = list.refine(
  (parts) => parts.length > 0 && parts.every((part) => /^[\w-]{43}(\.[\w-]+){3}$/.test(part)),
  { message: 'must be keys as npm run license-keys prints them, comma-separated' },
);
const rate = z.coerce.number().int().min(1).max(1_000_000_000);
const flag = z.enum(['true', 'false']).transform((text) => text === 'true');

/**
 * Everything the environment may say, with a sentence each; `.env.example` is printed from here. What has no default is
 * drawn and kept under `.data/` in development and test, and must be given in production.
 */
export const SETTINGS = {
  NODE_ENV: [
    z.enum(['development', 'test', 'production']).default('production'),
    'development opens Sandbox, GraphiQL and the example world.',
  ],
  PORT: [port.default(4000), 'Port of the gateway.'],
  HOST: [z.string().min(1).default('127.0.0.1'), 'Address the gateway and the subgraphs listen on.'],
  LOG_LEVEL: [
    z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']).default('info'),
    'Least level that is logged.',
  ],
  DATA_DIR: [
    z.string().min(1).default('.data'),
    'Where files and mails in a folder live, the embedded database and the drawn secrets; subgraphs that run apart share it.',
  ],
  DATABASE_URL: [
    z
      .string()
      .regex(/^postgres(ql)?:\/\//, 'must begin with postgres://')
      .optional(),
    'PostgreSQL 18 of your own; its login may create roles. Without it an embedded one is run (not in production).',
  ],
  DATABASE_ROLE_SECRET: [secret(32).optional(), 'The passwords of the database roles are derived from it.'],
  DATABASE_POOL: [z.coerce.number().int().min(2).max(100).default(10), 'Connections per subgraph.'],
  DATABASE_WAIT_MS: [
    z.coerce.number().int().min(50).max(5_000).default(500),
    'How long a request waits for a connection before it is answered OVERLOADED.',
  ],
  HOME_URLS: [
    list
      .refine((parts) => parts.every((part) => /^[a-z][a-z0-9_]{0,39}=postgres(ql)?:\/\//.test(part)), {
        message: 'must be name=postgres://… pairs',
      })
      .default([]),
    'name=url pairs of the databases of single tenants that lie on servers of their own; any other lies beside DATABASE_URL.',
  ],
  REDIS_URL: [
    z
      .string()
      .regex(/^rediss?:\/\//, 'must begin with redis:// or rediss://')
      .optional(),
    'Redis that carries live news, rate buckets and revocations between processes; without it PostgreSQL carries the news.',
  ],
  ADMIN_PORT: [
    port.optional(),
    'Port on which /metrics is served to those who run this, never to clients; without it there is none.',
  ],
  ADMIN_HOST: [z.string().min(1).default('127.0.0.1'), 'Address of the admin port.'],
  ENVELOPE_PRIVATE_KEY: [
    secret(32).optional(),
    'Ed25519 seed with which the gateway signs what it sends to subgraphs.',
  ],
  ENVELOPE_PUBLIC_KEYS: [
    keys.optional(),
    'Ed25519 public keys (base64url, comma-separated) whose envelopes a subgraph believes.',
  ],
  MASTER_KEY: [
    secret(32).optional(),
    'Seals the data keys of tenants and signs links to files; whoever loses it cannot read what those keys sealed.',
  ],
  CERTIFICATE_KEY: [
    secret(32).optional(),
    'Ed25519 seed that signs certificates of deletion; earlier ones verify with the same key only.',
  ],
  BACKUP_DAYS: [
    z.coerce.number().int().min(0).max(3_650).default(35),
    'How long backups of the database are kept: a certificate of deletion says when the last one ends.',
  ],
  IDENTITY_DATA_KEY: [
    secret(32).optional(),
    'Seals the private halves of token keys and the secrets of authenticator apps in the database.',
  ],
  IDENTITY_MAC_KEY: [secret(32).optional(), 'Computes refresh tokens and hashes of sign-in buckets.'],
  GOOGLE_CLIENT_ID: [z.string().min(1).optional(), 'Our client at Google; without it nobody signs in with Google.'],
  GOOGLE_CLIENT_SECRET: [z.string().min(1).optional(), 'Its secret.'],
  GOOGLE_ISSUER: [z.string().url().default('https://accounts.google.com'), 'What Google calls itself.'],
  MICROSOFT_CLIENT_ID: [z.string().min(1).optional(), 'The same at Microsoft.'],
  MICROSOFT_CLIENT_SECRET: [z.string().min(1).optional(), 'Its secret.'],
  MICROSOFT_ISSUER: [
    z.string().url().default('https://login.microsoftonline.com/common/v2.0'),
    'Whose people Microsoft lets in: of any organisation, or with its id in the place of common of one.',
  ],
  GITHUB_CLIENT_ID: [z.string().min(1).optional(), 'The same at GitHub.'],
  GITHUB_CLIENT_SECRET: [z.string().min(1).optional(), 'Its secret.'],
  GITHUB_ISSUER: [z.string().url().default('https://github.com'), 'GitHub, or a GitHub Enterprise Server.'],
  EXAMPLE_PROVIDER_PORT: [
    port.default(4009),
    'development only: port of the sign-in provider of the example world, on this machine.',
  ],
  LICENSE_ROOT_KEYS: [
    keys.optional(),
    'The two Ed25519 public keys (base64url, comma-separated) whose private halves state signing keys, offline; installations pin them.',
  ],
  LICENSE_SIGNING_KEYS: [
    signingKeys.optional(),
    'Keys that sign licence files, private halves and statements, as npm run license-keys prints them, in the order of their use; without them production issues no file.',
  ],
  PUBLIC_URL: [z.string().url().default('http://localhost:4000'), 'How clients reach the gateway: issuer of tokens.'],
  PLATFORM_DOMAIN: [
    z
      .string()
      .regex(/^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}$/, 'must be a domain name in lower case')
      .default('isp.example'),
    'The domain below which every tenant has a name; in production a wildcard record of it leads to the gateways.',
  ],
  MAIL_ENGINE: [
    z.enum(['FOLDER', 'SMTP']).default('FOLDER'),
    'How mails leave: as files in DATA_DIR/mail, or over the server of SMTP_URL.',
  ],
  SMTP_URL: [
    z
      .string()
      .regex(/^smtps?:\/\//, 'must begin with smtp:// or smtps://')
      .optional(),
    'The server that sends mails, with name and password: smtps://name:password@mail.example.com.',
  ],
  MAIL_FROM: [
    z
      .string()
      .regex(/^[^\r\n]*@[^\r\n]+$/, 'must be an address')
      .default('DotMac <no-reply@localhost>'),
    'Whom mails are from.',
  ],
  DNS_RESOLVERS: [
    list.default(['1.1.1.1', '9.9.9.9']).refine((parts) => parts.length >= 2, { message: 'must be two or more' }),
    'Addresses of the name servers that are asked for the records of custom domains; all have to agree.',
  ],
  ALLOWED_ORIGINS: [
    list.default(['http://localhost:4000', 'http://127.0.0.1:4000', 'https://studio.apollographql.com']),
    'Origins of portals that may open sockets and use cookies.',
  ],
  SUBGRAPH_URLS: [list.default([]), 'name=url pairs of subgraphs that run apart.'],
  SUBGRAPH_TIMEOUT_MS: [
    z.coerce.number().int().min(100).max(60_000).default(5_000),
    'Deadline of one call to a subgraph.',
  ],
  SUPERGRAPH_FILE: [
    z.string().min(1).default('schema/supergraph.graphql'),
    'The composed supergraph the gateway serves.',
  ],
  PERSISTED_OPERATIONS: [
    list.default([]),
    'Manifests of the operations our own clients were built with, in Apollo’s format, comma-separated.',
  ],
  PORTALS_IDS_ONLY: [
    flag.optional(),
    'Whether portal customers and whoever has not signed in may run operations of a manifest only; by default so in production, once there is a manifest.',
  ],
  RATE_PER_CALLER: [rate.default(1_000), 'Cost that flows back each second to the bucket of somebody signed in.'],
  RATE_PER_TENANT: [rate.default(10_000), 'The same for all people of a tenant together.'],
  RATE_PER_ADDRESS: [rate.default(500), 'The same for whoever has not signed in, by address.'],
  DRAIN_DELAY_MS: [
    z.coerce.number().int().min(0).max(10_000).default(0),
    'How long a gateway that was told to go says so at /health/ready before it closes its door, for a proxy to notice.',
  ],
  TRUST_PROXY: [flag.default(false), 'Whether the last hop of X-Forwarded-For names the client.'],
  SOCKETS_PER_ADDRESS: [
    z.coerce.number().int().min(1).default(512),
    'Sockets a gateway holds open from one address; a whole office may share one.',
  ],
  SOCKETS_PER_USER: [z.coerce.number().int().min(1).default(32), 'Sockets a gateway holds open for one user.'],
  STREAMS_PER_USER: [
    z.coerce.number().int().min(1).default(256),
    'Subscriptions a gateway holds open for one user, over all doors together.',
  ],
  OTEL_EXPORTER_OTLP_ENDPOINT: [
    z.string().url().optional(),
    'Collector that receives spans; without it none are sent.',
  ],
  TRACE_RATIO: [
    z.coerce.number().min(0).max(1).default(1),
    'Share of the traces that are recorded, the same ones by every process.',
  ],
  SEED_PASSWORD: [
    z.string().min(12).max(128).optional(),
    'Password of the people of the example world; drawn when it is missing.',
  ],
  LICENSE_TIER: [
    z
      .string()
      .regex(/^[a-z][a-z0-9_]{1,31}$/)
      .optional(),
    'development and test only: every tenant is on this plan.',
  ],
  FEATURE_OVERRIDE: [
    list.optional(),
    'development and test only: features added (crm) or removed (-tickets) for every tenant.',
  ],
} as const satisfies Record<string, readonly [z.ZodType, string]>;

type Settings = { [K in keyof typeof SETTINGS]: z.output<(typeof SETTINGS)[K][0]> };

/** Secrets that development draws for itself and production must be given. */
export const SECRETS = [
  'DATABASE_ROLE_SECRET',
  'ENVELOPE_PRIVATE_KEY',
  'ENVELOPE_PUBLIC_KEYS',
  'MASTER_KEY',
  'CERTIFICATE_KEY',
  'IDENTITY_DATA_KEY',
  'IDENTITY_MAC_KEY',
] as const;
type Secret = (typeof SECRETS)[number];

export type Config = Omit<Settings, Secret> & Required<{ [K in Secret]: NonNullable<Settings[K]> }>;

/** The start is refused; the message is meant for the operator and names everything that is wrong. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

/**
 * Reads the environment once. Throws one ConfigError that lists every missing or malformed variable.
 * @param drawn secrets kept from an earlier start in development; ignored in production.
 */
export function readConfig(env: NodeJS.ProcessEnv, drawn: Partial<Record<string, string>> = {}): Config {
  const isProduction = (env.NODE_ENV || 'production') === 'production';
  const given: Record<string, string | undefined> = {};
  for (const name of Object.keys(SETTINGS)) {
    given[name] = env[name] || undefined;
    if (!isProduction) given[name] ??= drawn[name];
  }
  const shape = z.object(
    Object.fromEntries(Object.entries(SETTINGS).map(([name, [type]]) => [name, type])) as z.ZodRawShape,
  );
  const read = shape.safeParse(given);
  const faults = read.success ? [] : read.error.issues.map((issue) => `${String(issue.path[0])}: ${issue.message}`);
  for (const name of SECRETS) if (!given[name]) faults.push(`${name}: is missing. ${SETTINGS[name][1]}`);
  if (given.MAIL_ENGINE === 'SMTP' && !given.SMTP_URL) faults.push(`SMTP_URL: is missing. ${SETTINGS.SMTP_URL[1]}`);
  if (isProduction) {
    if (!given.DATABASE_URL) faults.push(`DATABASE_URL: is missing. ${SETTINGS.DATABASE_URL[1]}`);
    for (const name of ['LICENSE_TIER', 'FEATURE_OVERRIDE', 'SEED_PASSWORD'])
      if (given[name]) faults.push(`${name}: is honoured in development and test only.`);
  }
  if (faults.length > 0) throw refusedStart(faults);
  return read.data as unknown as Config;
}

const refusedStart = (faults: readonly string[]) =>
  new ConfigError(`The environment does not allow a start:\n${faults.map((fault) => `  - ${fault}`).join('\n')}`);

const PUBLIC = ['HOST', 'LOG_LEVEL', 'SUBGRAPH_TIMEOUT_MS', 'OTEL_EXPORTER_OTLP_ENDPOINT'] as const;

/** What a gateway needs to know that serves a foreign graph: no database, no secrets. Throws ConfigError likewise. */
export function readPublicConfig(env: NodeJS.ProcessEnv): Pick<Config, (typeof PUBLIC)[number]> {
  const entries = PUBLIC.map((name) => [name, SETTINGS[name][0].safeParse(env[name] || undefined)] as const);
  const faults = entries.flatMap(
    ([name, read]) => read.error?.issues.map(({ message }) => `${name}: ${message}`) ?? [],
  );
  if (faults.length > 0) throw refusedStart(faults);
  return Object.fromEntries(entries.map(([name, read]) => [name, read.data])) as never;
}

/** The text of `.env.example`: every variable with its sentence and its default, all of them still comments. */
export function envExample(): string {
  const entries = Object.entries(SETTINGS).map(([name, [type, sentence]]) => {
    const byDefault = type.safeParse(undefined).data;
    return `# ${sentence}\n# ${name}=${byDefault ?? ''}\n`;
  });
  return `# What the environment may say; printed from subgraphs/_kernel/config.ts, which reads it.\n\n${entries.join('\n')}`;
}
