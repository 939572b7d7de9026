import { InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-node';
import { continueTrace, inSpan, isTracing, startTelemetry, traceParent } from '../../subgraphs/_kernel/telemetry.ts';
import { openGatewayWorld } from '../setup/gateway.ts';

test('one trace runs through the gateway, each subgraph, its transaction and every statement, under the client’s own id', async () => {
  const exporter = new InMemorySpanExporter();
  const stop = startTelemetry({ OTEL_EXPORTER_OTLP_ENDPOINT: undefined }, 'test', [new SimpleSpanProcessor(exporter)]);
  const { client, password, close } = await openGatewayWorld();
  try {
    const ingrid = await client.signIn('ingrid@northwind.example', password);
    exporter.reset();
    const traceId = 'a1b2c3d4e5f60718293a4b5c6d7e8f90';
    const { status } = await client.post(
      'query Traced { customers(first: 2) { nodes { name contacts { displayName } } } }',
      {},
      ingrid.token,
      {
        traceparent: `00-${traceId}-00f067aa0ba902b7-01`,
      },
    );
    expect(status).toBe(200);
    const spans = exporter.getFinishedSpans().filter((span) => span.spanContext().traceId === traceId);
    const names = spans.map(({ name }) => name);
    for (const name of ['http', 'graphql', 'fetch billing', 'subgraph billing', 'fetch crm', 'subgraph crm', 'sql'])
      expect(names).toContain(name);
    expect(names).toContain('plan sequence');
    expect(names).toContainEqual(expect.stringMatching(/^plan flatten .*customers\.nodes\.@$/));
    const byId = new Map(spans.map((span) => [span.spanContext().spanId, span]));
    const path = (span: (typeof spans)[number]): string[] => [
      span.name,
      ...(span.parentSpanContext && byId.has(span.parentSpanContext.spanId)
        ? path(byId.get(span.parentSpanContext.spanId) as typeof span)
        : []),
    ];
    const statement = spans.find(
      (span) => span.name === 'sql' && String(span.attributes['db.query.text']).includes('"billing"."customer"'),
    );
    expect(statement && path(statement)).toEqual(
      expect.arrayContaining(['subgraph billing', 'fetch billing', 'plan sequence', 'graphql', 'http']),
    );
    expect(JSON.stringify(spans.map(({ attributes }) => attributes))).not.toContain('Spaet');
  } finally {
    await close();
    await stop();
  }
}, 60_000);

test('a use case has a span of its own, and the job its event starts goes on with the same trace', async () => {
  const exporter = new InMemorySpanExporter();
  const stop = startTelemetry({ OTEL_EXPORTER_OTLP_ENDPOINT: undefined }, 'test', [new SimpleSpanProcessor(exporter)]);
  const { client, password, world, close } = await openGatewayWorld();
  try {
    const ingrid = await client.signIn('ingrid@northwind.example', password);
    const traceId = 'b1b2c3d4e5f60718293a4b5c6d7e8f91';
    const { errors } = await client.post(
      'mutation { createCustomer(input: { name: "Traced Bakery", kind: BUSINESS }) { userErrors { message } } }',
      {},
      ingrid.token,
      { traceparent: `00-${traceId}-00f067aa0ba902b7-00` },
    );
    expect(errors).toBeUndefined();
    await world.untilNoJobs();
    const spans = () => exporter.getFinishedSpans().filter((span) => span.spanContext().traceId === traceId);
    const isThere = (name: string) => spans().some((span) => span.name === name);
    for (let i = 0; i < 100 && !isThere('job crm.keepPrimaryContact'); i++) await new Promise((r) => setTimeout(r, 20));
    const parentOf = (name: string) => {
      const span = spans().find((found) => found.name === name);
      return spans().find((found) => found.spanContext().spanId === span?.parentSpanContext?.spanId)?.name;
    };
    expect(parentOf('use case createCustomer')).toBe('subgraph billing');
    expect(parentOf('tx billing')).toBe('use case createCustomer');
    expect(parentOf('job crm.keepPrimaryContact')).toBe('tx billing');
    expect(parentOf('tx crm')).toBe('job crm.keepPrimaryContact');
  } finally {
    await close();
    await stop();
  }
}, 60_000);

test('without a collector nothing is recorded, and yet there is one trace id for the logs of a whole request', async () => {
  const stop = startTelemetry({ OTEL_EXPORTER_OTLP_ENDPOINT: undefined }, 'test');
  try {
    await inSpan('http', {}, async (outer) => {
      const traceId = traceParent()?.split('-')[1];
      expect(traceId).toMatch(/^[0-9a-f]{32}$/);
      await inSpan('inner', {}, async (inner) => {
        expect(inner).toBe(outer);
        expect(traceParent()?.split('-')[1]).toBe(traceId);
        expect(isTracing()).toBe(false);
      });
    });
  } finally {
    await stop();
  }
});

test('of the traces that are not recorded by their share, no process records a part', async () => {
  const exporter = new InMemorySpanExporter();
  const stop = startTelemetry({ OTEL_EXPORTER_OTLP_ENDPOINT: undefined, TRACE_RATIO: 0.5 }, 'test', [
    new SimpleSpanProcessor(exporter),
  ]);
  try {
    const recorded = new Set<string>();
    for (let i = 0; i < 400; i++) {
      let parent: string | undefined;
      await inSpan('here', {}, async () => {
        parent = traceParent();
      });
      const [, traceId = '', , flags] = String(parent).split('-');
      if (flags === '01') recorded.add(traceId);
      await continueTrace(parent, () => inSpan('there', {}, async () => undefined));
    }
    expect(recorded.size).toBeGreaterThan(100);
    expect(recorded.size).toBeLessThan(300);
    const counts = new Map<string, number>();
    for (const span of exporter.getFinishedSpans())
      counts.set(span.spanContext().traceId, (counts.get(span.spanContext().traceId) ?? 0) + 1);
    expect([...counts.keys()].sort()).toEqual([...recorded].sort());
    expect([...counts.values()].every((count) => count === 2)).toBe(true);
  } finally {
    await stop();
  }
});
