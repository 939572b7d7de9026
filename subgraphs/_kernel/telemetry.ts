import { context, type Span, type SpanOptions, SpanStatusCode, trace } from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { resourceFromAttributes } from '@opentelemetry/resources';
import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  BatchSpanProcessor,
  NodeTracerProvider,
  ParentBasedSampler,
  type SpanProcessor,
} from '@opentelemetry/sdk-trace-node';
import { type DestinationStream, type Logger, type LoggerOptions, pino } from 'pino';
import type { Config } from './config.ts';

const tracer = trace.getTracer('dotmac');

/** Starts the tracer. Without a collector spans are not recorded, but every request still has a trace id for its logs. */
export function startTelemetry(
  config: Pick<Config, 'OTEL_EXPORTER_OTLP_ENDPOINT'>,
  service: string,
  extra: SpanProcessor[] = [],
): () => Promise<void> {
  const endpoint = config.OTEL_EXPORTER_OTLP_ENDPOINT;
  const spanProcessors = endpoint
    ? [new BatchSpanProcessor(new OTLPTraceExporter({ url: `${endpoint.replace(/\/$/, '')}/v1/traces` })), ...extra]
    : extra;
  const provider = new NodeTracerProvider({
    resource: resourceFromAttributes({ 'service.name': service }),
    sampler: new ParentBasedSampler({
      root: spanProcessors.length > 0 ? new AlwaysOnSampler() : new AlwaysOffSampler(),
    }),
    spanProcessors,
  });
  provider.register();
  return () => provider.shutdown();
}

/** Runs work inside a span; an error it throws is recorded and goes on. */
export function inSpan<T>(name: string, options: SpanOptions, run: (span: Span) => Promise<T>): Promise<T> {
  return tracer.startActiveSpan(name, options, async (span) => {
    try {
      return await run(span);
    } catch (error) {
      span.recordException(error as Error);
      span.setStatus({ code: SpanStatusCode.ERROR });
      throw error;
    } finally {
      span.end();
    }
  });
}

/** Whether the running span will be sent somewhere, so that finer ones are worth making. */
export const isTracing = (): boolean => trace.getSpan(context.active())?.isRecording() ?? false;

/** The W3C `traceparent` of the running span, or undefined outside one. */
export function traceParent(): string | undefined {
  const held = trace.getSpanContext(context.active());
  return held && `00-${held.traceId}-${held.spanId}-0${held.traceFlags & 1}`;
}

/** Continues the trace of a `traceparent` that travelled here. */
export function continueTrace<T>(parent: string | undefined, run: () => T): T {
  const [, traceId, spanId, flags] = /^00-([0-9a-f]{32})-([0-9a-f]{16})-(0[01])$/.exec(parent ?? '') ?? [];
  if (!traceId || !spanId) return run();
  return context.with(
    trace.setSpanContext(context.active(), { traceId, spanId, traceFlags: Number(flags), isRemote: true }),
    run,
  );
}

export const traceIdOf = (parent: string | undefined): string | undefined => parent?.split('-')[1];

/** The log of a process: one JSON line per entry, with the trace id of the running span. */
export function createLog(config: Pick<Config, 'LOG_LEVEL'>, service: string, to?: DestinationStream): Logger {
  const options: LoggerOptions = {
    level: config.LOG_LEVEL,
    base: { service },
    // PostgreSQL repeats values in the detail and the context of an error.
    redact: [
      'err.detail',
      'err.where',
      '*.password',
      '*.refreshToken',
      '*.accessToken',
      '*.authorization',
      '*.cookie',
      'password',
      'authorization',
      'cookie',
    ],
    mixin: () => {
      const held = trace.getSpanContext(context.active());
      return held ? { traceId: held.traceId } : {};
    },
  };
  return to ? pino(options, to) : pino(options);
}

export type { Logger } from 'pino';
