import type { Envelope } from '../../../subgraphs/_kernel/signed-context.ts';
import type { GraphResult } from '../../../subgraphs/_kernel/subgraph.ts';
import { type SentMail, tokenIn } from '../../setup/mails.ts';
import type { Trial } from '../trial.ts';

export { tokenIn };

export interface Done {
  isDone: boolean;
  userErrors: { code: string; message: string; field: string | null }[];
}

const DONE = '{ isDone userErrors { code message field } }';
const SIGNED =
  '{ session { accessToken refreshToken sessionId tenant { slug } } challenge { methods } userErrors { code message field } }';

export const PASSWORD = 'correct horse battery';

/** The doors of accounts, as a portal uses them. */
export function doorsOf(trial: Trial, envelope: Partial<Envelope> = {}) {
  const run = async (door: string, type: string | null, input: object | null, fields = DONE) => {
    const query = type
      ? `mutation($input: ${type}!) { ${door}(input: $input) ${fields} }`
      : `mutation { ${door} ${fields} }`;
    const { data, errors } = (await trial.ask(envelope, query, input ? { input } : {})) as GraphResult;
    if (errors) throw Object.assign(new Error(errors[0]?.message), { extensions: errors[0]?.extensions });
    return data?.[door] as Done & {
      session: { sessionId: string; accessToken: string; tenant: { slug: string } | null } | null;
    };
  };
  return {
    register: (input: object) =>
      run('registerUser', 'RegisterInput', { password: PASSWORD, displayName: 'Nora Fields', ...input }),
    prove: (token: string) => run('proveEmail', 'ProofInput', { token }, SIGNED),
    activate: (input: object) =>
      run('activateAccount', 'ActivateInput', { password: PASSWORD, transport: 'BODY', ...input }, SIGNED),
    requestReset: (email: string, realm?: string) => run('requestPasswordReset', 'ResetRequestInput', { email, realm }),
    reset: (token: string, password = PASSWORD) => run('resetPassword', 'ResetInput', { token, password }),
    lock: (token: string) => run('lockMyAccount', 'ProofInput', { token }),
    changePassword: (password: string) => run('changePassword', 'ChangePasswordInput', { password }, SIGNED),
    changeEmail: (email: string) => run('changeEmail', 'ChangeEmailInput', { email }),
    updateProfile: (input: object) =>
      run(
        'updateMyProfile',
        'ProfileInput',
        input,
        '{ user { displayName locale } userErrors { code message field } }',
      ),
    leave: (id: string) => run('leaveTenant', 'IdInput', { id }),
    erase: () => run('eraseMyAccount', null, null),
    suspend: (userId: string, reason = 'Asked by phone.') => run('suspendUser', 'UserReasonInput', { userId, reason }),
    restore: (userId: string, reason = 'It was cleared up.') =>
      run('restoreUser', 'UserReasonInput', { userId, reason }),
  };
}

export const refused = (message: string, field: string | null = null, code = 'INVALID') => ({
  isDone: false,
  userErrors: [{ code, message, field }],
});
export const DEAD = refused('This link no longer works.', 'token');
export const FINE = { isDone: true, userErrors: [] };

/** The link of the last mail to somebody. */
export async function lastToken(mails: Promise<SentMail[]>): Promise<string> {
  return tokenIn((await mails).at(-1));
}
