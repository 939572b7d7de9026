/** The words of the mails about accounts, in English; templates and languages come with `operations`. */
export interface Letter {
  subject: string;
  text: string;
}

/** The pages of a portal that take a token from the fragment of their address, which no server is sent. */
export const pageOf = (portal: string, page: Page, token: string): string => `${portal}/${page}#${token}`;
export type Page = 'activate' | 'prove-email' | 'reset-password' | 'lock-account';

const greeting = (name: string) => `Hello ${name},`;
const letter = (subject: string, ...paragraphs: string[]): Letter => ({ subject, text: paragraphs.join('\n\n') });
const lockParagraph = (link: string) => `If this was not you, lock your account at once:\n${link}`;

export const activation = (name: string, link: string): Letter =>
  letter(
    'Your account is waiting for you',
    greeting(name),
    `an account was made for you. Choose your password here, within seven days:\n${link}`,
    'If you expect no account, you need not do anything.',
  );

/** Strangers may have named this address, and themselves: what they call themselves is not repeated to its reader. */
export const verification = (link: string): Letter =>
  letter(
    'Please confirm your e-mail address',
    'Hello,',
    `confirm within half an hour that this address is yours:\n${link}`,
    'If you did not just register, do not follow the link: nothing will come of it.',
  );

export const alreadyRegistered = (name: string, link: string): Letter =>
  letter(
    'You have an account already',
    greeting(name),
    'somebody tried to register an account with your address. You have one already; nothing has changed.',
    `If you have forgotten your password, choose a new one within half an hour:\n${link}`,
  );

export const reset = (name: string, link: string): Letter =>
  letter(
    'Choose a new password',
    greeting(name),
    `choose your new password here, within half an hour:\n${link}`,
    'If you did not ask for it, you need not do anything: your password stays as it is.',
  );

/** The same of a new address. */
export const addressChange = (link: string): Letter =>
  letter(
    'Please confirm your new e-mail address',
    'Hello,',
    `confirm within half an hour that this address is yours; from then on you sign in with it:\n${link}`,
  );

export const addressTaken = (name: string): Letter =>
  letter(
    'This address has an account already',
    greeting(name),
    'somebody tried to make this the address of another account. It has one already; nothing has changed.',
  );

/** What has happened to an account, as a warning says it. */
export type Warning =
  | 'NEW_DEVICE'
  | 'LOCKED'
  | 'REUSED'
  | 'PASSWORD'
  | 'EMAIL'
  | 'TOTP_ADDED'
  | 'TOTP_REMOVED'
  | 'PASSKEY_ADDED'
  | 'PASSKEY_REMOVED'
  | 'CODES_MADE'
  | 'CODE_USED'
  | 'FACTORS_RESET';

const HAPPENED: Record<Warning, [subject: string, sentence: string]> = {
  NEW_DEVICE: ['A new sign-in to your account', 'your password was used on a device we have not seen before.'],
  LOCKED: [
    'Sign-in to your account is locked for a while',
    'your password was typed wrong several times. For a while nobody can sign in but from devices you use already.',
  ],
  REUSED: [
    'One of your sessions was ended',
    'a session of yours was used from two places, as a stolen one would be. We have ended it; please sign in again.',
  ],
  PASSWORD: ['Your password was changed', 'your password was changed, and your other sessions were ended.'],
  EMAIL: ['Your e-mail address was changed', 'you now sign in with another e-mail address.'],
  TOTP_ADDED: [
    'An authenticator app was added to your account',
    'an authenticator app was added to your account in place of any before, with new recovery codes, and your other sessions were ended.',
  ],
  TOTP_REMOVED: [
    'The authenticator app of your account was removed',
    'the authenticator app was removed from your account, and your other sessions were ended.',
  ],
  PASSKEY_ADDED: [
    'A passkey was added to your account',
    'a passkey was added to your account: whoever holds it can sign in. Your other sessions were ended.',
  ],
  PASSKEY_REMOVED: [
    'A passkey of your account was removed',
    'a passkey was removed from your account, and your other sessions were ended.',
  ],
  CODES_MADE: [
    'Your recovery codes were renewed',
    'new recovery codes were made for your account; those before are worth nothing.',
  ],
  CODE_USED: [
    'A recovery code of your account was used',
    'one of your recovery codes was used in place of your second factor. It is worth nothing any more.',
  ],
  FACTORS_RESET: [
    'The second factors of your account were taken away',
    'an administrator has taken away the authenticator app, passkeys and recovery codes of your account, and all your sessions were ended. Your password alone lets you in until you enrol anew.',
  ],
};

/** A warning with the link that locks the account. */
export function warning(what: Warning, name: string, at: Date, lockLink: string): Letter {
  const [subject, sentence] = HAPPENED[what];
  return letter(subject, greeting(name), `${sentence} It was ${at.toUTCString()}.`, lockParagraph(lockLink));
}
