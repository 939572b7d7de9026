import { randomUUID } from 'node:crypto';
import type { Pool } from 'undici';
import { uuidv7 } from 'uuidv7';
import type { Config } from '../../subgraphs/_kernel/config.ts';
import { deviceMarkOf } from '../../subgraphs/identity/accounts/device.rules.ts';
import { withClient } from '../../tests/setup/database.ts';
import { post } from './rate.ts';

export interface SignIn {
  email: string;
  password: string;
  deviceMark: string | null;
  /** The network it comes from. */
  address: string;
}

/** Makes many members of a tenant beside one of the example world, with the same password. */
export async function makeCrowd(databaseUrl: string, like: string, count: number): Promise<string[]> {
  const ids = Array.from({ length: count }, () => randomUUID());
  await withClient(databaseUrl, async (client) => {
    await client.query('set session_replication_role = replica'); // as if they had been there for years
    const made = 'unnest($1::uuid[]) with ordinality made (id, n)';
    await client.query(
      `insert into identity.user
       select one.* from identity.user u, ${made},
              lateral jsonb_populate_record(u, jsonb_build_object('id', made.id, 'email', 'crowd-' || made.n || '@northwind.example')) one
        where u.email = $2`,
      [ids, like],
    );
    await client.query(
      `insert into identity.credential
       select one.* from identity.user u join identity.credential c on c.user_id = u.id, ${made},
              lateral jsonb_populate_record(c, jsonb_build_object('user_id', made.id)) one where u.email = $2`,
      [ids, like],
    );
    await client.query(
      `insert into identity.membership (tenant_id, id, user_id, kind, roles, state)
       select m.tenant_id, gen_random_uuid(), made.id, m.kind, m.roles, m.state
         from identity.user u join identity.membership m on m.user_id = u.id, ${made} where u.email = $2`,
      [ids, like],
    );
    await client.query('analyze identity.user, identity.credential, identity.membership');
  });
  return ids;
}

/** Each of the crowd signs in once, at one of their offices, on the device they always use. */
export function crowdSignIns({ IDENTITY_MAC_KEY, SEED_PASSWORD }: Config, crowd: readonly string[]): SignIn[] {
  const key = Buffer.from(IDENTITY_MAC_KEY, 'base64url');
  return crowd.map((userId, i) => ({
    email: `crowd-${i + 1}@northwind.example`,
    password: String(SEED_PASSWORD),
    deviceMark: deviceMarkOf(key, userId, uuidv7()),
    address: `10.1.${i % 100}.7`,
  }));
}

/** Somebody with a list of mails and passwords, who tries them from a few places. */
export const strangersSignIn = (i: number): SignIn => ({
  email: `unknown-${i}@nowhere.example`,
  password: `not-the-right-one-${i}`,
  deviceMark: null,
  address: `10.2.${i % 10}.7`,
});

/** What may become of one sign-in. */
export type Outcome = 'LET_IN' | 'WRONG' | 'RATE_LIMITED' | 'OVERLOADED' | 'OTHER';

const SIGN_IN =
  'mutation($input: SignInInput!) { signIn(input: $input) { session { accessToken } userErrors { code message } } }';

/** Signs in once: what became of it, and what was answered. */
export async function trySignIn(pool: Pool, { address, ...who }: SignIn): Promise<{ outcome: Outcome; text: string }> {
  const body = { query: SIGN_IN, variables: { input: { ...who, transport: 'BODY' } } };
  const text = await post(pool, body, { 'x-forwarded-for': address }).catch((error: Error) => error.message);
  return { outcome: outcomeOf(text), text };
}

function outcomeOf(text: string): Outcome {
  if (text.includes('"accessToken":"')) return 'LET_IN';
  if (text.includes('E-mail or password is not right.')) return 'WRONG';
  return (['RATE_LIMITED', 'OVERLOADED'] as const).find((code) => text.includes(`"code":"${code}"`)) ?? 'OTHER';
}
