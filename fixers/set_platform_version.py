"""Fixes CAV107."""

from __future__ import annotations

import libcst as cst
from claude_api_lint.fixers.add_version_header import AddVersionHeader, literal_to_extend
from claude_api_lint.fixers.replace_version import written_anew

from claude_api_lint.api import Platform, VersionPlace
from claude_api_lint.codemod import command_of
from claude_api_lint.dataflow.trees import dotted, last_name, string_value
from claude_api_lint.dataflow.values import HOLE, Alternative, Entry, Mapping, Place
from claude_api_lint.findings import Applicability, Edit, Fix
from claude_api_lint.fixes import Fixer, NoFix, applicability_of_step, replacing
from claude_api_lint.http.bodies import documents
from claude_api_lint.layout import call_with, dict_with, dict_without, has_comment, quoted, with_value_quoted_like
from claude_api_lint.platform_versions import MisnamedVersion, MissingVersion, WrongVersion
from claude_api_lint.rule import Violation


class SetPlatformVersion(Fixer):
    """Puts the version that a platform wants where the platform wants it.

    A missing one is added where the body (or the headers) of the request are built, and taken away where it does not
    count; a wrong value or name is replaced where it is written.
    """

    code = "CAV107"

    def fix(self, violation: Violation) -> Fix | NoFix:
        fault = violation.evidence
        if isinstance(fault, MissingVersion):
            return self._added(fault) if fault.platform.place is VersionPlace.BODY else self._header_added(fault)
        if isinstance(fault, MisnamedVersion):
            return self._renamed(fault)
        assert isinstance(fault, WrongVersion)
        return self._replaced(fault)

    # A missing version

    def _added(self, fault: MissingVersion) -> Fix | NoFix:
        """The key in the body, wherever a body is built."""
        key, value = fault.platform.key, fault.platform.value(self.analysis.target)
        if fault.serves_others:
            return NoFix("the same body also goes to models of other vendors")
        edits: dict[Edit, None] = {}
        homes = {literal_to_extend(self.analysis.module, fault.call, body): None for body in fault.built}
        for home in homes:
            edit = self._into_body(home, fault.platform, value)
            if isinstance(edit, NoFix):
                return edit
            edits[edit] = None
        # Of several bodies, one may be meant for the models of another vendor; so may one that another file builds.
        is_own = all(home is not None and home.module is self.analysis.module for home in homes)
        applicability = Applicability.SAFE if is_own and len(homes) == 1 else Applicability.UNSAFE
        return self._with_removals(Fix(f'Add "{key}": "{value}"', applicability, tuple(edits)), fault)

    def _into_body(self, home: Place | None, platform: Platform, value: str) -> Edit | NoFix:
        if home is None:
            return NoFix("it is not seen where the body is built")
        if home in self._bodies_of_others(platform):
            return NoFix("the same body is also sent elsewhere")
        module, node = home.module, home.node
        near = (node, *module.ancestors(node))
        if isinstance(node, cst.Dict):
            return self.edit(node, dict_with(node, quoted(platform.key, *near), quoted(value, *near)))
        if isinstance(node, cst.Call) and (dotted(node.func) or "").split(".")[-1] == "dict":
            argument = cst.Arg(quoted(value, *near), keyword=cst.Name(platform.key))
            return self.edit(node, call_with(node, argument))
        return NoFix("the body is built in a way that this fixer does not know")

    def _bodies_of_others(self, platform: Platform) -> frozenset[Place]:
        """The places that build bodies of requests which are known to go to somebody else."""
        analysis = self.analysis
        bodies: list[Alternative] = []
        for call in analysis.requests.calls:
            to_platforms = analysis.platforms.of(call)
            bodies += [body for other in to_platforms if other.platform is not platform for body in other.bodies]
            for exchange in analysis.requests.exchanges(call):
                is_known = not exchange.url_text.startswith(HOLE)
                if exchange.body is not None and is_known and not platform.reads(exchange.url_text, HOLE):
                    bodies += documents(analysis.evaluator, exchange.body)
        return frozenset(home for body in bodies if isinstance(body.value, Mapping) for home in body.value.homes)

    def _header_added(self, fault: MissingVersion) -> Fix | NoFix:
        fix = AddVersionHeader(self.analysis).added(fault.exchanges)
        return fix if isinstance(fix, NoFix) else self._with_removals(fix, fault)

    def _with_removals(self, fix: Fix, fault: MissingVersion) -> Fix:
        """The fix that also takes the version away from where it does not count; unsafe where it cannot."""
        edits: list[Edit] = []
        for entry in fault.elsewhere:
            edit = self._removal(entry, fault.platform)
            if isinstance(edit, NoFix):
                return Fix(fix.title, Applicability.UNSAFE, fix.edits)
            edits.append(edit)
        if not edits:
            return fix
        place = "headers" if fault.platform.place is VersionPlace.BODY else "body"
        title = f"{fix.title}, and take it out of the {place}"
        return Fix(title, fix.applicability, tuple(dict.fromkeys((*fix.edits, *edits))))

    def _removal(self, entry: Entry, platform: Platform) -> Edit | NoFix:
        module = self.analysis.module
        element = module.parent(entry.key_place.node) if entry.key_place is not None else None
        literal = module.parent(element) if isinstance(element, cst.DictElement) else None
        if element is None or not isinstance(literal, cst.Dict) or has_comment(element):
            return NoFix("it is not written in a dict of its own")
        if Place(module, literal) in self.analysis.requests.shared_homes | self._bodies_of_others(platform):
            return NoFix("the same headers, or body, also go elsewhere")
        assert isinstance(element, cst.DictElement)
        return self.edit(literal, dict_without(literal, element))

    # A wrong one

    def _renamed(self, fault: MisnamedVersion) -> Fix | NoFix:
        place, key = fault.entry.key_place, fault.platform.key
        node = place.node if place is not None else None
        if place is None or not isinstance(node, cst.SimpleString) or node.evaluated_value != fault.entry.key:
            return NoFix("the name is not written as one literal")
        edit = replacing(place.module, node, with_value_quoted_like(node, key))
        if isinstance(edit, NoFix):
            return edit
        is_for_all = place.module is not self.analysis.module and self._is_taken(fault.entry.key)
        applicability = Applicability.UNSAFE if is_for_all else Applicability.SAFE
        return Fix(f"Rename it to {key}", applicability, (self.placed(place.module, edit),))

    def _replaced(self, fault: WrongVersion) -> Fix | NoFix:
        """The value where it is written; a constant that others use is left to them, and its name gives way."""
        module, new = self.analysis.module, fault.platform.value(self.analysis.target)
        if fault.node is fault.call:
            return self._replaced_elsewhere(fault, new)
        constant = self._constant(fault)
        if constant is not None and len([n for n in module.nodes(cst.Name, constant) if n.value == constant]) > 2:
            edit = self.edit(fault.node, quoted(new, *module.ancestors(fault.node)))
        elif fault.place.module is module:
            edit = written_anew(module, fault.place.node, fault.value, new)
        else:
            return NoFix("the value is written in another file")
        if isinstance(edit, NoFix):
            return edit
        is_written_for_it = fault.place.node is fault.node or constant is not None
        applicability = self._applicability(fault) if is_written_for_it else Applicability.UNSAFE
        return Fix(f"Replace it by {new}", applicability, (edit,))

    def _replaced_elsewhere(self, fault: WrongVersion, new: str) -> Fix | NoFix:
        """The value in another file, which may be there for somebody else who takes it."""
        module = fault.place.module
        edit = written_anew(module, fault.place.node, fault.value, new)
        if isinstance(edit, NoFix):
            return edit
        may_be_anothers = self._is_taken(fault.value) and not self._is_for_the_key(fault)
        applicability = Applicability.UNSAFE if may_be_anothers else self._applicability(fault)
        return Fix(f"Replace it by {new}", applicability, (self.placed(module, edit),))

    def _is_taken(self, text: str | None) -> bool:
        """Whether a name or a value is right for the API itself, or for another platform."""
        catalog = self.analysis.catalog
        right = {catalog.version_header}.union(*((platform.key, *platform.values) for platform in catalog.platforms))
        return text is None or text in right or catalog.is_known(text)

    def _is_for_the_key(self, fault: WrongVersion) -> bool:
        """Whether a value is written under the key of a body, or as a constant that has no other use in its file."""
        place, platform = fault.place, fault.platform
        use, name = place.module.parent(place.node), self._assigned_name(place)
        if name is not None:
            uses = [n for n in place.module.nodes(cst.Name, name) if n.value == name]
            is_imported = name in self.analysis.module.words
            use = place.module.parent(uses[1]) if len(uses) == 2 and not is_imported else None
        is_under_key = isinstance(use, cst.DictElement) and string_value(use.key) == platform.key
        return platform.place is VersionPlace.BODY and is_under_key

    def _constant(self, fault: WrongVersion) -> str | None:
        """The name of the constant that a value is written as, if it is one: it occurs there, and here."""
        name = self._assigned_name(fault.place)
        return name if name is not None and last_name(fault.node) == name else None

    def _assigned_name(self, place: Place) -> str | None:
        assignment = place.module.parent(place.node)
        target = assignment.targets[0].target if isinstance(assignment, cst.Assign) else None
        if isinstance(assignment, cst.AnnAssign):
            target = assignment.target
        return target.value if isinstance(target, cst.Name) else None

    def _applicability(self, fault: WrongVersion) -> Applicability:
        if fault.limited:
            return Applicability.UNSAFE  # the model may be the one to change
        if fault.platform.place is VersionPlace.HEADER:
            return applicability_of_step(self.analysis, fault.value)
        return Applicability.SAFE


__getattr__ = command_of(SetPlatformVersion)
