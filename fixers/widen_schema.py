"""CAV404."""

from __future__ import annotations

import libcst as cst

from claude_api_lint.codemod import command_of
from claude_api_lint.dataflow.trees import string_value
from claude_api_lint.findings import Applicability, Fix
from claude_api_lint.fixes import Fixer, NoFix
from claude_api_lint.layout import has_comment, with_value_quoted_like
from claude_api_lint.reply_models import Closing, strings_in
from claude_api_lint.rule import Violation

_OPEN = {"forbid": "ignore", "raise": "exclude", "RAISE": "EXCLUDE", "False": "True"}
"""What says the opposite of a setting."""


class WidenSchema(Fixer):
    """Lets fields and variants that are not known pass into a model of replies."""

    code = "CAV404"

    def fix(self, violation: Violation) -> Fix | NoFix:
        closing = violation.evidence
        assert isinstance(closing, Closing)
        setting = closing.setting
        if setting is None:
            return NoFix("what an unknown one becomes is for a person to say")
        if isinstance(setting, cst.Arg):
            assert closing.owner is not None
            return self._fixed("let fields pass that are not known", closing.owner, _without(closing.owner, setting))
        new = self._opened(setting)
        if isinstance(new, NoFix):
            return new
        title = "let fields pass that are not known" if closing.output is None else "take any text"
        return self._fixed(title, setting, new)

    def _fixed(self, title: str, old: cst.CSTNode, new: cst.CSTNode) -> Fix | NoFix:
        edit = self.edit(old, new)
        return edit if isinstance(edit, NoFix) else Fix(title, Applicability.UNSAFE, (edit,))

    def _opened(self, setting: cst.CSTNode) -> cst.CSTNode | NoFix:
        """The setting that lets everything pass."""
        if isinstance(setting, cst.Subscript):
            return _any_text(setting)
        written = string_value(setting)
        if isinstance(setting, cst.SimpleString) and isinstance(written, str):
            return with_value_quoted_like(setting, _OPEN[written])
        if isinstance(setting, cst.Attribute):
            return setting.with_changes(attr=cst.Name(_OPEN[setting.attr.value]))
        if not isinstance(setting, cst.Name) or setting.value not in _OPEN:
            return NoFix("the setting is not written out here")
        name = _OPEN[setting.value]
        if name != "True" and name not in self.analysis.module.words:
            return NoFix(f"{name} is not imported here")
        return setting.with_changes(value=name)


def _any_text(literal: cst.Subscript) -> cst.CSTNode | NoFix:
    """``str`` for a ``Literal`` of texts."""
    if len(strings_in(literal)) != len(literal.slice) or has_comment(literal):
        return NoFix("the Literal has more than texts in it")
    return cst.Name("str", lpar=literal.lpar, rpar=literal.rpar)


def _without(node: cst.ClassDef, setting: cst.Arg) -> cst.ClassDef:
    """The class without one of its keywords."""
    bases, keywords = list(node.bases), [argument for argument in node.keywords if argument is not setting]
    if setting is node.keywords[-1]:
        rest = keywords or bases
        if rest:
            rest[-1] = rest[-1].with_changes(comma=setting.comma, whitespace_after_arg=setting.whitespace_after_arg)
    return node.with_changes(bases=bases, keywords=keywords)


__getattr__ = command_of(WidenSchema)
