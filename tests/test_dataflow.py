"""What expressions are found to be: small programs that say so themselves.

``show(x)  # is 'a' or 'b'`` claims that ``x`` can be these two and nothing else, ``# may be 'a'`` that this is among
what it can be, and ``# is not 'a'`` that it is not. ``{}`` in a text is a piece that is not known, ``?`` a value that
is not known, ``'key'?`` an entry that is there on some paths only, ``...`` further entries that are not known, and
``a | b`` the values of an entry. ``show(a, b)`` claims which values go together.
"""

from __future__ import annotations

import itertools
import re
import textwrap
import time

import libcst as cst
import pytest

from claude_api_lint.dataflow.evaluator import MAX_ALTERNATIVES, QUESTION_BUDGET, Evaluator
from claude_api_lint.dataflow.module import Module
from claude_api_lint.dataflow.resolver import OneFile, Resolver
from claude_api_lint.dataflow.trees import dotted, walk
from claude_api_lint.dataflow.values import (
    HOLE,
    Alternatives,
    Assumptions,
    Class,
    Const,
    Derived,
    External,
    Function,
    Generator,
    How,
    Instance,
    Made,
    Mapping,
    Namespace,
    Part,
    Sequence,
    Text,
    Thunk,
    Unbound,
    Unknown,
    Value,
    compatible,
    glued_to,
    has_origin,
    piece_of,
)
from claude_api_lint.parsing import with_big_stack
from claude_api_lint.source import Source

CLAIM = re.compile(r"# (?P<kind>is not|is|may be) (?P<claim>.*)$")


class Shown:
    """What a program shows, line by line."""

    def __init__(self, program: str, resolver: Resolver | None = None, budget: int | None = None) -> None:
        self.module = Module(Source(textwrap.dedent(program)), "program.py")
        self.evaluator = Evaluator(resolver) if budget is None else Evaluator(resolver, budget)
        self.lines: dict[int, set[str]] = with_big_stack(self._lines)

    def _lines(self) -> dict[int, set[str]]:
        lines: dict[int, set[str]] = {}
        for statement in self.module.statements:
            for node in walk(self.module.tree(statement)):
                if isinstance(node, cst.Call) and isinstance(node.func, cst.Name) and node.func.value == "show":
                    lines[self.module.line(node)] = self._together(node)
        return lines

    def _together(self, call: cst.Call) -> set[str]:
        """The rendered combinations of the arguments' values that fit together."""
        frame = self.evaluator.frame_of(self.module, call)
        choices = [self.evaluator.evaluate(argument.value, frame) for argument in call.args]
        shown: set[str] = set()
        for combination in itertools.product(*choices):
            if _fit([alternative.when for alternative in combination]):
                shown.add(", ".join(self.rendered(alternative.value) for alternative in combination))
        return shown

    def rendered(self, value: Value, depth: int = 0) -> str:
        if depth > 6:
            return "(deeper)"
        if isinstance(value, Const):
            return repr(value.value)
        if isinstance(value, Text):
            return repr(value.pattern.replace(HOLE, "{}"))
        if isinstance(value, Mapping):
            entries = [
                f"{entry.key!r}{'' if entry.certain else '?'}: {self._rendered_item(entry.value, depth)}"
                for entry in value.entries
            ]
            return "{" + ", ".join([*entries, *(["..."] if value.open else [])]) + "}"
        if isinstance(value, Sequence):
            items = [self._rendered_item(item, depth) for item in value.items]
            return "[" + ", ".join([*items, *(["..."] if value.open else [])]) + "]"
        if isinstance(value, Function):
            return f"def {value.node.name.value}" if isinstance(value.node, cst.FunctionDef) else "lambda"
        if isinstance(value, Class):
            return f"class {value.node.name.value}"
        if isinstance(value, Instance):
            return f"{value.cls.node.name.value}()"
        if isinstance(value, External):
            return value.name
        if isinstance(value, Made):
            return f"{value.name}()"
        if isinstance(value, Part):
            return f"{self.rendered(value.whole, depth)}.{'.'.join(value.path)}"
        return "unbound" if isinstance(value, Unbound) else "?"

    def _rendered_item(self, item: Thunk | Value, depth: int) -> str:
        alternatives: Alternatives = self.evaluator.force(item)
        return " | ".join(sorted({self.rendered(alternative.value, depth + 1) for alternative in alternatives}))


def _fit(assumptions: list[Assumptions]) -> bool:
    return all(compatible(one, other) for one, other in itertools.combinations(assumptions, 2))


def shown(expression: str, before: str = "") -> set[str]:
    """What one expression can be, after some statements."""
    program = f"{textwrap.dedent(before)}\nshow({expression})\n"
    (values,) = Shown(program).lines.values()
    return values


Claims = dict[int, tuple[str, set[str]]]


def claims(program: str) -> Claims:
    """What a program claims about the arguments of its ``show`` calls, line by line."""
    lines = textwrap.dedent(program).splitlines()
    found = {number: CLAIM.search(line) for number, line in enumerate(lines, start=1)}
    return {number: (match["kind"], set(match["claim"].split(" or "))) for number, match in found.items() if match}


def agrees(values: set[str], kind: str, claimed: set[str]) -> bool:
    if kind == "is":
        return values == claimed
    return claimed <= values if kind == "may be" else not claimed & values


EXPRESSIONS = {
    # Literals and constants
    "a string is itself": ("'text'", "'text'"),
    "a raw string keeps its backslashes": (r"r'a\d'", r"'a\\d'"),
    "escapes are read as Python reads them": (r"'\x61\u0062'", "'ab'"),
    "a bytes literal is bytes": ("b'text'", "b'text'"),
    "a number is itself": ("42", "42"),
    "a float is itself": ("1.5", "1.5"),
    "None is a constant": ("None", "None"),
    "True is a constant": ("True", "True"),
    "parentheses mean nothing": ("(('text'))", "'text'"),
    "adjacent strings are one": ("'a' 'b' \"c\"", "'abc'"),
    "adjacent strings may have holes": ("'a' f'{x}' 'b'", "'a{}b'"),
    "a string in triple quotes is a string": ("'''a'''", "'a'"),
    # Texts
    "an f-string without fields is a constant": ("f'text'", "'text'"),
    "an f-string takes in constants": ("f'{1}-{\"a\"}'", "'1-a'"),
    "an f-string keeps holes for what is not known": ("f'https://{host}/v1'", "'https://{}/v1'"),
    "an f-string turns doubled braces into single ones": ("f'{{a}}{1}'", "'{a}1'"),
    "an f-string with a format is a hole": ("f'{1:03d}'", "'{}'"),
    "an f-string with !r is a hole": ("f'{\"a\"!r}'", "'{}'"),
    "an f-string with !s is plain": ("f'{\"a\"!s}'", "'a'"),
    "two holes beside each other are one": ("f'{a}{b}'", "'{}'"),
    "+ glues texts": ("'a' + 'b' + 'c'", "'abc'"),
    "+ keeps a hole on the left": ("base + '/v1'", "'{}/v1'"),
    "+ keeps a hole on the right": ("'https://' + host", "'https://{}'"),
    "% fills in one value": ("'%s/v1' % 'a'", "'a/v1'"),
    "% fills in a tuple": ("'%s/%s' % ('a', 'b')", "'a/b'"),
    "% fills in by name": ("'%(x)s/%(y)s' % {'x': 'a', 'y': 'b'}", "'a/b'"),
    "% leaves a hole for what is not known": ("'%s/%s' % ('a', b)", "'a/{}'"),
    "% knows the doubled sign": ("'%s%%' % 'a'", "'a%'"),
    "format fills in by position": ("'{}/{}'.format('a', 'b')", "'a/b'"),
    "format fills in by number": ("'{1}/{0}'.format('a', 'b')", "'b/a'"),
    "format fills in by name": ("'{x}/{y}'.format(x='a', y='b')", "'a/b'"),
    "format fills in from a mapping": ("'{x}'.format(**{'x': 'a'})", "'a'"),
    "format leaves a hole for what is not known": ("'{}/{}'.format('a', b)", "'a/{}'"),
    "format knows doubled braces": ("'{{}}{}'.format('a')", "'{}a'"),
    "join glues a list": ("'/'.join(['a', 'b'])", "'a/b'"),
    "join glues a tuple": ("'/'.join(('a', b))", "'a/{}'"),
    "join of something unknown is unknown": ("'/'.join(parts)", "?"),
    "strip and its kin are computed": ("' a/ '.strip().rstrip('/')", "'a'"),
    "replace is computed": ("'http://a'.replace('http', 'https')", "'https://a'"),
    "removesuffix is computed": ("'https://a/v1'.removesuffix('/v1')", "'https://a'"),
    "lower is computed": ("'ABC'.lower()", "'abc'"),
    "encode leaves the text": ("'abc'.encode()", "'abc'"),
    "str of a constant is a text": ("str(1)", "'1'"),
    "an unknown method of a text is unknown": ("'a'.frobnicate()", "?"),
    # Collections
    "a dict literal is a closed mapping": ("{'a': 1, 'b': 2}", "{'a': 1, 'b': 2}"),
    "a dict literal with an unknown key is open": ("{'a': 1, key: 2}", "{'a': 1, ...}"),
    "the later of two equal keys counts": ("{'a': 1, 'a': 2}", "{'a': 2}"),
    "a spread of a known mapping stays closed": ("{**{'a': 1}, 'b': 2}", "{'a': 1, 'b': 2}"),
    "a spread of something unknown opens": ("{**extra, 'b': 2}", "{'b': 2, ...}"),
    "what follows a spread wins": ("{**{'a': 1}, 'a': 2}", "{'a': 2}"),
    "what is spread later wins": ("{'a': 1, **{'a': 2}}", "{'a': 2}"),
    "dict() takes keywords": ("dict(a=1, b=2)", "{'a': 1, 'b': 2}"),
    "dict() copies a mapping": ("dict({'a': 1}, b=2)", "{'a': 1, 'b': 2}"),
    "dict() takes pairs": ("dict([('a', 1), ('b', 2)])", "{'a': 1, 'b': 2}"),
    "dict() spreads a mapping": ("dict(**{'a': 1}, b=2)", "{'a': 1, 'b': 2}"),
    "dict() of something unknown is open": ("dict(other, a=1)", "{'a': 1, ...}"),
    "| merges mappings": ("{'a': 1} | {'b': 2}", "{'a': 1, 'b': 2}"),
    "| with something unknown on the right opens": ("{'a': 1} | other", "{'a': 1, ...}"),
    "| with something unknown on the left opens": ("other | {'a': 1}", "{'a': 1, ...}"),
    "a list is a sequence": ("['a', 'b']", "['a', 'b']"),
    "a tuple is a sequence": ("('a', 'b')", "['a', 'b']"),
    "+ glues sequences": ("['a'] + ['b']", "['a', 'b']"),
    "+ with something unknown opens a sequence": ("['a'] + rest", "['a', ...]"),
    "a star in a list spreads a known sequence": ("['a', *['b', 'c']]", "['a', 'b', 'c']"),
    "a star in a list opens for an unknown one": ("['a', *rest]", "['a', ...]"),
    "an item of a mapping": ("{'a': 1, 'b': 2}['b']", "2"),
    "an item of a sequence": ("['a', 'b'][1]", "'b'"),
    "an item from the end": ("['a', 'b'][-1]", "'b'"),
    "an item out of range is unknown": ("['a'][3]", "?"),
    "an item by an unknown key is any of them": ("{'a': 1, 'b': 2}[key]", "1 or 2"),
    "get gives the entry": ("{'a': 1}.get('a', 2)", "1"),
    "get gives the default where there is no entry": ("{'a': 1}.get('b', 2)", "2"),
    "get without a default gives None": ("{'a': 1}.get('b')", "None"),
    "copy is the same": ("{'a': 1}.copy()", "{'a': 1}"),
    "copy.deepcopy is not followed without the import": ("copy.deepcopy({'a': 1})", "?"),
    # Choices
    "or gives what is true on the left": ("'a' or 'b'", "'a'"),
    "or gives the right where the left is false": ("None or 'b'", "'b'"),
    "or gives both where the left is not known": ("x or 'b'", "? or 'b'"),
    "or drops an empty text": ("'' or 'b'", "'b'"),
    "and gives the right": ("x and 'b'", "'b'"),
    "a conditional expression gives both": ("'a' if x else 'b'", "'a' or 'b'"),
    "a conditional expression on a constant gives one": ("'a' if True else 'b'", "'a'"),
    "a conditional expression keeps what it decides": ("('a', 1) if x else ('b', 2)", "['a', 1] or ['b', 2]"),
    "a walrus is its value": ("(y := 'a')", "'a'"),
    "await is what is awaited": ("await 'a'", "'a'"),
    # The unknown
    "an unbound name is unknown": ("undefined_somewhere", "builtins.undefined_somewhere"),
    "arithmetic is not followed": ("1 * 2", "?"),
    "a list comprehension is not followed": ("[x for x in y]", "?"),
    "a comparison is not followed": ("1 < 2", "?"),
}
"""Sentence -> (expression, what it is)."""

UNKNOWN = ("x", "y", "a", "b", "host", "base", "parts", "key", "extra", "other", "rest", "copy")
UNKNOWN_NAMES = "def anything(*args): ...\n" + "".join(f"{name} = anything()[0]\n" for name in UNKNOWN)


@pytest.mark.parametrize("sentence", EXPRESSIONS)
def test_an_expression(sentence: str) -> None:
    expression, claim = EXPRESSIONS[sentence]
    names = "" if "undefined" in expression else UNKNOWN_NAMES
    assert shown(expression, names) == set(claim.split(" or "))


PROGRAMS = {
    # Names
    "a name is what was assigned to it": """
        x = 'a'
        show(x)  # is 'a'
    """,
    "the last assignment counts": """
        x = 'a'
        x = 'b'
        show(x)  # is 'b'
    """,
    "a later assignment does not count yet": """
        x = 'a'
        show(x)  # is 'a'
        x = 'b'
    """,
    "a function sees a module's name as it is in the end": """
        def f():
            show(x)  # is 'b'
        x = 'a'
        x = 'b'
    """,
    "a chain of assignments binds every name": """
        x = y = 'a'
        show(x, y)  # is 'a', 'a'
    """,
    "an annotated assignment binds": """
        x: str = 'a'
        show(x)  # is 'a'
    """,
    "a tuple is unpacked": """
        x, (y, z) = 'a', ('b', 'c')
        show(x, y, z)  # is 'a', 'b', 'c'
    """,
    "names can be swapped": """
        x, y = 'a', 'b'
        x, y = y, x
        show(x, y)  # is 'b', 'a'
    """,
    "+= adds to a text": """
        x = 'a'
        x += 'b'
        show(x)  # is 'ab'
    """,
    "a text is built up step by step": """
        url = 'https://host'
        url = url + '/v1'
        url = f'{url}/messages'
        show(url)  # is 'https://host/v1/messages'
    """,
    "a local name hides the module's": """
        x = 'a'
        def f():
            x = 'b'
            show(x)  # is 'b'
    """,
    "a deleted name shows the builtin's": """
        id = 'a'
        del id
        show(id)  # is builtins.id
    """,
    "an import binds the name of the distribution": """
        import httpx
        show(httpx.post)  # is httpx.post
    """,
    "an import may have another name": """
        import httpx as h
        from requests import Session as S, get
        show(h.post, S, get)  # is httpx.post, requests.Session, requests.get
    """,
    "an import of a submodule binds the root": """
        import urllib.request
        show(urllib.request.urlopen)  # is urllib.request.urlopen
    """,
    "an import in a try has two sources": """
        try:
            import orjson as json
        except ImportError:
            import json
        show(json.dumps)  # is orjson.dumps or json.dumps
    """,
    "a relative import tells that it is the project's own": """
        from . import config
        from ..settings import URL
        show(config, URL)  # is .config, ..settings.URL
    """,
    # The environment
    "getenv gives its default or anything": """
        import os
        show(os.getenv('URL', 'a'))  # is 'a' or ?
    """,
    "environ.get gives its default or anything": """
        import os
        show(os.environ.get('URL', 'a'))  # is 'a' or ?
    """,
    "getenv without a default is unknown": """
        import os
        show(os.getenv('URL'))  # is ?
    """,
    "environ by key is unknown": """
        import os
        show(os.environ['URL'])  # is ?
    """,
    "getenv or a default gives the default or anything": """
        import os
        show(os.getenv('URL') or 'a')  # is 'a' or ?
    """,
    "a default of the environment goes into texts": """
        import os
        base = os.environ.get('BASE', 'https://a')
        show(f'{base}/v1')  # is 'https://a/v1' or '{}/v1'
    """,
    # The standard library
    "urljoin joins": """
        from urllib.parse import urljoin
        show(urljoin('https://a/v1/', 'messages'))  # is 'https://a/v1/messages'
        show(urljoin('https://a/v1/', '/v2'))  # is 'https://a/v2'
    """,
    "urljoin to an unknown base keeps the path": """
        from urllib.parse import urljoin
        def f(base):
            show(urljoin(base, '/v1/messages'))  # is '{}/v1/messages'
    """,
    "cast gives its second argument": """
        from typing import cast
        show(cast(str, 'a'))  # is 'a'
    """,
    "deepcopy is the same": """
        import copy
        show(copy.deepcopy({'a': 1}))  # is {'a': 1}
    """,
    "a deep copy is changed by itself": """
        import copy
        x = {'a': 1}
        y = copy.deepcopy(x)
        y['b'] = 2
        show(x)  # is {'a': 1}
        show(y)  # is {'a': 1, 'b': 2}
    """,
    "shlex splits a command": """
        import shlex
        show(shlex.split('curl -H "a: b" url'))  # is ['curl', '-H', 'a: b', 'url']
    """,
    "getattr with a constant name": """
        class C:
            x = 'a'
        show(getattr(C, 'x'))  # is 'a'
        show(getattr(C(), 'x'))  # is 'a'
    """,
    # Parameters
    "a parameter nobody passes is unknown": """
        def f(x):
            show(x)  # is ?
    """,
    "a parameter with a default is that, or anything": """
        def f(x='a'):
            show(x)  # is 'a' or ?
    """,
    "a private function is called here only": """
        def _f(x):
            show(x)  # is 'a' or 'b'
        _f('a')
        _f(x='b')
    """,
    "a public function may be called elsewhere, too": """
        def f(x):
            show(x)  # is 'a' or ?
        f('a')
    """,
    "a private function's default counts where it is not passed": """
        def _f(x='a'):
            show(x)  # is 'a'
        _f()
    """,
    "arguments of one call stay together": """
        def _f(x, y):
            show(x, y)  # is 'a', 1 or 'b', 2
        _f('a', 1)
        _f('b', 2)
    """,
    "a parameter is passed on through functions": """
        def _inner(x):
            show(x)  # is 'a'
        def _outer(y):
            _inner(y)
        _outer('a')
    """,
    "a keyword-only parameter is found by its name": """
        def _f(*, x):
            show(x)  # is 'a'
        _f(x='a')
    """,
    "further positional arguments are a sequence": """
        def _f(x, *rest):
            show(rest)  # is ['b', 'c']
        _f('a', 'b', 'c')
    """,
    "further keyword arguments are a mapping": """
        def _f(x, **rest):
            show(rest)  # is {'b': 1}
        _f('a', b=1)
    """,
    "a mapping that is spread fills the parameters": """
        def _f(x, y):
            show(x, y)  # is 'a', 'b'
        arguments = {'x': 'a', 'y': 'b'}
        _f(**arguments)
    """,
    "a sequence that is spread fills the parameters": """
        def _f(x, y):
            show(x, y)  # is 'a', 'b'
        arguments = ['a', 'b']
        _f(*arguments)
    """,
    "a parameter that is assigned anew is the new value": """
        def _f(x=None):
            x = x or 'b'
            show(x)  # is 'b'
        _f()
    """,
    "a parameter that is None gets its value in an if": """
        def _f(x=None):
            if x is None:
                x = 'b'
            show(x)  # is 'b' or 'a'
        _f()
        _f('a')
    """,
    # Functions
    "a call is what the function returns": """
        def f():
            return 'a'
        show(f())  # is 'a'
    """,
    "a function may return several things": """
        def f(x):
            if x:
                return 'a'
            return 'b'
        import sys
        show(f(sys.argv))  # is 'a' or 'b'
    """,
    "what a call passes decides what comes back": """
        def f(x):
            return x + '/v1'
        show(f('a'))  # is 'a/v1'
        show(f('b'))  # is 'b/v1'
    """,
    "a condition on what a call passes is decided": """
        def f(x):
            if x:
                return 'a'
            return 'b'
        show(f(True))  # is 'a'
        show(f(False))  # is 'b'
    """,
    "a helper returns a dict": """
        def headers(key):
            return {'x-api-key': key, 'accept': '*/*'}
        show(headers('k'))  # is {'x-api-key': 'k', 'accept': '*/*'}
    """,
    "a helper returns a tuple": """
        def request():
            return 'url', {'a': 1}, None
        url, headers, body = request()
        show(url, headers, body)  # is 'url', {'a': 1}, None
    """,
    "a helper's tuples stay together": """
        def request(x):
            if x:
                return 'url1', 'key1'
            return 'url2', 'key2'
        import sys
        url, key = request(sys.argv)
        show(url, key)  # is 'url1', 'key1' or 'url2', 'key2'
    """,
    "a helper builds a dict in steps": """
        def headers():
            result = {}
            result['a'] = 1
            result.update(b=2)
            return result
        show(headers())  # is {'a': 1, 'b': 2}
    """,
    "an async helper is followed": """
        async def helper():
            return 'a'
        async def f():
            show(await helper())  # is 'a'
    """,
    "a lambda is followed": """
        f = lambda x: x + '/v1'
        show(f('a'))  # is 'a/v1'
    """,
    "a partial is a call with some arguments": """
        import functools
        def f(x, y):
            return f'{x}/{y}'
        g = functools.partial(f, 'a')
        show(g('b'))  # is 'a/b'
    """,
    "a generator is unknown": """
        def f():
            yield 'a'
        show(f())  # is ?
    """,
    "a closure sees the names around it": """
        def outer():
            x = 'a'
            def inner():
                show(x)  # is 'a'
            inner()
    """,
    "a closure sees the parameters of the call that made it": """
        def make(x):
            def inner():
                return x
            return inner
        show(make('a')())  # is 'a'
        show(make('b')())  # is 'b'
    """,
    "a nonlocal name is changed from inside": """
        def outer():
            x = None
            def inner():
                nonlocal x
                x = 'a'
            inner()
            show(x)  # may be 'a'
    """,
    "a function that is passed as a value is followed": """
        def _apply(f, x):
            return f(x)
        def double(x):
            return x + x
        show(_apply(double, 'a'))  # is 'aa'
    """,
    "a function that changes its argument is followed": """
        def add(headers):
            headers['b'] = 2
        x = {'a': 1}
        add(x)
        show(x)  # is {'a': 1, 'b': 2}
    """,
    "a function that only reads its argument leaves it": """
        def read(headers):
            return headers['a']
        x = {'a': 1}
        read(x)
        show(x)  # is {'a': 1}
    """,
    "an unknown function may change its argument": """
        import helpers
        x = {'a': 1}
        helpers.complete(x)
        show(x)  # is {'a': 1, ...}
    """,
    "a logger does not change its argument": """
        import logging
        x = {'a': 1}
        logging.getLogger('a').info('%s', x)
        print(x)
        show(x)  # is {'a': 1}
    """,
    # Recursion
    "a function that calls itself ends in unknown": """
        def f(x):
            return f(x)
        show(f('a'))  # is ?
    """,
    "a recursion with an end is what its end gives": """
        def f(x):
            if x:
                return 'a'
            return f(x)
        import sys
        show(f(sys.argv))  # is 'a'
    """,
    "functions that call each other end in unknown": """
        def f():
            return g()
        def g():
            return f()
        show(f())  # is ?
    """,
    "a name that depends on itself ends in unknown": """
        def f():
            global x, y
            x = y
            y = x
            show(f'{x}')  # is '{}'
    """,
    # Mutation in order
    "an item is assigned": """
        x = {'a': 1}
        x['b'] = 2
        show(x)  # is {'a': 1, 'b': 2}
    """,
    "an item is assigned anew": """
        x = {'a': 1}
        x['a'] = 2
        show(x)  # is {'a': 2}
    """,
    "an item that is assigned later is not there yet": """
        x = {'a': 1}
        show(x)  # is {'a': 1}
        x['b'] = 2
    """,
    "an item by an unknown key opens": """
        x = {'a': 1}
        x[unknown()] = 2
        show(x)  # is {'a': 1, ...}
    """,
    "an item by a constant's name": """
        KEY = 'b'
        x = {'a': 1}
        x[KEY] = 2
        show(x)  # is {'a': 1, 'b': 2}
    """,
    "update takes a mapping": """
        x = {'a': 1}
        x.update({'a': 2, 'b': 3})
        show(x)  # is {'a': 2, 'b': 3}
    """,
    "update takes keywords": """
        x = {'a': 1}
        x.update(b=2)
        show(x)  # is {'a': 1, 'b': 2}
    """,
    "update takes pairs": """
        x = {'a': 1}
        x.update([('b', 2)])
        show(x)  # is {'a': 1, 'b': 2}
    """,
    "update with something unknown opens": """
        x = {'a': 1}
        x.update(unknown())
        show(x)  # is {'a': 1, ...}
    """,
    "|= merges": """
        x = {'a': 1}
        x |= {'b': 2}
        show(x)  # is {'a': 1, 'b': 2}
    """,
    "a spread copies as it is then": """
        x = {'a': 1}
        y = {**x, 'b': 2}
        x['c'] = 3
        show(y)  # is {'a': 1, 'b': 2}
    """,
    "a copy is changed by itself": """
        x = {'a': 1}
        y = x.copy()
        y['b'] = 2
        show(x)  # is {'a': 1}
        show(y)  # is {'a': 1, 'b': 2}
    """,
    "dict() makes a copy": """
        x = {'a': 1}
        y = dict(x)
        y['b'] = 2
        show(x)  # is {'a': 1}
        show(y)  # is {'a': 1, 'b': 2}
    """,
    "two names of one dict see each other's changes": """
        x = {'a': 1}
        y = x
        y['b'] = 2
        show(x)  # is not {'a': 1}
    """,
    "a second name does not lose what the first one gets": """
        x = {'a': 1}
        y = x
        x['b'] = 2
        show(y)  # is not {'a': 1}
    """,
    "setdefault adds what is not there": """
        x = {'a': 1}
        x.setdefault('a', 2)
        x.setdefault('b', 3)
        show(x)  # is {'a': 1, 'b': 3}
    """,
    "pop takes away": """
        x = {'a': 1, 'b': 2}
        x.pop('a')
        show(x)  # is {'b': 2}
    """,
    "pop with a default takes away": """
        x = {'a': 1, 'b': 2}
        x.pop('a', None)
        show(x)  # is {'b': 2}
    """,
    "pop gives what it takes": """
        x = {'a': 1}
        show(x.pop('a'))  # is 1
    """,
    "del takes away": """
        x = {'a': 1, 'b': 2}
        del x['a']
        show(x)  # is {'b': 2}
    """,
    "clear takes all": """
        x = {'a': 1}
        x.clear()
        x['b'] = 2
        show(x)  # is {'b': 2}
    """,
    "an inner mapping is changed": """
        x = {'h': {'a': 1}}
        x['h']['b'] = 2
        show(x['h'])  # is {'a': 1, 'b': 2}
    """,
    "an inner mapping is updated": """
        x = {'h': {'a': 1}}
        x['h'].update(b=2)
        show(x['h'])  # is {'a': 1, 'b': 2}
    """,
    "append and extend add to a list": """
        x = ['a']
        x.append('b')
        x.extend(['c', 'd'])
        show(x)  # is ['a', 'b', 'c', 'd']
    """,
    "+= adds to a list": """
        x = ['a']
        x += ['b']
        show(x)  # is ['a', 'b']
    """,
    "an item of a list is replaced": """
        x = ['a', 'b']
        x[0] = 'c'
        show(x[0])  # is not 'a'
        show(x[1])  # may be 'b'
    """,
    "a comprehension over items keeps what is known": """
        x = {'a': 1, 'b': 2}
        y = {k: v for k, v in x.items() if v}
        show(y)  # is {'a': 1, 'b': 2}
    """,
    # Branches
    "an if without else gives both": """
        x = 'a'
        if unknown():
            x = 'b'
        show(x)  # is 'a' or 'b'
    """,
    "an if with else gives the arms": """
        x = 'a'
        if unknown():
            x = 'b'
        else:
            x = 'c'
        show(x)  # is 'b' or 'c'
    """,
    "an elif is an arm": """
        if unknown():
            x = 'a'
        elif unknown(2):
            x = 'b'
        else:
            x = 'c'
        show(x)  # is 'a' or 'b' or 'c'
    """,
    "what something external returns may be true or false": """
        import os
        flag = os.path.exists('file')
        if flag:
            x = 'a'
        else:
            x = 'b'
        show(x)  # is 'a' or 'b'
    """,
    "what something external returns to an or may be true or false": """
        import somewhere
        show(somewhere.find() or 'b')  # is somewhere.find() or 'b'
    """,
    "inside an arm there is only that arm": """
        if unknown():
            x = 'a'
            show(x)  # is 'a'
        else:
            x = 'b'
            show(x)  # is 'b'
    """,
    "an arm that returns does not count after it": """
        def f():
            x = 'a'
            if unknown():
                x = 'b'
                return
            show(x)  # is 'a'
    """,
    "an arm that raises does not count after it": """
        def f():
            x = 'a'
            if unknown():
                x = 'b'
                raise ValueError
            show(x)  # is 'a'
    """,
    "a header that one arm adds is there on some paths": """
        x = {'a': 1}
        if unknown():
            x['b'] = 2
        show(x)  # is {'a': 1} or {'a': 1, 'b': 2}
    """,
    "arms that set two names together stay together": """
        if unknown():
            url, key = 'u1', 'k1'
        else:
            url = 'u2'
            key = 'k2'
        show(url, key)  # is 'u1', 'k1' or 'u2', 'k2'
    """,
    "the same condition twice is decided once": """
        flag = unknown()
        if flag:
            url = 'u1'
        else:
            url = 'u2'
        if flag:
            key = 'k1'
        else:
            key = 'k2'
        show(url, key)  # is 'u1', 'k1' or 'u2', 'k2'
    """,
    "a condition that is false is not taken": """
        DEBUG = False
        x = 'a'
        if DEBUG:
            x = 'b'
        show(x)  # is 'a'
    """,
    "TYPE_CHECKING is no reason to lose what is bound": """
        from typing import TYPE_CHECKING
        x = 'a'
        if TYPE_CHECKING:
            from somewhere import y
        show(x)  # is 'a'
    """,
    "a comparison with a constant is decided by the arguments": """
        def f(provider):
            if provider == 'one':
                return 'a'
            elif provider == 'two':
                return 'b'
            return 'c'
        show(f('one'))  # is 'a'
        show(f('two'))  # is 'b'
        show(f('three'))  # is 'c'
    """,
    # Match
    "a match gives its cases": """
        match unknown():
            case 1:
                x = 'a'
            case 2:
                x = 'b'
            case _:
                x = 'c'
        show(x)  # is 'a' or 'b' or 'c'
    """,
    "a match without a default leaves what was": """
        x = 'a'
        match unknown():
            case 1:
                x = 'b'
        show(x)  # is 'a' or 'b'
    """,
    "a match on what a call passes is decided": """
        def f(provider):
            match provider:
                case 'one':
                    return 'a'
                case 'two' | 'three':
                    return 'b'
                case _:
                    return 'c'
        show(f('one'))  # is 'a'
        show(f('three'))  # is 'b'
        show(f('four'))  # is 'c'
    """,
    "a match keeps together what a case sets": """
        match unknown():
            case 1:
                url, key = 'u1', 'k1'
            case _:
                url, key = 'u2', 'k2'
        show(url, key)  # is 'u1', 'k1' or 'u2', 'k2'
    """,
    "what a pattern captures is unknown": """
        match unknown():
            case [x]:
                show(x)  # is ?
    """,
    # Loops
    "a loop over a list gives its elements": """
        for x in ['a', 'b']:
            show(x)  # is 'a' or 'b'
    """,
    "a loop over pairs keeps them together": """
        for url, key in [('u1', 'k1'), ('u2', 'k2')]:
            show(url, key)  # is 'u1', 'k1' or 'u2', 'k2'
    """,
    "a loop over a mapping's items": """
        for key, value in {'a': 1, 'b': 2}.items():
            show(key, value)  # is 'a', 1 or 'b', 2
    """,
    "a loop over something unknown is unknown": """
        for x in unknown():
            show(x)  # is ?
    """,
    "a loop may run or not": """
        x = 'a'
        for _ in unknown():
            x = 'b'
        show(x)  # is 'a' or 'b'
    """,
    "a while loop may run or not": """
        x = 'a'
        while unknown():
            x = 'b'
        show(x)  # is 'a' or 'b'
    """,
    "an earlier round of a loop is seen": """
        x = 'a'
        while unknown():
            show(x)  # is 'a' or 'b'
            x = 'b'
    """,
    "a break keeps what was set before it": """
        x = 'a'
        for _ in unknown():
            x = 'b'
            break
        show(x)  # is 'a' or 'b'
    """,
    "a text that grows in a loop ends": """
        x = 'a'
        while unknown():
            x += 'b'
        show(x.startswith('a'))  # is ?
    """,
    "a mapping that a loop fills has what it may have got": """
        x = {'a': 1}
        for key in ['b', 'c']:
            x[key] = 2
        show('a' in x)  # is ?
    """,
    "a comprehension's name is its own": """
        x = 'a'
        y = [x for x in ['b']]
        show(x)  # is 'a'
    """,
    "a comprehension's element is what it goes through": """
        [show(x) for x in ['a', 'b']]  # is 'a' or 'b'
    """,
    # try
    "a try gives its body and its handlers": """
        try:
            x = 'a'
        except ValueError:
            x = 'b'
        show(x)  # is 'a' or 'b'
    """,
    "a handler that raises does not count": """
        def f():
            try:
                x = 'a'
            except ValueError:
                x = 'b'
                raise
            show(x)  # is 'a'
    """,
    "an else of a try follows its body": """
        try:
            x = 'a'
        except ValueError:
            x = 'b'
        else:
            x += 'c'
        show(x)  # is 'ac' or 'b'
    """,
    "a finally has the last word": """
        try:
            x = 'a'
        except ValueError:
            x = 'b'
        finally:
            x = 'c'
        show(x)  # is 'c'
    """,
    "a finally that does not touch the name leaves it": """
        try:
            x = 'a'
        finally:
            y = 'c'
        show(x)  # is 'a'
    """,
    "in a handler both the body's and the former value are possible": """
        x = 'a'
        try:
            x = 'b'
        except ValueError:
            show(x)  # is 'a' or 'b'
    """,
    # Walrus
    "a walrus binds for what follows": """
        if (x := 'a'):
            show(x)  # is 'a'
    """,
    "a walrus in a function's argument binds": """
        print(x := 'a')
        show(x)  # is 'a'
    """,
    "a walrus binds in a while": """
        while (x := 'a'):
            show(x)  # is 'a'
    """,
    # with
    "with gives an external manager itself": """
        import httpx
        with httpx.Client() as client:
            show(client)  # is httpx.Client()
    """,
    "with gives what __enter__ returns": """
        class C:
            def __enter__(self):
                return 'a'
            def __exit__(self, *args):
                pass
        with C() as x:
            show(x)  # is 'a'
    """,
    "async with gives what __aenter__ returns": """
        class C:
            async def __aenter__(self):
                return self
            async def __aexit__(self, *args):
                pass
        async def f():
            async with C() as x:
                show(x)  # is C()
    """,
    "with gives what a context manager function yields": """
        from contextlib import contextmanager
        @contextmanager
        def manager():
            yield 'a'
        with manager() as x:
            show(x)  # is 'a'
    """,
    "with closing gives what is closed": """
        from contextlib import closing
        with closing('a') as x:
            show(x)  # is 'a'
    """,
    "a later item of a with sees the earlier ones": """
        import contextlib
        with contextlib.nullcontext('a') as x, contextlib.nullcontext(x + 'b') as y:
            show(y)  # is 'ab'
    """,
    "what a with body sets stays": """
        x = 'a'
        with open('file') as f:
            x = 'b'
        show(x)  # is 'b'
    """,
    # Globals
    "a global that a function assigns is either": """
        x = 'a'
        def setup():
            global x
            x = 'b'
        def f():
            show(x)  # is 'a' or 'b'
    """,
    "a placeholder that a function replaces is not counted": """
        x = None
        def setup():
            global x
            x = 'b'
        def f():
            show(x)  # is 'b'
    """,
    "a global mapping that a function adds to may have the entry": """
        x = {'a': 1}
        def setup():
            x['b'] = 2
        def f():
            show(x)  # is {'a': 1, 'b'?: 2}
    """,
    "a global mapping that a function updates may have the entry": """
        x = {'a': 1}
        def setup():
            x.update({'b': 2})
        def f():
            show(x)  # is {'a': 1, 'b'?: 2}
    """,
    # Classes
    "a class attribute is seen through the class and the object": """
        class C:
            x = 'a'
        show(C.x, C().x)  # is 'a', 'a'
    """,
    "a class attribute may use an earlier one": """
        class C:
            base = 'a'
            url = base + '/v1'
        show(C.url)  # is 'a/v1'
    """,
    "a class attribute is inherited": """
        class A:
            x = 'a'
        class B(A):
            pass
        show(B.x, B().x)  # is 'a', 'a'
    """,
    "a subclass has its own class attribute": """
        class A:
            x = 'a'
        class B(A):
            x = 'b'
        show(B.x, B().x)  # is 'b', 'b'
    """,
    "self may be any subclass": """
        class A:
            x = 'a'
            def f(self):
                show(self.x)  # is 'a' or 'b'
        class B(A):
            x = 'b'
    """,
    "attributes of one subclass stay together": """
        class A:
            def f(self):
                show(self.x, self.y)  # is 1, 2 or 3, 4 or ?, ?
        class B(A):
            x, y = 1, 2
        class C(A):
            x, y = 3, 4
    """,
    "self.x is what __init__ assigns": """
        class C:
            def __init__(self):
                self.x = 'a'
            def f(self):
                show(self.x)  # is 'a'
    """,
    "self.x is what the constructor was given": """
        class C:
            def __init__(self, x):
                self.x = x
        show(C('a').x)  # is 'a'
        show(C(x='b').x)  # is 'b'
    """,
    "self.x in a method is what any constructor call gave": """
        class _C:
            def __init__(self, x):
                self.x = x
            def f(self):
                show(self.x)  # is 'a' or 'b' or ?
        _C('a')
        _C('b')
    """,
    "self.x may be set by any method": """
        class C:
            def setup(self):
                self.x = 'a'
            def f(self):
                show(self.x)  # is 'a'
    """,
    "self.x that starts as None counts as what another method sets": """
        class C:
            def __init__(self):
                self.x = None
            def connect(self):
                self.x = 'a'
            def f(self):
                show(self.x)  # is 'a'
    """,
    "self.x set earlier in the same method is that": """
        class C:
            def __init__(self):
                self.x = 'a'
            def f(self):
                self.x = 'b'
                show(self.x)  # is 'b'
    """,
    "a mapping in self.x that another method adds to may have the entry": """
        class C:
            def __init__(self):
                self.headers = {'a': 1}
            def login(self):
                self.headers['b'] = 2
            def f(self):
                show(self.headers)  # is {'a': 1, 'b'?: 2}
    """,
    "a mapping in self.x that another method updates may have the entry": """
        class C:
            def __init__(self):
                self.headers = {'a': 1}
            def login(self):
                self.headers.update({'b': 2})
            def f(self):
                show(self.headers)  # is {'a': 1, 'b'?: 2}
    """,
    "a mapping in self.x that a helper changes is not as it was": """
        class C:
            def __init__(self):
                self.headers = {'a': 1}
                self._complete(self.headers)
            def _complete(self, headers):
                headers['b'] = 2
            def f(self):
                show(self.headers)  # is not {'a': 1}
    """,
    "a second name for self.x changes self.x": """
        class C:
            def __init__(self):
                self.headers = {'a': 1}
            def f(self):
                headers = self.headers
                headers['b'] = 2
                show(self.headers)  # is not {'a': 1}
    """,
    "a mapping in self.x that __init__ builds in steps is whole": """
        class C:
            def __init__(self):
                self.headers = {'a': 1}
                self.headers['b'] = 2
                self.headers.update(c=3)
            def f(self):
                show(self.headers)  # is {'a': 1, 'b': 2, 'c': 3}
    """,
    "a mapping in self.x that a conditional in __init__ adds to": """
        class C:
            def __init__(self, flag):
                self.headers = {'a': 1}
                if flag:
                    self.headers['b'] = 2
            def f(self):
                show(self.headers)  # is {'a': 1} or {'a': 1, 'b': 2}
    """,
    "__init__ of a base class is followed through super": """
        class A:
            def __init__(self, x):
                self.x = x
        class B(A):
            def __init__(self):
                super().__init__('a')
            def f(self):
                show(self.x)  # may be 'a'
    """,
    "a method is followed": """
        class C:
            def headers(self):
                return {'a': 1}
            def f(self):
                show(self.headers())  # is {'a': 1}
    """,
    "a method of a subclass is the subclass's": """
        class A:
            def url(self):
                return 'a'
            def f(self):
                show(self.url())  # is 'a' or 'b'
        class B(A):
            def url(self):
                return 'b'
    """,
    "super() calls the base class's method": """
        class A:
            def headers(self):
                return {'a': 1}
        class B(A):
            def headers(self):
                return {**super().headers(), 'b': 2}
        show(B().headers())  # is {'a': 1, 'b': 2}
    """,
    "a property is what its function returns": """
        class C:
            @property
            def x(self):
                return 'a'
        show(C().x)  # is 'a'
    """,
    "a cached property is what its function returns": """
        import functools
        class C:
            @functools.cached_property
            def x(self):
                return 'a'
            def f(self):
                show(self.x)  # is 'a'
    """,
    "a property uses other attributes": """
        class C:
            def __init__(self, base):
                self.base = base
            @property
            def url(self):
                return f'{self.base}/v1'
        show(C('a').url)  # is 'a/v1'
    """,
    "a static method has no self": """
        class C:
            @staticmethod
            def f(x):
                return x
        show(C.f('a'), C().f('b'))  # is 'a', 'b'
    """,
    "a class method has its class": """
        class C:
            x = 'a'
            @classmethod
            def f(cls):
                return cls.x
        show(C.f(), C().f())  # is 'a', 'a'
    """,
    "a factory class method makes an object": """
        class C:
            def __init__(self, x):
                self.x = x
            @classmethod
            def default(cls):
                return cls('a')
        show(C.default().x)  # is 'a'
    """,
    "an attribute of an object from outside the class": """
        class C:
            pass
        c = C()
        c.x = 'a'
        show(c.x)  # is 'a'
    """,
    "an attribute that a base class elsewhere may set is unknown": """
        from somewhere import Base
        class C(Base):
            def f(self):
                show(self.x)  # is ?
    """,
    "a nested class is found": """
        class C:
            class Config:
                x = 'a'
        show(C.Config.x)  # is 'a'
    """,
    # Enums, dataclasses and their kin
    "a member of an Enum has its value": """
        from enum import Enum
        class E(Enum):
            A = 'a'
        show(E.A.value)  # is 'a'
    """,
    "a member of a string Enum is its value": """
        from enum import Enum
        class E(str, Enum):
            A = 'a'
        show(E.A)  # is 'a'
        show(f'{E.A.value}/v1')  # is 'a/v1'
    """,
    "the default of a dataclass field": """
        from dataclasses import dataclass
        @dataclass
        class C:
            x: str = 'a'
        show(C().x)  # is 'a'
    """,
    "a dataclass field that is given": """
        from dataclasses import dataclass
        @dataclass
        class C:
            x: str = 'a'
            y: str = 'b'
        show(C('c').x)  # is 'c'
        show(C('c').y)  # is 'b'
        show(C(y='d').y)  # is 'd'
    """,
    "a dataclass field inherited from a base class comes first": """
        from dataclasses import dataclass
        @dataclass
        class A:
            x: str
        @dataclass
        class B(A):
            y: str
        show(B('a', 'b').x, B('a', 'b').y)  # is 'a', 'b'
    """,
    "a dataclass field with a factory": """
        from dataclasses import dataclass, field
        @dataclass
        class C:
            x: dict = field(default_factory=dict)
            y: dict = field(default_factory=lambda: {'a': 1})
        show(C().x)  # is {}
        show(C().y)  # is {'a': 1}
    """,
    "a dataclass field with a default in field()": """
        from dataclasses import dataclass, field
        @dataclass
        class C:
            x: str = field(default='a')
        show(C().x)  # is 'a'
    """,
    "self.x of a dataclass is what it was made with": """
        from dataclasses import dataclass
        @dataclass
        class C:
            x: str = 'a'
            def f(self):
                show(self.x)  # is 'a' or 'b'
        C(x='b')
    """,
    "__post_init__ of a dataclass sets attributes": """
        from dataclasses import dataclass
        @dataclass
        class C:
            base: str = 'a'
            def __post_init__(self):
                self.url = self.base + '/v1'
        show(C('b').url)  # is 'b/v1'
    """,
    "the default of a pydantic field": """
        from pydantic import BaseModel, Field
        class C(BaseModel):
            x: str = 'a'
            y: str = Field('b', description='y')
            z: str = Field(default='c')
        show(C().x, C().y, C().z)  # is 'a', 'b', 'c'
    """,
    "a pydantic field that is given": """
        from pydantic import BaseModel
        class C(BaseModel):
            x: str = 'a'
        show(C(x='b').x)  # is 'b'
    """,
    "a pydantic field without a default is unknown": """
        from pydantic import BaseModel, Field
        class C(BaseModel):
            x: str = Field(...)
            def f(self):
                show(self.x)  # is ?
    """,
    "a NamedTuple has its fields": """
        from typing import NamedTuple
        class P(NamedTuple):
            url: str
            key: str = 'k'
        show(P('u').url, P('u').key)  # is 'u', 'k'
    """,
    "a NamedTuple is unpacked": """
        from typing import NamedTuple
        class P(NamedTuple):
            url: str
            key: str = 'k'
        url, key = P('u')
        show(url, key)  # is 'u', 'k'
    """,
    "a call of an external function is its result": """
        import requests
        show(requests.get('a'))  # is requests.get()
        show(requests.get('a').json())  # is requests.get().json()
    """,
}
"""Sentence -> program."""


@pytest.mark.parametrize("sentence", PROGRAMS)
def test_a_program(sentence: str) -> None:
    program = PROGRAMS[sentence]
    lines = Shown(program).lines
    for number, (kind, claimed) in claims(program).items():
        assert agrees(lines[number], kind, claimed), f"line {number} {kind} {claimed}, found {lines[number]}"


@pytest.mark.parametrize("sentence", PROGRAMS)
def test_a_program_claims_something_about_everything_it_shows(sentence: str) -> None:
    program = PROGRAMS[sentence]
    compile(textwrap.dedent(program), sentence, "exec")
    assert claims(program)
    assert len(claims(program)) == program.count("show(")


# Where what is not known comes from


class Origins(Shown):
    """What a program shows, and of what is not known what it came from: ``line.[0]``, ``r().attribute``."""

    def rendered(self, value: Value, depth: int = 0) -> str:
        if isinstance(value, Generator):
            return "a generator"
        if not isinstance(value, Derived):
            return super().rendered(value, depth)
        if value.how in (How.ATTRIBUTE, How.CALLED):
            return f"{self.rendered(value.whole)}.{value.key}{'()' if value.how is How.CALLED else ''}"
        if value.how is How.ITEM:
            return f"{self.rendered(value.whole)}[{'...' if value.key is None else repr(value.key)}]"
        return f"{value.how.name.lower()}({self.rendered(value.whole)})"


ORIGINS = {
    "an item": ("open('x').read()['a']", "builtins.open().read()['a']"),
    "an item by a name": ("open('x')[key]", "builtins.open()[...]"),
    "an item by a number": ("open('x')[-1]", "builtins.open()[-1]"),
    "an item of an item": ("open('x')['a']['b']", "builtins.open()['a']['b']"),
    "an attribute of an item": ("open('x')['a'].b", "builtins.open()['a'].b"),
    "a method's result": ("open('x')['a'].get('b')", "builtins.open()['a'].get()"),
    "what a function returned that nobody knows": ("[].pop()('x')", "returned(?)"),
    "a method of what it returned": ("[].pop()('x').json()", "returned(?).json()"),
    "a slice is a piece": ("open('x')[3:]", "text(builtins.open())"),
    "a slice of a slice is a piece of the same": ("open('x')[3:][:5][1:]", "text(builtins.open())"),
    "str() is a piece": ("str(open('x'), 'utf-8')", "text(builtins.open())"),
    "+ puts a text together": ("open('x') + open('y')", "glued(builtins.open())"),
    "+ of what is put together is the same": ("open('x') + open('y') + open('z')", "glued(builtins.open())"),
    "+ to an empty text": ("'' + open('x')", "glued(builtins.open())"),
    "+ to empty bytes": ("b'' + open('x')", "glued(builtins.open())"),
    "+ of an empty text": ("open('x') + ''", "glued(builtins.open())"),
    "+ of another text is a text": ("open('x') + 'a'", "'{}a'"),
    "an awaited value": ("(await open('x'))['a']", "builtins.open()['a']"),
    "next() is an element": ("next(open('x'))", "element(builtins.open())"),
    "next() with a default is an element": ("next(open('x'), 'a')", "element(builtins.open())"),
    "list() has the same elements": ("list(open('x'))[0]", "builtins.open()[0]"),
    "next() of iter() is an element": ("next(iter(open('x')))", "element(builtins.open())"),
    "next() of filter() is an element": ("next(filter(None, open('x')))", "element(builtins.open())"),
    "next() of a comprehension is what it makes": ("next(x[0] for x in open('x'))", "element(builtins.open())[0]"),
    "next() of a list is one of its items": ("next(iter(['a', 'b']))", "'a' or 'b'"),
    "a comprehension is a generator": ("[x for x in open('x')]", "a generator"),
    "a walrus is its value": ("(x := open('x'))['a']", "builtins.open()['a']"),
    "getattr of an item": ("getattr(open('x')['a'], 'b')", "builtins.open()['a'].b"),
    "an item of nothing known is unknown": ("key['a']", "?"),
}


@pytest.mark.parametrize("sentence", ORIGINS)
def test_what_an_unknown_value_came_from(sentence: str) -> None:
    expression, claim = ORIGINS[sentence]
    before = "async def f():\n    " if "await" in expression else ""
    (values,) = Origins(f"{before}show({expression})\n").lines.values()
    assert values == set(claim.split(" or "))


ORIGINS_IN_PROGRAMS = {
    "a loop gives elements": """
        for line in open('x'):
            show(line)  # is element(builtins.open())
            line = line[5:]
            show(line)  # is text(element(builtins.open()))
            line = line.strip()
            show(line)  # is text(element(builtins.open())).strip()
    """,
    "enumerate gives numbers and elements": """
        for number, line in enumerate(open('x')):
            show(number)  # is ?
            show(line)  # is element(builtins.open())
    """,
    "enumerate of pairs": """
        for number, (key, value) in enumerate(open('x')):
            show(key)  # is element(builtins.open())[0]
            show(value)  # is element(builtins.open())[1]
    """,
    "unpacking takes items": """
        first, second = open('x')
        show(first)  # is builtins.open()[0]
        show(second)  # is builtins.open()[1]
    """,
    "a starred name takes the rest": """
        first, *rest = open('x')
        show(rest)  # is builtins.open()
        show(rest[0])  # is builtins.open()[0]
    """,
    "a starred name of something unknown is unknown": """
        def f(x):
            first, *rest = x
            show(rest)  # is ?
    """,
    "a buffer that begins empty": """
        buffer = ''
        for piece in open('x'):
            buffer += piece
            show(buffer)  # is glued(element(builtins.open()))
    """,
    "a buffer from which lines are taken": """
        buffer = b''
        for piece in open('x'):
            buffer += piece
            line, buffer = buffer.split(b';', 1)
            show(line)  # may be glued(element(builtins.open())).split()[0]
    """,
    "a generator gives what it yields": """
        def f():
            for line in open('x'):
                yield line['a']
        for x in f():
            show(x)  # is element(builtins.open())['a']
        show(f())  # is a generator
        show(next(f()))  # is element(builtins.open())['a']
    """,
    "a generator gives all that it yields": """
        def f(x):
            yield 'a'
            if x:
                yield 'b'
            yield
        for x in f(1):
            show(x)  # is 'a' or 'b'
    """,
    "yield from gives what another one yields": """
        def f():
            yield from open('x')
            yield from ['a']
        for x in f():
            show(x)  # is element(builtins.open()) or 'a'
    """,
    "a generator knows its arguments": """
        def f(x):
            for line in x:
                yield line
        for line in f(open('x')):
            show(line)  # is element(builtins.open())
    """,
    "a generator that cannot be reached yields nothing": """
        def f(x):
            if x is None:
                yield 'a'
            else:
                yield 'b'
        for x in f(None):
            show(x)  # is 'a'
    """,
    "a context manager is no generator": """
        from contextlib import contextmanager
        @contextmanager
        def f():
            yield open('x')
        with f() as x:
            show(x)  # is builtins.open()
    """,
    "a comprehension gives its elements": """
        for x in [line['a'] for line in open('x') if line]:
            show(x)  # is element(builtins.open())['a']
        for x in (y for y in {z['a'] for z in open('x')}):
            show(x)  # is element(builtins.open())['a']
    """,
    "a generator of itself ends": """
        def f(x):
            yield from f(x)
        for x in f(1):
            show(x)  # is ?
    """,
    "a parameter keeps its origin": """
        def f(line):
            return line['a']
        for line in open('x'):
            show(f(line))  # is element(builtins.open())['a']
    """,
}
"""Sentence -> program."""


@pytest.mark.parametrize("sentence", ORIGINS_IN_PROGRAMS)
def test_a_program_knows_where_what_is_not_known_comes_from(sentence: str) -> None:
    program = ORIGINS_IN_PROGRAMS[sentence]
    lines = Origins(program).lines
    assert len(claims(program)) == program.count("show(")
    for number, (kind, claimed) in claims(program).items():
        assert agrees(lines[number], kind, claimed), f"line {number} {kind} {claimed}, found {lines[number]}"


def test_a_piece_of_a_piece_is_a_piece_of_the_whole() -> None:
    whole = Derived(whole=Unknown("a line"), how=How.ELEMENT)
    assert piece_of(piece_of(whole)) == piece_of(whole)
    assert glued_to(glued_to(whole)) == glued_to(whole)
    assert piece_of(glued_to(whole)) != glued_to(whole)
    assert has_origin(piece_of(whole))
    assert not has_origin(Unknown("a line"))
    assert not has_origin(Const("a line"))


# Bounds


def test_evaluation_that_has_no_budget_left_is_unknown() -> None:
    program = "x = 'a'\ny = x\nz = y\nshow(z)\n"
    assert Shown(program).lines == {4: {"'a'"}}
    assert Shown(program, budget=2).lines == {4: {"?"}}


def steps_of(program: str) -> int:
    """How many steps it takes to evaluate what ``show`` is called with in the last line of a program."""
    module, evaluator = Module(Source(textwrap.dedent(program)), "program.py"), Evaluator()

    def evaluate() -> int:
        (call,) = (call for call in module.nodes_of(cst.Call, module.statements[-1]) if dotted(call.func) == "show")
        frame, before = evaluator.frame_of(module, call), evaluator.budget
        evaluator.evaluate(call.args[0].value, frame)
        return before - evaluator.budget

    return with_big_stack(evaluate)


def test_a_builtin_is_not_looked_for_in_the_functions_that_use_it() -> None:
    functions = "".join(f"def f{number}(x):\n    str.join(x, x)\n" for number in range(50))
    assert steps_of(functions + "show(str)\n") < 10


def test_methods_that_leave_an_attribute_alone_are_not_followed_for_it() -> None:
    calls = "".join(f"        self.say({number})\n" for number in range(50))
    before = "class C:\n    def __init__(self):\n        self.url = 'a'\n    def say(self, x):\n        print(x)\n"
    assert steps_of(f"{before}    def ask(self):\n{calls}        show(self.url)\n") < 20


def test_a_method_that_sets_an_attribute_is_followed_for_it() -> None:
    program = """
        class C:
            def __init__(self):
                self.url = 'a'
            def move(self):
                self.url = 'b'
            def ask(self):
                self.move()
                show(self.url)
    """
    assert Shown(program).lines == {9: {"'b'"}}


def test_what_belongs_to_one_question_has_one_budget() -> None:
    module, evaluator = Module(Source("".join(f"x{n} = y{n}\n" for n in range(QUESTION_BUDGET))), "p.py"), Evaluator()
    names = [node.value for node in module.nodes(cst.Assign)]
    frame = evaluator.enter(module)
    with evaluator.question():
        values = [with_big_stack(lambda name=name: evaluator.evaluate(name, frame)) for name in names]  # type: ignore[misc]
    assert isinstance(values[-1][0].value, Unknown)
    assert isinstance(evaluator.evaluate(names[-1], frame)[0].value, External)


def test_many_possibilities_are_cut_off_with_an_unknown_one() -> None:
    cases = "\n".join(f"if unknown({number}): x = {number}" for number in range(MAX_ALTERNATIVES * 3))
    values = shown("x", cases)
    assert len(values) == MAX_ALTERNATIVES
    assert "?" in values


def test_many_decisions_in_a_row_cost_bounded_time() -> None:
    cases = "\n".join(f"if unknown({number}): x['{number}'] = 1" for number in range(60))
    started = time.process_time()
    assert "?" in shown("x", "x = {}\n" + cases)
    assert time.process_time() - started < 10


def test_a_text_doubled_again_and_again_costs_bounded_memory() -> None:
    doublings = "\n".join("x = x + x" for _ in range(22))
    (value,) = shown("x", "x = 'aaaaaaaaaa'\n" + doublings)
    assert len(value) < 1_000_000


def test_functions_that_call_one_another_many_times_cost_bounded_time() -> None:
    functions = "\n".join(f"def f{n}(x):\n    return f{n + 1}(x + 'a') + f{n + 1}(x + 'b')" for n in range(12))
    started = time.process_time()
    shown("f0('x')", functions + "\ndef f12(x):\n    return x\n")
    assert time.process_time() - started < 20


def test_a_chain_of_calls_is_followed_to_a_bounded_depth() -> None:
    functions = "\n".join(f"def f{n}():\n    return f{n + 1}()" for n in range(30)) + "\ndef f30():\n    return 'a'\n"
    assert shown("f0()", functions) == {"?"}
    assert shown("f25()", functions) == {"'a'"}


def test_an_answer_does_not_depend_on_what_was_asked_before() -> None:
    program = """
        import sys
        def f(x):
            if x.one:
                return 'a'
            return g(x)
        def g(x):
            if x.two:
                return 'b'
            return f(x)
    """
    together = Shown(textwrap.dedent(program) + "show(f(sys.argv))\nshow(g(sys.argv))\n").lines
    alone = [shown(call, program) for call in ("f(sys.argv)", "g(sys.argv)")]
    assert list(together.values()) == alone


# Other modules


class OneOther(OneFile):
    """A resolver that knows one other module of the project."""

    def __init__(self, name: str, text: str) -> None:
        self.name = name
        self.other = Module(Source(textwrap.dedent(text)), f"{name}.py")
        self.asked: list[str] = []

    def find(self, importer: Module, name: str) -> Namespace | None:
        self.asked.append(name)
        return Namespace(self.other.path, self.other) if name.lstrip(".") == self.name else None


@pytest.mark.parametrize(
    ("other", "program", "claim"),
    [
        ("URL = 'a' + 'b'", "from config import URL\nshow(URL)", "'ab'"),
        ("URL = 'a'", "from .config import URL as U\nshow(f'{U}/v1')", "'a/v1'"),
        ("def headers(key):\n    return {'k': key}", "from config import headers\nshow(headers('x'))", "{'k': 'x'}"),
        (
            "BASE = 'a'\ndef url(path):\n    return f'{BASE}/{path}'",
            "from config import url\nBASE = 'b'\nshow(url('v1'))",
            "'a/v1'",
        ),
        (
            "class Base:\n    host = 'a'\n    def url(self):\n        return self.host + '/v1'",
            "from config import Base\nclass C(Base):\n    host = 'b'\nshow(C().url())",
            "'b/v1'",
        ),
        ("class C:\n    def __init__(self, x):\n        self.x = x", "from config import C\nshow(C('a').x)", "'a'"),
    ],
    ids=["a constant", "a relative import", "a function", "a function with its own globals", "a base class", "a class"],
)
def test_an_imported_name_is_what_the_resolver_says(other: str, program: str, claim: str) -> None:
    (values,) = Shown(program, OneOther("config", other)).lines.values()
    assert values == {claim}


def test_the_resolver_is_asked_only_for_what_matters() -> None:
    resolver = OneOther("config", "URL = 'a'")
    Shown("from config import URL\nfrom elsewhere import other\nimport third\nshow(URL)\n", resolver)
    assert set(resolver.asked) == {"config"}
