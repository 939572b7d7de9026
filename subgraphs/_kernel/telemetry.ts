import { context, type Span, type SpanOptions, SpanStatusCode, trace } from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { resourceFromAttributes } from '@opentelemetry/resources';
import {
  AlwaysOffSampler,
  BatchSpanProcessor,
  NodeTracerProvider,
  ParentBasedSampler,
  type SpanProcessor,
  TraceIdRatioBasedSampler,
} from '@opentelemetry/sdk-trace-node';
import { type DestinationStream, type Logger, type LoggerOptions, pino } from 'pino';
import type { Config } from './config.ts';

let tracer = trace.getTracer('dotmac');

/**
 * Starts the tracer. Without a collector spans are not recorded, but every request still has a trace id for its logs.
 * Which traces are recorded follows from their id, so that all processes record the same ones, and no client's flag
 * decides it.
 */
export function startTelemetry(
  config: Pick<Config, 'OTEL_EXPORTER_OTLP_ENDPOINT'> & Partial<Pick<Config, 'TRACE_RATIO'>>,
  service: string,
  extra: SpanProcessor[] = [],
): () => Promise<void> {
  const endpoint = config.OTEL_EXPORTER_OTLP_ENDPOINT;
  const spanProcessors = endpoint
    ? [new BatchSpanProcessor(new OTLPTraceExporter({ url: `${endpoint.replace(/\/$/, '')}/v1/traces` })), ...extra]
    : extra;
  const byId = new TraceIdRatioBasedSampler(config.TRACE_RATIO ?? 1);
  const provider = new NodeTracerProvider({
    resource: resourceFromAttributes({ 'service.name': service }),
    sampler:
      spanProcessors.length > 0
        ? new ParentBasedSampler({ root: byId, remoteParentSampled: byId, remoteParentNotSampled: byId })
        : new AlwaysOffSampler(),
    spanProcessors,
  });
  provider.register();
  tracer = provider.getTracer('dotmac');
  return async () => {
    await provider.shutdown();
    trace.disable();
    context.disable();
  };
}

/**
 * Runs work inside a span; an error it throws is recorded and goes on. Inside a span of this process that is not recorded
 * there is nothing to record either, and the work just runs.
 */
export function inSpan<T>(name: string, options: SpanOptions, run: (span: Span) => Promise<T>): Promise<T> {
  const around = trace.getSpan(context.active());
  if (around && !around.isRecording() && !around.spanContext().isRemote) return run(around);
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

/** The same for parts that are many and small, such as the nodes of a plan: without a collector it costs a look. */
export const inFinerSpan = <T>(name: string, run: () => Promise<T>): Promise<T> =>
  isTracing() ? inSpan(name, {}, run) : run();

/** The W3C `traceparent` of the running span, or undefined outside one. */
export function traceParent(): string | undefined {
  const held = trace.getSpanContext(context.active());
  return held && `00-${held.traceId}-${held.spanId}-0${held.traceFlags & 1}`;
}

/** Continues the trace of a `traceparent` that travelled here, if only from another part of this process. */
export function continueTrace<T>(parent: string | undefined, run: () => T): T {
  const [, traceId, spanId, flags] = /^00-([0-9a-f]{32})-([0-9a-f]{16})-(0[01])$/.exec(parent ?? '') ?? [];
  if (!traceId || !spanId || trace.getSpanContext(context.active())?.spanId === spanId) return run();
  return context.with(
    trace.setSpanContext(context.active(), { traceId, spanId, traceFlags: Number(flags), isRemote: true }),
    run,
  );
}

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
