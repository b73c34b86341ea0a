"""Adding to and taking from lists of nodes as the author would: same quotes, same line breaks, same trailing comma."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TypeVar

import libcst as cst

Listed = TypeVar("Listed", cst.BaseDictElement, cst.BaseElement)

_ONE_SPACE = cst.Comma(whitespace_after=cst.SimpleWhitespace(" "))


def quoted(text: str, *near: cst.CSTNode) -> cst.SimpleString:
    """A string literal in the quotes of the first one found in these nodes; double quotes where there is none."""
    quote = next((found for node in near if (found := quote_of(node))), '"')
    return cst.SimpleString(f"{quote}{text}{quote}")


def quote_of(node: cst.CSTNode) -> str | None:
    """The quote character of the first string below a node."""
    stack = [node]
    while stack:
        current = stack.pop(0)
        if isinstance(current, cst.SimpleString | cst.FormattedString):
            quote = current.quote if isinstance(current, cst.SimpleString) else current.end
            return quote[0]
        stack.extend(current.children)
    return None


def with_value_quoted_like(literal: cst.SimpleString, text: str) -> cst.SimpleString:
    """The literal with another value, prefix and quotes kept."""
    return literal.with_changes(value=f"{literal.prefix}{literal.quote}{text}{literal.quote}")


def dict_with(node: cst.Dict, key: cst.SimpleString, value: cst.BaseExpression) -> cst.Dict:
    """The dict literal with one more entry at its end."""
    element = cst.DictElement(key, value)
    elements, closing = _appended(
        list(node.elements), element, node.lbrace.whitespace_after, node.rbrace.whitespace_before
    )
    return node.with_changes(elements=elements, rbrace=node.rbrace.with_changes(whitespace_before=closing))


def pairs_with(node: cst.List, key: cst.SimpleString, value: cst.BaseExpression) -> cst.List:
    """The list of pairs with one more pair at its end."""
    pair = cst.Tuple([cst.Element(key, comma=_ONE_SPACE), cst.Element(value)])
    elements, closing = _appended(
        list(node.elements), cst.Element(pair), node.lbracket.whitespace_after, node.rbracket.whitespace_before
    )
    return node.with_changes(elements=elements, rbracket=node.rbracket.with_changes(whitespace_before=closing))


def _appended(
    elements: list[Listed],
    element: Listed,
    opening: cst.BaseParenthesizableWhitespace,
    closing: cst.BaseParenthesizableWhitespace,
) -> tuple[list[Listed], cst.BaseParenthesizableWhitespace]:
    """The elements between two brackets with one more, and what then stands before the closing bracket."""
    if not elements:
        return [element], closing
    *former, last = elements
    has_comma = isinstance(last.comma, cst.Comma)
    separator = _separator(former, opening)
    if not isinstance(separator, cst.ParenthesizedWhitespace):
        kept = last.with_changes(comma=_ONE_SPACE)
        return [*former, kept, element.with_changes(comma=last.comma)], closing
    between, end = _split_closing(closing, separator)
    kept = last.with_changes(comma=cst.Comma(whitespace_after=between))
    comma = cst.Comma() if has_comma else cst.MaybeSentinel.DEFAULT
    return [*former, kept, element.with_changes(comma=comma)], end


def _separator(
    former: Sequence[cst.CSTNode], opening: cst.BaseParenthesizableWhitespace
) -> cst.BaseParenthesizableWhitespace:
    """The white space after the last comma between elements; what opens the list, where there is but one element."""
    if former:
        comma = getattr(former[-1], "comma", None)
        if isinstance(comma, cst.Comma):
            return comma.whitespace_after
    return opening


def _split_closing(
    closing: cst.BaseParenthesizableWhitespace, separator: cst.ParenthesizedWhitespace
) -> tuple[cst.BaseParenthesizableWhitespace, cst.BaseParenthesizableWhitespace]:
    """What stands between the former last element and a new one, and between the new one and the end.

    A comment behind the former last element stays behind it.
    """
    plain = separator.with_changes(first_line=cst.TrailingWhitespace(), empty_lines=[])
    if not isinstance(closing, cst.ParenthesizedWhitespace):
        return plain, closing
    between = plain.with_changes(first_line=closing.first_line, empty_lines=closing.empty_lines)
    return between, closing.with_changes(first_line=cst.TrailingWhitespace(), empty_lines=[])


def call_with(node: cst.Call, argument: cst.Arg) -> cst.Call:
    """The call with one more argument at its end."""
    equal = cst.AssignEqual(cst.SimpleWhitespace(""), cst.SimpleWhitespace(""))
    argument = argument.with_changes(equal=equal if argument.keyword is not None else cst.MaybeSentinel.DEFAULT)
    if not node.args:
        return node.with_changes(args=[argument])
    former, last = list(node.args[:-1]), node.args[-1]
    separator = _separator(former, node.whitespace_before_args)
    has_comma = isinstance(last.comma, cst.Comma)
    closing = last.comma.whitespace_after if isinstance(last.comma, cst.Comma) else last.whitespace_after_arg
    if not isinstance(separator, cst.ParenthesizedWhitespace):
        new = argument.with_changes(comma=last.comma, whitespace_after_arg=last.whitespace_after_arg)
        kept = last.with_changes(comma=_ONE_SPACE, whitespace_after_arg=cst.SimpleWhitespace(""))
        return node.with_changes(args=[*former, kept, new])
    between, end = _split_closing(closing, separator)
    kept = last.with_changes(comma=cst.Comma(whitespace_after=between), whitespace_after_arg=cst.SimpleWhitespace(""))
    new = (
        argument.with_changes(comma=cst.Comma(whitespace_after=end))
        if has_comma
        else argument.with_changes(whitespace_after_arg=end)
    )
    return node.with_changes(args=[*former, kept, new])


def list_with_pair(
    node: cst.List | cst.Tuple, flag: int, values: tuple[cst.BaseExpression, cst.BaseExpression]
) -> cst.List | cst.Tuple:
    """The list with a second pair behind the pair that begins at the element ``flag``, laid out as that one is."""
    elements = list(node.elements)
    first, second = elements[flag], elements[flag + 1]
    is_last = flag + 2 == len(elements)
    between_pairs = elements[flag - 1].comma if flag > 0 else first.comma if is_last else second.comma
    elements[flag + 1] = second.with_changes(comma=between_pairs)
    added = [cst.Element(values[0], comma=first.comma), cst.Element(values[1], comma=second.comma)]
    return node.with_changes(elements=[*elements[: flag + 2], *added, *elements[flag + 2 :]])


def dict_without(node: cst.Dict, element: cst.BaseDictElement) -> cst.Dict:
    """The dict literal without one of its entries."""
    elements = list(node.elements)
    index = elements.index(element)
    if index == len(elements) - 1 and index > 0:
        elements[index - 1] = elements[index - 1].with_changes(comma=element.comma)
    del elements[index]
    return node.with_changes(elements=elements)


def call_without(node: cst.Call, argument: cst.Arg) -> cst.Call:
    """The call without one of its arguments."""
    arguments = list(node.args)
    index = arguments.index(argument)
    if len(arguments) == 1:
        return node.with_changes(args=[], whitespace_before_args=cst.SimpleWhitespace(""))
    if index == len(arguments) - 1:
        before, space = arguments[index - 1], argument.whitespace_after_arg
        arguments[index - 1] = before.with_changes(comma=argument.comma, whitespace_after_arg=space)
    del arguments[index]
    return node.with_changes(args=arguments)


def has_comment_around(item: cst.DictElement | cst.Arg, whole: cst.Dict | cst.Call) -> bool:
    """Whether a comment goes with an entry or an argument: inside it, behind it, or on lines of its own before it."""
    items: Sequence[cst.CSTNode] = whole.elements if isinstance(whole, cst.Dict) else whole.args
    opening = whole.lbrace.whitespace_after if isinstance(whole, cst.Dict) else whole.whitespace_before_args
    index = list(items).index(item)
    before = _separator(items[:index], opening)
    own_lines = before.empty_lines if isinstance(before, cst.ParenthesizedWhitespace) else ()
    if any(map(has_comment, own_lines)) or has_comment(item):
        return True
    closing = whole.rbrace.whitespace_before if isinstance(whole, cst.Dict) else cst.SimpleWhitespace("")
    return (index == len(items) - 1 and has_comment(closing)) or (len(items) == 1 and has_comment(opening))


def has_comment(node: cst.CSTNode) -> bool:
    """Whether a comment stands inside a node."""
    return re.search(r"#", "".join(c.value for c in _comments(node))) is not None


def _comments(node: cst.CSTNode) -> list[cst.Comment]:
    found: list[cst.Comment] = []
    stack: list[cst.CSTNode] = [node]
    while stack:
        current = stack.pop()
        if isinstance(current, cst.Comment):
            found.append(current)
        stack.extend(current.children)
    return found
