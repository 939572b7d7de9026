/// <reference lib="dom" />
import * as React from 'react';
import { createRoot } from 'react-dom/client';
import { LicenseProvider } from '../portal/license-provider.tsx';
import { type Session, signIn } from './session.ts';
import { Workplace } from './workplace.tsx';

/** The page: a sign-in form, and behind it a portal under one LicenseProvider. */
function Page() {
  const [session, setSession] = React.useState<Session | null>(null);
  if (!session) return <SignIn onSession={setSession} />;
  const leave = () => void session.signOut().finally(() => setSession(null));
  return (
    <LicenseProvider graph={session.graph}>
      <Workplace person={session.person} tenant={session.tenant} onLeave={leave} />
    </LicenseProvider>
  );
}

function SignIn({ onSession }: { onSession: (session: Session) => void }) {
  const [trouble, setTrouble] = React.useState('');
  const [isBusy, setBusy] = React.useState(false);
  const submit = async (event: React.FormEvent) => {
    event.preventDefault();
    const { email, password } = Object.fromEntries(new FormData(event.currentTarget));
    setBusy(true);
    setTrouble('');
    try {
      onSession(await signIn(String(email), String(password)));
    } catch (error) {
      setTrouble((error as Error).message);
      setBusy(false);
    }
  };
  return (
    <main className="sign-in">
      <h1>A portal that follows its licence</h1>
      <p>
        Sign in as somebody of the example world; the start printed them and their password. Then change the licence
        from elsewhere, and watch the menu.
      </p>
      <form onSubmit={(event) => void submit(event)}>
        <label>
          E-mail
          <input name="email" type="email" defaultValue="wren@kestrel.example" autoComplete="username" required />
        </label>
        <label>
          Password
          <input name="password" type="password" autoComplete="current-password" required />
        </label>
        <button type="submit" disabled={isBusy}>
          Sign in
        </button>
        {trouble && <p role="alert">{trouble}</p>}
      </form>
    </main>
  );
}

createRoot(document.getElementById('page') as HTMLElement).render(<Page />);
