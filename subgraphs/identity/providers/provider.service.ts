import { isId } from '../../../schema/ids.ts';
import type { Config } from '../../_kernel/config.ts';
import type { Context } from '../../_kernel/context.ts';
import { open } from '../../_kernel/secrets.ts';
import { githubClient } from './github.client.ts';
import { oidcClient } from './oidc.client.ts';
import type { Asserted, Provider } from './provider.rules.ts';
import { SsoConnection } from './sso-connection.entity.ts';

/** What is asked of a provider, all of it computed from one state. */
export interface Round {
  redirectUri: string;
  state: string;
  nonce: string;
  /** PKCE towards the provider. */
  verifier: string;
}

/** A provider as we speak with it. Both throw when it is away, or says what cannot be believed. */
export interface ProviderClient {
  authorizationUrl(round: Round): Promise<string>;
  /** @param query what the browser came back with. */
  identify(round: Round, query: string): Promise<Asserted>;
}

export interface ProviderSettings {
  issuer: string;
  clientId: string;
  clientSecret: string;
  /** Development and test let providers run on this machine. */
  allowsLoopback: boolean;
}

/** A way to other providers: one of the platform's, or a tenant's own. */
export interface Way {
  connection: string;
  provider: Provider;
  client: ProviderClient;
  /** Of a tenant's own. */
  sso: SsoConnection | null;
}

const COMMON = { google: 'GOOGLE', microsoft: 'MICROSOFT', github: 'GITHUB' } as const;
type Common = keyof typeof COMMON;

export const allowsLoopback = ({ NODE_ENV }: Pick<Config, 'NODE_ENV'>): boolean => NODE_ENV !== 'production';

function commonSettings(config: Config, name: Common): ProviderSettings | null {
  const key = COMMON[name];
  const [issuer, clientId, clientSecret] = [
    config[`${key}_ISSUER`],
    config[`${key}_CLIENT_ID`],
    config[`${key}_CLIENT_SECRET`],
  ];
  if (clientId === undefined || clientSecret === undefined) return null;
  return { issuer, clientId, clientSecret, allowsLoopback: allowsLoopback(config) };
}

const isCommon = (name: string): name is Common => Object.hasOwn(COMMON, name);

/** The platform's providers that are configured. */
export const commonProviders = ({ machinery }: Context): { connection: string; provider: Provider }[] =>
  (Object.keys(COMMON) as Common[])
    .filter((name) => commonSettings(machinery.config, name) !== null)
    .map((connection) => ({ connection, provider: COMMON[connection] }));

/** The way a connection names: `google`, `microsoft`, `github`, or the id of a tenant's own; null for none there is. */
export async function wayOf(ctx: Context, connection: string): Promise<Way | null> {
  if (!isCommon(connection)) return ssoWay(ctx, connection);
  const settings = commonSettings(ctx.machinery.config, connection);
  if (!settings) return null;
  const provider = COMMON[connection];
  return { connection, provider, client: clientOf(provider, settings), sso: null };
}

function clientOf(provider: Provider, settings: ProviderSettings): ProviderClient {
  if (provider === 'GITHUB') return githubClient(settings);
  // Microsoft lets people of any organisation name any mail; it proves nothing.
  const isMicrosoft = provider === 'MICROSOFT';
  return oidcClient(settings, { isMailProof: !isMicrosoft, isOfMany: isMicrosoft });
}

async function ssoWay(ctx: Context, id: string): Promise<Way | null> {
  if (!isId(id)) return null;
  const sso = await ctx.acrossTenants((em) => em.findOne(SsoConnection, { id }));
  if (!sso) return null;
  const { issuer, clientId } = sso;
  const clientSecret = await secretOf(ctx, sso);
  const settings = { issuer, clientId, clientSecret, allowsLoopback: allowsLoopback(ctx.machinery.config) };
  return { connection: id, provider: 'SSO', client: clientOf('SSO', settings), sso };
}

export const secretName = (id: string) => `sso_connection:${id}:secret`;

async function secretOf(ctx: Context, { id, homeId, sealedSecret }: SsoConnection): Promise<string> {
  if (sealedSecret === null) return '';
  const home = ctx.inTenant(homeId);
  try {
    return (await open(home, await home.em(), secretName(id), sealedSecret)).toString();
  } finally {
    await home.end();
  }
}

/** Where a provider sends people back to. */
export const callbackUrl = ({ machinery }: Context, connection: string): string =>
  new URL(`/auth/callback/${connection}`, machinery.config.PUBLIC_URL).href;
