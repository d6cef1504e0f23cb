"""Alert-rule templates print what Grafana prints."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stack.standins.grafana.templates.gofmt import sprintf
from stack.standins.grafana.templates.render import AlertData, AlertValue, render
from stack.standins.grafana.templates.syntax import TemplateError, UnsupportedTemplate

LABELS = {"instance": "shop:8000", "job": "shop"}
DATA = AlertData(
    labels=LABELS,
    values={"B": AlertValue(labels=LABELS, value=0.25), "C": AlertValue(labels=LABELS, value=1.0)},
    value="[ var='B' value=0.25 ]",
    external_url="http://localhost:3000/",
)
EMPTY = AlertData(labels={}, values={}, value="", external_url="")


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("plain", "plain"),
        ("{{ $labels.instance }} is {{ $values.B }}", "shop:8000 is 0.25"),
        ("{{ .Labels.job }} {{ .Values.B.Value }} {{ .Value }}", "shop 0.25 [ var='B' value=0.25 ]"),
        ("{{ $value }}", "[ var='B' value=0.25 ]"),
        ('{{ printf "%.3f" $values.B.Value }}', "0.250"),
        ("{{ $values.B.Value | humanizePercentage }}", "25%"),
        ("{{ humanize 1234567.0 }} {{ humanize 0.00123 }} {{ humanize 0 }}", "1.235M 1.23m 0"),
        ("{{ humanize1024 2048.0 }}", "2ki"),
        (
            "{{ humanizeDuration 93784.0 }} {{ humanizeDuration 61 }} {{ humanizeDuration 0.5 }}",
            "1d 2h 3m 4s 1m 1s 500ms",
        ),
        ("{{ humanizeTimestamp 1435065584.128 }}", "2015-06-23 13:19:44.128 +0000 UTC"),
        ("{{ if gt $values.B.Value 0.2 }}high{{ else }}low{{ end }}", "high"),
        ("{{ if $labels.nope }}a{{ else if eq $labels.job `shop` }}b{{ else }}c{{ end }}", "b"),
        ("{{ with $labels.job }}<{{ . }}>{{ end }}{{ with $labels.nope }}x{{ else }}none{{ end }}", "<shop>none"),
        ("{{ range $k, $v := $labels }}{{ $k }}={{ $v }};{{ end }}", "instance=shop:8000;job=shop;"),
        ("{{ range $labels }}{{ . }} {{ else }}none{{ end }}", "shop:8000 shop "),
        ("{{ $x := 1 }}{{ if true }}{{ $x = 2 }}{{ end }}{{ $x }}", "2"),
        ("{{ and true 0 }}|{{ or 0 `x` }}|{{ not 1 }}", "0|x|false"),
        ('{{ (index $values "B").Value }} {{ len $labels }}', "0.25 2"),
        ("a {{- /* a comment */ -}} b {{- ` c` }}", "ab c"),
        ("{{ $labels.job | toUpper | printf `<%s>` }}", "<SHOP>"),
        ("{{ reReplaceAll `(\\w+):.*` `$1` $labels.instance }} {{ stripPort $labels.instance }}", "shop shop"),
        ("{{ if match `^shop` $labels.job }}yes{{ end }}", "yes"),
        (
            "{{ title `error rate` }} {{ urlquery `a b&c` }} {{ externalURL }}",
            "Error Rate a+b%26c http://localhost:3000/",
        ),
        ("{{ eq 1 2 1 }} {{ ne `a` `b` }} {{ le 1 1 }}", "true true true"),
        ("$values {{ `$${x}` }} }}", "$values $${x} }}"),
        ("{{ $labels }}", "map[instance:shop:8000 job:shop]"),
        ("{{ print 1 `a` nil true }}", "1a<nil>true"),
    ],
)
def test_renders(source: str, expected: str) -> None:
    """
    Values, pipelines, conditions, loops, variables, trimming and functions.
    """
    assert expected == render(source, DATA)


def test_a_missing_value_is_told_as_grafana_tells_it() -> None:
    """
    `[no value]` where it is printed, Go's mark where it is formatted.
    """
    source = '{{ $labels.instance }} {{ $values.B }} {{ $values.B.Value }} {{ printf "%.3f" $values.B.Value }}'

    assert render(source, EMPTY) == "[no value] [no value] [no value] %!f(<nil>)"


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("{{ nofunc }}", "function 'nofunc' not defined"),
        ("{{ if true }}x", "{{ if }} without {{ end }}"),
        ("{{ end }}", "unexpected {{ end }}"),
        ("{{ $nope }}", "undefined variable '$nope'"),
        ("{{ }}", "missing value"),
        ("{{ $labels.job", "unclosed action"),
        ("{{ (1 }}", "unclosed parenthesis"),
        ("{{ 1 ! }}", "unexpected '!'"),
        ("{{ humanize `x` }}", "'x' is no number"),
        ("{{ humanize nil }}", "expected a number, found <nil>"),
        ("{{ gt $values.B.Value 1 }}", "incompatible types for comparison"),
        ("{{ range 3 }}x{{ end }}", "range can't iterate over 3"),
        ("{{ $values.B.Nope }}", "can't evaluate field Nope"),
        ("{{ $labels 1 }}", "can't give argument to non-function"),
        ("{{ toUpper }}", "wrong arguments for toUpper"),
        ("{{ index $labels.job 1 2 }}", "cannot index"),
    ],
)
def test_a_mistake_is_named(source: str, words: str) -> None:
    """
    So that the start can warn of it; a real Grafana shows the raw text.
    """
    with pytest.raises(TemplateError) as caught:
        render(source, DATA)

    assert words in str(caught.value)


@pytest.mark.parametrize(
    "word", ["template `x` .", "define `x`", "block `x` .", "tableLink `up`", "query `up` | first"]
)
def test_what_grafana_has_and_this_has_not_is_refused_by_name(word: str) -> None:
    """
    It is no mistake of the user's, so it must not be shown raw.
    """
    with pytest.raises(UnsupportedTemplate, match=f"'?{word.split()[0]}"):
        render(f"{{{{ {word} }}}}", DATA)


@pytest.mark.parametrize(
    ("pattern", "arguments", "expected"),
    [
        ("%d|%5d|%-4d|%04d", [1, 2, 3, 4], "1|    2|3   |0004"),
        ("%s %q %v %%", ["a", 'b"c', 1.5], 'a "b\\"c" 1.5 %'),
        ("%.0f %.2e %g %+.1f", [2.6, 12345.0, 1e21, 1.0], "3 1.23e+04 1e+21 +1.0"),
        ("%t", [True], "true"),
        ("%x", [255], "ff"),
        ("%d", [1.5], "%!d(float64=1.5)"),
        ("%s", [1], "%!s(int=1)"),
        ("%f", [], "%!f(MISSING)"),
        ("x", [1], "x%!(EXTRA int=1)"),
        ("%.1f", [float("nan")], "NaN"),
    ],
)
def test_printf(pattern: str, arguments: list[object], expected: str) -> None:
    """
    As Go's Sprintf, its complaints too.
    """
    assert expected == sprintf(pattern, arguments)


@given(st.text(alphabet='{}$.-| ab"`()=:ifrangend/*,', max_size=40))
def test_any_text_renders_or_is_a_named_mistake(source: str) -> None:
    """
    Nothing else is raised, whatever the text.
    """
    with contextlib.suppress(TemplateError, UnsupportedTemplate):
        render(source, DATA)
