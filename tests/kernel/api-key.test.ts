import fc from 'fast-check';
import { hashOfKey, isKeyText, keyIn, keyText } from '../../subgraphs/_kernel/api-key.ts';

const BYTES = Uint8Array.from({ length: 32 }, (_, i) => i);
const LIVE = 'isp_live_003aUlTJC7tjlCTQj2uNU3MFagCXG9LRKRcwGkBIDlf27jMH1';

describe('The text of an API key', () => {
  test('is what the document says, for a program and for a sandbox', () => {
    expect(keyText('LIVE', BYTES)).toBe(LIVE);
    expect(hashOfKey(LIVE)).toBe('6c475ac08dd3a6e00d02f7fec93c4510ffd401b27993af44009659c8bb7a1c80');
    expect(keyText('TEST', BYTES)).toBe('isp_test_003aUlTJC7tjlCTQj2uNU3MFagCXG9LRKRcwGkBIDlf20JPe3');
  });

  test('is told from a mistyped one without a look-up', () => {
    const byte = fc.uint8Array({ minLength: 32, maxLength: 32 });
    fc.assert(
      fc.property(byte, fc.nat(57), fc.constantFrom(...'0Az9_-é '), (bytes, at, letter) => {
        const key = keyText('LIVE', bytes);
        expect(isKeyText(key)).toBe(true);
        const wrong = key.slice(0, at) + letter + key.slice(at + 1);
        expect(isKeyText(wrong)).toBe(wrong === key);
      }),
    );
    for (const wrong of [LIVE.slice(1), LIVE.slice(0, -1), `${LIVE}0`, LIVE.toUpperCase(), LIVE.toLowerCase(), ''])
      expect(isKeyText(wrong)).toBe(false);
  });

  test('is found in an address, and nothing else is', () => {
    expect(keyIn(`/graphql?api_key=${LIVE}&query=%7Bme%7D`)).toBe(LIVE);
    expect(keyIn(`/graphql?api_key=${LIVE.slice(0, -1)}x`)).toBeUndefined();
    expect(keyIn('/graphql?query=isp_live_')).toBeUndefined();
  });
});
