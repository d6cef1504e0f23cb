"""Labels and annotations of a rule file, with the mistakes in their templates named."""

import re
from collections.abc import Mapping

from stack.standins.grafana.document import Entry
from stack.standins.grafana.provisioning.rules import DASHBOARD, PANEL
from stack.standins.grafana.templates.render import parsed
from stack.standins.grafana.templates.syntax import TemplateError, UnsupportedTemplate


def read_labels(entry: Entry) -> Mapping[str, str]:
    """
    The labels, their templates checked.
    """
    texts = entry.entry("labels")
    return {name: _template(texts, name, _expanded_label(texts, name)) for name in texts.tree}


def _expanded_label(texts: Entry, name: str) -> str:
    text = texts.text(name, raw=True)
    if re.search(r"(?<!\$)\$(labels|values|value)\b", text):
        texts.warn(f"label {name!r}: newer Grafanas expand $labels here as a variable: write $$labels", name)
        return text
    return texts.text(name)


def read_annotations(entry: Entry) -> Mapping[str, str]:
    """
    The annotations, their templates checked, with the links to a dashboard and panel among them.
    """
    texts = entry.entry("annotations")
    found = {name: _template(texts, name, text) for name, text in entry.texts("annotations").items()}
    dashboard, panel = entry.text("dashboardUid"), entry.text("panelId")
    if bool(dashboard) != bool(panel) and panel:
        raise entry.error("panelId needs a dashboardUid beside it", "panelId")
    return {**({DASHBOARD: dashboard} if dashboard else {}), **({PANEL: panel} if panel else {}), **found}


def _template(texts: Entry, name: str, text: str) -> str:
    if "{{" in text:
        try:
            parsed(text)
        except UnsupportedTemplate as error:
            raise texts.error(f"{texts.place[-1]} {name!r}: {error}", name) from error
        except TemplateError as error:
            texts.warn(f"{texts.place[-1]} {name!r} cannot be expanded, Grafana shows it as it stands: {error}", name)
    return text
