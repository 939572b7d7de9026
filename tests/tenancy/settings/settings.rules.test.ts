import fc from 'fast-check';
import { looksSecret, spell } from '../../../schema/setting-values.ts';
import {
  readSetting,
  SECTIONS,
  type Section,
  type SettingKey,
  type SettingTerms,
  termsOf,
} from '../../../schema/settings.ts';
import {
  changedKeys,
  checkOpening,
  checkTogether,
  checkValue,
  readDocument,
  withChanges,
  withDefaults,
} from '../../../subgraphs/tenancy/settings/settings.rules.ts';

const ALL = SECTIONS.flatMap((section) =>
  Object.entries(termsOf(section)).map(([key, terms]) => ({ section, key, terms })),
);
const check = (section: Section, key: string, value: string) => checkValue(section, { key, value });

describe('The catalogue of settings', () => {
  test('has the eleven sections of the product, and every default is a value of its own kind', () => {
    expect(SECTIONS).toEqual([
      ...['subscriber_id', 'radius', 'network', 'compliance', 'portal', 'localization'],
      ...['sla', 'service_defaults', 'tax', 'billing', 'bank_accounts'],
    ]);
    for (const { section, key, terms } of ALL)
      expect([section, key, spell(terms.byDefault, terms)]).toEqual([section, key, terms.byDefault]);
    for (const section of SECTIONS) expect(() => checkTogether(section, {}, {})).not.toThrow();
  });

  test.each([
    ['radius', 'session_timeout_s', '60', '86400', '59', '86401'],
    ['radius', 'idle_timeout_s', '60', '86400', '59', '86401'],
    ['radius', 'simultaneous_use', '1', '10', '0', '11'],
    ['radius', 'interim_interval_s', '60', '3600', '59', '3601'],
    ['subscriber_id', 'padding', '1', '12', '0', '13'],
    ['network', 'vlan_min', '1', '4094', '0', '4095'],
    ['network', 'ipv6_prefix_length', '48', '128', '47', '129'],
    ['compliance', 'audit_days', '30', '2555', '29', '2556'],
    ['compliance', 'trace_days', '0', '730', '-1', '731'],
    ['compliance', 'customer_days', '365', '3650', '364', '3651'],
    ['sla', 'response_h_urgent', '0.25', '720', '0.24', '720.01'],
    ['sla', 'escalate_percent', '50', '100', '49', '101'],
    ['service_defaults', 'trial_days', '0', '90', '-1', '91'],
    ['service_defaults', 'throttle_percent', '1', '100', '0', '101'],
    ['service_defaults', 'grace_days', '0', '30', '-1', '31'],
    ['tax', 'rate_percent', '0.0001', '100', '0.00001', '100.0001'],
    ['billing', 'terms_days', '0', '120', '-1', '121'],
    ['billing', 'late_fee_percent', '0', '100', '-1', '100.5'],
  ] as const)('%s.%s is %s to %s and nothing beyond', (section, key, least, most, under, over) => {
    expect([check(section, key, least), check(section, key, most)]).toEqual([least, most]);
    for (const value of [under, over])
      expect(() => check(section, key, value)).toThrow(expect.objectContaining({ code: 'INVALID', field: key }));
  });

  test.each([
    ['tax', 'rate_percent', '5%'],
    ['radius', 'session_timeout_s', '1e3'],
    ['radius', 'session_timeout_s', '3600.5'],
    ['radius', 'password_scheme', 'plain'],
    ['portal', 'usage_view', 'yes'],
    ['network', 'ipv4_pool', '10.0.0.0'],
    ['network', 'ipv4_pool', '10.0.0.256/8'],
    ['network', 'ipv6_pool', '10.0.0.0/8'],
    ['network', 'ipv6_pool', '2001:::/32'],
    ['localization', 'zone', 'Mars/Olympus'],
    ['localization', 'locale', 'deutsch!'],
    ['localization', 'currency', 'ZZZ'],
    ['sla', 'hours', '17:00-09:00 Mon-Fri'],
    ['billing', 'auto_retry_days', '7,3'],
    ['billing', 'auto_retry_days', '3,3'],
    ['bank_accounts', 'methods', ''],
    ['bank_accounts', 'methods', 'card,card'],
    ['subscriber_id', 'prefix', ''],
    ['subscriber_id', 'prefix', 'A\0B'],
    ['radius', 'nothing', '1'],
    ['radius', '__proto__', '1'],
  ] as const)('%s.%s is never %j', (section, key, value) => {
    expect(() => check(section, key, value)).toThrow(expect.objectContaining({ code: 'INVALID', field: key }));
  });

  test.each([
    ['bank_accounts', 'providers', 'sk_live_4eC39HqLyjWDarjtT1zdp7dc'],
    ['bank_accounts', 'providers', 'stripe'],
    ['billing', 'number_pattern', 'password=hunter2'],
    ['tax', 'name', 'AKIAIOSFODNN7EXAMPLE'],
    ['subscriber_id', 'prefix', 'https://a:b@c.de'],
  ] as const)('%s.%s takes no secret %j, but the name of one', (section, key, value) => {
    expect(() => check(section, key, value)).toThrow('Store a reference, not the secret.');
  });

  test('names of secrets and plain words look like none', () => {
    expect(check('bank_accounts', 'providers', 'secret:stripe/live, secret:adyen')).toBe(
      'secret:stripe/live,secret:adyen',
    );
    for (const plain of ['VAT', 'INV-{YYYY}-{SEQ:6}', 'secret:stripe/live', 'Mehrwertsteuer'])
      expect(looksSecret(plain)).toBe(false);
  });

  test('a value is kept in one spelling, which is the same when it is spelled again', () => {
    expect([check('radius', 'idle_timeout_s', ' 0600 '), check('tax', 'rate_percent', '19.50')]).toEqual([
      '600',
      '19.5',
    ]);
    fc.assert(
      fc.property(
        fc.constantFrom(...ALL),
        fc.oneof(fc.string(), fc.integer().map(String), fc.float().map(String)),
        (at, typed) => {
          const once = spell(typed, at.terms as SettingTerms);
          return once === undefined || spell(once, at.terms) === once;
        },
      ),
    );
  });

  test('code reads numbers, flags and lists, and a rate as its digits', () => {
    const read = (key: SettingKey, value: string) => readSetting(key, value);
    expect(read('radius.idle_timeout_s', '600')).toBe(600);
    expect(read('portal.usage_view', 'false')).toBe(false);
    expect(read('billing.auto_retry_days', '3,7,14')).toEqual([3, 7, 14]);
    expect(read('bank_accounts.providers', '')).toEqual([]);
    expect(read('tax.rate_percent', '19.0001')).toBe('19.0001');
  });
});

describe('A change of a section', () => {
  test('that breaks a pair is refused, naming it, whether the other half was set or not', () => {
    const set = withChanges('network', {}, [
      { key: 'vlan_min', value: '500' },
      { key: 'vlan_max', value: '400' },
    ]);
    expect(() => checkTogether('network', set, {})).toThrow(
      expect.objectContaining({ code: 'INVALID', field: 'vlan_min' }),
    );
    expect(() => checkTogether('network', { vlan_min: '1000' }, {})).toThrow('vlan_min is at most vlan_max.');
    expect(() => checkTogether('sla', { resolution_h_low: '23.75' }, {})).toThrow('response_h_low');
    expect(() => checkTogether('network', { vlan_min: '999' }, {})).not.toThrow();
  });

  test('data is said to lie where it does', () => {
    const inEurope = { region: 'eu' };
    expect(() => checkTogether('compliance', { data_region: 'us' }, inEurope)).toThrow('lies in eu');
    expect(() => checkTogether('compliance', { data_region: 'eu' }, inEurope)).not.toThrow();
    expect(() => checkTogether('compliance', {}, inEurope)).not.toThrow();
  });

  test('names no key twice, and resets what it names or all', () => {
    const twice = ['1', '2'].map((value) => ({ key: 'simultaneous_use', value }));
    expect(() => withChanges('radius', {}, twice)).toThrow('simultaneous_use is named twice.');
    const set = { idle_timeout_s: '700', simultaneous_use: '2' };
    expect(withDefaults('radius', set, ['idle_timeout_s'])).toEqual({ simultaneous_use: '2' });
    expect(withDefaults('radius', set, null)).toEqual({});
    expect(() => withDefaults('radius', set, ['x'])).toThrow('There is no setting x in radius.');
    expect(changedKeys('radius', set, { simultaneous_use: '2' })).toEqual(['idle_timeout_s']);
  });

  test.each([
    ['ACTIVE', 'rate_percent', true],
    ['SUSPENDED', 'name', true],
    ['CLOSING', 'method', true],
    ['ACTIVE', 'exemptions', false],
    ['PROVISIONING', 'rate_percent', false],
  ])('in a tenant that is %s tax.%s is an opening value that is over: %s', (state, key, isRefused) => {
    const attempt = () => checkOpening('tax', [key], state);
    if (isRefused)
      expect(attempt).toThrow(
        expect.objectContaining({ code: 'INVALID_STATE', message: expect.stringContaining('setTaxRate') }),
      );
    else expect(attempt).not.toThrow();
  });

  test.each([
    '',
    '[]',
    '{"schema":1}',
    '{"schema":2,"sections":{}}',
    '{"schema":1,"sections":{},"more":1}',
    '{"schema":1,"sections":{"nothing":{}}}',
    '{"schema":1,"sections":{"radius":[]}}',
    '{"schema":1,"sections":{"radius":{"idle_timeout_s":600}}}',
    '{"schema":1,"sections":{"radius":{"idle_timeout_s":"5"}}}',
    `{"schema":1,"sections":{}}${' '.repeat(100_000)}`,
  ])('a document that is none is refused: %.60s', (document) => {
    expect(() => readDocument(document)).toThrow(expect.objectContaining({ code: 'INVALID' }));
  });
});
