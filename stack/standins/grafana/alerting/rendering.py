"""Labels and annotations of an instance: the rule's own, with its templates rendered."""

from collections.abc import Mapping

from stack.standins.grafana.alerting.states import Outcome
from stack.standins.grafana.labels import Labels
from stack.standins.grafana.provisioning.rules import Rule
from stack.standins.grafana.templates.render import AlertData, AlertValue, render
from stack.standins.grafana.templates.syntax import TemplateError


def instance_labels(rule: Rule, outcome: Outcome, external_url: str) -> Labels:
    """
    The labels of the result, of the rule, and Grafana's own; the rule's win over those of the result.
    """
    own = _rendered(rule.labels, data_of(rule, outcome, external_url))
    fixed = {"alertname": rule.title, "grafana_folder": rule.folder}
    return {**{name: value for name, value in outcome.labels.items() if value}, **own, **fixed}


def instance_annotations(rule: Rule, outcome: Outcome, external_url: str) -> Mapping[str, str]:
    """
    The rendered annotations.
    """
    return _rendered(rule.annotations, data_of(rule, outcome, external_url))


def data_of(rule: Rule, outcome: Outcome, external_url: str) -> AlertData:
    """
    What the templates of a rule read for one outcome; `$labels` has Grafana's own labels too.
    """
    labels = {**outcome.labels, "alertname": rule.title, "grafana_folder": rule.folder}
    values = {name: AlertValue(labels=outcome.labels, value=value) for name, value in outcome.values.items()}
    return AlertData(labels=labels, values=values, value=outcome.value_string, external_url=external_url)


def _rendered(texts: Mapping[str, str], data: AlertData) -> dict[str, str]:
    return {name: _text(text, data) for name, text in texts.items()}


def _text(text: str, data: AlertData) -> str:
    try:
        return render(text, data)
    except TemplateError:
        return text  # as Grafana does: the raw text is shown, the mistake was named when the file was read
