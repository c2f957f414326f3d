"""The long example of the format reference: every section, features of later versions included."""

EXAMPLE = """
version: 1
group: fraud-monitor
instance: ${HOSTNAME:-0}
kafka:
  bootstrap.servers: localhost:9092
  security.protocol: SASL_SSL
  sasl.mechanism: SCRAM-SHA-512
  sasl.username: ${KAFKA_USERNAME}
  sasl.password: ${KAFKA_PASSWORD}
  consumer: {queued.max.messages.kbytes: 16384}
  producer: {compression.type: zstd}
schema_registry: {url: "https://registry.example", username: "${SR_USER}", password: "${SR_PASSWORD}"}
inputs:
  - {topic: inference-events, format: native}
  - {topic: inference-labels, format: native_labels}
topics: {profiles: drift-profiles, baselines: drift-baselines, alerts: drift-alerts, alert_state: drift-alert-state,
         judge_state: drift-judge-state, dead_letters: drift-dead-letters, partitions: 4, replication: 3}
start: earliest
on_data_loss: fail
delivery: exactly_once
time: {unit: ms, zone: UTC, fallback: none,
       allowed_lateness: 30s, idle_after: 30s,
       idle_limit: 1d, max_ahead: 10m,
       max_future: 5m, max_past: 7d}
detection:
  pane: 10s
  window: 5m
  budget: {false_alarms: 1, per: 30d}
  detectors: [rank_shiryaev_roberts, {kind: adwin}, {kind: page_hinkley}]
  comparisons: [psi, jensen_shannon, kolmogorov_smirnov, wasserstein]
models:
  - name: fraud
    task: classification
    baseline: {from: first_events, events: 4095}
    features: {include: ["*"], exclude: ["debug_*"]}
    segments: [channel]
    budget: {false_alarms: 1, per: 90d}
    labels: {join: 14d, min_share: 0.2, max_wait: 2d}
rules:
  - {name: drift, series: ["feature:*", prediction], evidence: rank_shiryaev_roberts, effect: {psi: 0.1},
     severity: warning}
  - {name: severe_drift, series: ["feature:*", prediction], evidence: rank_shiryaev_roberts, effect: {psi: 0.25},
     severity: critical}
  - {name: data_quality, series: ["missing:*", "invalid:*", "unseen:*"], evidence: interval_bernoulli,
     effect: {share_change: 0.01}, severity: warning}
  - {name: traffic, series: [demand], evidence: negative_binomial, effect: {ratio: 0.3}, severity: critical}
alerts: {open_after: 2, resolve_after: 30, cooldown: 30m, reminder: 4h, forget_after: 7d, max_open: 200,
         publish_pending: false, labels: {}, external_url: "https://monitor.example",
         runbook_url: "https://runbooks.example/drift"}
outputs:
  alertmanager: {urls: ["https://alertmanager.example"], resend: 1m}
  webhooks: [{name: ops, url: "${OPS_WEBHOOK_URL}", min_severity: warning}]
limits: {event_bytes: 65536, features: 512, categories: 256, models: 200, series_per_model: 1000, segments_warn: 200,
         segments: 2000}
dead_letters: {max_share: 0.1, max_consecutive: 1000, on_excess: stop}
privacy: {example_values: false, example_tags: []}
metrics: {per_series: top_k, top_k: 20, max_series: 5000, comparisons: [psi, kolmogorov_smirnov]}
http: {address: "127.0.0.1:9464", stall_after: 60s}
logging: {level: info, format: json}
"""

ENVIRONMENT = {
    "HOSTNAME": "fraud-6d8f",
    "KAFKA_USERNAME": "monitor-user",
    "KAFKA_PASSWORD": "hunter2-password",
    "SR_USER": "registry-user",
    "SR_PASSWORD": "registry-password",
    "OPS_WEBHOOK_URL": "https://ops.example/hook-secret",
}

LATER = (
    *("schema_registry", "inputs[1].format", "models[0].task", "models[0].labels"),
    *("outputs.alertmanager", "outputs.webhooks"),
)
"""What of the example this version refuses by name."""


def example_of_today() -> str:
    """Return the example without the features of later versions."""
    lines = EXAMPLE.splitlines()
    gone = ("schema_registry:", "native_labels", "labels: {join", "task:", "outputs:", "  alertmanager:", "  webhooks:")
    return "\n".join(line for line in lines if not any(word in line for word in gone))
