"""Fixes CAV101."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from dataclasses import replace

import libcst as cst

from claude_api_lint.api import RemovedMethod
from claude_api_lint.codemod import command_of
from claude_api_lint.dataflow.module import Module
from claude_api_lint.dataflow.trees import dotted, last_name, string_value
from claude_api_lint.dataflow.values import Alternatives, Const, Entry, Mapping, Place
from claude_api_lint.findings import Applicability, Edit, Fix
from claude_api_lint.fixes import Fixer, NoFix
from claude_api_lint.http.exchanges import Exchange
from claude_api_lint.http.registry import load_registry
from claude_api_lint.layout import call_with, dict_with, list_with_pair, pairs_with, quoted
from claude_api_lint.rule import Violation

_VERSION_NAME = re.compile(r"version", re.IGNORECASE)
_OWN_VERSION_NAME = re.compile(r"(anthropic|claude|api).*version", re.IGNORECASE)


class AddVersionHeader(Fixer):
    """Adds the header `anthropic-version` where the headers of the request are built.

    The entry goes to the end of the dict that feeds the request, behind the last `add_header`, or behind curl's last
    `-H`; a call without headers gets some. A constant that holds the target version is used by its name.
    """

    code = "CAV101"

    def fix(self, violation: Violation) -> Fix | NoFix:
        if isinstance(violation.evidence, RemovedMethod):
            return NoFix("the requests and replies of today's SDK are others")
        assert isinstance(violation.evidence, tuple)
        return self.added(violation.evidence)

    def added(self, exchanges: tuple[Exchange, ...]) -> Fix | NoFix:
        """The edits that give these requests the header, or why there are none."""
        edits: dict[Edit, None] = {}
        exchanges = self._with_own_key(exchanges)
        for exchange in _with_common_home(exchanges):
            edit = self._edit(exchange)
            if isinstance(edit, NoFix):
                return edit
            edits[edit] = None
        header, target = self.analysis.catalog.version_header, self.analysis.target
        applicability = Applicability.UNSAFE if any(map(self._is_shared, exchanges)) else Applicability.SAFE
        return Fix(f"Add the header {header}: {target}", applicability, tuple(edits))

    def _with_own_key(self, exchanges: tuple[Exchange, ...]) -> tuple[Exchange, ...]:
        """The requests with a header that only the API has, where headers are begun in one place for other hosts, too:
        what has none is one of theirs, or a branch that is not taken for this URL.
        """
        keyed = tuple(e for e in exchanges if any(self._is_of_api(entry.key) for entry in e.headers.entries))
        is_shared = any(self._may_be_of_others(home, e) for e in exchanges for home in e.headers.homes)
        return keyed if keyed and is_shared else exchanges

    def _is_shared(self, exchange: Exchange) -> bool:
        """Whether the edit changes the headers of requests to other hosts, too."""
        home = self._home(exchange)
        return self._may_be_of_others(home, exchange) and not isinstance(self._behind_assignment(exchange), Edit)

    def _may_be_of_others(self, home: Place | None, exchange: Exchange) -> bool:
        """Whether the headers that a literal begins may be meant for other hosts: some go there, or they are built in
        another file; not where they have what only the API has.
        """
        if home is None:
            return False
        is_elsewhere = home.module is not exchange.module
        if is_elsewhere and home in self.analysis.requests_of(home.module).homes_of_others:
            return True
        if any(self._is_written_in(entry, home) and self._is_of_api(entry.key) for entry in exchange.headers.entries):
            return False
        return is_elsewhere or home in self.analysis.requests.shared_homes

    def _is_of_api(self, name: str) -> bool:
        return name.lower() == "x-api-key" or self.analysis.catalog.is_api_header(name)

    def _is_written_in(self, entry: Entry, home: Place) -> bool:
        place = entry.key_place
        return place is not None and home.node in (place.node, *place.module.ancestors(place.node))

    def _home(self, exchange: Exchange) -> Place | None:
        """The literal to extend: one that is the API's alone before any that others may use."""
        own = [home for home in exchange.headers.homes if not self._may_be_of_others(home, exchange)]
        headers = replace(exchange.headers, homes=tuple(own)) if own else exchange.headers
        return literal_to_extend(exchange.module, exchange.call, headers)

    def _edit(self, exchange: Exchange) -> Edit | NoFix:
        home = self._home(exchange)
        if home is None:
            return self._behind_assignment(exchange) or self._into_call(exchange)
        if self._may_be_of_others(home, exchange):
            behind = self._behind_assignment(exchange)
            if isinstance(behind, Edit):
                return behind
        node = home.node
        if isinstance(node, cst.Dict):
            return self._into_dict(node, exchange)
        if isinstance(node, cst.Call):
            if isinstance(node.func, cst.Attribute) and node.func.attr.value in load_registry().adders:
                return self._behind_add_header(node, exchange)
            inside = self._into_constructor(node)
            return inside if isinstance(inside, Edit) else self._behind_assignment(exchange) or inside
        is_command = exchange.library is not None and exchange.library.name == "curl"
        if isinstance(node, cst.List | cst.Tuple) and is_command:
            return self._into_arguments(node)
        if isinstance(node, cst.List) and all(isinstance(element.value, cst.Tuple) for element in node.elements):
            header = self.analysis.catalog.version_header
            return self.edit(node, pairs_with(node, self._quoted(header, node), self._version(node)))
        if is_command:
            return self._into_command(node)
        return NoFix("the headers are built in a way that this fixer does not know")

    def _version(self, place: cst.CSTNode) -> cst.BaseExpression:
        """The version as an expression: the name of a constant that holds it, else the literal."""
        for name in self._names(place):
            return name
        return self._quoted(self.analysis.target, place)

    def _quoted(self, text: str, place: cst.CSTNode) -> cst.SimpleString:
        """A literal in the quotes of those around it."""
        return quoted(text, place, *self.analysis.module_of(place).ancestors(place))

    def _names(self, place: cst.CSTNode) -> Iterator[cst.BaseExpression]:
        module, evaluator = self.analysis.module_of(place), self.analysis.evaluator
        function = next((a for a in module.ancestors(place) if isinstance(a, cst.FunctionDef)), None)
        receiver = evaluator.calls.receiver_name(module, function) if function is not None else None
        if function is not None and receiver is not None:
            yield from self._own_attributes(module, function, receiver)
        for name in sorted(filter(_VERSION_NAME.search, module.words)):
            if not module.binders(name) or not self._is_bound(name, place):
                continue
            if self._is_target(evaluator.flow.at_module_end(name, evaluator.enter(module))):
                yield cst.Name(name)

    def _own_attributes(self, module: Module, function: cst.FunctionDef, receiver: str) -> Iterator[cst.BaseExpression]:
        """``self.anthropic_version``, where it holds the target version as far as can be seen."""
        evaluator = self.analysis.evaluator
        frame = evaluator.frame_of(module, function.body)
        for owner in evaluator.calls.parameter(receiver, frame):
            for name in sorted(module.words):
                if _OWN_VERSION_NAME.search(name) and self._is_target(
                    evaluator.objects.attribute(owner.value, name), some=True
                ):
                    yield cst.Attribute(cst.Name(receiver), cst.Name(name))

    def _is_target(self, alternatives: Alternatives, *, some: bool = False) -> bool:
        """Whether a value is the target version; with ``some`` it may be unknown as well."""
        constants = [a.value.value for a in alternatives if isinstance(a.value, Const)]
        whole = some or len(constants) == len(alternatives)
        return bool(constants) and whole and all(value == self.analysis.target for value in constants)

    def _is_bound(self, name: str, place: cst.CSTNode) -> bool:
        """Whether a module-level name can be used at a place: not hidden, and bound before it."""
        module, evaluator = self.analysis.module_of(place), self.analysis.evaluator
        functions = [a for a in module.ancestors(place) if isinstance(a, cst.FunctionDef)]
        if any(name in evaluator.calls.bound_names(function) for function in functions):
            return False
        binder, here = module.binders(name)[0], module.statement_of(place)
        if functions:
            return True
        return module.statements.index(binder) < module.statements.index(here)

    # Where the header goes

    def _into_dict(self, node: cst.Dict, exchange: Exchange) -> Edit | NoFix:
        header = self.analysis.catalog.version_header
        if any(isinstance(e, cst.DictElement) and self._is_header(e.key) for e in node.elements):
            return NoFix("the header is there, but taken away again before the request")
        return self.edit(node, dict_with(node, self._quoted(header, node), self._version(node)))

    def _is_header(self, key: cst.BaseExpression) -> bool:
        text = string_value(key)
        return isinstance(text, str) and self.analysis.catalog.is_version_header(text)

    def _into_constructor(self, node: cst.Call) -> Edit | NoFix:
        """``dict(accept=...)``: a name with a hyphen is no keyword, so it goes into ``**{...}``."""
        first = node.args[0] if node.args else None
        header = self.analysis.catalog.version_header
        if first is not None and not first.star and first.keyword is None and isinstance(first.value, cst.Dict):
            return self.edit(first.value, dict_with(first.value, self._quoted(header, node), self._version(node)))
        if (dotted(node.func) or "").split(".")[-1] not in ("dict", "OrderedDict"):
            return NoFix("the headers are built by a call that this fixer does not know")
        entry = cst.Dict([cst.DictElement(self._quoted(header, node), self._version(node))])
        return self.edit(node, call_with(node, cst.Arg(entry, star="**")))

    def _into_call(self, exchange: Exchange) -> Edit | NoFix:
        """A request without headers."""
        if exchange.by_wrapper or exchange.library is None:
            return NoFix("nothing here says which argument takes headers")
        if exchange.sent_at is not None:
            return NoFix(f"the call at {self.analysis.where(exchange.sent_at)} may send other requests, too")
        call = exchange.sending
        assert isinstance(call, cst.Call)
        name = dotted(call.func) or ""
        if name.rsplit(".", 1)[-1] in ("urlopen", "urlretrieve", "send"):
            return NoFix("this call takes no headers; build a Request with them")
        named = any(argument.keyword is not None and argument.keyword.value == "headers" for argument in call.args)
        positional = [argument for argument in call.args if argument.keyword is None]
        if named or exchange.headers.entries or len(positional) > 2:
            return NoFix("its headers are empty in a way that this fixer does not know")
        entry = cst.Dict(
            [cst.DictElement(self._quoted(self.analysis.catalog.version_header, call), self._version(call))]
        )
        return self.edit(call, call_with(call, cst.Arg(entry, keyword=cst.Name("headers"))))

    def _behind_add_header(self, node: cst.Call, exchange: Exchange) -> Edit | NoFix:
        """A further ``request.add_header(...)`` line behind the last one."""
        last = exchange.headers.homes[-1].node
        module = self.analysis.module_of(last)
        if any(isinstance(above, cst.For | cst.While) for above in module.ancestors(last)):
            return NoFix("the headers are added in a loop")
        line = module.parent(module.step_of(last) or last)
        block = module.parent(line) if line is not None else None
        if not isinstance(line, cst.SimpleStatementLine) or not isinstance(block, cst.IndentedBlock | cst.Module):
            return NoFix("the last line that adds a header does not stand on a line of its own")
        assert isinstance(last, cst.Call)
        return self._with_line_behind(block, line, cst.Expr(self._with_header(last)))

    def _behind_assignment(self, exchange: Exchange) -> Edit | NoFix | None:
        """``session.headers["anthropic-version"] = ...``, or ``headers.add("anthropic-version", ...)``, behind the last
        such line that the fewest conditions stand before; None where there is none.
        """
        places = [entry.key_place for entry in reversed(exchange.headers.entries) if entry.key_place is not None]
        for place in sorted(places, key=_conditions):
            module = place.module
            step = module.step_of(place.node)
            line = module.parent(step) if step is not None else None
            block = module.parent(line) if line is not None else None
            added = self._like(step, place.node) if step is not None else None
            if (
                added is not None
                and isinstance(line, cst.SimpleStatementLine)
                and isinstance(block, cst.IndentedBlock | cst.Module)
            ):
                return self._with_line_behind(block, line, added)
        return None

    def _like(self, step: cst.CSTNode, key: cst.CSTNode) -> cst.BaseSmallStatement | None:
        """The statement that sets the version as another one sets the header of a key; None for one of another kind."""
        header = self._quoted(self.analysis.catalog.version_header, key)
        if isinstance(step, cst.Assign) and isinstance(step.targets[0].target, cst.Subscript):
            target = step.targets[0].target.with_changes(slice=[cst.SubscriptElement(cst.Index(header))])
            return cst.Assign([cst.AssignTarget(target)], self._version(step))
        call = step.value if isinstance(step, cst.Expr) else None
        if isinstance(call, cst.Call) and last_name(call.func) == "add" and call.args and call.args[0].value is key:
            return cst.Expr(self._with_header(call))
        return None

    def _with_header(self, call: cst.Call) -> cst.Call:
        """``request.add_header("anthropic-version", ...)`` for the call that adds another one."""
        header = cst.Arg(
            self._quoted(self.analysis.catalog.version_header, call),
            comma=cst.Comma(whitespace_after=cst.SimpleWhitespace(" ")),
        )
        return call.with_changes(args=[header, cst.Arg(self._version(call))])

    def _with_line_behind(
        self, block: cst.IndentedBlock | cst.Module, line: cst.SimpleStatementLine, added: cst.BaseSmallStatement
    ) -> Edit | NoFix:
        new_line = cst.SimpleStatementLine([added])
        body = [new for old in block.body for new in ((old, new_line) if old is line else (old,))]
        return self.edit(block, block.with_changes(body=body))

    def _into_arguments(self, node: cst.List | cst.Tuple) -> Edit | NoFix:
        """curl's argument list: a further ``-H`` behind the last."""
        flags = [i for i, e in enumerate(node.elements) if string_value(e.value) in ("-H", "--header")]
        if not flags or flags[-1] + 1 >= len(node.elements):
            return NoFix("the command has no -H to put the header behind")
        flag = node.elements[flags[-1]].value
        header = self._quoted(f"{self.analysis.catalog.version_header}: {self.analysis.target}", flag)
        return self.edit(node, list_with_pair(node, flags[-1], (flag.deep_clone(), header)))

    def _into_command(self, node: cst.CSTNode) -> Edit | NoFix:
        """curl in one string: a further ``-H`` behind the last, quoted as that one."""
        module = self.analysis.module_of(node)
        start, end = module.span(node)
        source = module.source.text[start:end]
        found = list(re.finditer(r"""(-H|--header)[ =]?\s*(\\?["'])(?:(?!\2).)*\2""", source))
        if not found:
            return NoFix("the command has no quoted -H to put the header behind")
        flag, quote = found[-1][1], found[-1][2]
        place = start + found[-1].end()
        header = f"{self.analysis.catalog.version_header}: {self.analysis.target}"
        return self.placed(module, Edit(place, place, f" {flag} {quote}{header}{quote}"))


def literal_to_extend(module: Module, call: cst.CSTNode, built: Mapping) -> Place | None:
    """Where to add an entry to what a call sends: in its own function before a shared place, a dict before any call."""
    own = [f for f in module.ancestors(call) if isinstance(f, cst.FunctionDef)]

    def rank(place: Place) -> tuple[bool, bool, bool]:
        is_shared = place.module is not module or (bool(own) and module.scope_of(place.node) is None)
        entries = place.node.elements if isinstance(place.node, cst.Dict) else ()
        only_spreads = bool(entries) and not any(isinstance(entry, cst.DictElement) for entry in entries)
        return (not isinstance(place.node, cst.Dict | cst.List | cst.Tuple), is_shared, only_spreads)

    return min(built.homes, key=rank, default=None)


def _conditions(place: Place) -> int:
    """How many conditional statements of its function a place stands in."""
    above = place.module.ancestors(place.node)
    inside = itertools.takewhile(lambda node: not isinstance(node, cst.FunctionDef | cst.ClassDef), above)
    return sum(isinstance(node, cst.If | cst.For | cst.While | cst.Match | cst.Try) for node in inside)


def _with_common_home(exchanges: tuple[Exchange, ...]) -> tuple[Exchange, ...]:
    """One exchange for all where one place feeds them all: an edit there does for every branch."""
    common = [h for h in exchanges[0].headers.homes if all(h in other.headers.homes for other in exchanges)]
    if not common or len(exchanges) == 1:
        return exchanges
    headers = exchanges[0].headers
    places = [{entry.key_place for entry in other.headers.entries} for other in exchanges]
    entries = tuple(entry for entry in headers.entries if all(entry.key_place in those for those in places))
    return (replace(exchanges[0], headers=replace(headers, homes=tuple(common), entries=entries)),)


__getattr__ = command_of(AddVersionHeader)
