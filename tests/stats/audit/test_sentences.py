"""A sentence from anybody neither stalls nor fills the memory."""

import resource

import pytest

from osteolib.stats.audit.sentences import FILTERS, MOST_SAID, MOST_WRITTEN, SANDBOX, say

COMPUTED = {"x": 0.5, "k": 7, "names": ["a", "b"], "rows": {"a": {"v": 1.5}, "b": {"v": -2}}, "word": "w"}


@pytest.mark.parametrize(
    ("sentence", "said"),
    [
        ("{{ k }} of {{ x | percent }}", "7 of 50.0 %"),
        ("{{ '%.2f' % (100 * x) }} and {{ '%+d' % (k - 9) }} %%", "50.00 and -2 %%"),
        ("{{ names }}; {{ names | length }}; {{ names | join(' + ') }}", "a, b; 2; a + b"),
        ("{{ rows.values() | map(attribute='v') | max }} {{ rows['a'].v | round(1) }}", "1.5 1.5"),
        ("{{ 'yes' if x > 0.4 and k != 3 else 'no' }} {{ 1234567 | thousands }} {{ -x }}", "yes 1,234,567 -0.5"),
        ("", "x 0.5; k 7; names a, b; word w"),
    ],
)
def test_a_sentence_names_calculates_and_formats(sentence, said):
    assert say(sentence, COMPUTED, {}) == said


HOSTILE = [
    "{{ 'a' * 400000000 }}", "{{ word * 400000000 }}", "{{ k * 400000000 * word }}", "{{ names * 400000000 }}",
    "{{ [1] * 99999999 }}", "{{ (1, 2) * 9999999 }}", "{{ lipsum(n=20000) }}", "{{ lipsum }}", "{{ range(99999) }}",
    "{{ cycler('a') }}", "{{ joiner() }}", "{{ dict(a=1) }}", "{{ namespace() }}", "{{ '%999999999d' % 1 }}",
    "{{ '%0400000000d' % k }}", "{{ '%-99999999s' % word }}", "{{ '%.99999999f' % x }}", "{{ '%*d' % (99999999, 1) }}",
    "{{ '%(a)999999999d' % {'a': 1} }}", "{{ '{:>300000000}'.format(1) }}", "{{ word.ljust(400000000) }}",
    "{{ word.zfill(400000000) }}", "{{ word.center(400000000) }}", "{{ 'a' | center(400000000) }}",
    "{{ 'a' | indent(400000000) }}", "{{ 'a' | format(1) }}", "{{ '%999999999d' | format(1) }}",
    "{{ names | map('center', 400000000) | list }}", "{{ 1 | round(99999999, 'ceil') }}", "{{ 9 ** 9 ** 9 }}",
    "{{ [k] | batch(400000000, 'x') | list }}", "{{ names | slice(40000000) | list }}", "{{ 'a' | replace('', word) }}",
    "{{ word | wordwrap(1) }}", "{{ 'a' | pprint }}", "{% set a = word %}{{ a ~ a }}", "{{ word ~ word }}",
    "{% for i in names %}{{ i }}{% endfor %}", "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}", "{{ '<' | escape }}",
    "{% filter upper %}a{% endfilter %}", "{% include 'x' %}", "{% import 'x' as y %}", "{{ word.__class__ }}",
    "{{ ''.join(names) }}", "{{ rows.items() }}", "{{ rows.values(1) }}", "{{ k // 0 }}", "{{ 1e300 }}",
    "{{ 99999999999999999999 * k }}", "{{ word + word }}", "{{ 'x' * k }}", "{{ namse }}", "{{ -(" * 900, "{{ k",
    "{{ {'a': 1} }}", "{{ caller() }}", "{{ rows.values.__func__ }}", "{{ x is divisibleby(0) }}",
    "{{ x / 0 }}", "{{ '%d' % word }}", "{{ names | sum }}", "{{ ('a' | list) * 9999999 }}",
]  # fmt: skip


@pytest.mark.parametrize("sentence", HOSTILE)
def test_a_hostile_sentence_is_refused_and_without_memory(sentence):
    """Peak memory of this process stays where it was: 400 million letters would be 400 MB."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises((ValueError, TypeError, ArithmeticError)):  # what an audit tells with file and line
        say(sentence, COMPUTED, {})
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50_000  # kB


def test_length_is_bounded_before_and_after():
    with pytest.raises(ValueError, match=f"at most {MOST_WRITTEN:,}: write less"):
        say("x" * (MOST_WRITTEN + 1), {}, {})
    with pytest.raises(ValueError, match=f"at most {MOST_SAID:,}: quote less"):
        say("{{ many }}" * 3, {"many": list(range(MOST_SAID // 8))}, {})
    for many in (" * ".join(["999999999999999"] * 300), "(" * 2500 + "k" + ")" * 2500, "-" * 5000 + "k"):
        with pytest.raises(ValueError, match="cannot fill in the sentence"):
            say(f"{{{{ {many} }}}}", COMPUTED, {})


def test_nothing_but_the_named_filters_is_known():
    assert set(SANDBOX.filters) == {*FILTERS, "percent", "round", "thousands"} and not SANDBOX.globals
