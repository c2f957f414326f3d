"""From YAML, environment and flags to settings."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream_monitor.config import ConfigError, Settings, load
from stream_monitor.config.effect_presets import PRESETS
from stream_monitor.core.plan import DEFAULT_RULES, DetectorPlan, EffectPlan, Plan, TimePlan
from tests.config.example import ENVIRONMENT, EXAMPLE, LATER, example_of_today


def _file(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "monitor.yaml"
    path.write_text(text, "utf-8")
    return path


def _errors(*assignments: str, environ: dict[str, str] | None = None) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load(environ=environ or {}, assignments=assignments, needs_group=False)
    return [str(finding) for finding in caught.value.findings]


def test_an_empty_configuration_is_the_default_plan() -> None:
    """What the file leaves out has the defaults of the plan, to the hash."""
    assert Plan().hash == load(environ={}, needs_group=False).plan.hash


def test_the_example_loads(tmp_path: Path) -> None:
    """The long example, less what this version refuses by name, means what it says."""
    settings = load(_file(tmp_path, example_of_today()), environ=ENVIRONMENT)

    assert settings.group == "fraud-monitor"
    assert settings.instance == "fraud-6d8f"
    assert settings.kafka.common["sasl.password"] == "hunter2-password"
    assert settings.kafka.consumer == {"queued.max.messages.kbytes": "16384"}
    assert settings.plan.time == TimePlan()
    assert settings.plan.rules[0].series == ("feature:*", "prediction")
    assert settings.plan.budget("fraud").per_ms == 90 * 86_400_000
    assert settings.http.port == 9464


def test_features_of_later_versions_are_refused_by_name(tmp_path: Path) -> None:
    """No setting is ignored in silence: what is not there yet says so."""
    with pytest.raises(ConfigError) as caught:
        load(_file(tmp_path, EXAMPLE), environ=ENVIRONMENT)

    assert list(LATER) == [finding.field for finding in caught.value.findings]
    assert all("not available yet" in str(finding) for finding in caught.value.findings)


@pytest.mark.parametrize(
    ("assignment", "error"),
    [
        ("detection.pane=7s", "detection.pane: must divide window (5m), got 7s"),
        ("detection.pane=7", "detection.pane: must be a duration such as 500ms, 10s, 5m, 4h, 30d, got 7"),
        ("detection.pan=7s", "detection.pan: unknown setting: did you mean pane?"),
        ("alerts.open_after=0", "alerts.open_after: must be at least 1, got 0"),
        ("alerts.open_after=true", "alerts.open_after: must be a whole number, got true"),
        ("delivery=twice", "delivery: must be one of exactly_once, at_least_once, got twice"),
        ("topics.alerts=drift-profiles", "topics.alerts: must differ from topics.profiles, got drift-profiles"),
        ("http.address=127.0.0.1:99999", "http.address: must end in a port of at most 65535, got 127.0.0.1:99999"),
        ("inputs=[]", "inputs: must have at least 1 entry, got []"),
        ("models=[{name: a}, {name: a}]", "models.name: must be given once, got a"),
        ("models=[{segments: [a, a]}]", "models[0].segments: must be given once, got a"),
        (
            "models=[{segments: ['a=b']}]",
            "models[0].segments: must not hold =, which parts a segment from its value, got a=b",
        ),
        ("alerts.labels={model: x}", "alerts.labels.model: is a label of our own; choose another name"),
        (
            "rules=[{name: r, series: [demand], effect: helinger}]",
            (
                "rules[0].effect: must be a mapping of a measure to its floor, or a preset: one of psi_watch, psi_act,"
                " sagemaker, sagemaker_categorical, evidently, evidently_categorical, vertex, vertex_categorical,"
                " azure, azure_categorical, whylabs, deepchecks, deepchecks_prediction, got helinger"
            ),
        ),
        (
            "metrics.comparisons=[psi, wasserstein]",
            "metrics.comparisons: must be among detection.comparisons, got wasserstein",
        ),
        (
            "privacy.example_values=true",
            "privacy.example_values: not available yet: alerts hold no values of events; remove it, got true",
        ),
        (
            "rules=[{name: r, series: [demand], evidence: negative_binomial, tolerance: 0.1, effect: {ratio: 0.3}}]",
            (
                "rules[0].tolerance: needs evidence of one of rank_shiryaev_roberts, interval_bernoulli, "
                "interval_categories, got negative_binomial"
            ),
        ),
        (
            "rules=[{name: r, series: [prediction], evidence: psi}]",
            (
                "rules[0].evidence: must be a detector: a distance has no budget of false alarms, got psi: "
                "write 'effect: {psi: FLOOR}' and leave evidence out"
            ),
        ),
        (
            "detection.detectors=[cusum]",
            (
                "detection.detectors[0].kind: must be module:Class or one of rank_shiryaev_roberts, pane_rank, adwin,"
                " page_hinkley, kswin, ddm, eddm, hddm_a, hddm_w, fhddm, got cusum"
            ),
        ),
    ],
)
def test_an_error_names_field_rule_and_value(assignment: str, error: str) -> None:
    """A wrong setting is one line: where, what holds, what was given, what to do."""
    assert [error] == _errors("detection.comparisons=[psi]", assignment)


def test_all_wrong_settings_are_told_at_once() -> None:
    """Three mistakes are three lines, not three attempts."""
    assert len(_errors("detection.pane=x", "start=never", "limits.features=0")) == 3


def test_flags_go_over_environment_over_file(tmp_path: Path) -> None:
    """Each source replaces only what it names."""
    path = _file(tmp_path, "group: file\ninstance: a\ndetection: {pane: 5s, window: 1m}\n")
    settings = load(
        path,
        environ={"STREAM_MONITOR_GROUP": "env", "STREAM_MONITOR_DETECTION__PANE": "10s"},
        assignments=["detection.pane=20s"],
    )

    assert (
        settings.group,
        settings.instance,
        settings.plan.detection.pane_ms,
        settings.plan.detection.window_ms,
    ) == ("env", "a", 20_000, 60_000)


def test_librdkafka_settings_pass_from_every_source(tmp_path: Path) -> None:
    """Below kafka a path is one librdkafka name, and a value is text whatever it looks like."""
    path = _file(tmp_path, "group: g\nkafka: {bootstrap.servers: 'a:1', linger.ms: 20, check.crcs: true}\n")
    settings = load(
        path,
        environ={"STREAM_MONITOR_KAFKA__SASL_PASSWORD": "1e3", "STREAM_MONITOR_KAFKA__CONSUMER__FETCH_MIN_BYTES": "9"},
        assignments=["kafka.client.rack=r1"],
        librdkafka=["bootstrap.servers=b:2"],
    )

    assert dict(settings.kafka.common) == {
        "bootstrap.servers": "b:2",
        "linger.ms": "20",
        "check.crcs": "true",
        "sasl.password": "1e3",
        "client.rack": "r1",
    }
    assert dict(settings.kafka.consumer) == {"fetch.min.bytes": "9"}


def test_a_group_is_required_where_kafka_is() -> None:
    """Runs without Kafka have a group of their own, others must name one."""
    with pytest.raises(ConfigError, match="group: is required"):
        load(environ={})

    assert load(environ={}, needs_group=False).group == "local"


def test_a_list_replaces_the_default_rules() -> None:
    """Rules are not merged: the file says which ones there are."""
    assert load(environ={}, needs_group=False).plan.rules == DEFAULT_RULES
    assert len(load(environ={}, needs_group=False, assignments=["rules=[{name: r, series: [demand]}]"]).plan.rules) == 1


def test_detectors_are_names_or_mappings() -> None:
    """`adwin` and `{kind: adwin}` are the same."""
    plan = load(environ={}, needs_group=False, assignments=["detection.detectors=[adwin, {kind: page_hinkley}]"]).plan

    assert (DetectorPlan("adwin"), DetectorPlan("page_hinkley")) == plan.detection.detectors


def test_the_variables_of_a_kubernetes_service_are_not_settings() -> None:
    """A Service named stream-monitor puts its address under our prefix into every pod."""
    links = {"STREAM_MONITOR_SERVICE_HOST": "10.0.0.1", "STREAM_MONITOR_PORT_9464_TCP_ADDR": "10.0.0.1"}

    assert load(environ=links, needs_group=False).plan == Plan()


def test_an_unknown_variable_is_an_error() -> None:
    """A misspelt variable is found as a misspelt key is."""
    assert _errors(environ={"STREAM_MONITOR_DETEKTION__PANE": "5s"}) == [
        "detektion: unknown setting: did you mean detection?"
    ]


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20), st.lists))
def test_any_value_loads_or_is_refused(value: object) -> None:
    """No value of any type anywhere raises anything but a configuration error."""
    tree = {"group": value, "inputs": value, "detection": value, "kafka": {"a": value}, "rules": [value]}
    try:
        settings = load(environ={}, overrides=tree)  # type: ignore[arg-type]  # any tree at all
    except ConfigError:
        return
    assert isinstance(settings, Settings)


def test_a_preset_is_a_measure_with_its_floor() -> None:
    """`effect: vertex` is what Vertex AI calls drift; a name that nobody knows is no effect."""
    rule = "rules=[{name: mine, series: ['feature:*'], effect: NAME}]"
    loaded = load(environ={}, assignments=[rule.replace("NAME", "vertex")], needs_group=False)

    assert loaded.plan.rules[0].effect == EffectPlan("jensen_shannon", 0.3)
    assert any("effect" in error for error in _errors(rule.replace("NAME", "vertix")))


@pytest.mark.parametrize("preset", PRESETS)
def test_every_preset_loads_by_itself(preset: str) -> None:
    """What an effect is measured by is computed without being listed."""
    rules = f"rules=[{{name: mine, series: ['feature:*'], effect: {preset}}}]"
    plan = load(environ={}, assignments=[rules], needs_group=False).plan

    assert PRESETS[preset] == plan.rules[0].effect
    assert PRESETS[preset].measure in (*plan.detection.comparisons, "kolmogorov_smirnov_robust")


def test_what_rules_need_is_computed_after_what_is_listed() -> None:
    """In one order, whatever the order of the rules: the plan and its hash are the same."""
    effects = ("{linf: 0.1}", "{psi: 0.1}", "{share_change: 0.1}", "{wasserstein_sigma: 0.1}")
    rules = [f"{{name: r{i}, series: [prediction], effect: {effect}}}" for i, effect in enumerate(effects)]
    rules.append("{name: own, series: [prediction], effect: {hellinger: 0.1}, target: 'a:B'}")
    for order in (rules, rules[::-1]):
        assignments = [f"rules=[{', '.join(order)}]", "detection.comparisons=[wasserstein, psi]"]
        plan = load(environ={}, assignments=assignments, needs_group=False).plan

        assert plan.detection.comparisons == ("wasserstein", "psi", "wasserstein_sigma", "linf")


def test_what_nobody_asked_to_export_is_no_mistake() -> None:
    """Without metrics.comparisons, that part of its default is exported which is computed."""
    settings = load(environ={}, assignments=["detection.comparisons=[hellinger]"], needs_group=False)

    assert settings.metrics.comparisons == ("psi",)
    assert settings.plan.detection.comparisons == ("hellinger", "psi")
