"""What the words of the code around an expression say about it, where its origin cannot be seen."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property

import libcst as cst

from claude_api_lint.api import Catalog, Stream, load_catalog
from claude_api_lint.arms import NAMES_OF_OTHERS, OWN_NAMES, Arms
from claude_api_lint.dataflow.module import Module
from claude_api_lint.dataflow.trees import last_name, string_value, walk

# The keys under which OpenAI's and compatible APIs send their text: who reads them reads such a stream as well.
_KEYS_OF_OTHERS = frozenset({"choices", "chat.completion.chunk", "candidates", "generations"})
# The types of the events of OpenAI's Responses API begin so: "response.completed".
_EVENTS_OF_OTHERS = "response."
_LOOKUPS = frozenset({"get", "pop", "__getitem__"})
_TYPE = "type"

Scope = cst.FunctionDef | cst.ClassDef | cst.For | cst.While


class Vocabulary:
    """Answers for one module."""

    def __init__(self, module: Module, catalog: Catalog | None = None) -> None:
        self.module = module
        self.catalog = catalog or load_catalog()
        self._compared: dict[cst.CSTNode, frozenset[str]] = {}
        self._looked_up: dict[cst.CSTNode, frozenset[str]] = {}

    def endpoint_of(self, node: cst.CSTNode) -> str | None:
        """The endpoint whose stream the code around a node reads, by the words that it compares; None if none tells.

        The function tells, else the class around it. Code that reads another API's events as well tells nothing, and
        nor does code that reads Claude's only where a test, say of the provider, chooses it from another's.
        """
        if self.module.is_test:
            return None  # the events may be made up, and the server one's own
        scopes = self._scopes(node)
        for scope in scopes:
            if self._is_of_others(scope):
                return None
            apart = self._other_readers(scope, scopes)
            for_one = self.arms.for_one_sender(scope, node, by_name=_is_named_after_claude(scopes))
            endpoint = self._told_by(scope, apart | for_one)
            if endpoint is not None:
                is_shared = isinstance(scope, cst.ClassDef) and self.may_serve_others(node)
                return endpoint if self._is_alone(scopes) and not is_shared else None
            if for_one and self._told_by(scope, apart) is not None:
                return None
            if isinstance(scope, cst.For | cst.While) and _TYPE in self.looked_up(scope):
                return None  # a loop that tells its own events apart, and none of them is Claude's
        return None

    def may_serve_others(self, node: cst.CSTNode) -> bool:
        """Whether the outermost function or loop around a node tests for one vendor of several, or reads events of
        several senders.
        """
        scopes = [scope for scope in self._scopes(node) if not isinstance(scope, cst.ClassDef)]
        if not scopes:
            return False
        return self.arms.names_vendors(scopes[-1], node) or bool(
            self.arms.for_one_sender(scopes[-1], node, by_name=False)
        )

    @cached_property
    def arms(self) -> Arms:
        return Arms(self.module, self._speaks)

    def _speaks(self, nodes: Sequence[cst.CSTNode]) -> bool:
        """Whether some code reads the events of a Claude stream, by their types or by the key of their text."""
        compared = {word for node in nodes for word in _compared(node)}
        looked_up = {word for node in nodes for word in _looked_up(node)}
        return any(
            stream.text in looked_up or (stream.events and self.catalog.output(stream.events).is_told_by(compared))
            for stream in self.catalog.streams
        )

    def _is_alone(self, scopes: list[Scope]) -> bool:
        """Whether the class around handles no other API, or the function says by its name that it is for this one."""
        if _is_named_after_claude(scopes):
            return True
        classes = [scope for scope in scopes if isinstance(scope, cst.ClassDef)]
        return not any(self._is_of_others(scope, self._other_readers(scope, scopes)) for scope in classes)

    def _scopes(self, node: cst.CSTNode) -> list[Scope]:
        """The loops and functions around a node, innermost first, and the class that they are methods of."""
        found: list[Scope] = []
        for above in self.module.ancestors(node):
            if isinstance(above, cst.FunctionDef | cst.ClassDef | cst.For | cst.While):
                found.append(above)
            if isinstance(above, cst.ClassDef):
                break
        return found

    def _is_of_others(self, scope: Scope, apart: frozenset[cst.CSTNode] = frozenset()) -> bool:
        if isinstance(scope, cst.FunctionDef | cst.ClassDef) and NAMES_OF_OTHERS.search(scope.name.value):
            return True
        compared, looked_up = self._words(scope, apart)
        if any(NAMES_OF_OTHERS.fullmatch(word) or word.startswith(_EVENTS_OF_OTHERS) for word in compared):
            return True
        return bool(_KEYS_OF_OTHERS & (looked_up | compared))

    def _words(self, scope: Scope, apart: frozenset[cst.CSTNode]) -> tuple[frozenset[str], frozenset[str]]:
        """The texts that a scope compares, and the keys that it looks up, without what is read ``apart``."""
        if not apart:
            return self.compared(scope), self.looked_up(scope)
        return frozenset(_compared(scope, apart)), frozenset(_looked_up(scope, apart))

    def _other_readers(self, scope: Scope, around: list[Scope]) -> frozenset[cst.CSTNode]:
        """The loops below a scope, none of those around, that read and parse a stream of their own."""
        loops = (node for node in walk(scope) if isinstance(node, cst.For | cst.While) and node not in around)
        return frozenset(loop for loop in loops if self._reads(loop))

    def _reads(self, loop: cst.For | cst.While) -> bool:
        """Whether a loop parses what it reads, and does not get it from a function of this module."""
        if isinstance(loop, cst.For) and isinstance(loop.iter, cst.Call):
            name = last_name(loop.iter.func)
            if any(function.name.value == name for function in self.module.nodes(cst.FunctionDef, name)):
                return False
        return any(isinstance(node, cst.Call) and last_name(node.func) == "loads" for node in walk(loop.body))

    def _told_by(self, scope: Scope, apart: frozenset[cst.CSTNode]) -> str | None:
        """The endpoint that a scope tells, without what is read ``apart``."""
        return next((stream.endpoint for stream in self.catalog.streams if self._tells(stream, scope, apart)), None)

    def _tells(self, stream: Stream, scope: Scope, apart: frozenset[cst.CSTNode]) -> bool:
        compared, looked_up = self._words(scope, apart)
        if stream.events is not None and self.catalog.output(stream.events).is_told_by(compared):
            return True
        if stream.text is None or stream.text not in looked_up:
            return False
        return self._says(scope, stream.words)

    def _says(self, scope: cst.CSTNode, words: frozenset[str]) -> bool:
        """Whether names, keys or keyword arguments below a scope are among some words."""
        for node in walk(scope):
            if isinstance(node, cst.Name) and node.value in words:
                return True
            if isinstance(node, cst.SimpleString) and string_value(node) in words:
                return True
        return False

    def compared(self, scope: cst.CSTNode) -> frozenset[str]:
        """The texts that the code below a scope compares something with."""
        if scope not in self._compared:
            self._compared[scope] = frozenset(_compared(scope))
        return self._compared[scope]

    def looked_up(self, scope: cst.CSTNode) -> frozenset[str]:
        """The keys that the code below a scope reads out of mappings."""
        if scope not in self._looked_up:
            self._looked_up[scope] = frozenset(_looked_up(scope))
        return self._looked_up[scope]


def _is_named_after_claude(scopes: list[Scope]) -> bool:
    """Whether a function or the class around says by its name that it is for this API."""
    return any(OWN_NAMES.search(s.name.value) for s in scopes if isinstance(s, cst.FunctionDef | cst.ClassDef))


def _compared(scope: cst.CSTNode, apart: frozenset[cst.CSTNode] = frozenset()) -> Iterator[str]:
    for node in walk(scope, apart=apart):
        if node in apart:
            continue
        if isinstance(node, cst.Comparison):
            for side in (node.left, *(target.comparator for target in node.comparisons)):
                yield from _texts(side)
        elif isinstance(node, cst.MatchValue):
            yield from _texts(node.value)
        elif isinstance(node, cst.Call) and last_name(node.func) in ("startswith", "endswith") and node.args:
            yield from _texts(node.args[0].value)


def _texts(node: cst.BaseExpression) -> Iterator[str]:
    """The texts that an operand of a comparison stands for: itself, or the elements of a tuple, list or set."""
    elements = [e.value for e in node.elements] if isinstance(node, cst.Tuple | cst.List | cst.Set) else [node]
    for element in elements:
        value = string_value(element)
        if value is not None:
            yield value.decode("latin-1") if isinstance(value, bytes) else value


def _looked_up(scope: cst.CSTNode, apart: frozenset[cst.CSTNode] = frozenset()) -> Iterator[str]:
    for node in walk(scope, apart=apart):
        if node in apart:
            continue
        key: cst.CSTNode | None = None
        if isinstance(node, cst.Subscript) and isinstance(node.slice[0].slice, cst.Index):
            key = node.slice[0].slice.value
        elif isinstance(node, cst.Call) and last_name(node.func) in _LOOKUPS and node.args:
            key = node.args[0].value
        elif isinstance(node, cst.MatchMappingElement):
            key = node.key
        value = string_value(key) if key is not None else None
        if isinstance(value, str):
            yield value
