"""TraceQL: what parses, what is refused, and in which words."""

from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stack.standins.tempo.traceql import QueryError, parse
from stack.standins.tempo.traceql.syntax import (
    Attribute,
    Binary,
    Field,
    Filter,
    Intrinsic,
    SpansetOperation,
    Static,
    Type,
    Unary,
)

VALID = (
    """
{}
{ true }
{ !true && .a || false }
{ .a = 1 } { .b }
{ status = error && kind = server }
{ span:status != ok || span:kind = client }
{ statusMessage =~ "time.*" && name !~ `x|y` }
{ traceDuration > 1.5s && trace:duration < 1h30m }
{ trace:rootName = "a" || trace:rootService = "b" || rootServiceName != "c" }
{ trace:id = "1aa7651916cd43dd" || span:id = "00f067aa0ba902b7" }
{ event:name = "exception" && event:timeSinceStart > 1ms && event.exception.type =~ ".*" }
{ link:traceID = "1" && link:spanID = "2" && link.opentracing.ref_type = "child_of" }
{ instrumentation:name = "lib" && instrumentation:version = "1" && instrumentation.x = 1 }
{ resource."service name" = "x" && span."a\\"b" = 1 && ."c" != nil }
{ span.http.response.status_code >= 500 }
{ .a-b/c:d = 1 }
{ -1 = .a * 2 + 3 - 4 / 5 % 6 ^ 7 }
{ !(.a = 1 || (.b = 2 && .c)) }
{ nestedSetParent < 0 && nestedSetLeft > 0 && nestedSetRight > 0 }
{ .a } && { .b } || { .c }
{ .a } > { .b } >> { .c } ~ { .d } < { .e } << { .f }
{ .a } !> { .b } !>> { .c } !~ { .d } !< { .e } !<< { .f }
{ .a } &> { .b } &>> { .c } &~ { .d } &< { .e } &<< { .f }
({ .a } | count() > 1 | { false }) >> ({ .b } | count() > 1)
{} | { .a } | count() = 1
count() = 1 | { true }
{} | avg(duration) > 1s | max(.a) >= 1 | min(span.b) < -2 | sum(.c) != 0
{} | max(.a) - min(.a) > 3 * 2
{} | by(resource.service.name) | count() > 2 | coalesce()
{} | select(span.http.route, status, duration)
{} | rate()
{} | rate() by (resource.service.name, name)
{} | count_over_time() by (kind) with (sample=0.1)
{} | min_over_time(duration) | topk(3)
{} | quantile_over_time(duration, 0, .5, 0.99, 1) by (.a) | bottomk(1)
{} | histogram_over_time(span.size)
{} | avg_over_time(.a) with (exemplars=false)
{ .a = 1 } with (most_recent=true)
""".strip()
    .replace("{ .a = 1 } { .b }\n", "")
    .splitlines()
)


@pytest.mark.parametrize("text", VALID)
def test_parses(text: str) -> None:
    """
    Every construct that the stand-in claims to understand parses and type-checks.
    """
    assert parse(text).pipeline.stages


SYNTAX_ERRORS = {
    "": "line 1, col 1: syntax error: unexpected $end",
    "{": "line 1, col 2: syntax error: unexpected $end",
    "{} |": "line 1, col 5: syntax error: unexpected $end",
    "{} | rate(": "line 1, col 11: syntax error: unexpected $end, expecting )",
    "{ .a = }": "line 1, col 8: syntax error: unexpected }",
    "{ .a =\n  }": "line 2, col 3: syntax error: unexpected }",
    "{ attribute = 4 }": "line 1, col 3: syntax error: unexpected IDENTIFIER",
    "{ .a == 4 }": "unexpected =",
    "{ . }": "line 1, col 3",
    "{ span. }": "syntax error",
    "{ trace:status = error }": "unexpected IDENTIFIER",
    "{ true } + { true }": "unexpected +",
    "{ true } = { true }": "unexpected =",
    "{ true } | count()": "unexpected $end",
    "{ true } | nothing() = 1": "unexpected IDENTIFIER",
    "{ .a = 1 } { .b }": "unexpected {",
    "coalesce() }": "unexpected }",
    "select()": "unexpected )",
    "{ } | rate() by ()": "unexpected )",
    '{ .a = "x }': "syntax error",
    "true": "unexpected true",
}


@pytest.mark.parametrize("text", SYNTAX_ERRORS)
def test_names_the_place_of_a_syntax_error(text: str) -> None:
    """
    A parse error has Tempo's form: line, column, and what was not expected there.
    """
    with pytest.raises(QueryError, match="parse error at line") as caught:
        parse(text)

    assert SYNTAX_ERRORS[text] in str(caught.value)


TYPE_ERRORS = {
    "{ status }": "span filter field expressions must resolve to a boolean: status",
    "{ 1 + 1 }": "must resolve to a boolean: 1 + 1",
    '{ "foo" }': "must resolve to a boolean: `foo`",
    '{ 1 = "foo" }': "binary operations must operate on the same type: 1 = `foo`",
    "{ 1 != true }": "must operate on the same type: 1 != true",
    '{ traceDuration > "1s" }': "must operate on the same type: traceDuration > `1s`",
    "{ rootServiceName = 1 }": "same type",
    '{ status = "error" }': "same type",
    "{ status > ok }": "illegal operation for the given types: status > ok",
    "{ kind < consumer }": "illegal operation",
    "{ 1 =~ 2 }": "illegal operation",
    "{ true || 1.1 }": "same type",
    '{ name + "x" = "y" }': "illegal operation",
    "{ -true }": "illegal operation for the given type: -true",
    "{ !1 = 1 }": "illegal operation for the given type: !1",
    '{ .a =~ "[" }': "error parsing regexp",
    '{ .a =~ "a(?=b)" }': "error parsing regexp: invalid or unsupported Perl syntax: `(?=`",
    r'{ .a =~ "(a)\\1" }': "invalid or unsupported Perl syntax",
    "{ .a =~ .b }": "the right side of =~ must be a string",
    "{} | max(name) > 1": "aggregate field expressions must resolve to a number type: max(name)",
    "{} | sum(3) > 2": "aggregate field expressions must reference the span: sum(3)",
    "{} | by(1)": "grouping field expressions must reference the span: by(1)",
    "{} | avg_over_time(name)": "must resolve to a number type",
    "{} | quantile_over_time(duration, 95)": "quantile must be between 0 and 1: 95",
    "{} | rate() by (.a, .b, .c, .d, .e, .f)": "at most 5 fields, found 6",
    "{} | select(1 + .a)": "select() takes attributes and intrinsics, found: 1 + .a",
    "{ .a = 9223372036854775808 }": "value out of range",
    "{ .a = " + "9" * 5000 + " }": "value out of range",
    "{ duration > 99999y }": "the duration is out of range",
    r'{ .a = "\x" }': "cannot be read",
}


@pytest.mark.parametrize("text", TYPE_ERRORS)
def test_refuses_what_can_have_no_meaning(text: str) -> None:
    """
    What parses but can never hold is an error that prints the expression.
    """
    with pytest.raises(QueryError) as caught:
        parse(text)

    assert TYPE_ERRORS[text] in str(caught.value)


UNSUPPORTED = {
    "{ parent.a = 1 }": "the scope parent.",
    "{ parent = nil }": "the intrinsic parent",
    "{ childCount > 1 }": "the intrinsic childCount",
    "{} | compare({ status = error })": "compare()",
    "{} | rate() > 5": "the filter `> 5` after a metrics function",
    "({ status = error } | rate()) / ({} | rate())": "arithmetic between metrics queries",
    "{} | rate() with (span_only_fetch=true)": "the hint span_only_fetch; known: most_recent, exemplars, sample",
}


@pytest.mark.parametrize("text", UNSUPPORTED)
def test_names_what_the_standin_lacks(text: str) -> None:
    """
    A construct that real Tempo would answer is refused by its name, not misread.
    """
    with pytest.raises(QueryError) as caught:
        parse(text)

    assert str(caught.value) == f"unsupported by the Tempo stand-in: {UNSUPPORTED[text]}"


def condition(text: str) -> Field:
    """
    The condition of `{ text }`.
    """
    stage = parse(f"{{ {text} }}").pipeline.stages[0]
    assert isinstance(stage, Filter)
    return stage.condition


def test_and_and_or_bind_equally_from_the_left() -> None:
    """
    As in Tempo, `a || b && c` is `(a || b) && c`; comparisons bind tighter, arithmetic tighter still.
    """
    assert str(condition(".a || .b && .c")) == "(.a || .b) && .c"
    assert str(condition(".a && .b || .c")) == "(.a && .b) || .c"
    assert str(condition(".a = 1 || .b + 2 * 3 > 4")) == "(.a = 1) || ((.b + (2 * 3)) > 4)"
    assert str(condition("!.a && .b")) == "!.a && .b"
    assert str(condition("2 ^ 3 ^ .a = 1")) == "(2 ^ (3 ^ .a)) = 1"
    assert str(condition("1 - 2 - .a = 1")) == "((1 - 2) - .a) = 1"


def test_spanset_operators_bind_tighter_than_and() -> None:
    """
    `{a} && {b} > {c}` relates b to c first, and joins a to that.
    """
    stage = parse("{ .a } && { .b } > { .c }").pipeline.stages[0]

    assert isinstance(stage, SpansetOperation)
    assert stage.op == "&&"
    assert isinstance(stage.right, SpansetOperation)
    assert stage.right.op == ">"


def test_a_long_query_is_answered_and_an_endless_one_refused() -> None:
    """
    Three hundred ids are fine; what would exhaust the parser's stack is an error and no crash.
    """
    ids = " || ".join(f'trace:id = "{number:x}"' for number in range(300))

    assert parse(f"{{ {ids} }}")
    for endless in ("(" * 9000 + "{}" + ")" * 9000, "{ " + "!" * 9000 + "true }", "{} && " * 9000 + "{}"):
        with pytest.raises(QueryError, match="too many terms"):
            parse(endless)


@settings(deadline=None)
@given(st.text(max_size=40))
def test_no_text_crashes_the_parser(text: str) -> None:
    """
    Any text is a query or a QueryError.
    """
    with suppress(QueryError):
        assert parse(text).pipeline


NAMES = st.text("abc.-_/ ", min_size=1, max_size=8).filter(lambda name: name.strip() == name)
ATTRIBUTES = st.builds(
    lambda scope, name: Attribute(scope=scope, name=name), st.sampled_from(["", "span", "resource"]), NAMES
)
LITERALS = st.one_of(
    st.integers(min_value=0, max_value=2**40).map(lambda value: Static(type=Type.INT, value=value)),
    st.text("xyz 1", max_size=5).map(lambda value: Static(type=Type.STRING, value=value)),
    st.integers(min_value=1, max_value=10**12).map(lambda value: Static(type=Type.DURATION, value=value)),
)
COMPARISONS = st.builds(
    lambda op, left, right: Binary(op=op, left=left, right=right),
    st.sampled_from(["=", "!=", "<", ">="]),
    ATTRIBUTES,
    LITERALS,
)
CONDITIONS = st.recursive(
    COMPARISONS,
    lambda inner: st.one_of(
        st.builds(lambda op, a, b: Binary(op=op, left=a, right=b), st.sampled_from(["&&", "||"]), inner, inner),
        st.builds(lambda a: Unary(op="!", operand=a), inner),
    ),
    max_leaves=8,
)


@settings(deadline=None)
@given(CONDITIONS)
def test_what_is_printed_parses_to_the_same(field: Field) -> None:
    """
    Printing a condition and parsing it gives the condition back.
    """
    assert condition(str(field)) == field


def test_intrinsics_have_one_canonical_name() -> None:
    """
    `trace:rootService` and `rootServiceName` are one field.
    """
    names = [
        field.name for text in ("trace:rootService", "rootServiceName") if isinstance(field := left(text), Intrinsic)
    ]

    assert names == ["rootServiceName"] * 2


def left(text: str) -> Field:
    """
    The left side of a comparison of a field with nil.
    """
    found = condition(f"{text} != nil")
    assert isinstance(found, Binary)
    return found.left
