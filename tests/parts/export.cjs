// One span by the OpenTelemetry SDK of JavaScript: node export.cjs proto|json URL
const { trace, SpanStatusCode } = require("@opentelemetry/api");
const { NodeTracerProvider, SimpleSpanProcessor } = require("@opentelemetry/sdk-trace-node");
const { resourceFromAttributes } = require("@opentelemetry/resources");

const [encoding, url] = process.argv.slice(2);
const { OTLPTraceExporter } = require(
  encoding === "json" ? "@opentelemetry/exporter-trace-otlp-http" : "@opentelemetry/exporter-trace-otlp-proto",
);
const provider = new NodeTracerProvider({
  resource: resourceFromAttributes({ "service.name": "portal-js" }),
  spanProcessors: [new SimpleSpanProcessor(new OTLPTraceExporter({ url }))],
});
const span = provider.getTracer("test").startSpan(`send ${encoding}`, {
  kind: 3,
  attributes: { "milepost.interface": "portal.orders", "milepost.order_id": "O-77", retries: 2, tags: ["a", "b"] },
});
span.setStatus({ code: SpanStatusCode.ERROR, message: "503" });
span.end();
provider.shutdown().then(() => trace.disable());
