const escaped = (text: string) => text.replace(/[&<>"']/g, (letter) => `&#${letter.charCodeAt(0)};`);

/** The page on which somebody tells the example provider who they are. */
export function authorizePage(asked: URLSearchParams): string {
  const hidden = [...asked].map(
    ([name, value]) => `<input type="hidden" name="${escaped(name)}" value="${escaped(value)}">`,
  );
  return `<!doctype html><meta charset="utf-8"><title>Example sign-in</title>
<body style="font: 1rem system-ui; max-width: 24rem; margin: 4rem auto">
<h1>Example sign-in</h1><p>The provider of the example world. It takes anybody for whom they say they are.</p>
<form>${hidden.join('')}<p><label>E-mail <input name="login_hint" type="email" value="lia@atlas.example" required></label></p>
<p><button>Sign in</button></p></form>`;
}
