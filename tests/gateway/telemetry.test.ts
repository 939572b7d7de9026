import { InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-node';
import { startTelemetry } from '../../subgraphs/_kernel/telemetry.ts';
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
      expect.arrayContaining(['subgraph billing', 'fetch billing', 'graphql', 'http']),
    );
    expect(JSON.stringify(spans.map(({ attributes }) => attributes))).not.toContain('Spaet');
  } finally {
    await close();
    await stop();
  }
}, 60_000);
