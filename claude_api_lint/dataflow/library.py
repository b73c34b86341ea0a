"""What calls of the standard library and of other distributions return, as far as values flow through them.

Anything that is not modelled here returns a ``Made`` value: "the result of that call", which others may know more
about.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

import libcst as cst

from claude_api_lint.dataflow import mappings, texts
from claude_api_lint.dataflow.values import (
    HOLE,
    Alternative,
    Alternatives,
    Class,
    Const,
    Derived,
    Entry,
    External,
    Frame,
    Function,
    Generator,
    How,
    Instance,
    Made,
    Mapping,
    Part,
    Place,
    Prepared,
    Sequence,
    Text,
    Thunk,
    Unknown,
    Value,
    assuming,
    has_origin,
    just,
    piece_of,
)

if TYPE_CHECKING:
    from claude_api_lint.dataflow.calls import Arguments
    from claude_api_lint.dataflow.evaluator import Evaluator

Model = Callable[["Evaluator", "Arguments", cst.Call, Frame], Iterable[Alternative]]

_FIELD_NAMES = frozenset({"field", "Field", "PrivateAttr", "ib", "attrib", "attr"})


def call(evaluator: Evaluator, name: str, node: cst.Call, frame: Frame) -> Iterable[Alternative]:
    """What a call of something external returns, by its dotted name."""
    last = name.rsplit(".", 1)[-1]
    model = _MODELS.get(name) or (_field if last in _FIELD_NAMES and last != name else None)
    if model is None:
        return just(Made(name, node, frame))
    found: list[Alternative] = []
    for arguments, when in evaluator.calls.arguments(node, frame):
        found.extend(assuming(model(evaluator, arguments, node, frame), when))
    return found


def method(evaluator: Evaluator, part: Part, node: cst.Call, frame: Frame) -> Iterable[Alternative]:
    """What a method of an external object returns."""
    assert isinstance(part.whole, Made)
    name = f"{part.whole.name}().{'.'.join(part.path)}"
    if name in _MODELS:
        return call(evaluator, name, node, frame)
    if part.path in (("__enter__",), ("__aenter__",)):
        return just(part.whole)
    return just(Made(name, node, frame, part.whole))


def attribute(evaluator: Evaluator, base: Made, name: str) -> Alternatives:
    """An attribute of an external object: what the analysed program set there, else a part of the object."""
    changes = [change for change in base.changes if change.path[:1] in ((name,), ())]
    last = changes[-1] if changes else None
    if last is not None and last.kind == "set" and last.path == (name,) and isinstance(last.node, cst.BaseExpression):
        return evaluator.evaluate(last.node, last.frame)
    return just(Part(base, (name,)))


def _first(evaluator: Evaluator, arguments: Arguments) -> Alternatives:
    value = arguments.get(0)
    return evaluator.force(value) if value is not None else just(Unknown("an argument that is not given"))


def _same(evaluator: Evaluator, arguments: Arguments, node: cst.Call, frame: Frame) -> Iterable[Alternative]:
    return _first(evaluator, arguments)


def _cast(evaluator: Evaluator, arguments: Arguments, node: cst.Call, frame: Frame) -> Iterable[Alternative]:
    value = arguments.get(1, "val")
    return evaluator.force(value) if value is not None else just(Unknown())


def _text(evaluator: Evaluator, arguments: Arguments, node: cst.Call, frame: Frame) -> Iterable[Alternative]:
    return [
        Alternative(
            piece_of(a.value) if has_origin(a.value) else texts.text(texts.pattern_of(a.value)),
            a.when,
        )
        for a in _first(evaluator, arguments)
    ]


def _environment(evaluator: Evaluator, arguments: Arguments, node: cst.Call, frame: Frame) -> Iterable[Alternative]:
    """The variable may be set to anything; where it is not, the default counts."""
    default = arguments.get(1, "default")
    unknown = Alternative(Unknown("an environment variable"))
    return (*evaluator.force(default), unknown) if default is not None else (unknown,)


def _getattr(evaluator: Evaluator, arguments: Arguments, node: cst.Call, frame: Frame) -> Iterable[Alternative]:
    whole, name = arguments.get(0), arguments.get(1)
    constant = evaluator.only(name) if name is not None else Unknown()
    default = arguments.get(2)
    found: list[Alternative] = []
    if whole is not None and isinstance(constant, Const) and isinstance(constant.value, str):
        if isinstance(whole, Thunk):
            found.extend(evaluator.flow.attribute_of(whole.node, constant.value, whole.frame))
        else:
            found.extend(evaluator.objects.attribute(whole, constant.value))
    if default is not None:
        found.extend(evaluator.force(default))
    return found or just(Unknown("getattr of a name that is not known"))


def _dict(evaluator: Evaluator, arguments: Arguments, node: cst.Call, frame: Frame) -> Iterable[Alternative]:
    home = Place(frame.module, node)
    built: Alternatives = just(Mapping(homes=(home,)))
    if arguments.positional:
        built = tuple(evaluator.combine((built, evaluator.force(arguments.positional[0])), evaluator.updated))
    given = arguments.keywords.items()
    named = Mapping(tuple(Entry(name, value, evaluator.place_of(value)) for name, value in given))
    built = tuple(Alternative(evaluator.updated(a.value, named), a.when) for a in built)
    if arguments.open_keywords or arguments.open_positional:
        built = tuple(
            Alternative(evaluator.updated(a.value, Unknown("** of something unknown")), a.when) for a in built
        )
    return built


def _chain(evaluator: Evaluator, arguments: Arguments, node: cst.Call, frame: Frame) -> Iterable[Alternative]:
    """A ``ChainMap``: what the first mapping has hides what those after it have."""

    def chained(*links: Value) -> Value:
        built: Value = Mapping(open=arguments.open_positional, why="mappings that are not seen")
        for link in reversed(links):
            built = evaluator.updated(built, link)
        homes = tuple(home for link in links if isinstance(link, Mapping) for home in link.homes)
        return replace(built, homes=homes) if isinstance(built, Mapping) else built

    return evaluator.combine(map(evaluator.force, arguments.positional), chained)


def _headers(evaluator: Evaluator, arguments: Arguments, node: cst.Call, frame: Frame) -> Iterable[Alternative]:
    """A dict that ignores case, in which both of two casings stay that it is made with."""
    built = _dict(evaluator, arguments, node, frame)
    return [
        Alternative(mappings.ignoring_case(a.value) if isinstance(a.value, Mapping) else a.value, a.when) for a in built
    ]


def _list(evaluator: Evaluator, arguments: Arguments, node: cst.Call, frame: Frame) -> Iterable[Alternative]:
    if not arguments.positional:
        return just(Sequence((), home=Place(frame.module, node)))
    return [Alternative(_listed(evaluator, a.value), a.when) for a in _first(evaluator, arguments)]


def _listed(evaluator: Evaluator, value: Value) -> Value:
    sequence = evaluator.objects.as_sequence(value)
    if sequence is not None:
        return sequence
    return value if has_origin(value) or isinstance(value, Generator) else Unknown("a list of unknown things")


def _next(evaluator: Evaluator, arguments: Arguments, node: cst.Call, frame: Frame) -> Iterable[Alternative]:
    iterator = arguments.get(0)
    if iterator is None:
        return just(Unknown("next() of nothing"))
    return evaluator.each(evaluator.force(iterator), lambda value: evaluator.flow.elements_of(value, node, frame))


def _enumerate(evaluator: Evaluator, arguments: Arguments, node: cst.Call, frame: Frame) -> Iterable[Alternative]:
    numbered = "elements with their numbers"
    return [
        Alternative(Derived(numbered, whole=a.value, how=How.NUMBERED), a.when) for a in _first(evaluator, arguments)
    ]


def _filter(evaluator: Evaluator, arguments: Arguments, node: cst.Call, frame: Frame) -> Iterable[Alternative]:
    iterable = arguments.get(1)
    return evaluator.force(iterable) if iterable is not None else just(Unknown("filter() of nothing"))


def _urljoin(evaluator: Evaluator, arguments: Arguments, node: cst.Call, frame: Frame) -> Iterable[Alternative]:
    base, url = arguments.get(0, "base"), arguments.get(1, "url")
    if base is None or url is None:
        return just(Text(HOLE))
    sides = (evaluator.force(base), evaluator.force(url))
    return evaluator.combine(sides, lambda *v: texts.join_urls(texts.pattern_of(v[0]), texts.pattern_of(v[1])))


def _partial(evaluator: Evaluator, arguments: Arguments, node: cst.Call, frame: Frame) -> Iterable[Alternative]:
    return [Alternative(Prepared(a.value, node, frame), a.when) for a in _first(evaluator, arguments)]


def _split(evaluator: Evaluator, arguments: Arguments, node: cst.Call, frame: Frame) -> Iterable[Alternative]:
    """``shlex.split`` of a text without holes or quotes that matter."""
    import shlex

    found: list[Alternative] = []
    for alternative in _first(evaluator, arguments):
        try:
            words = shlex.split(texts.pattern_of(alternative.value))
            found.append(Alternative(Sequence(tuple(texts.text(word) for word in words)), alternative.when))
        except ValueError:
            found.append(Alternative(Unknown("a command line that does not split"), alternative.when))
    return found


def _field(evaluator: Evaluator, arguments: Arguments, node: cst.Call, frame: Frame) -> Iterable[Alternative]:
    """The default of a dataclass, pydantic or attrs field."""
    factory = arguments.get(None, "default_factory", "factory")
    if factory is not None:
        made: list[Alternative] = []
        for alternative in evaluator.force(factory):
            made.extend(assuming(_made_by(evaluator, alternative.value, node, frame), alternative.when))
        return made
    default = arguments.get(0, "default")
    known = default is not None and not (isinstance(default, Thunk) and isinstance(default.node, cst.Ellipsis))
    return evaluator.force(default) if known and default is not None else just(Unknown("a field without a default"))


def _made_by(evaluator: Evaluator, factory: Value, node: cst.Call, frame: Frame) -> Iterable[Alternative]:
    if isinstance(factory, Function):
        inner = evaluator.enter(factory.module, factory.node, None, None, factory.receiver, factory.enclosing)
        return evaluator.calls.returned(factory, inner)
    if isinstance(factory, Class):
        return just(Instance(factory, node, frame))
    if isinstance(factory, External) and factory.name in ("builtins.dict", "builtins.list"):
        return just(Mapping(homes=()) if factory.name == "builtins.dict" else Sequence(()))
    return just(Unknown("a default factory that is not known"))


_MODELS: dict[str, Model] = {
    "os.getenv": _environment,
    "os.environ.get": _environment,
    "decouple.config": _environment,
    "builtins.getattr": _getattr,
    "typing.cast": _cast,
    "contextlib.closing": _same,
    "contextlib.aclosing": _same,
    "contextlib.nullcontext": _same,
    "contextlib.ExitStack().enter_context": _same,
    "contextlib.AsyncExitStack().enter_context": _same,
    "contextlib.AsyncExitStack().enter_async_context": _same,
    "copy.copy": _same,
    "copy.deepcopy": _same,
    "types.MappingProxyType": _same,
    "builtins.str": _text,
    "yarl.URL": _text,
    "httpx.URL": _text,
    "builtins.dict": _dict,
    "collections.OrderedDict": _dict,
    "collections.ChainMap": _chain,
    "httpx.Headers": _headers,
    "requests.structures.CaseInsensitiveDict": _headers,
    "multidict.CIMultiDict": _headers,
    "urllib3.HTTPHeaderDict": _headers,
    "urllib3._collections.HTTPHeaderDict": _headers,
    "tornado.httputil.HTTPHeaders": _headers,
    "builtins.list": _list,
    "builtins.tuple": _list,
    "builtins.set": _list,
    "builtins.frozenset": _list,
    "builtins.iter": _same,
    "builtins.aiter": _same,
    "builtins.reversed": _same,
    "builtins.next": _next,
    "builtins.anext": _next,
    "builtins.enumerate": _enumerate,
    "builtins.filter": _filter,
    "tqdm.tqdm": _same,
    "urllib.parse.urljoin": _urljoin,
    "functools.partial": _partial,
    "shlex.split": _split,
}
