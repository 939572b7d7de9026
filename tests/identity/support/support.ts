import type { GatewayClient, Person } from '../../setup/gateway.ts';

export interface Impersonated {
  impersonation: { id: string; state: string; endsAt: string } | null;
  accessToken: string | null;
  expiresAt: string | null;
  userErrors: { code: string; message: string; field: string | null }[];
}

const START = `mutation($input: ImpersonationInput!) { startImpersonation(input: $input) {
  impersonation { id state endsAt } accessToken expiresAt userErrors { code message field } } }`;

export const REASON = { reason: 'Invoices look wrong to her.', ticket: 'T-4711' };

/** Asks to see what somebody sees: the payload, or the error. */
export async function start(operator: Person, input: object): Promise<Impersonated & { error?: object }> {
  const { data, errors } = await operator.ask<{ startImpersonation: Impersonated }, object>(START, {
    input: { ...REASON, ...input },
  });
  const none = { impersonation: null, accessToken: null, expiresAt: null, userErrors: [] };
  return { ...(data?.startImpersonation ?? none), ...(errors ? { error: errors[0]?.extensions } : {}) };
}

/** Decides on an impersonation: its state, or why not. */
export async function decide(who: Person, door: 'approve' | 'refuse', id: string) {
  const { data, errors } = await who.ask<Record<string, { impersonation: object; userErrors: object[] }>, object>(
    `mutation($input: IdInput!) { ${door}Impersonation(input: $input) {
      impersonation { state } userErrors { code message } } }`,
    { input: { id } },
  );
  return errors ? errors[0]?.extensions : data?.[`${door}Impersonation`];
}

/** Ends one: whether it is done, or why not. */
export async function end(who: Person, id: string) {
  const { data, errors } = await who.ask<{ endImpersonation: { isDone: boolean; userErrors: object[] } }, object>(
    'mutation($input: IdInput!) { endImpersonation(input: $input) { isDone userErrors { code } } }',
    { input: { id } },
  );
  return errors ? errors[0]?.extensions : data?.endImpersonation;
}

/** The operator as they appear under a token of an impersonation. */
export const acting = (client: GatewayClient, { accessToken }: Impersonated): Person => client.as(String(accessToken));

/** How a request ends: OK, or code and reason. */
export async function outcome(who: Person, document: string, variables: object = {}): Promise<string> {
  const { errors } = await who.ask<object, object>(document, variables);
  const { code, reason }: Record<string, unknown> = errors?.[0]?.extensions ?? {};
  return errors ? [code, reason].filter(Boolean).join(' ') : 'OK';
}
